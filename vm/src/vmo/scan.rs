//! Looking for pages that are all zeros, which need not be kept: an absent page reads the same.
//!
//! A page is looked at twice: first as it is, while programs may write to it, and again when nobody can any
//! more, because it is in no page table and the VMO is locked.
//!
//! ```text
//!   next present page ─► first word, then all of it, zero? ─► out of every page table ─► still zero? ─► freed
//!                        hardly ever                          back with the next fault
//! ```

use core::ops::{ControlFlow, Range};

use super::page_tree::Sharing;
use super::state::{Contents, Page};
use super::{PageIndex, Vmo, VmoKind, VmoState};
use crate::addr::PageCount;
use crate::counters::Event;
use crate::mmu::{Domain, MemoryType, Mmu};
use crate::pages::PageDatabase;
use crate::reclaim::Scan;

/// What looking along the pages of a VMO has found so far.
struct Look {
    /// How many pages may be looked at.
    budget: usize,
    looked: usize,
    /// Pages one after the other that seem to be zero.
    zeros: Range<PageIndex>,
}

impl<M: Mmu> Vmo<M> {
    /// Looks at `budget` pages at most, from where the last look ended, and gives those back that are all
    /// zeros and nobody else's. An empty VMO counts as one page.
    ///
    /// Pages that the kernel itself shows stay, since it never faults, and so does memory that is not
    /// cached or lies side by side, since a device may write to it.
    ///
    /// Locks the VMO, then the page tables of its mappings one after the other.
    pub(super) fn give_back_zeros(&self, budget: PageCount) -> Scan {
        let mut state = self.lock();
        let first = state.scan_from;
        let mut look = Look::new(first, budget);
        let mut freed = 0;
        let has_more = loop {
            let from = look.zeros.end;
            let has_more = state.look_on(self.pages(), from, &mut look);
            if !look.zeros.is_empty() && self.may_lose_pages(&state) {
                freed += state.free_zeros(self.pages(), look.zeros.clone());
            }
            if !has_more || look.looked >= look.budget {
                break has_more;
            }
        };
        state.scan_from = if has_more {
            look.zeros.end
        } else {
            PageIndex::ZERO
        };
        drop(state);
        M::counters().add(Event::Scanned, look.looked as u64);
        M::counters().add(Event::ZeroFreed, freed as u64);
        Scan {
            looked: PageCount::new(look.looked.max(1)),
            freed: PageCount::new(freed),
            ended: usize::from(!has_more),
        }
    }

    /// Whether pages may go, also while somebody has them mapped.
    fn may_lose_pages(&self, state: &VmoState<M>) -> bool {
        let is_shown_by_kernel = || {
            let regions = state.mappings.iter();
            regions
                .filter_map(|region| region.as_mapping())
                .any(|mapping| mapping.owner().config().domain == Domain::Kernel)
        };
        self.kind() == VmoKind::Anonymous
            && state.memory() == MemoryType::Cached
            && !is_shown_by_kernel()
    }
}

impl Look {
    fn new(first: PageIndex, budget: PageCount) -> Self {
        Self {
            budget: budget.get(),
            looked: 0,
            zeros: first..first,
        }
    }
}

impl<M: Mmu> VmoState<M> {
    /// Looks at present pages from `from` on until some that seem to be zero have come to their end, or the
    /// budget has; whether there are more.
    fn look_on(&self, pages: &PageDatabase, from: PageIndex, look: &mut Look) -> bool {
        look.zeros = from..from;
        let Contents::Anonymous(tree) = &self.contents else {
            return false;
        };
        let seen = tree.visit_own(from..self.end(), pages, |index, page: &Page, sharing| {
            let is_next = look.zeros.end == index;
            if look.looked >= look.budget || !(look.zeros.is_empty() || is_next) {
                return ControlFlow::Break(());
            }
            look.looked += 1;
            let after = index.saturating_add(1);
            let is_spare = sharing == Sharing::Own && pages.is_zero(page);
            look.zeros = match (is_spare, look.zeros.is_empty()) {
                (true, true) => index..after,
                (true, false) => look.zeros.start..after,
                (false, true) => after..after,
                (false, false) => return ControlFlow::Break(()),
            };
            ControlFlow::Continue(())
        });
        seen.is_break()
    }

    /// Gives back the pages in `range` that are still all zeros when they are in no page table any more;
    /// answers how many.
    fn free_zeros(&mut self, pages: &PageDatabase, range: Range<PageIndex>) -> usize {
        self.remove_translations(range.clone(), None);
        let Contents::Anonymous(tree) = &mut self.contents else {
            return 0;
        };
        let mut freed = 0;
        for index in (range.start.number()..range.end.number()).filter_map(PageIndex::new) {
            let is_zero = tree.get(index).is_some_and(|page| pages.is_zero(page));
            // It was nobody else's, so there is nothing to copy.
            if is_zero && let Ok(Some(page)) = tree.remove(index, pages) {
                pages.free(page);
                freed += 1;
            }
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use crate::addr::PAGE_SIZE;
    use crate::testing::*;
    use crate::vmo::PageIndex;

    #[test]
    fn a_page_that_is_written_after_the_first_look_stays() {
        let world = World::new();
        let vmo = world.vmo(3);
        for (page, byte) in [(0, 0), (1, 5), (2, 0)] {
            assert_eq!(vmo.write(page * PAGE_SIZE as u64, &[byte]), Ok(()));
        }
        // The first look is over: all three seemed to be zero.
        let all = PageIndex::ZERO..PageIndex::ZERO.saturating_add(3);
        assert_eq!(vmo.lock().free_zeros(world.pages, all), 2);
        let mut byte = [0];
        assert_eq!(vmo.read(PAGE_SIZE as u64, &mut byte), Ok(()));
        assert_eq!(byte, [5]);
        drop(vmo);
        finish(world);
    }
}
