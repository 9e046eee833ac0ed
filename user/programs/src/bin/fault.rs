//! A program that touches an address where nothing is mapped, to show what becomes of it.

#![no_std]
#![no_main]

use rt::println;
use zx::{AsHandleRef, Name, Status, VmarFlags, Vmo};

const PAGE: usize = 4096;

rt::main!(main);

/// Maps two pages with a hole between them, and writes into the hole.
fn main() -> Result<(), Status> {
    let read_write = VmarFlags::PERM_READ | VmarFlags::PERM_WRITE;
    let (region, base) = rt::vmar_root_self().allocate(
        0,
        16 * PAGE,
        VmarFlags::CAN_MAP_SPECIFIC | VmarFlags::CAN_MAP_READ | VmarFlags::CAN_MAP_WRITE,
    )?;
    for (name, page) in [("below the hole", 4), ("above the hole", 8)] {
        let vmo = Vmo::create(PAGE as u64)?;
        vmo.set_name(&Name::new(name)?)?;
        region.map(page * PAGE, &vmo, 0, PAGE, read_write | VmarFlags::SPECIFIC)?;
    }
    let hole = base + 6 * PAGE;
    println!("fault: writing to {hole:#x}, where nothing is mapped");
    // SAFETY: nothing is there, so nothing can be harmed: the write never happens, which is the point.
    unsafe { (hole as *mut u8).write_volatile(1) };
    println!("fault: the write went through, which must not happen");
    Err(Status::INTERNAL)
}
