//! Exceptions, interrupts and system calls: everything that enters the kernel after its start.
//!
//! ```text
//!   stub of page faults ─► trap_page_fault ─► handlers.page_fault, or handlers.exception
//!   stub of the vector ─► trap_common ─► trap() ─┬─► page fault ─► of the kernel: a recovery
//!   (entry.s)                                    ├─► exception  ─► handlers.exception / kernel_fault
//!                                                └─► interrupt  ─► super::irq
//!   system_call_entry ─► handlers.system_call
//! ```
//!
//! Traps from the kernel itself are faults in it, with two exceptions that are looked up by address:
//! copies of user memory ([`super::user`]) and [`probe`]. A copy that captures its faults is told of them
//! before anybody else is: its caller may hold locks.

mod entry;
mod frame;
mod gates;

use syscall::Status;
use vm::addr::VirtAddr;
use vm::cpu::CpuId;
use vm::mmu::Access;
use x86_64::registers::control::Cr2;

pub(super) use self::entry::{SMAP_ON, leave};
pub use self::frame::TrapFrame;

use super::record::PerCpu;
use super::{cpu, features, irq, paging, segments, smp, user};
use crate::handlers::{self, Exception, KernelFault, Origin, PageFault};
use crate::user_memory::End;

/// Vectors of exceptions (Intel SDM 3A, table 6-1).
mod vector {
    pub(super) const DIVIDE_ERROR: usize = 0;
    pub(super) const DEBUG: usize = 1;
    pub(super) const NON_MASKABLE: usize = 2;
    pub(super) const BREAKPOINT: usize = 3;
    pub(super) const INVALID_OPCODE: usize = 6;
    pub(super) const DOUBLE_FAULT: usize = 8;
    pub(super) const PAGE_FAULT: usize = 14;
    pub(super) const X87_ERROR: usize = 16;
    pub(super) const ALIGNMENT_CHECK: usize = 17;
    pub(super) const MACHINE_CHECK: usize = 18;
    pub(super) const SIMD_ERROR: usize = 19;
    pub(super) const LAST_EXCEPTION: usize = 31;
}

/// A stack that ran over is hit at most this far from its pointer.
const STACK_OVERFLOW_REACH: usize = 0x10000;

/// Makes traps work on the boot CPU: its record, its tables, its features.
///
/// Called once, on the boot CPU, at the beginning, with interrupts off.
pub fn init_early() {
    let record = PerCpu::prepare(CpuId::BOOT, features::local_apic_id());
    // SAFETY:
    // 1. The boot CPU is the caller and has not loaded the tables.
    // 2. Until the kernel sets a stack nothing enters from user mode.
    unsafe {
        segments::prepare(CpuId::BOOT, record, VirtAddr::new(0));
        init_cpu(record);
    }
}

/// Makes traps work on the CPU that runs.
///
/// # Safety
/// 1. `record` is prepared and this CPU's own.
/// 2. Interrupts are off, and the CPU runs in the kernel's half.
pub(super) unsafe fn init_cpu(record: &'static PerCpu) {
    // SAFETY:
    // 1. The caller promises what each of these asks for; the gates and the system-call entry need the
    //    segments and the record, which come before.
    unsafe {
        segments::load(record);
        record.install();
        gates::load();
        features::enable();
        gates::enable_system_calls();
    }
}

/// The word at kernel address `address`; `None` if nothing is mapped there.
///
/// Works from [`init_early`] on, whatever else is broken.
pub fn probe(address: VirtAddr) -> Option<usize> {
    entry::read_word(address.raw())
}

/// Where every trap goes, with interrupts off; they are off again when it returns.
extern "C" fn trap(frame: &mut TrapFrame) {
    match frame.vector {
        vector::PAGE_FAULT => page_fault(frame),
        0..=vector::LAST_EXCEPTION => exception(frame),
        interrupt => irq::dispatch(interrupt, frame.origin()),
    }
}

/// Serves a page fault of the kernel itself (Intel SDM 3A, 4.7 "Page-Fault Exceptions").
fn page_fault(frame: &mut TrapFrame) {
    let address = VirtAddr::new(Cr2::read_raw() as usize);
    let fault = describe(address, frame.error_code, frame.rip, frame.origin());
    kernel_page_fault(frame, &fault);
}

/// Serves a page fault of a program, of which the frame is not complete: answers the raw status, 0 if the
/// program goes on. Interrupts are on.
extern "C" fn user_page_fault(address: usize, error_code: usize, rip: usize) -> i32 {
    if is_implicit_and_refused(error_code) {
        return Status::ACCESS_DENIED.into_raw();
    }
    let fault = describe(VirtAddr::new(address), error_code, rip, Origin::User);
    match (handlers::installed().page_fault)(&fault) {
        Ok(()) => Status::OK.into_raw(),
        Err(status) => status.into_raw(),
    }
}

