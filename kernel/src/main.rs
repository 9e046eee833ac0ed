//! The Jacinth microkernel.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod bring_up;

#[cfg(not(target_os = "none"))]
fn main() {}
