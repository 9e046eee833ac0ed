//! aarch64: the arm64 boot protocol.

use vm::addr::{PhysAddr, VirtAddr};

use crate::info::{BootError, BootInfo, ConsoleDevice};

/// Where physical address 0 appears.
pub const PHYSMAP_BASE: VirtAddr = VirtAddr::new(0xffff_0000_0000_0000);

/// What the entry passes to the kernel.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Handoff {
    /// Where the flattened device tree lies.
    pub device_tree: PhysAddr,
}

pub(crate) fn console(_handoff: &Handoff) -> Option<ConsoleDevice> {
    None
}

pub(crate) fn discover(_handoff: &Handoff) -> Result<BootInfo, BootError> {
    Err(BootError::MissingTable("device tree"))
}

#[cfg(target_os = "none")]
pub(crate) fn image_physical_address(address: VirtAddr) -> PhysAddr {
    PhysAddr::new(address.raw())
}
