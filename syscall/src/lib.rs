//! The contract between Jacinth's kernel and its programs, written once.

#![no_std]

mod status;

pub use status::{Result, Status};
