//! The entry on aarch64.

use core::arch::naked_asm;

/// Where the kernel starts the program.
///
/// Clears the frame pointer and the return address, so that backtraces end here.
///
/// # Safety
/// - Only the kernel comes here.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!(
        "mov x29, xzr",
        "mov x30, xzr",
        "b {start}",
        start = sym super::start,
    )
}
