//! Reading and writing the contents of a VMO without mapping it.
//!
//! Bytes are copied page by page while the VMO is locked, so nobody can take a page away meanwhile, and a
//! frame's count says who shares it and nothing else. Whoever copies from or to user memory gets a view of
//! the page ([`Vmo::with_page_for_read`], [`Vmo::with_page_for_write`]) and must not resolve faults in
//! there: that takes the locks of the address space and of a VMO, perhaps of this one. It leaves the page,
//! brings the buffer in, and goes on with what is left. Source: `spec/vmo.md` §3.

use core::marker::PhantomData;
use core::ops::Range;

use syscall::{Result, Status};

use super::state::{Asker, Contents, Page, Supply, VmoState, Want};
use super::{PageIndex, Vmo};
use crate::addr::{PAGE_SIZE, PhysAddr};
use crate::mmu::{MemoryType, Mmu};
use crate::pages::PageDatabase;

/// A page of a VMO that is locked, to copy from; perhaps the page of zeros.
///
/// Programs may have the page mapped and change it at any time, so the bytes are to be copied by code that
/// allows for that, never borrowed. The lifetime is that of the lock.
#[derive(Clone, Copy)]
pub struct PageView<'a> {
    pages: &'static PageDatabase,
    address: PhysAddr,
    lock: PhantomData<&'a ()>,
}

/// A page of a VMO that is locked, to copy to. No other VMO has it.
pub struct PageViewMut<'a>(PageView<'a>);

impl PageView<'_> {
    /// Where the page is.
    pub const fn address(&self) -> PhysAddr {
        self.address
    }

    /// Where `len` bytes that begin at `offset` are to be read, as long as the VMO is locked.
    ///
    /// # Panics
    /// If they do not all lie in the page.
    #[inline]
    pub fn bytes(&self, offset: usize, len: usize) -> *const u8 {
        let fits = offset <= PAGE_SIZE && len <= PAGE_SIZE - offset;
        assert!(fits, "{len} bytes from {offset} on are not in one page");
        let page = self.pages.pointer(self.address);
        page.as_ptr().wrapping_add(offset)
    }
}

impl PageViewMut<'_> {
    /// Where `len` bytes that begin at `offset` are to be written, as long as the VMO is locked.
    ///
    /// # Panics
    /// If they do not all lie in the page.
    #[inline]
    pub fn bytes(&mut self, offset: usize, len: usize) -> *mut u8 {
        self.0.bytes(offset, len).cast_mut()
    }
}

/// The part of a copy that lies in one page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CopyStep {
    /// The page.
    pub index: PageIndex,
    /// The first byte in the page.
    pub offset: usize,
    /// How many bytes, at least one.
    pub len: usize,
}

impl CopyStep {
    /// What is left when the first `done` bytes have been copied.
    #[must_use]
    pub const fn after(self, done: usize) -> Self {
        Self {
            index: self.index,
            offset: self.offset + done,
            len: self.len - done,
        }
    }
}

