//! x86_64: PCs and virtual machines that look like one.

pub mod console;
pub mod cpu;
pub mod power;
