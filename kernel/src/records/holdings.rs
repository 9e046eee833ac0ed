//! The VMOs that a process has, and the memory that it answers for through its mappings.
//!
//! Nothing is locked while one is looked at, and others may run between two. What changes meanwhile may be
//! seen or not.

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::{Koid, Result, Rights, VmoInfoFlags, info};
use vm::addr::PAGE_SIZE;
use vm::vmar::{MappedVmo, MappedVmos, Vmar};
use vm::vmo::{Attribution, Vmo};

use super::{Patience, vmo_itself};
use crate::object::{Process, VmoObject};

/// How a process has a VMO.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Via {
    /// Through a handle with these rights.
    Handle(Rights),
    /// Through a mapping.
    Mapping,
}

impl Via {
    /// What a VMO tells about itself to who has it like this.
    pub fn record(self, vmo_itself: &info::Vmo) -> info::Vmo {
        let (flag, rights) = match self {
            Self::Handle(rights) => (VmoInfoFlags::VIA_HANDLE, rights),
            Self::Mapping => (VmoInfoFlags::VIA_MAPPING, Rights::NONE),
        };
        info::Vmo {
            flags: vmo_itself.flags | flag.bits(),
            handle_rights: rights.bits(),
            ..*vmo_itself
        }
    }
}

/// The record of one VMO, kept because the next one asked for is often the same.
#[derive(Default)]
pub struct LastVmo {
    record: info::Vmo,
}

impl LastVmo {
    /// What `vmo` tells about itself, or told when it was asked just before.
    ///
    /// # Errors
    /// - `CANCELED`: the current thread is to end.
    pub fn record_of(&mut self, vmo: &Vmo<Tables>) -> Result<&info::Vmo> {
        if self.record.koid != vmo.koid().raw_koid() {
            self.record = vmo_itself(vmo)?;
        }
        Ok(&self.record)
    }
}

/// Shows `visit` the VMOs of `process`: once for each handle, then once for each mapping.
///
/// # Errors
/// - `BAD_STATE`: the process has ended.
/// - `CANCELED`: the current thread is to end.
/// - Whatever `visit` answers, which ends the walk.
pub fn for_each_vmo(
    process: &Process,
    mut visit: impl FnMut(&Vmo<Tables>, Via) -> Result<()>,
) -> Result<()> {
    let root = process.space().root()?;
    for_each_handle(process, |object, rights| {
        visit(object.vmo(), Via::Handle(rights))
    })?;
    for_each_mapping(root, |mapped| visit(&mapped.vmo, Via::Mapping))
}

/// Shows `visit` the VMOs to which `process` has handles, once for each of them.
///
/// # Errors
/// - `CANCELED`: the current thread is to end.
/// - Whatever `visit` answers, which ends the walk.
pub fn for_each_handle(
    process: &Process,
    mut visit: impl FnMut(&VmoObject, Rights) -> Result<()>,
) -> Result<()> {
    let mut next = Some(0);
    while let Some(first) = next {
        let step = process.handles_from::<VmoObject>(first);
        for (object, rights) in &step.found {
            visit(object, *rights)?;
        }
        next = step.next;
        Patience::UntilKilled.pause()?;
    }
    Ok(())
}

/// Shows `visit` what the mappings below `vmar` show, by address.
///
/// # Errors
/// - `BAD_STATE`: the region is dead.
/// - `CANCELED`: the current thread is to end.
/// - Whatever `visit` answers, which ends the walk.
pub fn for_each_mapping(
    vmar: Arc<Vmar<Tables>>,
    mut visit: impl FnMut(&MappedVmo<Tables>) -> Result<()>,
) -> Result<()> {
    let mut mapped = MappedVmos::new(vmar);
    while let Some(batch) = mapped.next_batch()? {
        batch.iter().try_for_each(&mut visit)?;
        Patience::UntilKilled.pause()?;
    }
    Ok(())
}

