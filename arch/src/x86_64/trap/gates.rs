//! The interrupt descriptor table, and the registers of `syscall`.

use core::cell::UnsafeCell;

use x86_64::instructions::tables::lidt;
use x86_64::registers::model_specific::{LStar, SFMask, Star};
use x86_64::registers::rflags::RFlags;
use x86_64::structures::DescriptorTablePointer;

use super::entry;
use crate::machine::segments::{ExceptionStack, KERNEL_CODE, KERNEL_DATA, USER_CODE, USER_DATA};

const VECTORS: usize = 256;

/// A gate descriptor (Intel SDM 3A, 6.14.1 "64-Bit Mode IDT").
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Gate {
    offset_low: u16,
    selector: u16,
    stack: u8,
    kind: u8,
    offset_middle: u16,
    offset_high: u32,
    _reserved: u32,
}

impl Gate {
    const ABSENT: Self = Self {
        offset_low: 0,
        selector: 0,
        stack: 0,
        kind: 0,
        offset_middle: 0,
        offset_high: 0,
        _reserved: 0,
    };

    /// A gate that turns interrupts off and goes to the stub of `vector`.
    fn to_stub(vector: u8) -> Self {
        const PRESENT_INTERRUPT_GATE: u8 = 0x8e;
        const FROM_USER: u8 = 3 << 5;
        const BREAKPOINT: u8 = 3;
        let address = entry::stub(vector);
        // `int3` is the only gate that user code may name; `int n` for others is a protection fault.
        let privilege = if vector == BREAKPOINT { FROM_USER } else { 0 };
        Self {
            offset_low: address as u16,
            selector: KERNEL_CODE.0,
            stack: own_stack(vector).map_or(0, ExceptionStack::gate_index),
            kind: PRESENT_INTERRUPT_GATE | privilege,
            offset_middle: (address >> 16) as u16,
            offset_high: (address >> 32) as u32,
            _reserved: 0,
        }
    }
}

/// The exceptions that `entry.s` expects on their own stacks.
fn own_stack(vector: u8) -> Option<ExceptionStack> {
    match vector {
        1 => Some(ExceptionStack::Debug),
        2 => Some(ExceptionStack::NonMaskable),
        8 => Some(ExceptionStack::DoubleFault),
        18 => Some(ExceptionStack::MachineCheck),
        _ => None,
    }
}

/// The one table of all CPUs.
struct GateTable(UnsafeCell<[Gate; VECTORS]>);

// SAFETY:
// 1. Only `load` writes it; it stores the same values on each CPU, and the first time is over before
//    there is a second CPU.
unsafe impl Sync for GateTable {}

static GATES: GateTable = GateTable(UnsafeCell::new([Gate::ABSENT; VECTORS]));

/// Fills the table, on the first call, and loads it.
///
/// # Safety
/// 1. Interrupts are off, and the segments of this CPU are loaded.
pub(super) unsafe fn load() {
    let table = GATES.0.get();
    for vector in 0..=u8::MAX {
        let gate = Gate::to_stub(vector);
        // SAFETY:
        // 1. The index is inside the table. Later calls store what is there already.
        unsafe { (&raw mut (*table)[usize::from(vector)]).write_volatile(gate) };
    }
    let pointer = DescriptorTablePointer {
        limit: (size_of::<[Gate; VECTORS]>() - 1) as u16,
        base: x86_64::VirtAddr::from_ptr(table),
    };
    // SAFETY:
    // 1. The table is static, and every gate leads to its stub on stacks that `segments` prepares.
    unsafe { lidt(&pointer) };
}

/// Points `syscall` to its entry (Intel SDM 3A, 5.8.8 "Fast System Calls in 64-Bit Mode").
///
/// # Safety
/// 1. The segments of this CPU are loaded and its record is installed.
pub(super) unsafe fn enable_system_calls() {
    LStar::write(x86_64::VirtAddr::new_truncate(
        entry::system_call_address() as u64
    ));
    SFMask::write(
        RFlags::TRAP_FLAG
            | RFlags::INTERRUPT_FLAG
            | RFlags::DIRECTION_FLAG
            | RFlags::IOPL_LOW
            | RFlags::IOPL_HIGH
            | RFlags::NESTED_TASK
            | RFlags::RESUME_FLAG
            | RFlags::ALIGNMENT_CHECK,
    );
    Star::write(USER_CODE, USER_DATA, KERNEL_CODE, KERNEL_DATA)
        .expect("the segments are laid out as `syscall` and `sysret` want them");
}
