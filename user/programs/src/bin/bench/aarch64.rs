//! The counter of aarch64, and its barest system call.

use core::arch::{asm, naked_asm};

/// The virtual counter.
///
/// Never inlined and known by its name, so that a trace shows where the counted part begins and ends.
pub fn ticks() -> u64 {
    bench_ticks()
}

#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn bench_ticks() -> u64 {
    naked_asm!("mrs x0, cntvct_el0", "ret")
}

/// Makes the call `number` without arguments and returns the result register.
///
/// # Safety
/// - The call takes no arguments, or there is no such call.
#[inline(always)]
pub unsafe fn bare_call(number: usize) -> usize {
    let result;
    // SAFETY:
    // 1. The caller answers for the call.
    // 2. The registers are those of the ABI, and the kernel keeps all others.
    unsafe {
        asm!(
            "svc 0",
            in("x16") number,
            lateout("x0") result,
            options(nostack),
        );
    }
    result
}