impl<M: Mmu> Vmo<M> {
    /// Checks that the bytes `offset .. offset + len` can be copied, and cuts them into pages.
    ///
    /// # Errors
    /// In this order:
    /// - `OUT_OF_RANGE`: the end does not fit a `u64`.
    /// - `BAD_STATE`: the memory is not cached.
    /// - `OUT_OF_RANGE`: the end lies beyond the VMO.
    pub fn copy_steps(&self, offset: u64, len: usize) -> Result<impl Iterator<Item = CopyStep>> {
        let end = offset.checked_add(len as u64).ok_or(Status::OUT_OF_RANGE)?;
        let state = self.lock();
        if state.memory() != MemoryType::Cached {
            return Err(Status::BAD_STATE);
        }
        drop(state);
        if end > self.size() {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(steps(offset..end))
    }

    /// Shows the page at `index` to `copy`, to copy from, while the VMO is locked; absent pages are not made.
    ///
    /// `copy` must take no lock but that of the page database, and resolve no fault.
    ///
    /// # Errors
    /// - `BAD_STATE`: the memory is not cached.
    /// - `OUT_OF_RANGE`: it lies beyond the end.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    #[inline(always)]
    pub fn with_page_for_read<R>(
        &self,
        index: PageIndex,
        copy: impl FnOnce(PageView<'_>) -> R,
    ) -> Result<R> {
        let mut state = self.lock();
        let view = self.view(&mut state, index, Want::Read)?;
        Ok(copy(view))
    }

    /// Shows the page at `index` to `copy`, to copy to, while the VMO is locked. It is made if it is absent, and
    /// copied if other VMOs have it too.
    ///
    /// `copy` must take no lock but that of the page database, and resolve no fault.
    ///
    /// # Errors
    /// - `BAD_STATE`: the memory is not cached.
    /// - `OUT_OF_RANGE`: it lies beyond the end.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `NO_MEMORY`: there is no frame for it, or no memory for nodes. Nothing changes.
    #[inline(always)]
    pub fn with_page_for_write<R>(
        &self,
        index: PageIndex,
        copy: impl FnOnce(PageViewMut<'_>) -> R,
    ) -> Result<R> {
        let mut state = self.lock();
        let view = self.view(&mut state, index, Want::Write)?;
        Ok(copy(PageViewMut(view)))
    }

    /// Copies bytes from `offset` on into `buffer`.
    ///
    /// # Errors
    /// As [`copy_steps`](Self::copy_steps); `OUT_OF_RANGE` also if the VMO shrinks meanwhile.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let mut rest = buffer;
        for step in self.copy_steps(offset, rest.len())? {
            let (part, after) = rest.split_at_mut(step.len);
            let mut state = self.lock();
            self.view(&mut state, step.index, Want::Read)?;
            match state.page(self.owner_page(step.index)) {
                Some(page) => self.pages().read(page, step.offset, part),
                None => part.fill(0),
            }
            rest = after;
        }
        Ok(())
    }

    /// Copies `buffer` to the bytes from `offset` on.
    ///
    /// # Errors
    /// As [`copy_steps`](Self::copy_steps), and `NO_MEMORY`. Pages before the one that failed have been
    /// written.
    pub fn write(&self, offset: u64, buffer: &[u8]) -> Result<()> {
        let mut rest = buffer;
        for step in self.copy_steps(offset, rest.len())? {
            let (part, after) = rest.split_at(step.len);
            let mut state = self.lock();
            self.view(&mut state, step.index, Want::Write)?;
            let index = self.owner_page(step.index);
            if let Some(page) = state.page_mut(self.pages(), index) {
                self.pages().write(page, step.offset, part);
            }
            rest = after;
        }
        Ok(())
    }

    /// The page at `index`. If it is wanted for writing it is this VMO's alone: made if it is absent, copied if
    /// it is shared.
    ///
    /// # Errors
    /// As [`with_page_for_write`](Self::with_page_for_write).
    #[inline(always)]
    fn view<'a>(
        &self,
        state: &'a mut VmoState<M>,
        index: PageIndex,
        want: Want,
    ) -> Result<PageView<'a>> {
        let (pages, index) = (self.pages(), self.owner_page(index));
        if state.memory() != MemoryType::Cached {
            return Err(Status::BAD_STATE);
        }
        if index >= self.window(state).end {
            return Err(Status::OUT_OF_RANGE);
        }
        if let Contents::Physical(_) = &state.contents {
            return Err(Status::NOT_SUPPORTED);
        }
        let address = match state.supply(pages, index, want, Asker::Call)? {
            Supply::Present(page) | Supply::Shared(page) | Supply::Fresh(page) => page,
            Supply::Copied(page, stale) => {
                stale.release(pages);
                page
            }
            Supply::Zero => pages.zero_page(),
            Supply::Wait(request) => match request {},
        };
        Ok(PageView {
            pages,
            address,
            lock: PhantomData,
        })
    }
}

impl<M: Mmu> VmoState<M> {
    /// The frame at `index`, if it is present.
    fn page(&self, index: PageIndex) -> Option<&Page> {
        match &self.contents {
            Contents::Anonymous(tree) => tree.get(index),
            Contents::Physical(_) => None,
        }
    }
}

/// Cuts a range of bytes at page boundaries.
pub(super) fn steps(bytes: Range<u64>) -> impl Iterator<Item = CopyStep> {
    let mut at = bytes.start;
    core::iter::from_fn(move || {
        let left = bytes.end.checked_sub(at).filter(|left| *left > 0)?;
        let offset = (at % PAGE_SIZE as u64) as usize;
        let len = left.min((PAGE_SIZE - offset) as u64) as usize;
        let index = PageIndex::containing(at);
        at += len as u64;
        Some(CopyStep { index, offset, len })
    })
}
