//! This CPU: who it is, its interrupts.

use core::arch::asm;

use vm::addr::VirtAddr;
use x86_64::instructions::interrupts;

/// Whether device interrupts reach this CPU.
#[inline]
pub fn interrupts_enabled() -> bool {
    interrupts::are_enabled()
}

/// Lets device interrupts reach this CPU.
#[inline]
pub fn enable_interrupts() {
    interrupts::enable();
}

/// Keeps device interrupts from this CPU.
#[inline]
pub fn disable_interrupts() {
    interrupts::disable();
}

/// The frame pointer of the function that this is inlined into.
#[inline(always)]
pub fn frame_pointer() -> VirtAddr {
    let value: usize;
    // SAFETY:
    // 1. Reads one register and nothing else.
    unsafe { asm!("mov {}, rbp", out(reg) value, options(nomem, nostack, preserves_flags)) };
    VirtAddr::new(value)
}
