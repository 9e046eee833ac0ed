//! Operations on a range of a VMO: making its pages, giving them back, zeroing them.
//!
//! A range may have millions of pages, so all of these work block by block, as `steps` describes, and
//! others have their turns between two blocks. The VMO may shrink meanwhile: each block is checked anew.
//!
//! Source: `spec/vmo.md` §5 and §9.

use alloc::sync::Arc;
use core::ops::Range;

use syscall::{Result, Status};

use super::{PageIndex, Stock, Vmo, VmoKind, VmoState, first_block};
use crate::addr::PAGE_SIZE;
use crate::mmu::{MemoryType, Mmu};

/// A page number's worth of bytes, as offsets in a VMO are counted.
const PAGE_BYTES: u64 = PAGE_SIZE as u64;

impl<M: Mmu> Vmo<M> {
    /// Makes every page that has one of the bytes `offset .. offset + size`.
    ///
    /// `pause` is called between blocks, with nothing locked; if it fails, so does the operation.
    ///
    /// # Errors
    /// In this order:
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `OUT_OF_RANGE`: the range does not lie in the VMO.
    /// - `NO_MEMORY`: there is none for all pages, and then none is made; or it ran out meanwhile, and then
    ///   the blocks before stay.
    pub fn commit_range(
        &self,
        offset: u64,
        size: u64,
        mut pause: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        self.check_is_paged()?;
        let mut left = self.owner_pages(outward(self.check_range(offset, size)?));
        self.lock().check_frames(self.pages(), &left)?;
        let mut stock = Stock::new(self.pages());
        while !left.is_empty() {
            match self.commit_block(&left, &mut stock)? {
                Commit::UpTo(next) => left.start = next,
                Commit::Needs(frames) => stock.fill_to(frames)?,
            }
            pause()?;
        }
        Ok(())
    }

    /// Gives the pages of the bytes `offset .. offset + size` back, so that they read as zero.
    ///
    /// `pause` is called between blocks, with nothing locked; if it fails, so does the operation.
    ///
    /// # Errors
    /// In this order; nothing changes.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `OUT_OF_RANGE`: the range does not lie in the VMO.
    /// - `INVALID_ARGS`: it does not begin and end at pages.
    /// - `NOT_SUPPORTED`: the pages must stay; or the VMO, or the one that has its pages, began with the
    ///   contents of another one, or another one did with its.
    pub fn decommit_range(
        self: &Arc<Self>,
        offset: u64,
        size: u64,
        pause: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        self.check_is_paged()?;
        let bytes = self.check_range(offset, size)?;
        if !bytes.start.is_multiple_of(PAGE_BYTES) || !bytes.end.is_multiple_of(PAGE_BYTES) {
            return Err(Status::INVALID_ARGS);
        }
        let owner = self.owner();
        let has_cow = owner.is_cow_clone() || owner.has_cow_clones() || self.has_cow_clones();
        if has_cow || self.kind() == VmoKind::Contiguous {
            return Err(Status::NOT_SUPPORTED);
        }
        self.clear(self.owner_pages(inward(&bytes)), pause)
    }

    /// Makes the bytes `offset .. offset + size` zero.
    ///
    /// Whole pages are given back; what is zero already is not even made.
    ///
    /// `pause` is called between blocks, with nothing locked; if it fails, so does the operation.
    ///
    /// # Errors
    /// In this order:
    /// - `OUT_OF_RANGE`: the range does not lie in the VMO.
    /// - `BAD_STATE`: the memory is not cached.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `NO_MEMORY`: there is none for copies of what other VMOs have too and only a part becomes zero of.
    ///   Some blocks may be zero already.
    pub fn zero_range(
        &self,
        offset: u64,
        size: u64,
        pause: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let bytes = self.check_range(offset, size)?;
        if self.memory() != MemoryType::Cached {
            return Err(Status::BAD_STATE);
        }
        self.check_is_paged()?;
        let whole = inward(&bytes);
        if whole.is_empty() {
            return self.zero_within_pages(bytes);
        }
        let whole_bytes = whole.start.number() * PAGE_BYTES..whole.end.number() * PAGE_BYTES;
        self.zero_within_pages(bytes.start..whole_bytes.start)?;
        self.clear(self.owner_pages(whole), pause)?;
        self.zero_within_pages(whole_bytes.end..bytes.end)
    }

