//! aarch64 (Armv8-A), EL1.
//!
//! "Arm ARM" in this folder is the Arm Architecture Reference Manual for A-profile, DDI 0487.

pub mod console;
pub mod cpu;
mod firmware;
pub mod power;
