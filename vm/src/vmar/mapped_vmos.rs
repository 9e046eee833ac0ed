//! The VMOs that the mappings below a VMAR show, a handful at a time.
//!
//! As with [`Maps`](super::Maps), nothing is locked between two batches, and a tree that changes meanwhile may give a
//! mixture.

use alloc::sync::Arc;

use arrayvec::ArrayVec;
use syscall::Result;

use super::maps::{BATCH, Place};
use super::{RegionKind, Visited, Vmar};
use crate::mmu::Mmu;
use crate::region_tree::HasRange;
use crate::vmo::Vmo;

/// How many regions are looked at under one lock: there may be any number without a mapping.
const MOST_STEPS: usize = 64;

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
    pub fn next_batch(&mut self) -> Result<Option<ArrayVec<Arc<Vmo<M>>, BATCH>>> {
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
                batch.push(mapping.vmo().clone());
            }
        }
        Ok(Some(batch))
    }
}
