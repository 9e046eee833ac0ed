//! From the first instruction to one [`BootInfo`].
//!
//! The assembly entry of each protocol brings the boot CPU into the kernel's half of the address space and
//! calls `kernel_main` with a [`Handoff`]: which protocol started us and where its data lie. The kernel
//! then asks for the [`console`] (needs no memory and cannot fail) and has everything else looked up by
//! [`discover`].
//!
//! ```text
//!   PVH ────────┐
//!   multiboot2 ─┼─► entry ─► kernel_main(Handoff) ─► console ─► discover ─► BootInfo
//!   arm64 Image ┘
//! ```
//!
//! Read [`BootInfo`] and [`KernelImage`] first. At hand-off the MMU is on, interrupts are off, the CPU runs
//! on the boot stack (with a guard page under it in the final tables), and the physical memory below
//! [`BootInfo::direct_map_limit`] can be read at [`PHYSMAP_BASE`].
//!
//! Everything a loader or firmware says is checked before it is used: a wrong table is a [`BootError`],
//! never a fault.

#![no_std]

#[cfg(any(target_arch = "aarch64", test))]
mod device_tree;
mod image;
mod info;
mod memory_map;

#[cfg_attr(target_arch = "x86_64", path = "x86_64/mod.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64/mod.rs")]
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "entered on the machine only")
)]
mod machine;

#[cfg(target_os = "none")]
pub use image::image;
pub use image::{KernelImage, Section};
pub use info::{
    ApicDescription, BootError, BootInfo, COMMAND_LINE_BYTES, ConsoleDevice, CpuDescription,
    Initrd, InterruptController, IoApic, IsaOverride, MAX_CPUS, PsciConduit,
};
pub use machine::{Handoff, PHYSMAP_BASE};
#[cfg(target_arch = "aarch64")]
pub use machine::{SecondaryStart, translation};
#[cfg(target_arch = "aarch64")]
pub use machine::{image_physical_address, replace_kernel_tables, secondary_entry};
pub use memory_map::{MAX_REGIONS, MemoryKind, MemoryMap, MemoryRegion};

/// The serial console of this machine; `None` if the hand-off does not say.
///
/// Touches only the hand-off data, so that it works before anything is set up.
pub fn console(handoff: &Handoff) -> Option<ConsoleDevice> {
    machine::console(handoff)
}

/// Looks up everything the kernel needs to know about the machine.
///
/// # Errors
/// Whatever makes the firmware's or the loader's description unusable; see [`BootError`].
pub fn discover(handoff: &Handoff) -> Result<BootInfo, BootError> {
    machine::discover(handoff)
}
