//! aarch64 (Armv8-A), EL1.
//!
//! "Arm ARM" in this folder is the Arm Architecture Reference Manual for A-profile, DDI 0487.

pub mod console;
pub mod context;
pub mod cpu;
mod features;
mod firmware;
mod fpu;
mod gic;
pub mod irq;
pub mod pages;
pub mod paging;
pub mod power;
pub mod smp;
pub mod timer;
pub mod trap;
pub mod user;