/// Reports a page fault that [`user_page_fault`] refused. The frame has the address in the place of the
/// vector. Interrupts are off on entry and exit.
extern "C" fn refused_page_fault(frame: &mut TrapFrame, status: i32) {
    let address = VirtAddr::new(core::mem::replace(&mut frame.vector, vector::PAGE_FAULT));
    if is_implicit_and_refused(frame.error_code) {
        return exception(frame);
    }
    let fault = describe(address, frame.error_code, frame.rip, Origin::User);
    let exception = Exception::PageFault(fault, Status::from_raw(status));
    cpu::enable_interrupts();
    (handlers::installed().exception)(frame, exception);
    cpu::disable_interrupts();
}

/// Whether the CPU itself, on behalf of user code, was refused a page that is present. No page can be
/// supplied for that (Intel SDM 3A, 4.6.1 "implicit supervisor-mode accesses").
///
/// QEMU 7.2 takes the stack accesses of `iret` and far `ret` in user mode for such ones, which SMAP refuses.
fn is_implicit_and_refused(error_code: usize) -> bool {
    const PRESENT: usize = 1 << 0;
    const USER: usize = 1 << 2;
    error_code & (PRESENT | USER) == PRESENT
}

#[inline]
fn describe(address: VirtAddr, error_code: usize, rip: usize, origin: Origin) -> PageFault {
    const PRESENT: usize = 1 << 0;
    const WRITE: usize = 1 << 1;
    const FETCH: usize = 1 << 4;
    let access = if error_code & FETCH != 0 {
        Access::EXECUTE
    } else if error_code & WRITE != 0 {
        Access::WRITE
    } else {
        Access::READ
    };
    PageFault {
        address,
        access,
        origin,
        present: error_code & PRESENT != 0,
        program_counter: VirtAddr::new(rip),
    }
}

fn kernel_page_fault(frame: &mut TrapFrame, fault: &PageFault) {
    if user::is_in_loop(frame.rip) && paging::USER.contains(fault.address) {
        user_access_fault(frame, fault);
    } else if let Some(recovery) = entry::recovery_of_probe(frame.rip) {
        frame.rip = recovery;
    } else {
        let exception = Exception::PageFault(*fault, Status::INVALID_ARGS);
        kernel_fault(frame, KernelFault::Exception(exception));
    }
}

/// A fault of a user copy ends the copy if that captures its faults; else it is served like the user's own,
/// and ends the copy if it cannot be.
fn user_access_fault(frame: &mut TrapFrame, fault: &PageFault) {
    if user::captures_faults(frame) {
        return user::leave_loop(frame, End::Captured, fault.address);
    }
    if frame.had_interrupts() {
        cpu::enable_interrupts();
    }
    let served = (handlers::installed().page_fault)(fault);
    cpu::disable_interrupts();
    if served.is_err() {
        user::leave_loop(frame, End::Refused, fault.address);
    }
}

/// Serves every exception but page faults.
fn exception(frame: &mut TrapFrame) {
    match frame.vector {
        vector::NON_MASKABLE => {
            smp::halt_if_asked();
            kernel_fault(frame, KernelFault::Machine("non-maskable interrupt", 0));
        }
        vector::MACHINE_CHECK => {
            kernel_fault(frame, KernelFault::Machine("machine check", 0));
        }
        vector::DOUBLE_FAULT => double_fault(frame),
        _ => {}
    }
    let exception = classify(frame);
    match frame.origin() {
        Origin::User => {
            cpu::enable_interrupts();
            (handlers::installed().exception)(frame, exception);
            cpu::disable_interrupts();
        }
        // A probe of an address that is not canonical (Intel SDM 1, 3.3.7.1).
        Origin::Kernel => match entry::recovery_of_probe(frame.rip) {
            Some(recovery) => frame.rip = recovery,
            None => kernel_fault(frame, KernelFault::Exception(exception)),
        },
    }
}

fn classify(frame: &TrapFrame) -> Exception {
    match frame.vector {
        vector::DIVIDE_ERROR | vector::X87_ERROR | vector::SIMD_ERROR => Exception::Arithmetic,
        vector::DEBUG => Exception::Debug,
        vector::BREAKPOINT => Exception::Breakpoint,
        vector::INVALID_OPCODE => Exception::UndefinedInstruction,
        vector::ALIGNMENT_CHECK => Exception::Alignment(frame.program_counter()),
        vector => Exception::General {
            code: (vector as u64) << 32 | frame.error_code as u64,
        },
    }
}

/// A double fault is what a stack that ran over ends in: the page fault has no room for its frame.
fn double_fault(frame: &TrapFrame) -> ! {
    let address = Cr2::read_raw() as usize;
    if address.abs_diff(frame.rsp) < STACK_OVERFLOW_REACH {
        kernel_fault(frame, KernelFault::StackOverflow(VirtAddr::new(address)));
    }
    kernel_fault(
        frame,
        KernelFault::Machine("double fault", frame.error_code as u64),
    );
}

fn kernel_fault(frame: &TrapFrame, fault: KernelFault) -> ! {
    (handlers::installed().kernel_fault)(frame, fault)
}
