//! What a VMO's lock guards, and how it answers a request for a page.

use core::ops::{ControlFlow, Range};

use syscall::{Result, Status};

use super::PageIndex;
use super::discardable::Locks;
use super::mapping_list::MappingList;
use super::page_tree::{Lookup, PageTree};
use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use crate::mmu::Mmu;
use crate::pages::{Frame, FrameList, PageDatabase, owner};
use crate::vmar::Mapping;

/// A page of a VMO.
pub type Page = Frame<owner::Vmo>;

/// What the lock of a VMO guards.
pub struct VmoState<M: Mmu> {
    pub(super) contents: Contents,
    /// The page after the last one.
    pub(super) end: PageIndex,
    pub(super) stream_size: u64,
    pub(super) mappings: MappingList<M>,
    /// Only here may a page table show the page of zeros.
    zeros: Range<PageIndex>,
    pub(super) locks: Locks,
    /// Where the next look for pages that are all zeros begins.
    pub(super) scan_from: PageIndex,
}

/// The pages of a VMO.
pub enum Contents {
    /// What has been written, and zeros.
    Anonymous(PageTree<Page>),
    /// All of a physical range.
    Physical(PhysRange),
}

/// The answer to a request for a page.
#[derive(Debug)]
pub enum Supply {
    /// The page was there already.
    Present(PhysAddr),
    /// The page did not exist before, and is all zeros.
    Fresh(PhysAddr),
    /// There is no page, which reads as zero.
    Zero,
    /// The page will be there later.
    #[expect(
        dead_code,
        reason = "all requests can be answered at once until there are pagers"
    )]
    Wait(PageRequest),
}

/// Something to wait for before a page can be had.
///
/// No kind of VMO makes anybody wait yet, so there is no such value.
#[derive(Debug)]
pub enum PageRequest {}

/// What a page is wanted for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Want {
    /// To be read: an absent page need not be made.
    Read,
    /// To be written.
    Write,
}

/// Who wants a page.
pub enum Asker<'a, M: Mmu> {
    /// A call, which copies from or to the page.
    Call,
    /// A fault in this mapping, which enters the page into its page table, over what is there.
    Fault(&'a Mapping<M>),
}

impl<M: Mmu> VmoState<M> {
    /// The state of a VMO without pages.
    pub(super) fn anonymous(end: PageIndex, stream_size: u64) -> Self {
        let contents = Contents::Anonymous(PageTree::new());
        Self::new(contents, end, stream_size)
    }

    /// The state of a VMO that shows `range`.
    pub(super) fn physical(range: PhysRange) -> Self {
        let end = PageIndex::covering(range.bytes() as u64);
        let contents = Contents::Physical(range);
        Self::new(contents, end, 0)
    }

    fn new(contents: Contents, end: PageIndex, stream_size: u64) -> Self {
        let zeros = PageIndex::ZERO..PageIndex::ZERO;
        Self {
            contents,
            end,
            stream_size,
            mappings: MappingList::new(),
            zeros,
            locks: Locks::default(),
            scan_from: PageIndex::ZERO,
        }
    }

    /// The page after the last one.
    #[inline]
    pub const fn end(&self) -> PageIndex {
        self.end
    }

    /// The size in bytes.
    pub const fn size(&self) -> u64 {
        self.end.number() * PAGE_SIZE as u64
    }

    /// The size in bytes that was asked for last, before rounding.
    pub const fn stream_size(&self) -> u64 {
        self.stream_size
    }

    /// Answers a request for the page at `index`, making it if it has to exist.
    ///
    /// When a page is made, the page of zeros goes from every page table that shows it in its place.
    ///
    /// # Errors
    /// - `OUT_OF_RANGE`: it lies beyond the end.
    /// - `NO_MEMORY`: there is no frame, or no memory to remember it by. Nothing changes.
    #[inline(always)]
    pub fn supply(
        &mut self,
        pages: &PageDatabase,
        index: PageIndex,
        want: Want,
        asker: Asker<'_, M>,
    ) -> Result<Supply> {
        if index >= self.end {
            return Err(Status::OUT_OF_RANGE);
        }
        let tree = match &mut self.contents {
            Contents::Anonymous(tree) => tree,
            Contents::Physical(range) => {
                let page = physical_page(*range, index).ok_or(Status::OUT_OF_RANGE)?;
                return Ok(Supply::Present(page));
            }
        };
        let found = tree.look_up(index, pages);
        match &found {
            Lookup::Own(page) => return Ok(Supply::Present(page.address())),
            Lookup::Shared(page) => return Ok(Supply::Present(page.address())),
            Lookup::Vacant(_) | Lookup::NoWay => {}
        }
        match (want, asker) {
            (Want::Read, Asker::Call) => Ok(Supply::Zero),
            (Want::Read, Asker::Fault(_)) => {
                self.add_zero(index);
                Ok(Supply::Zero)
            }
            (Want::Write, asker) => {
                let page = pages.allocate_zeroed::<owner::Vmo>()?;
                let address = page.address();
                match found {
                    Lookup::Vacant(vacant) => vacant.fill(page),
                    Lookup::Own(_) | Lookup::Shared(_) | Lookup::NoWay => {
                        insert(tree, pages, index, page)?
                    }
                }
                if self.zeros.contains(&index) {
                    self.remove_zero(index, asker);
                }
                Ok(Supply::Fresh(address))
            }
        }
    }

