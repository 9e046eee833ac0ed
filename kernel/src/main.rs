//! The Jacinth microkernel.
//!
//! The kernel gives programs address spaces and little else: objects behind handles, threads, and
//! the system calls that the crate `syscall` lists. Virtual memory itself is in the crate `vm`, the
//! machine in `arch`, the way here in `boot`; this crate puts them together.
//!
//! | module | what it does |
//! |---|---|
//! | `start` | from the hand-off of `boot` to the first program |
//! | `object`, `handle` | what programs can hold, and how they hold it |
//! | `syscalls` | what each system call does |
//! | `sched` | which thread runs |
//! | `fault` | what happens when a program does what it cannot do |
//! | `loader` | from a file in the initrd to a process |
//! | `monitor` | commands for the person at the console |
//! | `memory`, `kernel_stack`, `user_space` | page database and heap, address spaces |
//! | `reclaim` | what happens when memory runs short |
//! | `ktest` | the tests that run inside the kernel |
//!
//! It is built for the bare-metal targets only.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

extern crate alloc;

#[macro_use]
mod console;

mod fault;
mod handle;
mod kernel_stack;
#[cfg(test)]
mod ktest;
mod loader;
#[cfg(test)]
mod machine_tests;
mod memory;
mod monitor;
mod object;
mod options;
mod page_copy;
mod panic;
mod random;
mod reclaim;
mod records;
mod sched;
mod start;
mod symbols;
mod syscalls;
mod user_space;
