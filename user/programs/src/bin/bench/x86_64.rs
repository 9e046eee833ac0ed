//! The counter of x86_64, and its barest system call.

use core::arch::{asm, naked_asm};

/// The time stamp counter.
///
/// Never inlined and known by its name, so that a trace shows where the counted part begins and ends.
pub fn ticks() -> u64 {
    bench_ticks()
}

#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn bench_ticks() -> u64 {
    naked_asm!("rdtsc", "shl rdx, 32", "or rax, rdx", "ret")
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
            "syscall",
            inlateout("rax") number => result,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}
