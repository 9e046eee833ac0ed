//! Where the tour takes place: its root region, the system resource, and how to print what is there.

use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};

use rt::println;
use zx::{AsHandleRef, MapInfo, Name, Resource, Status, Unowned, Vmar, VmarFlags, Vmo};

/// Bytes in a page.
pub const PAGE: usize = 4096;

/// Readable and writable.
pub const READ_WRITE: VmarFlags = VmarFlags::PERM_READ.union(VmarFlags::PERM_WRITE);

/// Regions that may hold any mapping and let their user choose offsets.
pub const ANY_MAPPING: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE)
    .union(VmarFlags::CAN_MAP_EXECUTE);

/// Frames in use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frames {
    /// Those that hold contents of VMOs other than the tour's own memory.
    pub vmo: u64,
    /// Those that are page tables.
    pub page_table: u64,
}

/// What every chapter works with.
pub struct Scene {
    /// The root region of the tour's own address space.
    pub root: Unowned<'static, Vmar>,
    /// Access to the kernel's monitor and its counters.
    pub system: Unowned<'static, Resource>,
}

impl Scene {
    /// The scene of this process.
    pub fn open() -> Self {
        Self {
            root: rt::vmar_root_self(),
            system: rt::system_resource(),
        }
    }

    /// Lets the program's heap and its page tables reach the size they will need.
    ///
    /// # Errors
    /// - `NO_MEMORY`: there is not even that much.
    pub fn warm_up(&self) -> Result<(), Status> {
        let mut room = Vec::<u8>::new();
        room.try_reserve_exact(256 * 1024)
            .map_err(|_| Status::NO_MEMORY)?;
        self.root.info_maps_vec().map(drop)
    }

    /// How many frames the kernel has handed out, without those that hold this program's own memory.
    ///
    /// The program's stack and heap grow as it runs, which is no leak.
    ///
    /// # Errors
    /// Those of `object_get_info`.
    pub fn frames(&self) -> Result<Frames, Status> {
        let own = self.root.info_maps_vec()?;
        let own_bytes: usize = own
            .iter()
            .filter_map(MapInfo::as_mapping)
            .map(|mapping| mapping.committed_bytes)
            .sum();
        let stats = self.system.mem_stats()?;
        Ok(Frames {
            vmo: stats.vmo_bytes.saturating_sub(own_bytes as u64) / PAGE as u64,
            page_table: stats.mmu_overhead_bytes / PAGE as u64,
        })
    }
}

impl Display for Scene {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; 64];
        let version = zx::system_get_version_string(&mut buffer).unwrap_or("unknown");
        let megabytes = zx::system_get_physmem() >> 20;
        let cpus = zx::system_get_num_cpus();
        write!(
            formatter,
            "A tour of the memory of {version}: {cpus} CPU(s), {megabytes} MiB."
        )
    }
}

/// A VMO with a name, so that maps show what it is.
///
/// # Errors
/// Those of `vmo_create`.
pub fn named_vmo(name: &str, size: usize) -> Result<Vmo, Status> {
    let vmo = Vmo::create(size as u64)?;
    vmo.set_name(&Name::new(name)?)?;
    Ok(vmo)
}

/// Prints the records of `region` as a tree.
///
/// # Errors
/// Those of `info_maps_vec`.
pub fn print_maps(region: &Vmar) -> Result<(), Status> {
    for record in region.info_maps_vec()? {
        println!("   {record}");
    }
    Ok(())
}

/// The record of the mapping at `address`.
///
/// # Errors
/// - `NOT_FOUND`: nothing is mapped there.
pub fn mapping_at(region: &Vmar, address: usize) -> Result<MapInfo, Status> {
    region
        .info_maps_vec()?
        .into_iter()
        .find(|record| record.as_mapping().is_some() && record.base == address)
        .ok_or(Status::NOT_FOUND)
}

/// `Ok` if `seen` is what the chapter tells, else `INTERNAL`.
///
/// # Errors
/// - `INTERNAL`: it is not.
pub fn must(seen: bool) -> Result<(), Status> {
    if seen { Ok(()) } else { Err(Status::INTERNAL) }
}

/// Removes a mapping of the tour's own.
///
/// # Errors
/// Those of `vmar_unmap`.
pub fn unmap(region: &Vmar, address: usize, pages: usize) -> Result<(), Status> {
    // SAFETY: the chapters keep no reference into what they map; they use `store` and `load`.
    unsafe { region.unmap(address, pages * PAGE) }
}

/// Writes one byte through a mapping.
pub fn store(address: usize, value: u8) {
    // SAFETY: the chapters pass addresses of mappings that they made writable and have not removed.
    unsafe { (address as *mut u8).write_volatile(value) }
}

/// Reads one byte through a mapping.
pub fn load(address: usize) -> u8 {
    // SAFETY: the chapters pass addresses of mappings that they made readable and have not removed.
    unsafe { (address as *const u8).read_volatile() }
}

/// Prints the counts that must return to where they were, and checks them.
///
/// # Errors
/// - `INTERNAL`: one of them did not.
pub fn compare(before: Frames, after: Frames) -> Result<(), Status> {
    println!("   {:<32} {:>8} {:>8}", "frames", "before", "after");
    let rows = [
        ("VMOs, but for the tour's own", before.vmo, after.vmo),
        ("page tables", before.page_table, after.page_table),
    ];
    for (what, before, after) in rows {
        println!("   {what:<32} {before:>8} {after:>8}");
    }
    must(before == after)
}
