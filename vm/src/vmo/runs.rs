//! Pages of a VMO that lie side by side in memory.

use core::ops::{ControlFlow, Range};

use super::page_tree::Sharing;
use super::state::{Contents, Want, physical_page};
use super::{PageIndex, Vmo, VmoState};
use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use crate::mmu::{Mmu, PageSize};
use crate::pages::PageDatabase;

/// A run that is being put together.
#[derive(Clone, Copy)]
struct Run {
    first: PageIndex,
    base: PhysAddr,
    pages: usize,
    sharing: Sharing,
}

impl Run {
    /// Whether the page at `index`, which is at `page`, comes directly after the run, here and there, and may
    /// be entered alike.
    fn is_followed_by(&self, index: PageIndex, page: PhysAddr, sharing: Sharing) -> bool {
        self.sharing == sharing
            && self.first.saturating_add(self.pages as u64) == index
            && self.base.checked_add(self.pages * PAGE_SIZE) == Some(page)
    }

    fn range(&self) -> Option<PhysRange> {
        PhysRange::new(self.base, PageCount::new(self.pages))
    }
}

impl<M: Mmu> Vmo<M> {
    /// The logarithm of the alignment at which the largest pages can show `pages` pages from `first` on.
    #[inline]
    pub(crate) fn natural_alignment(&self, first: PageIndex, pages: PageCount) -> u32 {
        if pages < PageSize::Large.pages() {
            PAGE_SHIFT
        } else {
            self.alignment_of_many(first, pages)
        }
    }

    /// As [`natural_alignment`](Self::natural_alignment), for as many pages as fill a large one.
    #[cold]
    fn alignment_of_many(&self, first: PageIndex, pages: PageCount) -> u32 {
        let (memory, largest) = match &self.lock().contents {
            Contents::Anonymous(_) => (PhysAddr::new(0), PageSize::Large),
            Contents::Physical(all) => (all.base(), PageSize::Huge),
        };
        let first = self.owner_page(first);
        let offset = (first.number() as usize).wrapping_mul(PAGE_SIZE);
        let shown = PhysAddr::new(memory.raw().wrapping_add(offset));
        let fits = |size: &PageSize| {
            *size <= largest && size.pages() <= pages && shown.is_aligned_to(size.shift())
        };
        [PageSize::Huge, PageSize::Large]
            .iter()
            .find(|size| fits(size))
            .map_or(PAGE_SHIFT, |size| size.shift())
    }
}

impl<M: Mmu> VmoState<M> {
    /// Whether the pages from `first` on are present, side by side, and exactly `run`; if they are to be
    /// written to, they must be this VMO's alone.
    ///
    /// If they are not, this is mostly told by the first, the last or the one in the middle, and then costs
    /// little.
    pub fn shows_run(
        &self,
        pages: &PageDatabase,
        first: PageIndex,
        run: PhysRange,
        want: Want,
    ) -> bool {
        let count = run.pages().get() as u64;
        let past = first.saturating_add(count);
        if past > self.end {
            return false;
        }
        let tree = match &self.contents {
            Contents::Physical(all) => {
                return physical_page(*all, first) == Some(run.base()) && run.end() <= all.end();
            }
            Contents::Anonymous(tree) => tree,
        };
        let is_in_place = |number: u64| {
            let address = run.base().checked_add(number as usize * PAGE_SIZE);
            let page = tree.get(first.saturating_add(number));
            page.is_some_and(|page| Some(page.address()) == address)
        };
        if ![0, count / 2, count - 1].into_iter().all(is_in_place) {
            return false;
        }
        let mut expected = run.base().raw();
        let _: ControlFlow<()> = tree.visit_own(first..past, pages, |_, page, sharing| {
            let may_be = want == Want::Read || sharing == Sharing::Own;
            if page.address().raw() != expected || !may_be {
                return ControlFlow::Break(());
            }
            expected += PAGE_SIZE;
            ControlFlow::Continue(())
        });
        expected == run.end().raw()
    }

    /// Shows the pages in `range` that are present, in ascending order and as long runs as they lie side by
    /// side in memory, and are shared or not, until the visitor breaks off.
    pub fn visit_runs<B>(
        &self,
        pages: &PageDatabase,
        range: Range<PageIndex>,
        mut visitor: impl FnMut(PageIndex, PhysRange, Sharing) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if let Contents::Physical(all) = &self.contents {
            return match physical_part(*all, range.start..range.end.min(self.end)) {
                Some(run) => visitor(range.start, run, Sharing::Own),
                None => ControlFlow::Continue(()),
            };
        }
        let mut open: Option<Run> = None;
        self.visit_present(pages, range, |index, page, sharing| {
            if let Some(run) = &mut open
                && run.is_followed_by(index, page, sharing)
            {
                run.pages += 1;
                return ControlFlow::Continue(());
            }
            let new = Run {
                first: index,
                base: page,
                pages: 1,
                sharing,
            };
            match open.replace(new) {
                Some(run) => show(run, &mut visitor),
                None => ControlFlow::Continue(()),
            }
        })?;
        match open {
            Some(run) => show(run, &mut visitor),
            None => ControlFlow::Continue(()),
        }
    }
}

fn show<B>(
    run: Run,
    visitor: &mut impl FnMut(PageIndex, PhysRange, Sharing) -> ControlFlow<B>,
) -> ControlFlow<B> {
    match run.range() {
        Some(range) => visitor(run.first, range, run.sharing),
        None => ControlFlow::Continue(()),
    }
}

/// The memory for the pages in `range` of a physical range.
fn physical_part(all: PhysRange, range: Range<PageIndex>) -> Option<PhysRange> {
    let base = physical_page(all, range.start)?;
    let pages = usize::try_from(range.end.saturating_since(range.start)).ok()?;
    PhysRange::new(base, PageCount::new(pages))
}
