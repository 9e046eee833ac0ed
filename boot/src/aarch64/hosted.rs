//! What `entry` gives, for builds that are not for the bare machine: documentation and host tests, which
//! have no image and never call any of it.

use vm::addr::{PhysAddr, VirtAddr};

/// Where the image's byte at `address` lies in memory.
pub fn image_physical_address(_address: VirtAddr) -> PhysAddr {
    unreachable!("there is no image on a host")
}

/// Has this CPU translate the upper half through the tables with root `tables`.
///
/// # Safety
/// There is nothing that would make it right on a host.
pub unsafe fn replace_kernel_tables(_tables: PhysAddr, _empty: PhysAddr) {
    unreachable!("a host has its own tables")
}

/// The address that PSCI `CPU_ON` takes as entry point.
pub fn secondary_entry() -> PhysAddr {
    unreachable!("a host has started its CPUs")
}
