//! The entry on x86_64.

use core::arch::naked_asm;

/// Where the kernel starts the program.
///
/// Clears the frame pointer, so that backtraces end here, and calls on, so that the stack pointer is
/// one return address below a multiple of 16.
///
/// # Safety
/// - Only the kernel comes here.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!(
        "xor ebp, ebp",
        "call {start}",
        "ud2",
        start = sym super::start,
    )
}
