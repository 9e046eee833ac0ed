//! What processors may remember although the tables no longer say it.
//!
//! Start with [`TlbBatch`]. The invariant: a frame in a batch becomes free only in [`TlbBatch::finish`],
//! after the invalidation that `finish` asks for.

use arrayvec::ArrayVec;

use crate::addr::{PAGE_SHIFT, VirtAddr, VirtRange};
use crate::mmu::PageSize;
use crate::pages::{Frame, FrameList, PageDatabase, owner};

/// How many ranges a batch remembers before it gives up and means everything.
const RANGES: usize = 6;

/// How many shared frames a batch can hold.
const SHARED_FRAMES: usize = 4;

/// Translations taken out of page tables, and the frames that must stay until nobody remembers them.
///
/// A new one is empty and costs next to nothing. It ends in [`Mmu::flush`](crate::mmu::Mmu::flush).
#[must_use = "stale translations stay in use, and the frames are lost, until the batch is flushed"]
#[derive(Debug, Default)]
pub struct TlbBatch {
    ranges: ArrayVec<StaleRange, RANGES>,
    is_everything: bool,
    tables: FrameList<owner::PageTable>,
    frames: FrameList<owner::Vmo>,
    shared: ArrayVec<Frame<owner::Vmo>, SHARED_FRAMES>,
}

/// Addresses at which translations changed, and how large the pages were: one invalidation each will do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StaleRange {
    /// The addresses: whole pages of the size.
    pub range: VirtRange,
    /// The size of all the pages.
    pub size: PageSize,
}

impl StaleRange {
    /// How many pages of the size they are.
    #[inline]
    pub const fn count(&self) -> usize {
        self.range.pages().get() >> (self.size.shift() - PAGE_SHIFT)
    }

    /// The address of each page.
    #[inline]
    pub fn into_addresses(self) -> impl Iterator<Item = VirtAddr> {
        let ends = self.range.base().raw()..self.range.end().raw();
        ends.step_by(self.size.bytes()).map(VirtAddr::new)
    }
}

/// What processors have to forget.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stale<'a> {
    /// The ranges in which translations changed, unless it is too many of them to tell: then everything.
    pub ranges: Option<&'a [StaleRange]>,
    /// Whether tables were taken out too, so that remembered upper levels are stale as well.
    pub has_tables: bool,
}

impl TlbBatch {
    /// An empty batch.
    #[inline]
    pub const fn new() -> Self {
        Self {
            ranges: ArrayVec::new_const(),
            is_everything: false,
            tables: FrameList::new(),
            frames: FrameList::new(),
            shared: ArrayVec::new_const(),
        }
    }

    /// Whether there is nothing to do.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
            && !self.is_everything
            && self.tables.is_empty()
            && self.frames.is_empty()
            && self.shared.is_empty()
    }

    /// Adds a range in which translations of base pages changed or went away.
    #[inline]
    pub fn add_stale(&mut self, range: VirtRange) {
        self.add_stale_pages(range, PageSize::Base);
    }

    /// Adds a range in which translations of pages of `size`, which all lie in it, changed or went away.
    #[inline]
    pub fn add_stale_pages(&mut self, range: VirtRange, size: PageSize) {
        if self.is_everything {
            return;
        }
        if let Some(last) = self.ranges.last_mut()
            && last.range.end() == range.base()
            && last.size == size
            && let Some(joined) = VirtRange::between(last.range.base(), range.end())
        {
            last.range = joined;
            return;
        }
        if self.ranges.try_push(StaleRange { range, size }).is_err() {
            self.add_everything();
        }
    }

    /// Makes every translation of the address space stale.
    pub fn add_everything(&mut self) {
        self.ranges.clear();
        self.is_everything = true;
    }

    /// Adds a table that is linked nowhere any more.
    pub fn add_table(&mut self, pages: &PageDatabase, table: Frame<owner::PageTable>) {
        // A table has one owner, so it cannot be refused.
        if let Err(table) = self.tables.push(pages, table) {
            unreachable!("{table:?} is shared");
        }
    }

    /// Adds a frame whose translations are among the stale ones.
    ///
    /// # Errors
    /// The frame, if it is shared and there is no room for another shared frame. Flush, then free it.
    pub fn add_frame(
        &mut self,
        pages: &PageDatabase,
        frame: Frame<owner::Vmo>,
    ) -> Result<(), Frame<owner::Vmo>> {
        match self.frames.push(pages, frame) {
            Ok(()) => Ok(()),
            Err(frame) => self.shared.try_push(frame).map_err(|error| error.element()),
        }
    }

    /// Calls `invalidate` if anything is stale, and then frees the frames.
    ///
    /// Only for implementations of [`Mmu::flush`](crate::mmu::Mmu::flush): when `invalidate` returns, no
    /// processor may remember any of it.
    #[inline]
    pub fn finish(self, pages: &PageDatabase, invalidate: impl FnOnce(Stale<'_>)) {
        if self.is_empty() {
            return;
        }
        let has_tables = !self.tables.is_empty();
        // A table that was empty has no translation to invalidate it by, and yet may be remembered.
        let is_unknown = has_tables && self.ranges.is_empty();
        let ranges = (!self.is_everything && !is_unknown).then_some(self.ranges.as_slice());
        invalidate(Stale { ranges, has_tables });
        let Self {
            tables,
            frames,
            shared,
            ..
        } = self;
        pages.free_list(tables);
        pages.free_list(frames);
        for frame in shared {
            pages.free(frame);
        }
    }
}
