//! Ending a run, and switching the machine off.

use core::arch::asm;

use super::firmware;
use crate::verdict::Verdict;

/// Ends QEMU with the exit status of `verdict`.
///
/// Semihosting operation `SYS_EXIT` with a parameter block (Semihosting for AArch32 and AArch64, 5.9):
/// reason `ADP_Stopped_ApplicationExit` and the status. QEMU must be started with `-semihosting`;
/// without it, and on real machines, the instruction is an exception.
pub fn exit(verdict: Verdict) -> ! {
    const SYS_EXIT: usize = 0x18;
    const APPLICATION_EXIT: usize = 0x20026;
    let parameters = [APPLICATION_EXIT, verdict.status() as usize];
    // SAFETY:
    // 1. The operation reads the parameter block, which is as it wants it, and does not return.
    unsafe {
        asm!(
            "hlt #0xf000",
            in("x0") SYS_EXIT,
            in("x1") &raw const parameters,
            options(nostack, readonly),
        );
    }
    halt()
}

/// Switches the machine off (PSCI `SYSTEM_OFF`), so that QEMU ends with status 0; where that cannot be
/// done, halts.
pub fn off() -> ! {
    // It returns only if it failed, and then nothing else is left to try.
    let _ = firmware::system_off();
    halt()
}

/// Stops this CPU for good.
pub(crate) fn halt() -> ! {
    loop {
        // SAFETY:
        // 1. Masks interrupts and waits; touches nothing else.
        unsafe { asm!("msr daifset, #0xf", "wfi", options(nomem, nostack)) };
    }
}
