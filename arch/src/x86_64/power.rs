//! Ending a run, and switching the machine off.

use x86_64::instructions::interrupts;
use x86_64::instructions::port::Port;

use crate::verdict::Verdict;

/// QEMU's `isa-debug-exit` device: writing `v` ends QEMU with status `(v << 1) | 1`.
const DEBUG_EXIT_PORT: u16 = 0xf4;

/// The power-management control register of QEMU's q35 (PM1a_CNT of its ACPI tables).
const POWER_CONTROL_PORT: u16 = 0x604;

/// `SLP_EN` with sleep type 0, which those tables name as S5 (ACPI 6.5, 4.8.3.2.1).
const SOFT_OFF: u16 = 1 << 13;

/// Ends QEMU with the status that `verdict` stands for; on a machine without the device, halts.
pub fn exit(verdict: Verdict) -> ! {
    let value = verdict.status() >> 1;
    // SAFETY:
    // 1. The port is QEMU's exit device or, elsewhere, nothing at all.
    unsafe { Port::<u32>::new(DEBUG_EXIT_PORT).write(value) };
    halt()
}

/// Switches the machine off; where that cannot be done, halts.
pub fn off() -> ! {
    // SAFETY:
    // 1. On the machines that have this port it is the power control; on others it is nothing.
    unsafe { Port::<u16>::new(POWER_CONTROL_PORT).write(SOFT_OFF) };
    halt()
}

/// Stops this CPU for good.
pub(super) fn halt() -> ! {
    loop {
        interrupts::disable();
        x86_64::instructions::hlt();
    }
}
