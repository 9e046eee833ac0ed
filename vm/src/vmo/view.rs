//! Whose pages a VMO shows: its own, a window of another's, or all of another's.

use alloc::sync::Arc;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use syscall::{Result, Status};

use super::{PageIndex, Vmo, VmoState};
use crate::addr::PAGE_SIZE;
use crate::mmu::Mmu;
use crate::pages::PageDatabase;
use crate::sync::{SpinMutex, SpinMutexGuard, step};

/// Where a VMO has its state.
pub enum Source<M: Mmu> {
    /// It has one itself.
    Own(Own<M>),
    /// It shows some pages of its owner.
    Slice(Slice<M>),
    /// It shows all that its owner has and will have.
    Reference(Arc<Vmo<M>>),
}

/// A state, whose pages go back to the database with it.
pub struct Own<M: Mmu> {
    pages: &'static PageDatabase,
    state: SpinMutex<VmoState<M>>,
}

/// A window of an owner, whose size is fixed.
///
/// The owner has a state itself: who makes a slice of a slice names the owner of that.
pub struct Slice<M: Mmu> {
    owner: Arc<Vmo<M>>,
    first: PageIndex,
    pages: u64,
    /// Changes under the owner's lock.
    stream_size: AtomicU64,
}

impl<M: Mmu> Own<M> {
    /// `state`, whose pages come from `pages`.
    pub const fn new(pages: &'static PageDatabase, state: VmoState<M>) -> Self {
        let state = SpinMutex::new(state);
        Self { pages, state }
    }
}

impl<M: Mmu> Drop for Own<M> {
    fn drop(&mut self) {
        self.state.get_mut().free_all(self.pages);
    }
}

impl<M: Mmu> Slice<M> {
    /// The pages `window` of `owner`, of which the first `stream_size` bytes are of use.
    pub const fn new(owner: Arc<Vmo<M>>, window: Range<PageIndex>, stream_size: u64) -> Self {
        Self {
            owner,
            pages: window.end.saturating_since(window.start),
            first: window.start,
            stream_size: AtomicU64::new(stream_size),
        }
    }
}

impl<M: Mmu> Vmo<M> {
    /// The VMO that has the pages: this one, unless it is a slice or a reference.
    pub fn owner(self: &Arc<Self>) -> &Arc<Self> {
        match &self.source {
            Source::Own(_) => self,
            Source::Slice(Slice { owner, .. }) | Source::Reference(owner) => owner,
        }
    }

    /// Locks the state, which is the owner's.
    #[inline]
    pub(crate) fn lock(&self) -> SpinMutexGuard<'_, VmoState<M>> {
        step();
        self.state().lock()
    }

    /// Where the state is, for telling whether a state is that of this VMO.
    #[inline]
    pub(super) fn state_address(&self) -> *const VmoState<M> {
        self.state().as_mut_ptr()
    }

    #[inline]
    pub(super) fn state(&self) -> &SpinMutex<VmoState<M>> {
        match &self.source {
            Source::Own(own) => &own.state,
            Source::Slice(Slice { owner, .. }) | Source::Reference(owner) => owner.owned_state(),
        }
    }

    fn owned_state(&self) -> &SpinMutex<VmoState<M>> {
        match &self.source {
            Source::Own(own) => &own.state,
            Source::Slice(_) | Source::Reference(_) => unreachable!("an owner shows its own pages"),
        }
    }

    /// Checks that its pages may be given back one by one.
    ///
    /// Locks the family.
    ///
    /// # Errors
    /// `NOT_SUPPORTED`: it began with another's contents, or others began with its own.
    pub(crate) fn check_decommit(&self) -> Result<()> {
        let owner = match &self.source {
            Source::Own(_) => self,
            Source::Slice(Slice { owner, .. }) | Source::Reference(owner) => owner,
        };
        if owner.is_cow_clone() || owner.has_cow_clones() {
            return Err(Status::NOT_SUPPORTED);
        }
        Ok(())
    }

    /// Whether it shows the pages of another VMO.
    pub const fn is_view(&self) -> bool {
        !matches!(self.source, Source::Own(_))
    }

    /// Whether it is a slice.
    pub const fn is_slice(&self) -> bool {
        matches!(self.source, Source::Slice(_))
    }

    /// The number that the owner has for page `index`.
    #[inline]
    pub(crate) fn owner_page(&self, index: PageIndex) -> PageIndex {
        match &self.source {
            Source::Slice(slice) => slice.first.saturating_add(index.number()),
            Source::Own(_) | Source::Reference(_) => index,
        }
    }

    /// The pages that it shows of its owner, whose state is `state`.
    #[inline]
    pub(crate) fn window(&self, state: &VmoState<M>) -> Range<PageIndex> {
        match &self.source {
            Source::Slice(slice) => slice.first..slice.first.saturating_add(slice.pages),
            Source::Own(_) | Source::Reference(_) => PageIndex::ZERO..state.end(),
        }
    }

    /// The owner's page from which on nothing is of use, by the stream size of this VMO.
    pub(crate) fn stream_end(&self, state: &VmoState<M>) -> PageIndex {
        self.owner_page(PageIndex::covering(self.stream_size_in(state)))
    }

    /// The size in bytes, a multiple of the page size.
    pub fn size(&self) -> u64 {
        match &self.source {
            Source::Slice(slice) => slice.pages * PAGE_SIZE as u64,
            Source::Own(_) | Source::Reference(_) => self.lock().size(),
        }
    }

    /// The size in bytes that was asked for last, before rounding; zero if it is not made of pages.
    pub fn stream_size(&self) -> u64 {
        self.stream_size_in(&self.lock())
    }

    /// As [`stream_size`](Self::stream_size), for who has locked the state.
    pub(super) fn stream_size_in(&self, state: &VmoState<M>) -> u64 {
        match &self.source {
            Source::Slice(slice) => slice.stream_size.load(Ordering::Relaxed),
            Source::Own(_) | Source::Reference(_) => state.stream_size(),
        }
    }

    /// Changes the stream size, and nothing else, for who has locked the state.
    pub(super) fn note_stream_size(&self, state: &mut VmoState<M>, size: u64) {
        match &self.source {
            Source::Slice(slice) => slice.stream_size.store(size, Ordering::Relaxed),
            Source::Own(_) | Source::Reference(_) => state.set_stream_size(size),
        }
    }
}
