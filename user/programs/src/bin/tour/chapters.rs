//! The chapters, in the order in which they are shown.

use rt::println;
use zx::{HandleBased, Rights, Status, VmarFlags};

use crate::scene::{
    ANY_MAPPING, PAGE, READ_WRITE, Scene, load, mapping_at, must, named_vmo, print_maps, store,
    unmap,
};

/// One thing worth seeing.
pub struct Chapter {
    /// What it is called.
    pub title: &'static str,
    /// What it is about, in one line.
    pub line: &'static str,
    /// Shows it, and fails if it is not as told.
    pub show: fn(&Scene) -> Result<(), Status>,
}

/// All chapters.
pub const ALL: &[Chapter] = &[
    Chapter {
        title: "The address space",
        line: "A tree: regions (R) hold regions and mappings (M), and each mapping shows a VMO.",
        show: address_space,
    },
    Chapter {
        title: "One VMO, seen twice",
        line: "Two mappings of the same pages: what is written through one is read through the other.",
        show: seen_twice,
    },
    Chapter {
        title: "Permissions only shrink",
        line: "A mapping can be narrowed, and never gets more than its VMO handle allowed.",
        show: permissions_shrink,
    },
    Chapter {
        title: "Placement",
        line: "SPECIFIC puts a mapping where one says; otherwise the kernel picks at random.",
        show: placement,
    },
    Chapter {
        title: "A region and all that is in it",
        line: "Destroying a region removes its mappings and regions in one step.",
        show: region_destroyed,
    },
    Chapter {
        title: "A fault in another process",
        line: "A second program touches an address where nothing is; only that program ends.",
        show: fault_elsewhere,
    },
];

fn address_space(scene: &Scene) -> Result<(), Status> {
    print_maps(&scene.root)
}

fn seen_twice(scene: &Scene) -> Result<(), Status> {
    let vmo = named_vmo("seen twice", 2 * PAGE)?;
    let first = scene.root.map(0, &vmo, 0, 2 * PAGE, READ_WRITE)?;
    let second = scene.root.map(0, &vmo, 0, 2 * PAGE, VmarFlags::PERM_READ)?;
    let untouched = vmo.info()?.committed_bytes;
    store(first + PAGE, 0x2a);
    let info = vmo.info()?;
    println!(
        "   write 42 at {:#x}, read {} at {:#x}",
        first + PAGE,
        load(second + PAGE),
        second + PAGE
    );
    println!(
        "   bytes committed: {untouched} before the write, {} after it",
        info.committed_bytes
    );
    must(load(second + PAGE) == 0x2a && load(second) == 0)?;
    must(untouched == 0 && info.committed_bytes == PAGE as u64 && info.num_mappings == 2)?;
    unmap(&scene.root, first, 2)?;
    unmap(&scene.root, second, 2)
}

fn permissions_shrink(scene: &Scene) -> Result<(), Status> {
    let vmo = named_vmo("shrinking", PAGE)?;
    let address = scene.root.map(0, &vmo, 0, PAGE, READ_WRITE)?;
    store(address, 7);
    println!("   {}", mapping_at(&scene.root, address)?);
    // SAFETY: nothing refers to the page; from here on it is only read.
    unsafe { scene.root.protect(address, PAGE, VmarFlags::PERM_READ)? };
    println!("   {}", mapping_at(&scene.root, address)?);
    must(load(address) == 7)?;
    unmap(&scene.root, address, 1)?;

    let read_only = vmo.duplicate_handle(Rights::READ | Rights::MAP)?;
    let address = scene
        .root
        .map(0, &read_only, 0, PAGE, VmarFlags::PERM_READ)?;
    // SAFETY: nothing refers to the page, and more permission takes nothing away.
    let answer = unsafe { scene.root.protect(address, PAGE, READ_WRITE) };
    println!("   mapped from a read-only handle, asked to be writable: {answer:?}");
    must(answer == Err(Status::ACCESS_DENIED))?;
    unmap(&scene.root, address, 1)
}

fn placement(scene: &Scene) -> Result<(), Status> {
    let vmo = named_vmo("placed", PAGE)?;
    let (region, base) = scene.root.allocate(0, 1 << 30, ANY_MAPPING)?;
    let exact = region.map(16 * PAGE, &vmo, 0, PAGE, READ_WRITE | VmarFlags::SPECIFIC)?;
    let taken = region.map(16 * PAGE, &vmo, 0, PAGE, READ_WRITE | VmarFlags::SPECIFIC);
    println!("   a region of 1 GiB at {base:#x}");
    println!("   SPECIFIC at offset 0x10000: {exact:#x}; the same place again: {taken:?}");
    must(exact == base + 16 * PAGE && taken == Err(Status::ALREADY_EXISTS))?;
    for _ in 0..3 {
        let address = region.map(0, &vmo, 0, PAGE, READ_WRITE)?;
        println!("   at random: {address:#x}");
        must((base..base + (1 << 30)).contains(&address))?;
    }
    // SAFETY: nothing refers into the region.
    unsafe { region.destroy() }
}

fn region_destroyed(scene: &Scene) -> Result<(), Status> {
    let vmo = named_vmo("inside", 4 * PAGE)?;
    let (outer, base) = scene.root.allocate(0, 64 * PAGE, ANY_MAPPING)?;
    let (inner, _) = outer.allocate(32 * PAGE, 16 * PAGE, ANY_MAPPING | VmarFlags::SPECIFIC)?;
    let low = outer.map(0, &vmo, 0, 4 * PAGE, READ_WRITE | VmarFlags::SPECIFIC)?;
    inner.map(
        4 * PAGE,
        &vmo,
        0,
        4 * PAGE,
        VmarFlags::PERM_READ | VmarFlags::SPECIFIC,
    )?;
    store(low, 1);
    print_maps(&outer)?;
    // SAFETY: nothing refers into the region.
    unsafe { outer.destroy()? };
    let dead = inner.map(0, &vmo, 0, PAGE, READ_WRITE);
    println!("   destroyed; a map in the inner region answers {dead:?}");
    must(dead == Err(Status::BAD_STATE))?;
    let gone = scene
        .root
        .info_maps_vec()?
        .iter()
        .all(|record| record.base != base);
    println!(
        "   mappings of the VMO that are left: {}",
        vmo.info()?.num_mappings
    );
    must(gone && vmo.info()?.num_mappings == 0)
}

fn fault_elsewhere(scene: &Scene) -> Result<(), Status> {
    scene.system.debug_send_command("run bin/fault")?;
    println!("   the other process is gone, and the tour goes on");
    Ok(())
}
