//! What a VMO's lock guards, and how it answers a request for a page.

use core::ops::{ControlFlow, Range};

use syscall::{Result, Status};

use super::PageIndex;
use super::cache::fresh_page;
use super::cow::{Snapshot, put};
use super::cut::free_range;
use super::discardable::Locks;
use super::mapping_list::MappingList;
use super::page_tree::{Found, Lookup, PageTree, Sharing};
use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use crate::mmu::{MemoryType, Mmu};
use crate::pages::{Frame, PageDatabase, owner};
use crate::vmar::Mapping;

/// A page of a VMO.
pub type Page = Frame<owner::Vmo>;

/// What the lock of a VMO guards. Pages are counted as the VMO that has them does, not its slices.
pub struct VmoState<M: Mmu> {
    pub(super) contents: Contents,
    /// The page after the last one.
    pub(super) end: PageIndex,
    stream_size: u64,
    /// How far its first page lies from that of the first of all its ancestors. It can be no further than
    /// a page can be, whatever has been trimmed or freed.
    distance: PageIndex,
    pub(super) mappings: MappingList<M>,
    /// How the memory is cached, in every mapping and in the direct map.
    pub(super) memory: MemoryType,
    /// Whether pages are never given back while the VMO lives.
    pub(super) permanence: Permanence,
    /// Only here may a page table show the page of zeros.
    zeros: Range<PageIndex>,
    pub(super) locks: Locks,
    /// Where the next look for pages that are all zeros begins.
    pub(super) scan_from: PageIndex,
}

/// Whether the pages of a VMO may be given back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permanence {
    /// They may, and come back when they are needed.
    Replaceable,
    /// They stay as long as the VMO does.
    Permanent,
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
    /// The page was there already, and is this VMO's alone.
    Present(PhysAddr),
    /// The page was there already, but other VMOs have it too: nobody may write to it.
    Shared(PhysAddr),
    /// The page did not exist before, and is all zeros.
    Fresh(PhysAddr),
    /// The page is a copy, which was made now, of one that other VMOs have too.
    Copied(PhysAddr, Stale),
    /// There is no page, which reads as zero.
    Zero,
    /// The page will be there later.
    #[expect(
        dead_code,
        reason = "all requests can be answered at once until there are pagers"
    )]
    Wait(PageRequest),
}

/// The share of a page that a VMO has replaced while the mapping that asks may still show it.
#[derive(Debug)]
#[must_use = "it goes back when no translation shows it any more"]
pub struct Stale(Page);

impl Stale {
    /// A page that is in no tree of this VMO any more.
    pub(super) const fn new(page: Page) -> Self {
        Self(page)
    }

    /// Gives the share back. No translation of the VMO shows the page any more.
    pub fn release(self, pages: &PageDatabase) {
        pages.free(self.0);
    }
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
    pub(super) fn physical(range: PhysRange, memory: MemoryType) -> Self {
        let end = PageIndex::covering(range.bytes() as u64);
        let contents = Contents::Physical(range);
        Self {
            memory,
            permanence: Permanence::Permanent,
            ..Self::new(contents, end, 0)
        }
    }

    /// The state of a VMO with all pages before `end`.
    pub(super) fn contiguous(pages: PageTree<Page>, end: PageIndex) -> Self {
        Self {
            permanence: Permanence::Permanent,
            ..Self::new(Contents::Anonymous(pages), end, 0)
        }
    }

    /// The state of a VMO that begins with the contents `snapshot`.
    pub(super) fn cloned(snapshot: Snapshot, end: PageIndex, stream_size: u64) -> Self {
        let Snapshot { contents, distance } = snapshot;
        let contents = Contents::Anonymous(contents);
        Self {
            distance,
            ..Self::new(contents, end, stream_size)
        }
    }

    /// How far the page at `index` lies from the first page of the first of all ancestors; not further than
    /// the limit.
    pub(super) const fn distance(&self, index: PageIndex) -> PageIndex {
        self.distance.saturating_add(index.number())
    }

