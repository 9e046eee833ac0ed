//! Noticing that frames run short.

use core::sync::atomic::{AtomicU64, Ordering};

use spin::Once;
use syscall::{Result, Status};

use super::PageDatabase;
use super::depot::BLOCK_FRAMES;
use crate::addr::PageCount;

/// Memory is low when less than one part in so many of it is free.
const LOW_PART: usize = 16;

/// What a database remembers of shortages.
pub(super) struct Shortage {
    /// How many frames could not be had, all attempts together.
    missed: AtomicU64,
    /// Whom to tell that memory is low.
    listener: Once<fn()>,
}

impl Shortage {
    pub(super) const fn new() -> Self {
        Self {
            missed: AtomicU64::new(0),
            listener: Once::new(),
        }
    }

    /// Counts `frames` that could not be had.
    pub(super) fn miss(&self, frames: usize) {
        self.missed.fetch_add(frames as u64, Ordering::Relaxed);
    }
}

impl PageDatabase {
    /// How many frames could not be had since the start, because there were not enough.
    ///
    /// Whoever gets `NO_MEMORY` compares this with what it was before: if it has grown, [`reclaim`]ing pages
    /// may help, and if not, there is another reason.
    ///
    /// [`reclaim`]: crate::reclaim::Reclaimer::reclaim
    #[inline]
    pub fn missed_frames(&self) -> u64 {
        self.shortage.missed.load(Ordering::Relaxed)
    }

    /// Checks that `wanted` frames are free, for somebody who would rather not begin what cannot be ended.
    ///
    /// # Errors
    /// `NO_MEMORY`: there are fewer. Those that are missing count as missed, unless there never are so many.
    pub fn check_free(&self, wanted: u64) -> Result<()> {
        let counts = self.counts();
        let missing = wanted.saturating_sub(counts.free.get() as u64);
        if missing == 0 {
            return Ok(());
        }
        if wanted <= counts.total.get() as u64 {
            self.shortage.miss(missing as usize);
        }
        Err(Status::NO_MEMORY)
    }

    /// Whether less than a sixteenth of all memory is free.
    pub fn is_low(&self) -> bool {
        let counts = self.counts();
        counts.free.get() < counts.total.get() / LOW_PART
    }

    /// Has `listener` called whenever a part of the last sixteenth of memory is taken into use.
    ///
    /// It is called in the middle of allocations, under any locks but those of the database, so it must not
    /// wait, allocate, or take a lock under which anybody allocates. The first listener stays for good.
    pub fn tell_when_low(&self, listener: fn()) {
        self.shortage.listener.call_once(|| listener);
    }

    /// Tells whoever wants to know if that few blocks are low.
    #[inline]
    pub(super) fn note_blocks_left(&self, blocks: usize) {
        if blocks * (BLOCK_FRAMES as usize) < self.total_frames() / LOW_PART
            && let Some(listener) = self.shortage.listener.get()
        {
            listener();
        }
    }

    /// The error for `count` frames side by side that could not be had. They count as missed only so far as
    /// there are too few frames; that they do not lie side by side is another reason.
    #[cold]
    pub(super) fn miss_run(&self, count: PageCount) -> Status {
        match self.check_free(count.get() as u64) {
            Ok(()) => Status::NO_MEMORY,
            Err(status) => status,
        }
    }
}
