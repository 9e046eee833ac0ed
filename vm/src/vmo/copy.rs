//! Reading and writing the contents of a VMO without mapping it.
//!
//! User memory must not be touched while a VMO is locked, because that may fault on a mapping of the
//! same VMO. So a copy takes a [`PageRef`] to each page in turn, which keeps the page alive with no lock
//! held. Source: `spec/vmo.md` §3.

use core::ops::Range;
use core::ptr::NonNull;

use syscall::{Result, Status};

use super::state::{Asker, Contents, Page, Supply, VmoState, Want};
use super::{PageIndex, Vmo};
use crate::addr::{PAGE_SIZE, PhysAddr};
use crate::mmu::{MemoryType, Mmu};
use crate::pages::PageDatabase;

/// A page of a VMO that stays as it is, whatever happens to the VMO: it may be cut off, but is not freed.
///
/// It shares the frame, so the database counts the frame as shared while it is being copied.
#[must_use = "a page that is not copied from or to need not be kept"]
pub struct PageRef {
    pages: &'static PageDatabase,
    /// `None` stands for the page of zeros that all share.
    page: Option<Page>,
}

impl PageRef {
    /// Where the page is.
    pub fn address(&self) -> PhysAddr {
        match &self.page {
            Some(page) => page.address(),
            None => self.pages.zero_page(),
        }
    }

    /// A pointer to the first of the `PAGE_SIZE` bytes, valid as long as this reference lives.
    ///
    /// Programs may have the page mapped and change it at any time, so the bytes are to be copied by
    /// code that allows for that, never borrowed. A reference from [`Vmo::page_for_read`] must not be
    /// written through.
    pub fn pointer(&self) -> NonNull<u8> {
        self.pages.pointer(self.address())
    }

    /// Copies bytes out, from `offset` in the page on.
    ///
    /// # Panics
    /// If they do not all lie in the page.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) {
        match &self.page {
            Some(page) => self.pages.read(page, offset, buffer),
            None => buffer.fill(0),
        }
    }
}

impl Drop for PageRef {
    fn drop(&mut self) {
        if let Some(page) = self.page.take() {
            self.pages.free(page);
        }
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

    /// The page at `index`, to copy from; absent pages are not made.
    ///
    /// # Errors
    /// - `OUT_OF_RANGE`: it lies beyond the end.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    pub fn page_for_read(&self, index: PageIndex) -> Result<PageRef> {
        self.page(index, Want::Read)
    }

    /// The page at `index`, to copy to; it is made if it is absent.
    ///
    /// # Errors
    /// - `OUT_OF_RANGE`: it lies beyond the end.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `NO_MEMORY`: there is no frame for it. Nothing changes.
    pub fn page_for_write(&self, index: PageIndex) -> Result<PageRef> {
        self.page(index, Want::Write)
    }

    /// Copies bytes from `offset` on into `buffer`.
    ///
    /// # Errors
    /// As [`copy_steps`](Self::copy_steps); `OUT_OF_RANGE` also if the VMO shrinks meanwhile.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let mut rest = buffer;
        for step in self.copy_steps(offset, rest.len())? {
            let (part, after) = rest.split_at_mut(step.len);
            self.page_for_read(step.index)?.read(step.offset, part);
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
            let index = self.owner_page(step.index);
            state.supply(self.pages(), index, Want::Write, Asker::Call)?;
            if let Some(page) = state.own_page(self.pages(), index)? {
                self.pages().write(page, step.offset, part);
            }
            rest = after;
        }
        Ok(())
    }

    fn page(&self, index: PageIndex, want: Want) -> Result<PageRef> {
        let mut state = self.lock();
        let index = self.owner_page(index);
        if index >= self.window(&state).end {
            return Err(Status::OUT_OF_RANGE);
        }
        match state.supply(self.pages(), index, want, Asker::Call)? {
            Supply::Wait(request) => match request {},
            Supply::Zero => Ok(PageRef {
                pages: self.pages(),
                page: None,
            }),
            Supply::Present(_) | Supply::Shared(_) | Supply::Fresh(_) | Supply::Copied(..) => {
                let page = state.page_ref(index).ok_or(Status::NOT_SUPPORTED)?;
                Ok(PageRef {
                    pages: self.pages(),
                    page: Some(self.pages().share(page)),
                })
            }
        }
    }
}

impl<M: Mmu> VmoState<M> {
    fn page_ref(&self, index: PageIndex) -> Option<&Page> {
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