    fn new(contents: Contents, end: PageIndex, stream_size: u64) -> Self {
        let zeros = PageIndex::ZERO..PageIndex::ZERO;
        Self {
            contents,
            end,
            stream_size,
            distance: PageIndex::ZERO,
            mappings: MappingList::new(),
            memory: MemoryType::Cached,
            permanence: Permanence::Replaceable,
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

    /// Changes the stream size, and nothing else.
    pub(super) const fn set_stream_size(&mut self, size: u64) {
        self.stream_size = size;
    }

    /// Answers a request for the page at `index`, making it if it has to exist.
    ///
    /// When a page is made, or copied to be written to, what was in its place goes from every page table that
    /// shows it, but for that of the mapping that asks.
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
        match want {
            Want::Read => match (tree.find(index, pages), asker) {
                (Found::Own(page), _) => Ok(Supply::Present(page.address())),
                (Found::Shared(page), _) => Ok(Supply::Shared(page.address())),
                (Found::Absent, Asker::Call) => Ok(Supply::Zero),
                (Found::Absent, Asker::Fault(_)) => {
                    self.add_zero(index);
                    Ok(Supply::Zero)
                }
            },
            Want::Write => match tree.look_up(index, pages) {
                Lookup::Own(page) => Ok(Supply::Present(page.address())),
                Lookup::Vacant(vacant) => {
                    let page = fresh_page(pages, self.memory)?;
                    let address = page.address();
                    vacant.fill(page);
                    Ok(self.made(index, address, asker))
                }
                Lookup::NoWay => {
                    let page = fresh_page(pages, self.memory)?;
                    let address = page.address();
                    put(tree, pages, index, page)?;
                    Ok(self.made(index, address, asker))
                }
                Lookup::Shared(_) => self.copy_shared(pages, index, asker),
            },
        }
    }

    /// What follows when a page was made where there was none.
    #[inline]
    fn made(&self, index: PageIndex, address: PhysAddr, asker: Asker<'_, M>) -> Supply {
        if self.zeros.contains(&index) {
            self.remove_others(index, &asker);
        }
        Supply::Fresh(address)
    }

    /// Remembers that a page table shows the page of zeros for `index`.
    #[inline]
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

    /// Takes what is shown at `index` out of all page tables, but for the mapping that asks.
    pub(super) fn remove_others(&self, index: PageIndex, asker: &Asker<'_, M>) {
        let except = match asker {
            Asker::Call => None,
            Asker::Fault(mapping) => Some(*mapping),
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

    /// Shows the pages in `range` that are present, in ascending order, until the visitor breaks off. A shared
    /// one may be entered read-only.
    pub fn visit_present<B>(
        &self,
        pages: &PageDatabase,
        range: Range<PageIndex>,
        mut visitor: impl FnMut(PageIndex, PhysAddr, Sharing) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let range = range.start..range.end.min(self.end);
        match &self.contents {
            Contents::Anonymous(tree) => tree.visit_own(range, pages, |index, page, sharing| {
                visitor(index, page.address(), sharing)
            }),
            Contents::Physical(all) => {
                let numbers = range.start.number()..range.end.number();
                for index in numbers.filter_map(PageIndex::new) {
                    if let Some(address) = physical_page(*all, index) {
                        visitor(index, address, Sharing::Own)?;
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

    /// Prepares for [`free_pages`](Self::free_pages) of the same range.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for nodes that have to be copied. Nothing changes.
    pub(super) fn prepare_free(
        &mut self,
        pages: &PageDatabase,
        range: Range<PageIndex>,
    ) -> Result<()> {
        match &mut self.contents {
            Contents::Anonymous(tree) => tree.own_edges(range, pages),
            Contents::Physical(_) => Ok(()),
        }
    }

    /// Gives back the pages in `range`, which is all or has been prepared. No translation shows them any
    /// more.
    pub(super) fn free_pages(&mut self, pages: &PageDatabase, range: Range<PageIndex>) {
        self.release_range(pages, range.clone());
        if let Contents::Anonymous(tree) = &mut self.contents {
            free_range(tree, pages, range);
        }
    }
}

/// The address of page `index` of a physical range.
pub(super) fn physical_page(range: PhysRange, index: PageIndex) -> Option<PhysAddr> {
    let pages = usize::try_from(index.number()).ok().map(PageCount::new)?;
    let address = range.base().checked_add(pages.bytes()?)?;
    range.contains(address).then_some(address)
}
