//! Programs that run on Jacinth, and what they share.

#![no_std]

pub mod registers;
