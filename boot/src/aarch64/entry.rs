//! The entry; the assembly is in `entry.s`.

use core::arch::{asm, global_asm};
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
    static replace_tables: u8;
}

/// Where the image was loaded; set before the kernel runs.
static LOAD_ADDRESS: AtomicUsize = AtomicUsize::new(0);

/// Where the assembly goes on in Rust.
#[unsafe(no_mangle)]
extern "C" fn boot_entry(device_tree: PhysAddr, load_address: PhysAddr, first_tick: u64) -> ! {
    LOAD_ADDRESS.store(load_address.raw(), Ordering::Relaxed);
    // SAFETY:
    // 1. The kernel's binary defines the function with this signature; there is no other.
    // 2. It is called once, on the boot CPU, in the state that the crate's first page describes.
    unsafe {
        kernel_main(Handoff {
            device_tree,
            first_tick,
        })
    }
}

/// Has this CPU translate the upper half through the tables with root `tables`.
///
/// The two sets of tables may map the same address with pages of different size, which a TLB must not see
/// at once; so the change is made from the identity map, by way of `empty`, a root without entries.
///
/// # Safety
/// 1. The boot tables translate the lower half, and interrupts are off.
/// 2. `tables` maps everything that the kernel uses, at the addresses where it has it.
pub unsafe fn replace_kernel_tables(tables: PhysAddr, empty: PhysAddr) {
    let physical = image_physical_address(VirtAddr::new((&raw const replace_tables).addr()));
    // SAFETY:
    // 1. The caller promises the identity map, in which the code is at its physical address.
    // 2. The code uses no memory, changes x30 only, and comes back here, which the caller promises to be
    //    mapped.
    unsafe {
        asm!(
            "blr {code}",
            code = in(reg) physical.raw(),
            in("x0") tables.raw(),
            in("x1") empty.raw(),
            lateout("x30") _,
            options(nostack, preserves_flags),
        );
    }
}

/// Where the image's byte at `address` lies in memory.
pub fn image_physical_address(address: VirtAddr) -> PhysAddr {
    let offset = address.raw() - (&raw const _start).addr();
    PhysAddr::new(LOAD_ADDRESS.load(Ordering::Relaxed) + offset)
}

/// The address that PSCI `CPU_ON` takes as entry point, with the physical address of a
/// [`SecondaryStart`](super::SecondaryStart) as context.
pub fn secondary_entry() -> PhysAddr {
    image_physical_address(VirtAddr::new((&raw const secondary_start).addr()))
}
