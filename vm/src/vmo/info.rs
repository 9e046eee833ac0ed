//! How much memory a VMO accounts for.

use core::ptr;
use core::sync::atomic::Ordering;

use spin::Mutex;
use syscall::{Result, VmoOptions};

use super::state::Contents;
use super::{Attribution, PageIndex, Vmo, VmoState};
use crate::addr::PAGE_SIZE;
use crate::mmu::{MemoryType, Mmu};
use crate::vmar::{Mapping, Region};

/// What a VMO tells about itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VmoInfo {
    /// The size in bytes.
    pub size: u64,
    /// How it was created.
    pub options: VmoOptions,
    /// How its memory is cached.
    pub memory: MemoryType,
    /// How many mappings show it.
    pub num_mappings: usize,
    /// How many address spaces have a mapping of it.
    pub share_count: usize,
    /// The memory behind all of it.
    pub memory_use: Attribution,
    /// Bytes the kernel spends to keep track of the pages.
    pub metadata_bytes: u64,
}

/// The stamp of the latest count of address spaces; the lock lets one be counted at a time.
static STAMP: Mutex<u64> = Mutex::new(0);

impl<M: Mmu> Vmo<M> {
    /// What the VMO tells about itself.
    ///
    /// Locks the VMO, and those that share its pages, one after the other.
    pub fn info(&self) -> VmoInfo {
        self.info_beside(self.attribution(PageIndex::ZERO..PageIndex::LIMIT))
    }

    /// As [`info`](Self::info); in between, `pause` is called with nothing locked.
    ///
    /// # Errors
    /// That of `pause`, which ends it.
    pub fn info_with(&self, pause: impl FnMut() -> Result<()>) -> Result<VmoInfo> {
        let all = PageIndex::ZERO..PageIndex::LIMIT;
        Ok(self.info_beside(self.attribution_with(all, pause)?))
    }

    /// What the VMO tells about itself beside `memory_use`.
    fn info_beside(&self, memory_use: Attribution) -> VmoInfo {
        let state = self.lock();
        let window = self.window(&state);
        VmoInfo {
            size: window.end.saturating_since(window.start) * PAGE_SIZE as u64,
            options: self.options,
            memory: state.memory(),
            num_mappings: state.mappings_of(self).count(),
            share_count: state.share_count(self),
            memory_use,
            metadata_bytes: if self.is_view() {
                0
            } else {
                state.metadata_bytes()
            },
        }
    }

    /// How many address spaces have a mapping of it.
    ///
    /// Locks the VMO.
    pub fn share_count(&self) -> usize {
        self.lock().share_count(self)
    }
}

impl<M: Mmu> VmoState<M> {
    fn metadata_bytes(&self) -> u64 {
        match &self.contents {
            Contents::Anonymous(tree) => tree.metadata_bytes() as u64,
            Contents::Physical(_) => 0,
        }
    }

    /// The mappings of one of the VMOs that show these pages.
    fn mappings_of<'a>(&'a self, vmo: &'a Vmo<M>) -> impl Iterator<Item = &'a Mapping<M>> {
        let mappings = self.mappings.iter().filter_map(Region::as_mapping);
        mappings.filter(move |mapping| ptr::eq(&raw const **mapping.vmo(), vmo))
    }

    /// How many address spaces have a mapping of the VMO.
    ///
    /// Each is counted when it is first seen, and marked with the stamp of this count.
    fn share_count(&self, vmo: &Vmo<M>) -> usize {
        let mut stamp = STAMP.lock();
        *stamp += 1;
        let owners = self.mappings_of(vmo).map(|mapping| mapping.owner());
        owners
            .filter(|owner| owner.mark().swap(*stamp, Ordering::Relaxed) != *stamp)
            .count()
    }
}
