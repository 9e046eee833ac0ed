//! What `ESR_EL1` says (Arm ARM D19.2.37).

use syscall::Status;
use vm::addr::VirtAddr;
use vm::mmu::Access;

use super::frame::TrapFrame;
use crate::handlers::{Exception, PageFault};

/// An exception, taken apart.
pub(super) enum Cause {
    /// Translation, permission or access flag.
    Page(PageFault),
    /// Anything else.
    Other(Exception),
}

impl Cause {
    /// The same as an exception that is reported; a page fault as one that nobody resolved.
    pub(super) fn unresolved(self) -> Exception {
        match self {
            Self::Page(fault) => Exception::PageFault(fault, Status::NOT_FOUND),
            Self::Other(exception) => exception,
        }
    }
}

/// The exception that `frame` was saved for.
pub(super) fn cause(frame: &TrapFrame) -> Cause {
    let syndrome = frame.syndrome;
    let class = (syndrome >> 26) & 0x3f;
    Cause::Other(match class {
        // Unknown; trapped SIMD, SVE, SME or system register; undefined pointer authentication.
        0x00 | 0x07 | 0x09 | 0x0d | 0x18 | 0x19 | 0x1d => Exception::UndefinedInstruction,
        // Instruction abort from EL0 and EL1.
        0x20 | 0x21 => return abort(frame, Access::EXECUTE),
        // Data abort from EL0 and EL1.
        0x24 | 0x25 => return abort(frame, data_access(syndrome)),
        0x22 => Exception::Alignment(frame.program_counter()),
        0x26 => Exception::Alignment(frame.stack_pointer()),
        // Trapped floating-point exception.
        0x2c => Exception::Arithmetic,
        // Breakpoint, step and watchpoint of the debug unit, from EL0 and EL1.
        0x30..=0x35 => Exception::Debug,
        // BRK
        0x3c => Exception::Breakpoint,
        _ => Exception::General { code: syndrome },
    })
}

/// Whether a data abort was for a load or a store.
fn data_access(syndrome: u64) -> Access {
    const WRITE_NOT_READ: u64 = 1 << 6;
    // Cache maintenance counts as a write, but needs no right to write.
    const CACHE_MAINTENANCE: u64 = 1 << 8;
    match syndrome & (WRITE_NOT_READ | CACHE_MAINTENANCE) {
        WRITE_NOT_READ => Access::WRITE,
        _ => Access::READ,
    }
}

/// Sorts aborts by their fault status code.
fn abort(frame: &TrapFrame, access: Access) -> Cause {
    let address = VirtAddr::new(frame.fault_address as usize);
    let present = match frame.syndrome & 0x3f {
        // Translation fault, level 0 to 3.
        0b000100..=0b000111 => false,
        // Access flag and permission fault, level 0 to 3.
        0b001000..=0b001111 => true,
        0b100001 => return Cause::Other(Exception::Alignment(address)),
        _ => {
            return Cause::Other(Exception::General {
                code: frame.syndrome,
            });
        }
    };
    Cause::Page(PageFault {
        address,
        access,
        origin: frame.origin(),
        present,
        program_counter: frame.program_counter(),
    })
}