    /// Remembers that a page table shows the page of zeros for `index`.
    fn add_zero(&mut self, index: PageIndex) {
        let (first, past) = (index, index.saturating_add(1));
        self.zeros = if self.zeros.is_empty() {
            first..past
        } else {
            self.zeros.start.min(first)..self.zeros.end.max(past)
        };
    }

    /// Whether a page table may show the page of zeros in `range`.
    pub(super) fn shows_zeros_in(&self, range: &Range<PageIndex>) -> bool {
        self.zeros.start < range.end && range.start < self.zeros.end
    }

    /// Takes the page of zeros at `index` out of all page tables, but for the mapping that asks.
    fn remove_zero(&self, index: PageIndex, asker: Asker<'_, M>) {
        let except = match asker {
            Asker::Call => None,
            Asker::Fault(mapping) => Some(mapping),
        };
        self.remove_translations(index..index.saturating_add(1), except);
    }

    /// Forgets where the page of zeros was shown, when no mapping is left.
    pub(super) fn clear_zeros(&mut self) {
        self.zeros = PageIndex::ZERO..PageIndex::ZERO;
    }

    /// Undoes a [`Supply::Fresh`] that was of no use; nobody has seen the page.
    pub fn take_back(&mut self, pages: &PageDatabase, index: PageIndex) {
        if let Contents::Anonymous(tree) = &mut self.contents
            && let Ok(Some(page)) = tree.remove(index, pages)
        {
            pages.free(page);
        }
    }

    /// Shows the pages in `range` that are present, in ascending order, until the visitor breaks off.
    pub fn visit_present<B>(
        &self,
        range: Range<PageIndex>,
        mut visitor: impl FnMut(PageIndex, PhysAddr) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let range = range.start..range.end.min(self.end);
        match &self.contents {
            Contents::Anonymous(tree) => {
                tree.visit(range, |index, page| visitor(index, page.address()))
            }
            Contents::Physical(all) => {
                let numbers = range.start.number()..range.end.number();
                for index in numbers.filter_map(PageIndex::new) {
                    if let Some(address) = physical_page(*all, index) {
                        visitor(index, address)?;
                    }
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// Gives back every page.
    pub(super) fn free_all(&mut self, pages: &PageDatabase) {
        self.free_pages(pages, PageIndex::ZERO..PageIndex::LIMIT);
    }

    /// Gives back the pages in `range`. No translation shows them any more.
    pub(super) fn free_pages(&mut self, pages: &PageDatabase, range: Range<PageIndex>) {
        let Contents::Anonymous(tree) = &mut self.contents else {
            return;
        };
        let mut freed = FrameList::new();
        tree.drain(range, pages, &mut |_, page| {
            if let Err(shared) = freed.push(pages, page) {
                pages.free(shared);
            }
        });
        pages.free_list(freed);
    }
}

/// Puts a page where there is none, and no node for it.
///
/// # Errors
/// `NO_MEMORY`: there is none for the node. The page is given back.
fn insert(
    tree: &mut PageTree<Page>,
    pages: &PageDatabase,
    index: PageIndex,
    page: Page,
) -> Result<()> {
    let before = tree.put(index, page, pages).map_err(|page| {
        pages.free(page);
        Status::NO_MEMORY
    })?;
    if let Some(page) = before {
        pages.free(page);
    }
    Ok(())
}

/// The address of page `index` of a physical range.
pub(super) fn physical_page(range: PhysRange, index: PageIndex) -> Option<PhysAddr> {
    let pages = usize::try_from(index.number()).ok().map(PageCount::new)?;
    let address = range.base().checked_add(pages.bytes()?)?;
    range.contains(address).then_some(address)
}
