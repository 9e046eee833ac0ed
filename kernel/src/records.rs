//! What `vm` says about regions and VMOs, as the records that programs get.
//!
//! Source: `docs/spec/abi.md` §9, `docs/spec/vmar.md` §13, `docs/spec/vmo.md` §15.

mod holdings;

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::info::{Map, MapKind, Mapping};
use syscall::{CachePolicy, Result, Status, VmOptions, VmoInfoFlags, VmoOptions, info};
use vm::aspace::AddressSpace;
use vm::mmu::{Access, MemoryType};
use vm::vmar::{MapEntry, MapEntryKind, Maps, Vmar};
use vm::vmo::{Attribution, Vmo, VmoInfo, VmoKind};

use crate::sched;

pub use holdings::{LastVmo, Via, for_each_handle, for_each_mapping, for_each_vmo, task_stats};

/// How long a walk over records goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// Until the current thread is to end: then nobody wants the rest.
    UntilKilled,
    /// To the last record, because the current thread is ending and this is the last that it does.
    ToTheEnd,
}

impl Patience {
    /// Lets others run between two records, if it is their turn.
    ///
    /// # Errors
    /// `CANCELED`: the current thread is to end, and nobody wants the rest.
    pub fn pause(self) -> Result<()> {
        match self {
            Self::UntilKilled => sched::pause().map_err(|_| Status::CANCELED),
            Self::ToTheEnd => {
                sched::give_way();
                Ok(())
            }
        }
    }
}

/// Visits the records of a region: itself, then what is in it, by address.
///
/// No lock is held during a visit, and others may run between two. A tree that changes meanwhile may give a mixture.
///
/// # Errors
/// - `BAD_STATE`: the region is dead.
/// - `CANCELED`: the current thread is to end.
/// - Whatever `visit` answers, which ends the walk.
pub fn for_each(vmar: &Arc<Vmar<Tables>>, visit: impl FnMut(&Map) -> Result<()>) -> Result<()> {
    walk(vmar, Patience::UntilKilled, visit)
}

/// Visits the records of an address space: itself, then its root region and what is in it.
///
/// # Errors
/// As [`for_each`].
pub fn for_each_in_space(
    space: &AddressSpace<Tables>,
    visit: impl FnMut(&Map) -> Result<()>,
) -> Result<()> {
    walk_space(space, Patience::UntilKilled, visit)
}

/// As [`for_each_in_space`], for as long as `patience` says.
///
/// # Errors
/// As [`for_each`].
pub fn walk_space(
    space: &AddressSpace<Tables>,
    patience: Patience,
    mut visit: impl FnMut(&Map) -> Result<()>,
) -> Result<()> {
    let root = space.root()?;
    let config = space.config();
    visit(&Map {
        name: config.name,
        base: config.range.base().raw(),
        size: config.range.bytes(),
        kind: MapKind::AddressSpace as u32,
        ..Map::default()
    })?;
    walk(&root, patience, |record| {
        visit(&Map {
            depth: record.depth + 1,
            ..*record
        })
    })
}

fn walk(
    vmar: &Arc<Vmar<Tables>>,
    patience: Patience,
    mut visit: impl FnMut(&Map) -> Result<()>,
) -> Result<()> {
    let mut maps = Maps::new(Arc::clone(vmar));
    loop {
        let batch = maps.next_batch_with(|| patience.pause())?;
        if batch.is_empty() {
            return Ok(());
        }
        batch.iter().try_for_each(|entry| visit(&record(entry)))?;
        patience.pause()?;
    }
}

/// What a VMO tells about itself, whoever asks.
///
/// # Errors
/// - `CANCELED`: the current thread is to end.
pub fn vmo_itself(vmo: &Vmo<Tables>) -> Result<info::Vmo> {
    let about = vmo.info_with(|| Patience::UntilKilled.pause())?;
    Ok(vmo_record(vmo, &about))
}

