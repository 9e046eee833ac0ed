//! How much memory VMOs have: the discardable ones, and all together.

use alloc::sync::Arc;
use alloc::vec::Vec;

use syscall::{Result, Status};

use super::list::Which;
use super::{Reclaimable, Reclaimer};
use crate::addr::PageCount;

/// The pages of all discardable VMOs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Discardable {
    /// Of those that are locked.
    pub locked: PageCount,
    /// Of those that are not, whose pages go when frames run out.
    pub unlocked: PageCount,
    /// How many of the latter have any.
    pub unlocked_vmos: usize,
}

impl Reclaimer {
    /// Counts the pages of all discardable VMOs.
    ///
    /// The caller holds no lock. VMOs that nobody else keeps any more are dropped, and those that are made or
    /// change their list meanwhile may be missed.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for a list of the VMOs.
    pub fn discardable(&self) -> Result<Discardable> {
        let (locked, _) = self.pages_of(Which::Locked)?;
        let (unlocked, unlocked_vmos) = self.pages_of(Which::Unlocked)?;
        Ok(Discardable {
            locked,
            unlocked,
            unlocked_vmos,
        })
    }

    /// What all VMOs account for together, in parts of a byte of which there are 2^63. If nothing changes
    /// meanwhile, that is all frames that VMOs have: each is divided among those that share it, and nothing
    /// is left over.
    ///
    /// # Errors
    /// As [`discardable`](Self::discardable).
    pub fn attributed_parts(&self) -> Result<u128> {
        let lists = [Which::Unlocked, Which::Locked, Which::Others];
        lists.into_iter().try_fold(0, |sum, which| {
            let objects = self.objects_of(which)?;
            let parts: u128 = objects.iter().map(|object| object.attributed_parts()).sum();
            Ok(sum + parts)
        })
    }

    /// The VMOs in a list.
    fn objects_of(&self, which: Which) -> Result<Vec<Arc<dyn Reclaimable>>> {
        let mut objects = Vec::new();
        let count = self.lists.lock().len(which);
        objects
            .try_reserve_exact(count)
            .map_err(|_| Status::NO_MEMORY)?;
        self.lists.lock().share(which, &mut objects);
        Ok(objects)
    }

    /// The pages of the VMOs in a list, and how many of these have any.
    fn pages_of(&self, which: Which) -> Result<(PageCount, usize)> {
        let (mut sum, mut vmos) = (PageCount::ZERO, 0);
        for object in self.objects_of(which)? {
            let pages = object.own_pages();
            sum = sum.saturating_add(pages);
            vmos += usize::from(pages > PageCount::ZERO);
        }
        Ok((sum, vmos))
    }
}
