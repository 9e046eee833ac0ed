//! The entry of both protocols; the assembly is in `entry.s`.

use core::arch::global_asm;

use vm::addr::PhysAddr;

use super::{Handoff, Protocol};

global_asm!(include_str!("entry.s"), options(att_syntax));

unsafe extern "Rust" {
    /// The kernel. Defined once, by the kernel's binary.
    fn kernel_main(handoff: Handoff) -> !;
}

/// Where the assembly goes on in Rust.
#[unsafe(no_mangle)]
extern "C" fn boot_entry(protocol: u32, information: u32, first_tick: u64) -> ! {
    let protocol = match protocol {
        PROTOCOL_PVH => Protocol::Pvh,
        _ => Protocol::Multiboot2,
    };
    let information = PhysAddr::new(information as usize);
    // SAFETY:
    // 1. The kernel's binary defines the function with this signature; there is no other.
    // 2. It is called once, on the boot CPU, in the state that the crate's first page describes.
    unsafe {
        kernel_main(Handoff {
            protocol,
            information,
            first_tick,
        })
    }
}

/// The number that `entry.s` uses for PVH.
const PROTOCOL_PVH: u32 = 1;
