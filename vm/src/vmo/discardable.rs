//! Discardable VMOs: contents that the kernel may drop while nobody has locked them.
//!
//! ```text
//!             unlock, the last one
//!     locked ──────────────────────► unlocked ── reclaim ──► discarded, reads as zero
//!       ▲ ▲                             │                        │
//!       │ └──── lock or try_lock ───────┘                        │
//!       └────── lock, which tells; try_lock fails ───────────────┘
//! ```
//!
//! Locks are counted; they belong to the VMO, whoever took them. A VMO starts unlocked. While it is not
//! locked its pages may go at any moment, all at once and from every page table, and the next
//! [`Vmo::lock_pages`] tells. Which VMO goes first, and when, is up to
//! [`reclaim`](crate::reclaim).
//!
//! Source: `spec/vmo.md` §11.

use syscall::{Result, Status};

use super::{PageIndex, Vmo, VmoState};
use crate::addr::PageCount;
use crate::counters::Event;
use crate::mmu::Mmu;
use crate::reclaim::{Place, Reclaimable, Scan, Standing};

/// What a discardable VMO remembers, under the VMO's lock.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// How often it is locked.
    count: u64,
    /// Whether pages were taken away since it was last locked.
    is_discarded: bool,
}

/// What [`Vmo::lock_pages`] found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "it tells whether the contents are still there"]
pub struct LockState {
    /// The size of the VMO in bytes; all of it is locked.
    pub size: u64,
    /// How many bytes, from offset 0 on, were discarded since the VMO was last locked: all or none.
    pub discarded_size: u64,
}

impl<M: Mmu> Vmo<M> {
    /// Locks the pages, which must be all of them: from `offset` 0 on, `size` bytes as the VMO has.
    ///
    /// # Errors
    /// In this order; nothing changes.
    /// - `NOT_SUPPORTED`: the VMO is not discardable.
    /// - `OUT_OF_RANGE`: this is not all of the VMO.
    /// - `BAD_STATE`: it is locked as often as can be counted.
    ///
    /// Source: `spec/vmo.md` §5, LOCK.
    pub fn lock_pages(&self, offset: u64, size: u64) -> Result<LockState> {
        let mut state = self.lock();
        self.check_lockable(&state, offset, size)?;
        let was_discarded = state.locks.is_discarded;
        self.add_lock(&mut state)?;
        state.locks.is_discarded = false;
        Ok(LockState {
            size,
            discarded_size: if was_discarded { size } else { 0 },
        })
    }

    /// Locks the pages if they are still there.
    ///
    /// # Errors
    /// Those of [`lock_pages`](Self::lock_pages), and before the last of them
    /// - `UNAVAILABLE`: they were discarded.
    ///
    /// Source: `spec/vmo.md` §5, TRY_LOCK.
    pub fn try_lock_pages(&self, offset: u64, size: u64) -> Result<()> {
        let mut state = self.lock();
        self.check_lockable(&state, offset, size)?;
        if state.locks.is_discarded {
            return Err(Status::UNAVAILABLE);
        }
        self.add_lock(&mut state)
    }

    /// Takes back one lock. With the last one, the kernel may discard the pages.
    ///
    /// # Errors
    /// In this order; nothing changes.
    /// - `NOT_SUPPORTED`: the VMO is not discardable.
    /// - `OUT_OF_RANGE`: this is not all of the VMO.
    /// - `BAD_STATE`: it is not locked.
    ///
    /// Source: `spec/vmo.md` §5, UNLOCK.
    pub fn unlock_pages(&self, offset: u64, size: u64) -> Result<()> {
        let mut state = self.lock();
        self.check_lockable(&state, offset, size)?;
        self.remove_lock(&mut state)
    }

    /// Takes back a lock that its owner could not be told of, with what it found.
    ///
    /// # Errors
    /// `BAD_STATE`: somebody else has taken it back already.
    pub fn undo_lock(&self, found: LockState) -> Result<()> {
        let mut state = self.lock();
        self.remove_lock(&mut state)?;
        if found.discarded_size > 0 && state.locks.count == 0 {
            state.locks.is_discarded = true;
        }
        Ok(())
    }

    fn check_lockable(&self, state: &VmoState<M>, offset: u64, size: u64) -> Result<()> {
        if !self.is_discardable() {
            return Err(Status::NOT_SUPPORTED);
        }
        if offset != 0 || size != state.size() {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(())
    }

    fn add_lock(&self, state: &mut VmoState<M>) -> Result<()> {
        let count = state.locks.count.checked_add(1);
        state.locks.count = count.ok_or(Status::BAD_STATE)?;
        if state.locks.count == 1 {
            self.place.note(Standing::Locked);
        }
        Ok(())
    }

    fn remove_lock(&self, state: &mut VmoState<M>) -> Result<()> {
        let count = state.locks.count.checked_sub(1);
        state.locks.count = count.ok_or(Status::BAD_STATE)?;
        if state.locks.count == 0 {
            self.place.note(Standing::Unlocked);
        }
        Ok(())
    }

    /// How a new VMO stands with the reclaimer.
    pub(super) const fn first_standing(&self) -> Standing {
        if self.is_discardable() {
            Standing::Unlocked
        } else {
            Standing::Kept
        }
    }
}

impl<M: Mmu> Reclaimable for Vmo<M> {
    fn place(&self) -> &Place {
        &self.place
    }

    fn discard(&self) -> PageCount {
        let mut state = self.lock();
        let all = PageIndex::ZERO..state.end();
        let present = state.count_own(self.pages(), all.clone());
        if !self.is_discardable() || state.locks.count > 0 || present == 0 {
            return PageCount::ZERO;
        }
        state.remove_translations(all.clone(), None);
        state.free_pages(self.pages(), all);
        state.locks.is_discarded = true;
        M::counters().count(Event::Discarded);
        M::counters().add(Event::DiscardedPage, present);
        PageCount::new(present as usize)
    }

    fn own_pages(&self) -> PageCount {
        let state = self.lock();
        let all = PageIndex::ZERO..state.end();
        PageCount::new(state.count_own(self.pages(), all) as usize)
    }

    fn attributed_parts(&self) -> u128 {
        self.attribution(PageIndex::ZERO..PageIndex::LIMIT).parts()
    }

    fn scan(&self, budget: PageCount) -> Scan {
        self.give_back_zeros(budget)
    }
}

#[cfg(test)]
mod tests;
