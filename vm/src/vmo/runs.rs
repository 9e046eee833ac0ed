//! Pages of a VMO that lie side by side in memory.

use core::ops::{ControlFlow, Range};

use super::state::{Contents, physical_page};
use super::{PageIndex, Vmo, VmoState};
use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use crate::mmu::{Mmu, PageSize};

/// A run that is being put together.
#[derive(Clone, Copy)]
struct Run {
    first: PageIndex,
    base: PhysAddr,
    pages: usize,
}

impl Run {
    /// Whether the page at `index`, which is at `page`, comes directly after the run, here and there.
    fn is_followed_by(&self, index: PageIndex, page: PhysAddr) -> bool {
        self.first.saturating_add(self.pages as u64) == index
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
    /// Whether the pages from `first` on are present, side by side, and exactly `run`.
    ///
    /// If they are not, this is mostly told by the first, the last or the one in the middle, and then costs
    /// little.
    pub fn shows_run(&self, first: PageIndex, run: PhysRange) -> bool {
        let pages = run.pages().get() as u64;
        let past = first.saturating_add(pages);
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
        if ![0, pages / 2, pages - 1].into_iter().all(is_in_place) {
            return false;
        }
        let mut expected = run.base().raw();
        let _: ControlFlow<()> = tree.visit(first..past, |_, page| {
            if page.address().raw() != expected {
                return ControlFlow::Break(());
            }
            expected += PAGE_SIZE;
            ControlFlow::Continue(())
        });
        expected == run.end().raw()
    }

    /// Shows the pages in `range` that are present, in ascending order and as long runs as they lie side by
    /// side in memory, until the visitor breaks off.
    pub fn visit_runs<B>(
        &self,
        range: Range<PageIndex>,
        mut visitor: impl FnMut(PageIndex, PhysRange) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if let Contents::Physical(all) = &self.contents {
            return match physical_part(*all, range.start..range.end.min(self.end)) {
                Some(run) => visitor(range.start, run),
                None => ControlFlow::Continue(()),
            };
        }
        let mut open: Option<Run> = None;
        self.visit_present(range, |index, page| {
            if let Some(run) = &mut open
                && run.is_followed_by(index, page)
            {
                run.pages += 1;
                return ControlFlow::Continue(());
            }
            let new = Run {
                first: index,
                base: page,
                pages: 1,
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
    visitor: &mut impl FnMut(PageIndex, PhysRange) -> ControlFlow<B>,
) -> ControlFlow<B> {
    match run.range() {
        Some(range) => visitor(run.first, range),
        None => ControlFlow::Continue(()),
    }
}

/// The memory for the pages in `range` of a physical range.
fn physical_part(all: PhysRange, range: Range<PageIndex>) -> Option<PhysRange> {
    let base = physical_page(all, range.start)?;
    let pages = usize::try_from(range.end.saturating_since(range.start)).ok()?;
    PhysRange::new(base, PageCount::new(pages))
}
