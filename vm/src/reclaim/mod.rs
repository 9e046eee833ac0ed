//! Getting pages back from VMOs when memory runs short.
//!
//! Read [`Reclaimer`] first. Every VMO that is made of pages is in one of its three lists, which keep none of
//! them alive:
//!
//! ```text
//!   unlocked   oldest ─► … ─► newest    discardable VMOs that nobody has locked: they go when frames run out
//!   locked     next ─► … ─► last        discardable VMOs that somebody has locked
//!   others     next ─► … ─► last        all other VMOs
//!
//!   locked, others                      now and then a few of their pages are looked at, and those that are
//!                                       all zeros go, because an absent page reads the same
//! ```
//!
//! A call or a fault for which there is no frame has changed nothing. So whoever made it, with nothing
//! locked, calls [`Reclaimer::reclaim`] and tries again. [`PageDatabase::missed_frames`] tells a lack of
//! frames from other reasons.
//!
//! Lock order: a VMO, then the lists. A VMO is asked for pages while the lists are open.
//!
//! [`PageDatabase::missed_frames`]: crate::pages::PageDatabase::missed_frames

mod discardable;
mod list;

pub use discardable::Discardable;
pub(crate) use list::Place;

use alloc::sync::Arc;

use spin::mutex::SpinMutex;

use crate::addr::PageCount;
use list::{Lists, Which};

/// Something that can give pages back: a VMO. The page database, which holds the lists, knows neither VMOs
/// nor the kinds of page table that they are made for.
pub(crate) trait Reclaimable: Send + Sync {
    /// Its place in the lists.
    fn place(&self) -> &Place;

    /// Gives all pages back, unless it has been locked; answers how many.
    fn discard(&self) -> PageCount;

    /// How many pages there are that it alone has.
    fn own_pages(&self) -> PageCount;

    /// What it accounts for, in parts of a byte of which there are 2^63.
    fn attributed_parts(&self) -> u128;

    /// Looks at some pages, about as many as the `budget` says, and gives those back that are all zeros.
    fn scan(&self, budget: PageCount) -> Scan;
}

/// Whether somebody counts on the contents of a VMO.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// It is not discardable.
    Kept,
    /// It is discardable and locked.
    Locked,
    /// It is discardable and not locked.
    Unlocked,
}

/// What came of looking for pages that are all zeros.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Scan {
    /// Pages that were looked at.
    pub looked: PageCount,
    /// Pages that were given back.
    pub freed: PageCount,
    /// VMOs whose last page was looked at.
    pub ended: usize,
}

impl Scan {
    fn and(self, other: Self) -> Self {
        Self {
            looked: self.looked.saturating_add(other.looked),
            freed: self.freed.saturating_add(other.freed),
            ended: self.ended + other.ended,
        }
    }
}

/// The VMOs that pages can be had from.
///
/// 1. A VMO is in one list from `enter` until it is dropped.
/// 2. The list of unlocked ones is in the order in which they were unlocked or asked to discard.
pub struct Reclaimer {
    lists: SpinMutex<Lists>,
}

impl Reclaimer {
    /// No VMOs.
    pub(crate) const fn new() -> Self {
        Self {
            lists: SpinMutex::new(Lists::new()),
        }
    }

    /// Has unlocked discardable VMOs give their pages back, the one that was unlocked first before the
    /// others, until `wanted` pages are free or all were asked once; answers how many pages came back.
    ///
    /// The caller holds no lock. VMOs that nobody else keeps any more are dropped.
    pub fn reclaim(&self, wanted: PageCount) -> PageCount {
        let mut freed = PageCount::ZERO;
        let candidates = self.lists.lock().len(Which::Unlocked);
        for _ in 0..candidates {
            if freed >= wanted {
                break;
            }
            // A statement of its own, so that the lists are open again when the VMO is locked.
            let oldest = self.lists.lock().rotate(Which::Unlocked);
            if let Some(oldest) = oldest {
                freed = freed.saturating_add(oldest.discard());
            }
        }
        freed
    }

    /// Looks at about `budget` pages, where the last look ended, and gives those back that are all zeros.
    ///
    /// Pages that several VMOs share stay, since taking one from one of them frees nothing.
    ///
    /// The caller holds no lock.
    pub fn scan(&self, budget: PageCount) -> Scan {
        SCANNED.iter().fold(Scan::default(), |scan, which| {
            let left = budget.saturating_sub(scan.looked);
            scan.and(self.scan_list(*which, left))
        })
    }

    fn scan_list(&self, which: Which, budget: PageCount) -> Scan {
        let mut scan = Scan::default();
        let candidates = self.lists.lock().len(which);
        for _ in 0..candidates {
            let left = budget.saturating_sub(scan.looked);
            if left == PageCount::ZERO {
                break;
            }
            let Some(next) = self.lists.lock().first(which) else {
                continue;
            };
            let part = next.scan(left);
            if part.ended > 0 {
                self.lists.lock().move_back(next.place(), which);
            }
            scan = scan.and(part);
        }
        scan
    }

    /// How many VMOs are looked at for pages that are all zeros.
    pub fn scanned_vmos(&self) -> usize {
        let lists = self.lists.lock();
        SCANNED.iter().map(|which| lists.len(*which)).sum()
    }

    /// Adds a new VMO to one of the lists.
    pub(crate) fn enter<T: Reclaimable>(&self, object: &Arc<T>, standing: Standing) {
        self.lists.lock().enter(object, standing.list());
    }

    /// Notes that a VMO was locked or unlocked: it becomes the last one of its list.
    fn note(&self, place: &Place, standing: Standing) {
        self.lists.lock().move_to(place, standing.list());
    }

    /// Forgets a VMO, which is being dropped.
    fn leave(&self, place: &Place) {
        self.lists.lock().remove(place);
    }
}

/// The lists whose VMOs are looked at for pages that are all zeros.
const SCANNED: [Which; 2] = [Which::Others, Which::Locked];

impl Standing {
    const fn list(self) -> Which {
        match self {
            Self::Kept => Which::Others,
            Self::Locked => Which::Locked,
            Self::Unlocked => Which::Unlocked,
        }
    }
}

#[cfg(test)]
mod tests;
