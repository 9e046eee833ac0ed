//! How the memory of a VMO is cached: its memory type, and operations on the caches.
//!
//! All that the kernel and programs do with a page agrees on one memory type. A VMO changes its own while
//! nothing is mapped; mappings take it from there. The direct map follows at once, page by page, also for
//! pages that are made later, and goes back to cached memory before a frame becomes free (`pages::direct_map`).
//!
//! The page of zeros is everybody's and stays cached, also where it is mapped for a VMO that is not.

use core::ops::{ControlFlow, Range};

use arrayvec::ArrayVec;
use syscall::{Result, Status};

use super::state::{Contents, Page};
use super::{PageIndex, Vmo, VmoKind, VmoState};
use crate::addr::{PAGE_SIZE, PageCount, PhysRange};
use crate::mmu::{MemoryType, Mmu};
use crate::pages::{CacheOp, PageDatabase, owner};

/// How many runs of pages change their type together.
const RUNS: usize = 64;

impl<M: Mmu> Vmo<M> {
    /// How its memory is cached.
    pub fn memory(&self) -> MemoryType {
        self.lock().memory()
    }

    /// Changes how its memory is cached.
    ///
    /// What the caches hold of the pages that are present goes to memory first. The VMO is locked until all
    /// of them have changed.
    ///
    /// # Errors
    /// Nothing changes.
    /// - `BAD_STATE`: it is mapped, has children or is one.
    /// - `NO_MEMORY`: there is none for tables of the direct map.
    ///
    /// Differs from Zircon: pages may be present also if the memory was not cached before. There the direct
    /// map stays cached, so it cannot be told what the caches hold by then.
    ///
    /// Source: `spec/vmo.md` §6.
    pub fn set_memory(&self, memory: MemoryType) -> Result<()> {
        let mut state = self.lock();
        if !self.may_change_memory(&state) {
            return Err(Status::BAD_STATE);
        }
        state.set_memory(self.pages(), memory)
    }

    /// Whether nobody but this VMO relies on how its memory is cached.
    fn may_change_memory(&self, state: &VmoState<M>) -> bool {
        self.child.is_empty() && self.num_children() == 0 && state.num_mappings() == 0
    }

    /// Does `op` to the `size` bytes from `offset` on, as far as there are pages.
    ///
    /// Goes block by block; in between, `pause` is called with nothing locked, and if it fails, so does the
    /// operation.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: `size` is zero.
    /// - `OUT_OF_RANGE`: the end lies beyond the VMO.
    /// - `NOT_SUPPORTED`: it is not made of pages.
    ///
    /// Source: `spec/vmo.md` §5.
    pub fn maintain_cache(
        &self,
        op: CacheOp,
        offset: u64,
        size: u64,
        mut pause: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        if size == 0 {
            return Err(Status::INVALID_ARGS);
        }
        let end = offset.checked_add(size).filter(|end| *end <= self.size());
        let end = end.ok_or(Status::OUT_OF_RANGE)?;
        if self.kind() == VmoKind::Physical {
            return Err(Status::NOT_SUPPORTED);
        }
        let skipped = self.owner_page(PageIndex::ZERO).number() * PAGE_SIZE as u64;
        let bytes = offset + skipped..end + skipped;
        let mut rest = PageIndex::containing(bytes.start)..PageIndex::covering(bytes.end);
        while !rest.is_empty() {
            let state = self.lock();
            let block = state.next_present_block(&rest);
            rest.start = block.as_ref().map_or(rest.end, |block| block.end);
            if let Some(block) = block {
                state.maintain_block(self.pages(), op, (block, &bytes));
            }
            drop(state);
            pause()?;
        }
        Ok(())
    }
}

impl<M: Mmu> VmoState<M> {
    /// How the memory is cached. It stays so while there is a mapping.
    #[inline]
    pub const fn memory(&self) -> MemoryType {
        self.memory
    }