    /// Brings in the pages of the bytes `offset .. offset + size` that are somewhere else, which none is.
    ///
    /// # Errors
    /// In this order:
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `OUT_OF_RANGE`: the range does not lie in the VMO.
    pub fn prefetch_range(&self, offset: u64, size: u64) -> Result<()> {
        self.check_is_paged()?;
        self.check_range(offset, size).map(drop)
    }

    fn check_is_paged(&self) -> Result<()> {
        match self.kind() {
            VmoKind::Anonymous | VmoKind::Contiguous => Ok(()),
            VmoKind::Physical => Err(Status::NOT_SUPPORTED),
        }
    }

    /// The bytes `offset .. offset + size`, if the VMO has them all.
    pub(super) fn check_range(&self, offset: u64, size: u64) -> Result<Range<u64>> {
        let end = offset.checked_add(size).ok_or(Status::OUT_OF_RANGE)?;
        if end > self.size() {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(offset..end)
    }

    /// The owner's numbers of the pages in `range`.
    fn owner_pages(&self, range: Range<PageIndex>) -> Range<PageIndex> {
        self.owner_page(range.start)..self.owner_page(range.end)
    }

    /// Makes the pages of the block with which `left` begins, if the stock has frames for them.
    fn commit_block(&self, left: &Range<PageIndex>, stock: &mut Stock) -> Result<Commit> {
        let mut state = self.lock();
        state.check_has(left)?;
        let block = first_block(left);
        let lacking = state.count_lacking(self.pages(), &block) as usize;
        if lacking > stock.len() {
            return Ok(Commit::Needs(lacking));
        }
        // Nothing can fail after this, so what was made stays.
        let _ = state.fill_block(block.clone(), stock)?;
        Ok(Commit::UpTo(block.end))
    }

    /// Gives the pages in `left` back, block by block.
    fn clear(
        &self,
        mut left: Range<PageIndex>,
        mut pause: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        while !left.is_empty() {
            left = self.lock().clear_next_block(self.pages(), left)?;
            pause()?;
        }
        Ok(())
    }

    /// Makes `bytes`, which have no whole page among them, zero.
    fn zero_within_pages(&self, bytes: Range<u64>) -> Result<()> {
        for step in super::copy::steps(bytes) {
            let index = self.owner_page(step.index);
            let mut state = self.lock();
            state.check_has(&(index..index.saturating_add(1)))?;
            if let Some(page) = state.own_page(self.pages(), index)? {
                let part = step.offset..step.offset + step.len;
                self.pages().zero_part(page, part);
            }
        }
        Ok(())
    }
}

impl<M: Mmu> VmoState<M> {
    /// Checks that the VMO has not become shorter than an operation under way needs.
    fn check_has(&self, range: &Range<PageIndex>) -> Result<()> {
        if range.end > self.end() {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(())
    }
}

/// How far a commit came.
enum Commit {
    /// All is done up to this page.
    UpTo(PageIndex),
    /// Nothing is done: the stock needs this many frames.
    Needs(usize),
}

/// The pages that have one of `bytes`.
fn outward(bytes: Range<u64>) -> Range<PageIndex> {
    if bytes.is_empty() {
        return PageIndex::ZERO..PageIndex::ZERO;
    }
    PageIndex::containing(bytes.start)..PageIndex::covering(bytes.end)
}

/// The pages that have no other byte than `bytes`; empty if there is none.
fn inward(bytes: &Range<u64>) -> Range<PageIndex> {
    PageIndex::covering(bytes.start)..PageIndex::containing(bytes.end)
}

#[cfg(test)]
mod tests;
