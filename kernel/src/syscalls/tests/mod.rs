//! Tests of system calls from inside the kernel.
//!
//! What each call answers is tested from user space, by the conformance program. Here is what needs
//! a view from behind: that nothing leaks when memory runs out or a pointer is bad.

mod copies;
mod cpus;
mod large;
mod long;
mod no_memory;
mod physical;
mod pointers;
mod reclaim;
mod sandbox;
mod signals;

pub use sandbox::{Sandbox, in_process};
