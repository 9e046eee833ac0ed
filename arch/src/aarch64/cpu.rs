//! This CPU: who it is, its interrupts.

use core::arch::asm;

use vm::addr::VirtAddr;

/// Whether device interrupts reach this CPU (`PSTATE.I`; Arm ARM C5.2.2).
#[inline]
pub fn interrupts_enabled() -> bool {
    const MASKED: u64 = 1 << 7;
    let flags: u64;
    // SAFETY:
    // 1. Reads one register and nothing else. It is not `nomem`, so that memory accesses stay on their
    //    side of it.
    unsafe { asm!("mrs {}, daif", out(reg) flags, options(nostack, preserves_flags)) };
    flags & MASKED == 0
}

/// Lets device interrupts reach this CPU.
#[inline]
pub fn enable_interrupts() {
    // SAFETY:
    // 1. The vectors are installed before anything enables interrupts, and handlers restore all registers.
    unsafe { asm!("msr daifclr, #3", options(nostack, preserves_flags)) };
}

/// Keeps device interrupts from this CPU.
#[inline]
pub fn disable_interrupts() {
    // SAFETY:
    // 1. Masking interrupts changes nothing that the compiler relies on.
    unsafe { asm!("msr daifset, #3", options(nostack, preserves_flags)) };
}

/// The frame pointer of the function that this is inlined into.
#[inline(always)]
pub fn frame_pointer() -> VirtAddr {
    let value: usize;
    // SAFETY:
    // 1. Reads one register and nothing else.
    unsafe { asm!("mov {}, x29", out(reg) value, options(nomem, nostack, preserves_flags)) };
    VirtAddr::new(value)
}
