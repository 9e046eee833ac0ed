//! The VMOs that the mappings below a VMAR show, a handful at a time.
//!
//! As with [`Maps`](super::Maps), nothing is locked between two batches, and a tree that changes meanwhile may give a
//! mixture.

use alloc::sync::Arc;
use core::ops::Range;

use arrayvec::ArrayVec;
use syscall::Result;

use super::maps::{BATCH, Place};
use super::{Mapping, RegionKind, Visited, Vmar};
use crate::addr::{PageCount, VirtRange};
use crate::mmu::Mmu;
use crate::region_tree::HasRange;
use crate::vmo::{PageIndex, Vmo};

/// How many regions are looked at under one lock: there may be any number without a mapping.
const MOST_STEPS: usize = 64;

/// What a mapping shows.
pub struct MappedVmo<M: Mmu> {
    /// The VMO.
    pub vmo: Arc<Vmo<M>>,
    /// The pages of it, as its owner counts them; some may be beyond its end.
    pub pages: Range<PageIndex>,
    /// The length of the mapping.
    pub length: PageCount,
}

impl<M: Mmu> MappedVmo<M> {
    /// What `mapping`, which has the addresses in `range`, shows.
    fn new(mapping: &Mapping<M>, range: VirtRange) -> Self {
        let first = mapping.owner_page_at(range.base(), range.base());
        let length = range.pages();
        Self {
            vmo: mapping.vmo().clone(),
            pages: first..first.saturating_add(length.get() as u64),
            length,
        }
    }
}

/// The VMOs that the mappings below a VMAR show, by address: one that has several mappings comes several times.
pub struct MappedVmos<M: Mmu> {
    top: Arc<Vmar<M>>,
    place: Place<M>,
}

impl<M: Mmu> MappedVmos<M> {
    /// All of them, of the mappings below `top`.
    pub const fn new(top: Arc<Vmar<M>>) -> Self {
        Self {
            top,
            place: Place::Top,
        }
    }

    /// The next few, perhaps none for now; `None` when there are no more.
    ///
    /// Locks the address space. Whoever drops one that nobody else has any more takes its contents apart.
    ///
    /// # Errors
    /// `BAD_STATE`: the VMAR is dead.
    pub fn next_batch(&mut self) -> Result<Option<ArrayVec<MappedVmo<M>, BATCH>>> {
        let guard = self.top.owner().read();
        self.top.live(&guard)?;
        let place = core::mem::replace(&mut self.place, Place::End);
        let Some((walk, from)) = place.walk(&self.top, &guard) else {
            return Ok(None);
        };
        let mut batch = ArrayVec::new();
        for (step, visited) in walk.enumerate() {
            let Visited {
                region,
                parent,
                depth,
                ..
            } = visited;
            if batch.is_full() || step == MOST_STEPS {
                self.place = Place::From {
                    vmar: parent.clone(),
                    next: region.range().base().max(from),
                    depth,
                };
                break;
            }
            if let RegionKind::Mapping(mapping) = region.kind() {
                batch.push(MappedVmo::new(mapping, region.range()));
            }
        }
        Ok(Some(batch))
    }
}
