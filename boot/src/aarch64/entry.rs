//! The entry; the assembly is in `entry.s`.

use core::arch::global_asm;
use core::sync::atomic::{AtomicUsize, Ordering};

use vm::addr::{PhysAddr, VirtAddr};

use super::{Handoff, translation};

global_asm!(
    include_str!("entry.s"),
    MAIR = const translation::MAIR,
    TCR = const translation::TCR,
);

unsafe extern "Rust" {
    /// The kernel. Defined once, by the kernel's binary.
    fn kernel_main(handoff: Handoff) -> !;
}

unsafe extern "C" {
    static _start: u8;
    static secondary_start: u8;
}

/// Where the image was loaded; set before the kernel runs.
static LOAD_ADDRESS: AtomicUsize = AtomicUsize::new(0);

/// Where the assembly goes on in Rust.
#[unsafe(no_mangle)]
extern "C" fn boot_entry(device_tree: PhysAddr, load_address: PhysAddr) -> ! {
    LOAD_ADDRESS.store(load_address.raw(), Ordering::Relaxed);
    // SAFETY:
    // 1. The kernel's binary defines the function with this signature; there is no other.
    // 2. It is called once, on the boot CPU, in the state that the crate's first page describes.
    unsafe { kernel_main(Handoff { device_tree }) }
}

/// Where the image's byte at `address` lies in memory.
pub(crate) fn image_physical_address(address: VirtAddr) -> PhysAddr {
    let offset = address.raw() - (&raw const _start).addr();
    PhysAddr::new(LOAD_ADDRESS.load(Ordering::Relaxed) + offset)
}

/// The address that PSCI `CPU_ON` takes as entry point, with the physical address of a
/// [`SecondaryStart`](super::SecondaryStart) as context.
pub fn secondary_entry() -> PhysAddr {
    image_physical_address(VirtAddr::new((&raw const secondary_start).addr()))
}
