//! x86_64: PVH and multiboot2.
//!
//! Both protocols enter in 32-bit protected mode without paging and hand over one pointer.

#[cfg(target_os = "none")]
mod entry;

use vm::addr::{PhysAddr, VirtAddr};

use crate::info::{BootError, BootInfo, ConsoleDevice};

/// Where physical address 0 appears: the lowest address of the upper half.
pub const PHYSMAP_BASE: VirtAddr = VirtAddr::new(0xffff_8000_0000_0000);

/// The distance from where the image is linked to where it is loaded, as in `kernel.ld`.
#[cfg(target_os = "none")]
const IMAGE_OFFSET: usize = 0xffff_ffff_8000_0000;

/// The first serial port of a PC.
const COM1: u16 = 0x3f8;

/// Which protocol started the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Protocol {
    /// Xen's PVH, which QEMU's `-kernel` speaks.
    Pvh = 1,
    /// Multiboot2, which GRUB speaks.
    Multiboot2 = 2,
}

/// What the entry passes to the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Handoff {
    /// Who started us.
    pub protocol: Protocol,
    /// Where its information structure lies.
    pub information: PhysAddr,
}

/// The serial port: every machine that we run on has it, and no table would be easier to reach.
pub(crate) fn console(_handoff: &Handoff) -> Option<ConsoleDevice> {
    Some(ConsoleDevice::Uart16550 { port: COM1 })
}

pub(crate) fn discover(_handoff: &Handoff) -> Result<BootInfo, BootError> {
    Err(BootError::MissingTable("start_info"))
}

#[cfg(target_os = "none")]
pub(crate) fn image_physical_address(address: VirtAddr) -> PhysAddr {
    PhysAddr::new(address.raw() - IMAGE_OFFSET)
}
