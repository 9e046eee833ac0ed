//! The machine: page tables, traps, context switches, devices.
//!
//! One folder per architecture, with the same module names and the same public names in each;
//! this file selects one, and nothing above this crate asks which it is. What both share lies beside
//! this file. A missing name is a compile error in the crate that uses it.
//!
//! | module | what it gives |
//! |---|---|
//! | `paging` | `Tables` (a [`vm`] `Mmu`), `USER`, `KERNEL_VMAR`, `PHYSMAP_BASE`, `init`, `activate_kernel` |
//! | `pages` | `operations`: how whole pages are cleared, copied, and shown in the direct map |
//! | `trap` | `TrapFrame`, `init_early`, `probe` |
//! | `context` | `Context` (for threads of the kernel and of programs), `switch` |
//! | `user` | `enter`, `copy_in`, `copy_out`, `try_copy_in`, `try_copy_out`, `zero` and what [`user_memory`] adds |
//! | `cpu` | who am I, how many are we, per-CPU record, interrupts on and off, `idle`, `random`, `features` |
//! | `smp` | `start_all`, `request`, `halt_others` |
//! | `irq` | `windows`, `init`, `init_cpu`, `enable` |
//! | `timer` | `init`, `init_cpu`, `now`, `ticks`, `set_deadline` |
//! | `console` | `init_early`, `remap`, `write`, `read`, `input_line`, `enable_input_interrupt`, `seize` |
//! | `power` | `exit` with a [`verdict::Verdict`], `off` |
//!
//! The kernel reaches down by calling; the machine reaches up only through the one table in
//! [`handlers`].

#![cfg_attr(not(test), no_std)]

pub mod backtrace;
mod feature_names;
mod guards;
pub mod handlers;
pub mod irq_lock;
#[cfg(any(target_arch = "aarch64", test))]
mod lender;
pub mod requests;
pub mod user_memory;
pub mod verdict;

#[cfg_attr(target_arch = "x86_64", path = "x86_64/mod.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64/mod.rs")]
mod machine;

pub use machine::*;