/// The record of a VMO that tells this about itself.
pub fn vmo_record(vmo: &Vmo<Tables>, about: &VmoInfo) -> info::Vmo {
    let Attribution {
        committed_bytes,
        private_bytes,
        scaled_bytes,
        fractional_scaled_bytes,
    } = about.memory_use;
    let mut flags = VmoInfoFlags::empty();
    flags.set(VmoInfoFlags::PAGED, vmo.kind() != VmoKind::Physical);
    flags.set(VmoInfoFlags::CONTIGUOUS, vmo.kind() == VmoKind::Contiguous);
    flags.set(VmoInfoFlags::IS_COW_CLONE, vmo.is_cow_clone());
    flags.set(VmoInfoFlags::IMMUTABLE, vmo.is_immutable());
    flags.set(
        VmoInfoFlags::RESIZABLE,
        about.options.contains(VmoOptions::RESIZABLE),
    );
    flags.set(
        VmoInfoFlags::DISCARDABLE,
        about.options.contains(VmoOptions::DISCARDABLE),
    );
    info::Vmo {
        koid: vmo.koid().raw_koid(),
        name: vmo.name(),
        size_bytes: about.size,
        parent_koid: vmo.parent_koid().raw_koid(),
        num_children: vmo.num_children(),
        num_mappings: about.num_mappings,
        share_count: about.share_count,
        flags: flags.bits(),
        committed_bytes,
        cache_policy: cache_policy(about.memory).into_raw(),
        metadata_bytes: about.metadata_bytes,
        populated_bytes: committed_bytes,
        committed_private_bytes: private_bytes,
        populated_private_bytes: private_bytes,
        committed_scaled_bytes: scaled_bytes,
        populated_scaled_bytes: scaled_bytes,
        committed_fractional_scaled_bytes: fractional_scaled_bytes,
        populated_fractional_scaled_bytes: fractional_scaled_bytes,
        ..info::Vmo::default()
    }
}

fn record(entry: &MapEntry) -> Map {
    let MapEntry {
        name,
        range,
        depth,
        kind,
    } = *entry;
    let (kind, mapping) = match kind {
        MapEntryKind::Vmar => (MapKind::Vmar, Mapping::default()),
        MapEntryKind::Mapping {
            access,
            vmo,
            vmo_offset,
            memory,
        } => {
            let shown = Mapping {
                mmu_flags: permissions(access).bits(),
                vmo_koid: vmo.raw_koid(),
                vmo_offset,
                ..memory_of(memory)
            };
            (MapKind::Mapping, shown)
        }
    };
    Map {
        name,
        base: range.base().raw(),
        size: range.bytes(),
        depth,
        kind: kind as u32,
        padding: 0,
        mapping,
    }
}

/// The memory fields of a mapping's record. There is no compression, so populated is committed.
fn memory_of(memory: Attribution) -> Mapping {
    // What is mapped lies in an address space, so its size fits a `usize`.
    let [committed, private, scaled] = [
        memory.committed_bytes,
        memory.private_bytes,
        memory.scaled_bytes,
    ]
    .map(|bytes| bytes as usize);
    Mapping {
        committed_bytes: committed,
        populated_bytes: committed,
        committed_private_bytes: private,
        populated_private_bytes: private,
        committed_scaled_bytes: scaled,
        populated_scaled_bytes: scaled,
        committed_fractional_scaled_bytes: memory.fractional_scaled_bytes,
        populated_fractional_scaled_bytes: memory.fractional_scaled_bytes,
        ..Mapping::default()
    }
}

/// The option bits that stand for `access`.
pub fn permissions(access: Access) -> VmOptions {
    let mut options = VmOptions::empty();
    options.set(VmOptions::PERM_READ, access.contains(Access::READ));
    options.set(VmOptions::PERM_WRITE, access.contains(Access::WRITE));
    options.set(VmOptions::PERM_EXECUTE, access.contains(Access::EXECUTE));
    options
}

fn cache_policy(memory: MemoryType) -> CachePolicy {
    match memory {
        MemoryType::Cached => CachePolicy::Cached,
        MemoryType::Uncached => CachePolicy::UnCached,
        MemoryType::UncachedDevice => CachePolicy::UnCachedDevice,
        MemoryType::WriteCombining => CachePolicy::WriteCombining,
    }
}
