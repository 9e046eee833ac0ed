//! Taking mappings, and whole VMARs, out of a range.

use syscall::{Result, Status};

use super::{OpChildren, Vmar};
use crate::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::locked::WriteGuard;
use crate::mmu::Mmu;
use crate::vmo::RegionList;

impl<M: Mmu> Vmar<M> {
    /// Unmaps the pages that the `length` bytes from `address` on touch.
    ///
    /// What is mapped there goes; mappings that reach beyond are trimmed or split. VMARs in the range
    /// are destroyed. Gaps do not matter. No CPU uses the pages any more once this returns.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: `address` is not page aligned; `length` is zero or cannot be rounded up.
    /// - `BAD_STATE`: this VMAR is dead.
    /// - `INVALID_ARGS`: the range is not all inside this VMAR; it covers a VMAR in part, or one at all
    ///   though `children` forbids it.
    /// - `NO_MEMORY`: a mapping must be split, and there is none for the second part.
    ///
    /// A call that fails has changed nothing. Source: `spec/vmar.md` §6.
    pub fn unmap(&self, address: VirtAddr, length: usize, children: OpChildren) -> Result<()> {
        let range = whole_pages(address, length)?;
        let mut guard = self.owner().write();
        self.live(&guard)?;
        if !self.range().contains_range(range) {
            return Err(Status::INVALID_ARGS);
        }
        match self.clear_one(range, &mut guard) {
            Some(removed) => {
                drop(guard);
                // What was unmapped may be the last user of a large VMO, so it goes without the lock.
                drop(removed);
                Ok(())
            }
            None => self.unmap_all(range, children, guard),
        }
    }

    /// Unmaps a range that is inside this VMAR, whatever is in it.
    #[inline(never)]
    fn unmap_all(
        &self,
        range: VirtRange,
        children: OpChildren,
        mut guard: WriteGuard<'_, M>,
    ) -> Result<()> {
        let mut removed = RegionList::default();
        let clearance = self.prepare_clear(range, children, &guard)?;
        self.clear(range, clearance, &mut guard, &mut removed);
        drop(guard);
        // As above.
        drop(removed);
        Ok(())
    }
}

/// The pages that the `length` bytes from `address` on touch.
///
/// # Errors
/// `INVALID_ARGS`: `address` is not page aligned; `length` is zero, or the end does not fit an address.
pub(super) fn whole_pages(address: VirtAddr, length: usize) -> Result<VirtRange> {
    let rounded = length
        .checked_next_multiple_of(PAGE_SIZE)
        .ok_or(Status::INVALID_ARGS)?;
    VirtRange::new(address, PageCount::covering(rounded)).ok_or(Status::INVALID_ARGS)
}
