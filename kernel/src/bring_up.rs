//! From the hand-off of `boot` to a running kernel.

use core::alloc::{GlobalAlloc, Layout};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

use arch::verdict::Verdict;
use arch::{console, power};
use boot::Handoff;

/// No heap yet: every allocation fails.
struct NoHeap;

// SAFETY:
// 1. `alloc` only ever answers null, so there is no memory that could be handed out wrongly.
unsafe impl GlobalAlloc for NoHeap {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _pointer: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static HEAP: NoHeap = NoHeap;

/// The console as something to format into.
struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        console::write(text.as_bytes());
        Ok(())
    }
}

macro_rules! println {
    ($($argument:tt)*) => {{
        // Writing to the console cannot fail.
        let _ = writeln!(Console, $($argument)*);
    }};
}

/// Where `boot` hands over: on the boot CPU, in the kernel's half, interrupts off.
#[unsafe(no_mangle)]
extern "Rust" fn kernel_main(handoff: Handoff) -> ! {
    if let Some(device) = boot::console(&handoff) {
        console::init_early(device);
    }
    println!("Jacinth {}", env!("CARGO_PKG_VERSION"));
    match boot::discover(&handoff) {
        Ok(info) => println!("{info:#x?}"),
        Err(error) => {
            println!("{error}");
            power::exit(Verdict::Failed);
        }
    }
    power::exit(Verdict::Passed)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    println!("{info}");
    power::exit(Verdict::Failed)
}
