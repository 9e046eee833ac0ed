//! How much memory discardable VMOs have.

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
        Ok(Discardable {
            locked: self.pages_of(Which::Locked)?,
            unlocked: self.pages_of(Which::Unlocked)?,
        })
    }

    fn pages_of(&self, which: Which) -> Result<PageCount> {
        let mut objects: Vec<Arc<dyn Reclaimable>> = Vec::new();
        let count = self.lists.lock().len(which);
        objects
            .try_reserve_exact(count)
            .map_err(|_| Status::NO_MEMORY)?;
        self.lists.lock().share(which, &mut objects);
        let add =
            |sum: PageCount, object: Arc<dyn Reclaimable>| sum.saturating_add(object.own_pages());
        Ok(objects.into_iter().fold(PageCount::ZERO, add))
    }
}
