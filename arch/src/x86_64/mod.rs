//! x86_64: PCs and virtual machines that look like one.
//!
//! "Intel SDM" in this folder is the Intel 64 and IA-32 Architectures Software Developer's Manual.

mod apic;
mod clock_source;
pub mod console;
pub mod context;
pub mod cpu;
mod features;
mod io_apic;
pub mod irq;
pub mod pages;
pub mod paging;
pub mod power;
mod record;
mod segments;
pub mod smp;
pub mod timer;
pub mod trap;
pub mod user;
