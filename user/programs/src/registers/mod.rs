//! The registers of vectors and floating point, which the kernel keeps apart for each thread.
//!
//! The compiler uses none of them on the bare-metal targets, so they hold what was put there.

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod machine;

pub use machine::{all_hold, fill};
