//! Taking all that there is of something.

use alloc::vec::Vec;

use zx::{
    HandleBased, ProcessOptions, Rights, Status, Vmar, VmarFlags, VmarFlagsExtended, VmarOp, Vmo,
    VmoOptions,
};

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
/// | `processes` | creates processes, maps a page into each, closes them all, and does it again |
/// | `mappings` | maps every other page, and then changes every other page of those |
pub fn take(what: &str) -> Option<i64> {
    let taken = match what {
        "pages" => pages(),
        "faults" => faults(),
        "handles" => handles(),
        "regions" => regions(),
        "mappings" => mappings(),
        "processes" => processes(),
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

/// Bytes that are left for processes: enough for hundreds.
const PROCESS_BYTES: u64 = 4 << 20;

/// Processes that stay until memory runs out, twice; as many the second time, or something has leaked.
fn processes() -> Result<(), Status> {
    let free = rt::system_resource().mem_stats()?.free_bytes;
    let hoard = free.saturating_sub(PROCESS_BYTES) as usize / PAGE * PAGE;
    let base = rt::vmar_root_self().map(0, &endless()?, 0, hoard, READ_WRITE)?;
    rt::vmar_root_self().op_range(VmarOp::COMMIT, base, hoard)?;
    let first = until_refused()?;
    let second = until_refused()?;
    assert!(first > 50, "only {first} processes");
    // The heaps of program and kernel keep what they have grown by, so the numbers need not be equal.
    assert!(
        second >= first - first / 16,
        "{first}, but then {second} processes"
    );
    Err(Status::NO_MEMORY)
}

/// Creates processes until there is no memory for another one; returns how many, and closes them all.
fn until_refused() -> Result<usize, Status> {
    let page = Vmo::create(PAGE as u64)?;
    let mut children = Vec::new();
    loop {
        if children.try_reserve(1).is_err() {
            return Ok(children.len());
        }
        let created = rt::job_default().create_child_process(ProcessOptions::empty(), b"greed");
        let mapped = created.and_then(|(process, root)| {
            root.map(0, &page, 0, PAGE, READ_WRITE)?;
            Ok((process, root))
        });
        match mapped {
            Ok(child) => children.push(child),
            Err(Status::NO_MEMORY) => return Ok(children.len()),
            Err(other) => return Err(other),
        }
    }
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
