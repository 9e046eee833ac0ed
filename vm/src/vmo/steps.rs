//! Operations on many pages, one block at a time.
//!
//! A range may be as long as an address space, or have all of memory in it. So an operation locks the
//! VMO for one block, lets go, and comes back for the next one; blocks without pages are not even looked
//! at, so the time it takes grows with the pages that are present, not with the range:
//!
//! ```text
//!   range     ├────────────────────────────────────────────────────────┤
//!   blocks  |         |    .    |         |         |    .    |         |
//!   present      **                                   *****
//!   steps        ├────┤                               ├───┤
//! ```

use core::ops::{ControlFlow, Range};

use syscall::Result;

use super::state::{Contents, Permanence};
use super::{PageIndex, VmoState};
use crate::addr::PAGE_SIZE;
use crate::mmu::{MemoryType, Mmu, PageSize};
use crate::pages::PageDatabase;

/// The pages of a block, which begins at a multiple of this number: those of a large page.
pub(crate) const BLOCK_PAGES: u64 = PageSize::Large.pages().get() as u64;

/// The part of `range` that lies in the block in which it begins.
pub(crate) fn first_block(range: &Range<PageIndex>) -> Range<PageIndex> {
    let inside = range.start.number() % BLOCK_PAGES;
    let past = range.start.saturating_add(BLOCK_PAGES - inside);
    range.start..past.min(range.end)
}

/// The part of `range` that lies in the block in which it ends.
pub(super) fn last_block(range: &Range<PageIndex>) -> Range<PageIndex> {
    let past = range.end.number().saturating_sub(1) / BLOCK_PAGES * BLOCK_PAGES;
    let start = PageIndex::ZERO.saturating_add(past);
    start.max(range.start)..range.end
}

impl<M: Mmu> VmoState<M> {
    /// The part of `range` from its first present page to the end of that page's block, if any page of
    /// `range` is present.
    pub fn next_present_block(&self, range: &Range<PageIndex>) -> Option<Range<PageIndex>> {
        let first = self.first_present(range)?;
        Some(first_block(&(first..range.end)))
    }

    /// The first page of `range` that is present.
    pub(super) fn first_present(&self, range: &Range<PageIndex>) -> Option<PageIndex> {
        let found = match &self.contents {
            Contents::Anonymous(tree) => {
                tree.visit(range.clone(), |index, _| ControlFlow::Break(index))
            }
            Contents::Physical(_) => ControlFlow::Break(range.start),
        };
        match found {
            ControlFlow::Break(first) => Some(first),
            ControlFlow::Continue(()) => None,
        }
    }

    /// The last page of `range` that is present: found by halving, so it takes as many looks at the tree as a
    /// page number has bits.
    pub(super) fn last_present(&self, range: &Range<PageIndex>) -> Option<PageIndex> {
        let mut last = self.first_present(range)?;
        let mut end = range.end;
        loop {
            let left = end.saturating_since(last);
            if left <= 1 {
                return Some(last);
            }
            let middle = last.saturating_add(left.div_ceil(2));
            match self.first_present(&(middle..end)) {
                Some(found) => last = found,
                None => end = middle,
            }
        }
    }

    /// How many pages of `range` are absent or shared: what it takes to give the VMO its own everywhere.
    pub fn count_lacking(&self, pages: &PageDatabase, range: &Range<PageIndex>) -> u64 {
        let all = range.end.saturating_since(range.start);
        match &self.contents {
            Contents::Anonymous(_) => all - self.count_own(pages, range.clone()),
            Contents::Physical(_) => 0,
        }
    }

    /// Gives back the pages in the first block of `range` that has some, after their translations have
    /// gone from every page table; answers what is left of the range. Pages that have to stay are filled
    /// with zeros.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for nodes that have to be copied. Nothing changes.
    pub fn clear_next_block(
        &mut self,
        pages: &PageDatabase,
        range: Range<PageIndex>,
    ) -> Result<Range<PageIndex>> {
        let Some(block) = self.next_present_block(&range) else {
            return Ok(range.end..range.end);
        };
        let rest = block.end..range.end;
        if self.permanence == Permanence::Permanent {
            self.zero_pages(pages, block);
            return Ok(rest);
        }
        self.prepare_free(pages, block.clone())?;
        self.remove_translations(block.clone(), None);
        self.free_pages(pages, block);
        Ok(rest)
    }

    /// Fills the pages in `block` that are present with zeros.
    fn zero_pages(&mut self, pages: &PageDatabase, block: Range<PageIndex>) {
        let memory = self.memory();
        for number in block.start.number()..block.end.number() {
            if let Some(page) = PageIndex::new(number).and_then(|index| self.page_mut(pages, index))
            {
                // The type may have changed since the operation began.
                match memory {
                    MemoryType::Cached => pages.zero(page),
                    MemoryType::Uncached
                    | MemoryType::UncachedDevice
                    | MemoryType::WriteCombining => pages.zero_part(page, 0..PAGE_SIZE),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, past: u64) -> Range<PageIndex> {
        let index = |number| PageIndex::new(number).expect("a page number");
        index(first)..index(past)
    }

    #[test]
    fn a_range_is_cut_at_multiples_of_the_block() {
        let limit = PageIndex::LIMIT.number();
        for (whole, block) in [
            (range(0, 512), range(0, 512)),
            (range(0, 513), range(0, 512)),
            (range(511, 2000), range(511, 512)),
            (range(512, 600), range(512, 600)),
            (range(700, 5000), range(700, 1024)),
            (range(limit - 1, limit), range(limit - 1, limit)),
            (range(limit - 600, limit), range(limit - 600, limit - 512)),
        ] {
            assert_eq!(first_block(&whole), block);
        }
    }

    #[test]
    fn the_last_block_begins_at_a_multiple_or_where_the_range_does() {
        for (whole, block) in [
            (range(0, 512), range(0, 512)),
            (range(0, 513), range(512, 513)),
            (range(511, 512), range(511, 512)),
            (range(513, 600), range(513, 600)),
            (range(700, 5000), range(4608, 5000)),
        ] {
            assert_eq!(last_block(&whole), block);
        }
    }
}