/// What the mappings of `process` come to.
///
/// # Errors
/// - `BAD_STATE`: the process has ended.
/// - `CANCELED`: the current thread is to end.
pub fn task_stats(process: &Process) -> Result<info::TaskStats> {
    let mut usage = Usage::default();
    let mut shared = (Koid::INVALID, 1);
    for_each_mapping(process.space().root()?, |mapped| {
        let vmo = &mapped.vmo;
        if shared.0 != vmo.koid() {
            shared = (vmo.koid(), vmo.share_count());
        }
        usage.mapped_bytes += mapped.length.get() * PAGE_SIZE;
        let pause = || Patience::UntilKilled.pause();
        usage.add(vmo.attribution_with(mapped.pages.clone(), pause)?, shared.1);
        Ok(())
    })?;
    Ok(usage.into_record())
}

/// The logarithm of the parts that a byte is divided into.
const FRACTION_BITS: u32 = 63;

/// Memory that is being added up. All of it is mapped in one address space, so sums fit a `usize`.
#[derive(Default)]
struct Usage {
    mapped_bytes: usize,
    private_bytes: u64,
    shared_bytes: u64,
    /// What is shared, divided by those who share it, in parts of a byte.
    shared_parts: u128,
}

impl Usage {
    /// Adds the memory of a VMO that `spaces` address spaces show.
    ///
    /// What its pages are divided by the VMOs that have them is divided once more by the address spaces.
    fn add(&mut self, memory: Attribution, spaces: usize) {
        let parts = (u128::from(memory.scaled_bytes) << FRACTION_BITS)
            + u128::from(memory.fractional_scaled_bytes);
        if spaces > 1 {
            self.shared_bytes += memory.committed_bytes;
            self.shared_parts += parts / spaces as u128;
        } else {
            self.private_bytes += memory.private_bytes;
            self.shared_bytes += memory.committed_bytes - memory.private_bytes;
            self.shared_parts += parts - (u128::from(memory.private_bytes) << FRACTION_BITS);
        }
    }

    fn into_record(self) -> info::TaskStats {
        let fraction = self.shared_parts & ((1 << FRACTION_BITS) - 1);
        info::TaskStats {
            mem_mapped_bytes: self.mapped_bytes,
            mem_private_bytes: self.private_bytes as usize,
            mem_shared_bytes: self.shared_bytes as usize,
            mem_scaled_shared_bytes: (self.shared_parts >> FRACTION_BITS) as usize,
            mem_fractional_scaled_shared_bytes: fraction as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use ktest::ktest;
    use syscall::info::TaskStats;
    use vm::vmo::Attribution;

    use super::Usage;

    const PAGE: u64 = 4096;
    const HALF: u64 = 1 << 62;

    /// What the memory of one VMO that `spaces` address spaces show comes to.
    fn stats_of(memory: Attribution, spaces: usize) -> TaskStats {
        let mut usage = Usage::default();
        usage.add(memory, spaces);
        usage.into_record()
    }

    #[ktest]
    fn what_one_process_maps_is_private_but_for_pages_that_vmos_share() {
        // Two pages of its own and one that two VMOs have, but for half a byte.
        let memory = Attribution {
            committed_bytes: 3 * PAGE,
            private_bytes: 2 * PAGE,
            scaled_bytes: 2 * PAGE + PAGE / 2 - 1,
            fractional_scaled_bytes: HALF,
        };
        let expected = TaskStats {
            mem_private_bytes: 2 * PAGE as usize,
            mem_shared_bytes: PAGE as usize,
            mem_scaled_shared_bytes: PAGE as usize / 2 - 1,
            mem_fractional_scaled_shared_bytes: HALF,
            ..TaskStats::default()
        };
        assert_eq!(stats_of(memory, 1), expected);
    }

    #[ktest]
    fn what_several_processes_map_is_shared_and_divided_once_more() {
        let memory = Attribution {
            committed_bytes: 3 * PAGE,
            private_bytes: 2 * PAGE,
            scaled_bytes: 2 * PAGE + PAGE / 2 + 1,
            fractional_scaled_bytes: 0,
        };
        let expected = TaskStats {
            mem_shared_bytes: 3 * PAGE as usize,
            mem_scaled_shared_bytes: (PAGE + PAGE / 4) as usize,
            mem_fractional_scaled_shared_bytes: HALF,
            ..TaskStats::default()
        };
        assert_eq!(stats_of(memory, 2), expected);
    }
}
