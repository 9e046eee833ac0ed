//! Free frames in blocks of 64, between the caches and the buddy.
//!
//! A block is an aligned group of 64 frames, with a bit for each free one. The depot has the blocks that
//! were broken up, and a few whole ones; all other whole ones are the buddy's, which so has few to keep:
//!
//! ```text
//!   cache (per CPU) ◄─ 32 frames ─► depot: partial blocks, spare blocks ◄─ 64 frames ─► buddy
//! ```

use core::cell::Cell;
use core::ptr::NonNull;

use intrusive_collections::{LinkedList, LinkedListLink, UnsafeRef, intrusive_adapter};

use super::frame::FrameNumber;
use crate::addr::{PAGE_SHIFT, PhysRange};

/// The logarithm of the number of frames in a block.
pub(super) const BLOCK_SHIFT: u32 = u64::BITS.trailing_zeros();

/// Frames in a block.
pub(super) const BLOCK_FRAMES: u32 = u64::BITS;

/// How many whole blocks the depot keeps, so that the buddy is not asked again and again.
const SPARE_BLOCKS: usize = 4;

/// How many partial blocks are searched for a short run before a whole block is broken up.
const RUN_SEARCH: usize = 16;

/// One block.
#[derive(Debug)]
pub(super) struct BlockInfo {
    link: LinkedListLink,
    /// The free frames that the depot has; none if the block is the buddy's.
    free: Cell<u64>,
}

intrusive_adapter!(BlockAdapter = UnsafeRef<BlockInfo>: BlockInfo { link => LinkedListLink });

/// The number of a block: that of its first frame divided by 64.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BlockNumber(pub(super) u32);

impl BlockNumber {
    /// The block that has the frame.
    #[inline]
    pub(super) const fn of(number: FrameNumber) -> Self {
        Self(number.get() >> BLOCK_SHIFT)
    }

    /// Frame `index` of the block; `None` for frame 0.
    #[inline]
    const fn frame(self, index: u32) -> Option<FrameNumber> {
        FrameNumber::new((self.0 << BLOCK_SHIFT) + index)
    }
}

/// The free frames that are neither in a cache nor in the buddy.
///
/// 1. A block is in `whole` if all its bits are set, in `partial` if some are, and else in no list.
/// 2. `frames` is the number of bits set, `whole_blocks` the length of `whole`.
///
/// Only `give` and `change` alter a block, so only they can break these.
pub(super) struct Depot {
    /// Where the info of block 0 would be.
    origin: *const BlockInfo,
    partial: LinkedList<BlockAdapter>,
    whole: LinkedList<BlockAdapter>,
    frames: usize,
    whole_blocks: usize,
}

// SAFETY: The infos that `origin` points to belong to the depot alone (`Depot::new`), so they go where it
// goes.
unsafe impl Send for Depot {}

/// How many blocks have frames of `span`.
pub(super) const fn blocks_in(span: PhysRange) -> usize {
    let shift = PAGE_SHIFT + BLOCK_SHIFT;
    ((span.end().raw() - 1) >> shift) - (span.base().raw() >> shift) + 1
}

impl Depot {
    /// An empty depot that keeps the infos of the blocks in `span` in `storage`.
    ///
    /// # Safety
    /// `storage` is aligned for `BlockInfo`, valid for `blocks_in(span)` of them, for good, and nobody else
    /// uses it.
    pub(super) unsafe fn new(storage: NonNull<BlockInfo>, span: PhysRange) -> Self {
        for index in 0..blocks_in(span) {
            let info = BlockInfo {
                link: LinkedListLink::new(),
                free: Cell::new(0),
            };
            // SAFETY: The caller grants `blocks_in(span)` infos.
            unsafe { storage.add(index).write(info) };
        }
        let first = span.base().raw() >> (PAGE_SHIFT + BLOCK_SHIFT);
        Self {
            origin: storage.as_ptr().wrapping_sub(first),
            partial: LinkedList::new(BlockAdapter::NEW),
            whole: LinkedList::new(BlockAdapter::NEW),
            frames: 0,
            whole_blocks: 0,
        }
    }

    /// How many frames are here.
    pub(super) const fn frames(&self) -> usize {
        self.frames
    }

    /// Puts one frame in.
    #[inline]
    pub(super) fn give(&mut self, number: FrameNumber) {
        let block = BlockNumber::of(number);
        let info = self.info(block);
        let before = info.free.get();
        let bit = 1 << (number.get() % BLOCK_FRAMES);
        debug_assert!(before & bit == 0, "a frame is given back twice");
        info.free.set(before | bit);
        self.frames += 1;
        if Place::of(before) != Place::of(before | bit) {
            self.relist(info, before);
        }
    }

    /// Puts a whole block in.
    pub(super) fn give_block(&mut self, block: BlockNumber) {
        self.change(block, u64::MAX);
    }

