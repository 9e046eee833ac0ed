//! Taking all that there is of something.

use alloc::vec::Vec;

use zx::{HandleBased, Rights, Status, Vmar, VmarFlags, VmarFlagsExtended, Vmo, VmoOptions};

const PAGE: usize = 4096;

/// Pages that are written by one call.
const CHUNK_PAGES: usize = 64;

/// Regions in each other, and mappings beside each other. There is memory for more; this is enough to
/// show what needs a stack or time that grows with them.
const MANY: usize = 5_000;

const READ_WRITE: VmarFlags = VmarFlags::PERM_READ.union(VmarFlags::PERM_WRITE);

const ANY_MAPPING: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE);

/// Takes all of `what` and answers the status that ended it; `None` if nothing has that name.
///
/// | `what` | |
/// |---|---|
/// | `pages` | writes to a VMO without end |
/// | `faults` | touches a mapping without end |
/// | `handles` | duplicates a handle |
/// | `regions` | makes regions in each other, some of them for the kernel to clean up |
/// | `mappings` | maps every other page, and then changes every other page of those |
pub fn take(what: &str) -> Option<i64> {
    let taken = match what {
        "pages" => pages(),
        "faults" => faults(),
        "handles" => handles(),
        "regions" => regions(),
        "mappings" => mappings(),
        _ => return None,
    };
    Some(taken.map_or_else(|status| i64::from(status.into_raw()), |()| 0))
}

fn endless() -> Result<Vmo, Status> {
    Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0)
}

fn pages() -> Result<(), Status> {
    let vmo = endless()?;
    let mut chunk = Vec::new();
    chunk.resize(CHUNK_PAGES * PAGE, 1);
    (0..).try_for_each(|index| vmo.write(&chunk, index * chunk.len() as u64))
}

fn faults() -> Result<(), Status> {
    let bytes = 1 << 40;
    let base = rt::vmar_root_self().map(0, &endless()?, 0, bytes, READ_WRITE)?;
    for address in (base..base + bytes).step_by(PAGE) {
        // SAFETY: the mapping is this program's, and nothing else is in it.
        unsafe { (address as *mut u8).write_volatile(1) };
    }
    Ok(())
}

fn handles() -> Result<(), Status> {
    let vmo = endless()?;
    loop {
        // The duplicates are left to the kernel.
        let _ = vmo.duplicate_handle(Rights::SAME_RIGHTS)?.into_raw();
    }
}

fn nested() -> Result<Vmar, Status> {
    let (outermost, _) = rt::vmar_root_self().allocate(0, PAGE, ANY_MAPPING)?;
    let mut inner = outermost.duplicate_handle(Rights::SAME_RIGHTS)?;
    for _ in 0..MANY {
        (inner, _) = inner.allocate(0, PAGE, ANY_MAPPING)?;
    }
    inner.map(0, &endless()?, 0, PAGE, READ_WRITE)?;
    let records = outermost.info_maps_vec()?.len();
    assert_eq!(records, MANY + 2, "each region has a record");
    Ok(outermost)
}

fn regions() -> Result<(), Status> {
    // SAFETY: nothing of the program's own is in the region.
    unsafe { nested()?.destroy() }?;
    nested().map(drop)
}

fn mappings() -> Result<(), Status> {
    let (region, base) = rt::vmar_root_self().allocate(0, 2 * MANY * PAGE, ANY_MAPPING)?;
    let vmo = endless()?;
    for index in 0..MANY {
        region.map(
            2 * index * PAGE,
            &vmo,
            0,
            PAGE,
            READ_WRITE | VmarFlags::SPECIFIC,
        )?;
    }
    let overwrite = VmarFlagsExtended::PERM_READ
        | VmarFlagsExtended::PERM_WRITE
        | VmarFlagsExtended::SPECIFIC_OVERWRITE;
    // SAFETY: nothing of the program's own is in the region.
    unsafe { region.map_unsafe(0, &vmo, 0, 2 * MANY * PAGE, overwrite) }?;
    for index in 0..MANY {
        let address = base + 2 * index * PAGE;
        // SAFETY: nothing of the program's own is in the region.
        unsafe { region.protect(address, PAGE, VmarFlags::PERM_READ) }?;
    }
    Ok(())
}
