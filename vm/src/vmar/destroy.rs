//! Ending VMARs.

use alloc::sync::Arc;

use syscall::{Result, Status};

use super::clear::{Clearance, remove_translations};
use super::{Life, Vmar};
use crate::locked::{Guard, WriteGuard};
use crate::mmu::Mmu;
use crate::vmo::RegionList;

impl<M: Mmu> Vmar<M> {
    /// Ends this VMAR, all VMARs below it and all their mappings, and gives its range back to the parent.
    ///
    /// # Errors
    /// In this order:
    /// - `NOT_SUPPORTED`: it is the root of its address space.
    /// - `BAD_STATE`: it is dead.
    ///
    /// Source: `spec/vmar.md` §9.
    pub fn destroy(&self) -> Result<()> {
        let mut removed = RegionList::default();
        let mut guard = self.owner().write();
        let parent: Arc<Self> = match &self.state.get(&guard).life {
            Life::Dead => return Err(Status::BAD_STATE),
            Life::Alive(None) => return Err(Status::NOT_SUPPORTED),
            Life::Alive(Some(parent)) => parent.clone(),
        };
        parent.clear(self.range(), Clearance::whole(), &mut guard, &mut removed);
        drop(guard);
        drop(removed);
        Ok(())
    }

    /// Ends the root, which is no region of any VMAR, with all below it.
    pub(crate) fn destroy_root(&self, mut guard: WriteGuard<'_, M>) {
        let mut removed = RegionList::default();
        remove_translations(guard.owner().mmu(), self.range());
        self.dismantle(&mut guard, &mut removed);
        drop(guard);
        drop(removed);
    }
}