    /// Changes how the memory is cached, in the direct map too. There is no mapping.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for tables of the direct map. Nothing changes.
    fn set_memory(&mut self, pages: &PageDatabase, memory: MemoryType) -> Result<()> {
        if memory != self.memory {
            self.retype(pages, PageIndex::ZERO..self.end(), memory)?;
            self.memory = memory;
        }
        Ok(())
    }

    /// Has the direct map show the pages in `range` that are present as it shows all others.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for tables of the direct map. Nothing changes.
    #[inline]
    pub(super) fn adopt_range(&self, pages: &PageDatabase, range: Range<PageIndex>) -> Result<()> {
        match self.memory {
            MemoryType::Cached => Ok(()),
            memory => self.retype(pages, range, memory),
        }
    }

    /// Has the direct map show the pages in `range`, about to be freed, as it shows free ones: many at a
    /// time costs less than each when it is freed.
    #[inline]
    pub(super) fn release_range(&self, pages: &PageDatabase, range: Range<PageIndex>) {
        if self.memory != MemoryType::Cached {
            self.retype_prepared(pages, range, MemoryType::Cached);
        }
    }

    fn retype(
        &self,
        pages: &PageDatabase,
        range: Range<PageIndex>,
        memory: MemoryType,
    ) -> Result<()> {
        if let ControlFlow::Break(status) = self.visit_own_runs(pages, range.clone(), |run| {
            pages
                .prepare_retype(run)
                .map_or_else(ControlFlow::Break, ControlFlow::Continue)
        }) {
            return Err(status);
        }
        self.retype_prepared(pages, range, memory);
        Ok(())
    }

    fn retype_prepared(&self, pages: &PageDatabase, range: Range<PageIndex>, memory: MemoryType) {
        let mut runs = ArrayVec::<PhysRange, RUNS>::new();
        let _: ControlFlow<()> = self.visit_own_runs(pages, range, |run| {
            if runs.is_full() {
                pages.retype(&runs, memory);
                runs.clear();
            }
            runs.push(run);
            ControlFlow::Continue(())
        });
        pages.retype(&runs, memory);
    }

    /// Visits the memory of the pages in `range`, unless it is not from the page database.
    fn visit_own_runs<B>(
        &self,
        pages: &PageDatabase,
        range: Range<PageIndex>,
        mut visitor: impl FnMut(PhysRange) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self.contents {
            Contents::Physical(_) => ControlFlow::Continue(()),
            Contents::Anonymous(_) => self.visit_runs(pages, range, |_, run, _| visitor(run)),
        }
    }

    /// Does `op` to those of `bytes` that are in the pages of `block`.
    fn maintain_block(
        &self,
        pages: &PageDatabase,
        op: CacheOp,
        (block, bytes): (Range<PageIndex>, &Range<u64>),
    ) {
        let _: ControlFlow<()> = self.visit_runs(pages, block, |first, run, _| {
            let base = first.offset().unwrap_or(u64::MAX);
            let in_run = |offset: u64| offset.saturating_sub(base).min(run.bytes() as u64) as usize;
            let (from, to) = (in_run(bytes.start), in_run(bytes.end));
            pages.maintain(run, from, to - from, op);
            ControlFlow::Continue(())
        });
    }
}

/// A page full of zeros that the direct map shows as `memory`.
///
/// # Errors
/// `NO_MEMORY`: there is no frame, or none for tables of the direct map.
#[inline]
pub(super) fn fresh_page(pages: &PageDatabase, memory: MemoryType) -> Result<Page> {
    let page = pages.allocate_zeroed::<owner::Vmo>()?;
    match memory {
        MemoryType::Cached => Ok(page),
        memory => retyped(pages, page, memory),
    }
}

#[cold]
fn retyped(pages: &PageDatabase, page: Page, memory: MemoryType) -> Result<Page> {
    let range = PhysRange::new(page.address(), PageCount::new(1)).ok_or(Status::INTERNAL);
    let prepared = range.and_then(|range| {
        pages.prepare_retype(range)?;
        pages.retype(&[range], memory);
        Ok(())
    });
    match prepared {
        Ok(()) => Ok(page),
        Err(status) => {
            pages.free(page);
            Err(status)
        }
    }
}

#[cfg(test)]
mod tests;
