//! How much memory a VMO accounts for.

use core::ops::Range;
use core::sync::atomic::Ordering;

use spin::Mutex;
use syscall::VmoOptions;

use super::state::Contents;
use super::{PageIndex, Vmo, VmoState};
use crate::addr::PAGE_SIZE;
use crate::mmu::{MemoryType, Mmu};

/// The memory behind some pages of a VMO.
///
/// No two VMOs share a page yet, so what is committed is also private, and nothing is divided.
///
/// Source: `spec/vmo.md` §12.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attribution {
    /// Bytes of pages that are present.
    pub committed_bytes: u64,
    /// Of those, the bytes that only this VMO sees.
    pub private_bytes: u64,
    /// Those bytes, each page divided by the number of VMOs that see it.
    pub scaled_bytes: u64,
}

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
    /// Locks the VMO.
    pub fn info(&self) -> VmoInfo {
        let state = self.lock();
        VmoInfo {
            size: state.size(),
            options: self.options,
            memory: self.memory(),
            num_mappings: state.num_mappings(),
            share_count: state.share_count(),
            memory_use: state.attribution(PageIndex::ZERO..state.end),
            metadata_bytes: state.metadata_bytes(),
        }
    }
}

impl<M: Mmu> VmoState<M> {
    /// The memory behind the pages in `range`.
    pub fn attribution(&self, range: Range<PageIndex>) -> Attribution {
        let pages = match &self.contents {
            Contents::Anonymous(tree) => tree.count(range),
            Contents::Physical(_) => 0,
        };
        let bytes = pages * PAGE_SIZE as u64;
        Attribution {
            committed_bytes: bytes,
            private_bytes: bytes,
            scaled_bytes: bytes,
        }
    }

    fn metadata_bytes(&self) -> u64 {
        match &self.contents {
            Contents::Anonymous(tree) => tree.metadata_bytes() as u64,
            Contents::Physical(_) => 0,
        }
    }

    /// How many address spaces have a mapping of the VMO.
    ///
    /// Each is counted when it is first seen, and marked with the stamp of this count.
    fn share_count(&self) -> usize {
        let mut stamp = STAMP.lock();
        *stamp += 1;
        let mappings = self
            .mappings
            .iter()
            .filter_map(|region| region.as_mapping());
        let owners = mappings.map(|mapping| mapping.owner());
        owners
            .filter(|owner| owner.mark().swap(*stamp, Ordering::Relaxed) != *stamp)
            .count()
    }
}
