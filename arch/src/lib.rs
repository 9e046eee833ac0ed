//! x86_64 and aarch64: page tables, traps, context switches, devices.

#![no_std]
