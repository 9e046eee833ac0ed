//! Fuchsia's zx wrapper API over Jacinth's system calls.

#![no_std]
