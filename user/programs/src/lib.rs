//! Programs that run on Jacinth, and what they share.

#![no_std]

extern crate alloc;

pub mod memory;
pub mod registers;
