//! The first instructions of a program.

use syscall::startup::StartupInfo;
use zx::Process;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

/// The exit code of a program that does not understand its start-up record.
const INCOMPATIBLE: i64 = -2;

unsafe extern "Rust" {
    /// What `main!` defined.
    safe fn __jacinth_program_main() -> i64;
}

/// Continues in Rust, on a stack as the C calling convention wants it.
///
/// # Safety
/// - The kernel calls this once, with the registers that `syscall::startup` describes.
unsafe extern "C" fn start(_argument: usize, info: *const StartupInfo) -> ! {
    // SAFETY: the kernel wrote a record there, aligned, on this stack.
    let info = unsafe { info.read() };
    if info.version != StartupInfo::VERSION {
        Process::exit(INCOMPATIBLE);
    }
    // SAFETY:
    // 1. The kernel wrote the argument text above the record, where the stack never grows.
    // 2. The handles are this program's, and `startup` only lends them.
    unsafe { crate::startup::install(info) };
    crate::exit(__jacinth_program_main())
}
