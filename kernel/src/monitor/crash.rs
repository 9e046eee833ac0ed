//! Making the kernel fail on purpose, so that its guards and its report can be seen to work.

#![allow(
    unsafe_code,
    reason = "it does what safe code cannot: what the memory management unit must stop"
)]

use core::hint::black_box;
use core::str::SplitWhitespace;
use core::sync::atomic::AtomicU64;

use syscall::{Result, Status};

/// `crash KIND`: does not come back unless a guard fails.
///
/// # Errors
/// - `INVALID_ARGS`: there is no such kind.
/// - `INTERNAL`: what must be stopped was not.
pub fn crash(mut arguments: SplitWhitespace<'_>) -> Result<()> {
    match arguments.next() {
        Some("panic") => panic!("a panic was asked for"),
        Some("write") => write_to_code(),
        Some("execute") => execute_data(),
        Some("stack") => {
            black_box(recurse(1));
        }
        _ => return Err(Status::INVALID_ARGS),
    }
    println!("crash: nothing has stopped the kernel");
    Err(Status::INTERNAL)
}

/// Writes to a page of the kernel's code.
fn write_to_code() {
    let code = recurse as *const () as *mut u8;
    // SAFETY:
    // 1. The page cannot be written to, or this test of it has failed and its own code with it.
    unsafe { code.write_volatile(0) }
}

/// Jumps into a variable.
fn execute_data() {
    // Zeros are no instruction on aarch64, and a harmless one on x86_64.
    static DATA: AtomicU64 = AtomicU64::new(0);
    // SAFETY:
    // 1. A pointer to code and one to data have the same size.
    // 2. The page cannot be executed, or this test of it has failed.
    let function = unsafe { core::mem::transmute::<*mut u64, extern "C" fn()>(DATA.as_ptr()) };
    function();
}

/// Uses more stack than there is.
#[inline(never)]
fn recurse(depth: usize) -> usize {
    let frame = black_box([depth; 32]);
    if depth == 0 {
        return 0;
    }
    recurse(depth + 1) + black_box(&frame)[0]
}
