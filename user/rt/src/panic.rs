//! What happens when a program panics: it says why and where, and ends.

use core::panic::PanicInfo;

use zx::Process;

/// The exit code of a program that panicked.
const PANICKED: i64 = -1;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    crate::eprintln!("{info}");
    crate::flush();
    Process::exit(PANICKED)
}
