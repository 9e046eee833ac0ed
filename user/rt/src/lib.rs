//! Entry, heap, panic and printing for Jacinth's programs.
//!
//! A program is this much:
//!
//! ```text
//! #![no_std]
//! #![no_main]
//!
//! rt::main!(main);
//!
//! fn main() {
//!     rt::println!("my root region is {:?}", rt::vmar_root_self().info());
//! }
//! ```
//!
//! and a `build.rs` that links it with `program.ld` of this crate. [`main!`] names the function to run,
//! [`vmar_root_self`] and its neighbours lend the handles the program starts with, [`args`] are its
//! words, and `alloc` works: the heap maps more memory as it grows.

#![cfg_attr(not(test), no_std)]

mod console;
#[cfg(target_os = "none")]
mod entry;
mod exit;
mod heap;
mod input;
#[cfg(target_os = "none")]
mod panic;
mod startup;

pub use console::{flush, print_fragment};
pub use exit::{Termination, exit};
pub use input::{Edit, LineEditor, LineReader};
pub use startup::{
    args, iommu_resource, job_default, mmio_resource, process_self, startup_info, system_resource,
    thread_self, vmar_root_self,
};

/// Names the function that the program runs; what it returns becomes the exit code.
///
/// The function takes nothing and returns anything that is a [`Termination`].
#[macro_export]
macro_rules! main {
    ($main:path) => {
        // SAFETY: no other item has this name, which only `rt`'s entry calls.
        #[unsafe(no_mangle)]
        fn __jacinth_program_main() -> i64 {
            $crate::Termination::exit_code($main())
        }
    };
}

/// Prints to the console; complete lines appear at once, others when the line ends or on [`flush`].
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => { $crate::print_fragment(format_args!($($argument)*)) };
}

/// Prints a line to the console.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($argument:tt)*) => { $crate::print!("{}\n", format_args!($($argument)*)) };
}

/// Prints a line about something that went wrong; today to the same console.
#[macro_export]
macro_rules! eprintln {
    ($($argument:tt)*) => { $crate::println!($($argument)*) };
}