    /// Takes up to `limit` frames out of one block and shows them to `sink`; answers how many.
    pub(super) fn take(&mut self, limit: usize, mut sink: impl FnMut(FrameNumber)) -> usize {
        let front = self
            .partial
            .front()
            .get()
            .or_else(|| self.whole.front().get());
        let Some((block, free)) = front.map(|info| (self.number_of(info), info.free.get())) else {
            return 0;
        };
        let mut rest = free;
        let mut taken = 0;
        // From the top, so that a list that `sink` pushes onto has the lowest frame in front.
        while rest != 0 && taken < limit {
            let index = u64::BITS - 1 - rest.leading_zeros();
            rest &= !(1 << index);
            if let Some(number) = block.frame(index) {
                sink(number);
                taken += 1;
            }
        }
        self.change(block, rest);
        taken
    }

    /// Takes `count` frames side by side, at most a block, whose first is a multiple of `2^align`.
    pub(super) fn take_run(
        &mut self,
        count: u32,
        align: u32,
        search: Search,
    ) -> Option<FrameNumber> {
        let limit = match search {
            Search::Brief => RUN_SEARCH,
            Search::Everywhere => usize::MAX,
        };
        let blocks = self
            .partial
            .iter()
            .take(limit)
            .chain(self.whole.iter().take(1));
        let (block, index, free) = blocks
            .filter_map(|info| {
                let free = info.free.get();
                let index = find_run(free, count, align)?;
                Some((self.number_of(info), index, free))
            })
            .next()?;
        let number = block.frame(index)?;
        self.change(block, free & !(low_bits(count) << index));
        Some(number)
    }

    /// Takes out a whole block that need not stay.
    pub(super) fn take_surplus_block(&mut self) -> Option<BlockNumber> {
        if self.whole_blocks > SPARE_BLOCKS {
            self.take_whole_block()
        } else {
            None
        }
    }

    /// Takes out a whole block, if there is one.
    pub(super) fn take_whole_block(&mut self) -> Option<BlockNumber> {
        let block = self.number_of(self.whole.front().get()?);
        self.change(block, 0);
        Some(block)
    }

    /// Counts the bits that are set, one block after the other.
    pub(super) fn count_frames(&self) -> usize {
        let infos = self.partial.iter().chain(self.whole.iter());
        infos
            .map(|info| info.free.get().count_ones() as usize)
            .sum()
    }

    /// Sets which frames of a block are free.
    fn change(&mut self, block: BlockNumber, free: u64) {
        let info = self.info(block);
        let before = info.free.replace(free);
        self.frames += free.count_ones() as usize;
        self.frames -= before.count_ones() as usize;
        if Place::of(before) != Place::of(free) {
            self.relist(info, before);
        }
    }

    /// Moves a block, whose free frames were `before`, to the list where it belongs now.
    fn relist(&mut self, info: &'static BlockInfo, before: u64) {
        self.unlist(info, Place::of(before));
        // SAFETY: Infos are never moved, dropped or borrowed exclusively (`new`).
        let pointer = unsafe { UnsafeRef::from_raw(info) };
        match Place::of(info.free.get()) {
            Place::Nowhere => {}
            Place::Partial => self.partial.push_front(pointer),
            Place::Whole => {
                self.whole.push_front(pointer);
                self.whole_blocks += 1;
            }
        }
    }

    fn unlist(&mut self, info: &'static BlockInfo, place: Place) {
        let list = match place {
            Place::Nowhere => return,
            Place::Partial => &mut self.partial,
            Place::Whole => {
                self.whole_blocks -= 1;
                &mut self.whole
            }
        };
        // SAFETY: By invariant 1 the block is in this list.
        unsafe { list.cursor_mut_from_ptr(info) }.remove();
    }

    #[inline]
    fn info(&self, block: BlockNumber) -> &'static BlockInfo {
        // SAFETY:
        // 1. The numbers come from frames of the span and from the buddy, which gives back what it got, so
        //    this is one of the infos that `new` wrote.
        // 2. They stay for good and are never borrowed exclusively (`new`).
        unsafe { &*self.origin.wrapping_add(block.0 as usize) }
    }

    #[inline]
    fn number_of(&self, info: &BlockInfo) -> BlockNumber {
        let bytes = core::ptr::from_ref(info)
            .addr()
            .wrapping_sub(self.origin.addr());
        BlockNumber((bytes / size_of::<BlockInfo>()) as u32)
    }
}

/// How far to look.
#[derive(Clone, Copy, Debug)]
pub(super) enum Search {
    /// Only as far as is cheap.
    Brief,
    /// To the end.
    Everywhere,
}

/// The list that a block belongs to.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    Nowhere,
    Partial,
    Whole,
}

impl Place {
    #[inline]
    const fn of(free: u64) -> Self {
        match free {
            0 => Self::Nowhere,
            u64::MAX => Self::Whole,
            _ => Self::Partial,
        }
    }
}

/// `count` bits from the lowest on; `count` is at most 64.
const fn low_bits(count: u32) -> u64 {
    if count == u64::BITS {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

/// The lowest multiple of `2^align` from which on `count` bits are set.
fn find_run(free: u64, count: u32, align: u32) -> Option<u32> {
    let step = 1_usize.checked_shl(align)?;
    let last = u64::BITS.checked_sub(count)?;
    (0..=last)
        .step_by(step)
        .find(|index| free >> index & low_bits(count) == low_bits(count))
}
