//! Frames side by side.

use syscall::{Result, Status};

use super::PageDatabase;
use super::depot::{BLOCK_FRAMES, BLOCK_SHIFT, BlockNumber, Search};
use super::frame::{Frame, FrameNumber, FrameRun, owner::Owner};
use super::list::FrameList;
use crate::addr::{PAGE_SHIFT, PageCount, PhysRange};

/// A run that is asked for.
#[derive(Clone, Copy)]
struct Request {
    frames: u32,
    /// The logarithm of the alignment, in frames.
    align: u32,
}

impl Request {
    /// # Errors
    /// `NO_MEMORY`: more than there can be.
    fn new(count: PageCount, align_log2: u32) -> Result<Self> {
        Ok(Self {
            frames: u32::try_from(count.get()).map_err(|_| Status::NO_MEMORY)?,
            align: align_log2.saturating_sub(PAGE_SHIFT),
        })
    }

    /// Blocks of the buddy that surely have the run, a power of two; at its base.
    fn blocks(self) -> Option<usize> {
        let for_frames =
            (self.frames.div_ceil(BLOCK_FRAMES) as usize).checked_next_power_of_two()?;
        let for_align = 1_usize.checked_shl(self.align.saturating_sub(BLOCK_SHIFT))?;
        Some(for_frames.max(for_align))
    }

    const fn fits_a_block(self) -> bool {
        self.frames <= BLOCK_FRAMES && self.align <= BLOCK_SHIFT
    }
}

impl PageDatabase {
    /// Hands out `count` frames side by side, the first at a multiple of `2^align_log2` bytes.
    ///
    /// Locks one after the other: caches, depot, buddy.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: `count` is zero.
    /// - `NO_MEMORY`: there is no such place that is free.
    pub fn allocate_contiguous<O: Owner>(
        &self,
        count: PageCount,
        align_log2: u32,
    ) -> Result<FrameRun<O>> {
        if count == PageCount::ZERO {
            return Err(Status::INVALID_ARGS);
        }
        if count.get() == 1 && align_log2 <= PAGE_SHIFT {
            return self.allocate::<O>().map(FrameRun::from);
        }
        self.injected_failure()?;
        let request = Request::new(count, align_log2)?;
        let first = match self.take_run(request, Search::Brief) {
            Some(first) => first,
            None => {
                self.collect_free_frames();
                self.take_run(request, Search::Everywhere)
                    .ok_or_else(|| self.miss_run(count))?
            }
        };
        self.own_run(first, count)
    }

    /// Hands out `count` frames, at least two, as [`allocate_contiguous`](Self::allocate_contiguous) does,
    /// but only if there is such a place without bringing free frames together first: for somebody who can
    /// do with single frames as well.
    ///
    /// Locks one after the other: depot, buddy.
    ///
    /// # Errors
    /// `NO_MEMORY`: no such place is at hand.
    pub fn allocate_contiguous_at_hand<O: Owner>(
        &self,
        count: PageCount,
        align_log2: u32,
    ) -> Result<FrameRun<O>> {
        self.injected_failure()?;
        let request = Request::new(count, align_log2)?;
        let first = self.take_run(request, Search::Brief);
        self.own_run(first.ok_or(Status::NO_MEMORY)?, count)
    }

    /// Takes frames side by side apart, so that each is freed by itself from now on, and shows each to
    /// `visitor`. The lowest comes first in the list.
    pub fn take_apart<O: Owner>(
        &self,
        run: FrameRun<O>,
        mut visitor: impl FnMut(&mut Frame<O>),
    ) -> FrameList<O> {
        let mut list = FrameList::new();
        let range = run.into_range();
        let first = FrameNumber::containing(range.base());
        let frames = first.map(|first| numbers(first, range.pages().get() as u32).rev());
        for number in frames.into_iter().flatten() {
            let mut frame = Frame::from_number(number);
            visitor(&mut frame);
            if let Err(frame) = list.push(self, frame) {
                unreachable!("{frame:?} is shared");
            }
        }
        list
    }

    /// Makes the frames that were taken from the depot or the buddy those of an owner.
    fn own_run<O: Owner>(&self, first: FrameNumber, count: PageCount) -> Result<FrameRun<O>> {
        let range = PhysRange::new(first.address(), count).ok_or(Status::INTERNAL)?;
        for number in numbers(first, count.get() as u32) {
            self.infos.get(number).take(O::KIND);
        }
        self.cache().lock().count_taken(O::KIND, count.get());
        Ok(FrameRun::new(range))
    }

    /// Takes back frames from [`allocate_contiguous`](Self::allocate_contiguous).
    pub fn free_run<O: Owner>(&self, run: FrameRun<O>) {
        let range = run.range();
        if range.pages().get() == 1
            && let Some(number) = FrameNumber::containing(range.base())
        {
            return self.free(Frame::<O>::from_number(number));
        }
        let frames = range.pages().get();
        let Some(first) = FrameNumber::containing(range.base()) else {
            return;
        };
        {
            let mut cache = self.cache().lock();
            let mut depot = self.depot.lock();
            for number in numbers(first, frames as u32) {
                let info = self.infos.get(number);
                self.poison(number);
                info.give(O::KIND);
                depot.give(number);
            }
            cache.count_given(O::KIND, frames);
        }
        self.return_surplus();
    }

    fn take_run(&self, request: Request, search: Search) -> Option<FrameNumber> {
        if request.fits_a_block()
            && let Some(first) = self
                .depot
                .lock()
                .take_run(request.frames, request.align, search)
        {
            return Some(first);
        }
        let blocks = request.blocks()?;
        let BlockNumber(block) = self.take_blocks(blocks)?;
        let first = block << BLOCK_SHIFT;
        self.give_tail(
            first + request.frames,
            first + ((blocks as u32) << BLOCK_SHIFT),
        );
        FrameNumber::new(first)
    }

    /// Takes back the frames from number `from` up to, not including, `to`, which begins a block: whole blocks
    /// go to the buddy, however many they are, and what is left of one to the depot.
    fn give_tail(&self, from: u32, to: u32) {
        let whole = from.next_multiple_of(BLOCK_FRAMES).min(to);
        {
            let mut depot = self.depot.lock();
            for number in (from..whole).filter_map(FrameNumber::new) {
                depot.give(number);
            }
        }
        if whole < to {
            self.insert_blocks(whole >> BLOCK_SHIFT..to >> BLOCK_SHIFT);
        }
        self.return_surplus();
    }

    /// Brings free frames together: from the caches to the depot, and whole blocks on to the buddy.
    fn collect_free_frames(&self) {
        self.drain_caches();
        loop {
            let Some(block) = self.depot.lock().take_whole_block() else {
                break;
            };
            self.give_blocks(block, 1);
        }
    }
}

/// `count` frames from `first` on.
fn numbers(first: FrameNumber, count: u32) -> impl DoubleEndedIterator<Item = FrameNumber> {
    (first.get()..first.get() + count).filter_map(FrameNumber::new)
}
