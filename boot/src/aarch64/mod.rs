//! aarch64: the arm64 boot protocol and the device tree.

#[cfg_attr(not(target_os = "none"), path = "hosted.rs")]
mod entry;
pub mod translation;

use core::arch::asm;

use vm::addr::{PhysAddr, VirtAddr};

use crate::device_tree;
use crate::info::{BootError, BootInfo, ConsoleDevice, CpuDescription};
use crate::memory_map::MemoryKind;

pub use entry::{image_physical_address, replace_kernel_tables, secondary_entry};

/// Where physical address 0 appears.
pub const PHYSMAP_BASE: VirtAddr = VirtAddr::new(0xffff_0000_0000_0000);

/// What the boot tables map at [`PHYSMAP_BASE`]: 512 blocks of 1 GiB.
const DIRECT_MAP_LIMIT: PhysAddr = PhysAddr::new(512 << 30);

/// What the entry passes to the kernel.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Handoff {
    /// Where the flattened device tree lies.
    pub device_tree: PhysAddr,
    /// The virtual counter at the kernel's first instruction.
    pub first_tick: u64,
}

/// With what a CPU starts at [`secondary_entry`], which is given its physical address.
///
/// It is read with the caches off, so whoever fills it in cleans it from the caches.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct SecondaryStart {
    /// `TTBR1_EL1`: the kernel's tables.
    pub kernel_tables: PhysAddr,
    /// The first stack pointer.
    pub stack_top: VirtAddr,
    /// What `entry` is called with.
    pub argument: usize,
    /// Where the CPU goes on; the lower half is still an identity map.
    pub entry: extern "C" fn(usize) -> !,
}

pub(crate) fn console(handoff: &Handoff) -> Option<ConsoleDevice> {
    device_tree::console(tree_bytes(handoff).ok()?)
}

pub(crate) fn discover(handoff: &Handoff) -> Result<BootInfo, BootError> {
    let mut info = device_tree::discover(tree_bytes(handoff)?, boot_cpu())?;
    info.device_tree = Some(handoff.device_tree);
    info.direct_map_limit = DIRECT_MAP_LIMIT;
    add_own_memory(&mut info, handoff)?;
    Ok(info)
}

/// The affinity fields of `MPIDR_EL1`.
const AFFINITY: u64 = 0xff_00ff_ffff;

fn boot_cpu() -> CpuDescription {
    let raw: u64;
    // SAFETY:
    // 1. Reads one identification register and nothing else.
    unsafe { asm!("mrs {}, mpidr_el1", out(reg) raw, options(nomem, nostack, preserves_flags)) };
    CpuDescription {
        hardware_id: raw & AFFINITY,
    }
}

/// Keeps the image and the device tree out of what is usable.
fn add_own_memory(info: &mut BootInfo, handoff: &Handoff) -> Result<(), BootError> {
    let tree = handoff.device_tree.raw() as u64;
    let bytes = tree_bytes(handoff)?.len() as u64;
    info.memory.add(tree, bytes, MemoryKind::Firmware)?;
    #[cfg(target_os = "none")]
    if let Some(image) = crate::image().physical_range() {
        let base = image.base().raw() as u64;
        let bytes = image.bytes() as u64;
        info.memory.add(base, bytes, MemoryKind::Kernel)?;
    }
    Ok(())
}

/// The device tree as bytes in the direct map.
fn tree_bytes(handoff: &Handoff) -> Result<&'static [u8], BootError> {
    let damaged = BootError::BadTable("device tree");
    let out_of_reach = BootError::OutOfReach(handoff.device_tree);
    let address = handoff.device_tree;
    let header = address.checked_add(size_of::<[u8; 8]>());
    if header.is_none_or(|end| end > DIRECT_MAP_LIMIT) || !address.is_aligned_to(3) {
        return Err(out_of_reach);
    }
    let start = PHYSMAP_BASE
        .checked_add(address.raw())
        .ok_or(out_of_reach)?;
    let start = core::ptr::with_exposed_provenance::<u8>(start.raw());
    // SAFETY:
    // 1. The boot tables map everything below `DIRECT_MAP_LIMIT` at `PHYSMAP_BASE`, checked above.
    // 2. The boot protocol places the tree, which nobody changes.
    let header = unsafe { start.cast::<[u8; 8]>().read() };
    let bytes = device_tree::total_bytes(&header).ok_or(damaged)?;
    if address
        .checked_add(bytes)
        .is_none_or(|end| end > DIRECT_MAP_LIMIT)
    {
        return Err(out_of_reach);
    }
    // SAFETY:
    // 1. As above, for all of its length; it stays in place, because `add_own_memory` keeps its pages
    //    from being used.
    Ok(unsafe { core::slice::from_raw_parts(start, bytes) })
}
