//! Free blocks at hand for one CPU.

use core::ptr::NonNull;

use buddy_system_allocator::linked_list::LinkedList;

use super::classes::{CLASSES, SizeClass};

/// Free blocks of one size, the last one put on it first.
pub(super) struct Chain {
    blocks: LinkedList,
    count: usize,
}

impl Chain {
    pub(super) const fn new() -> Self {
        Self {
            blocks: LinkedList::new(),
            count: 0,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Adds a block.
    ///
    /// # Safety
    /// `block` is writable for a word and aligned for it, and nobody uses it while it is on the chain.
    #[inline]
    pub(super) unsafe fn push(&mut self, block: NonNull<u8>) {
        // SAFETY: The caller's promise is passed on.
        unsafe { self.blocks.push(block.as_ptr().cast()) };
        self.count += 1;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = NonNull::new(self.blocks.pop()?.cast())?;
        self.count -= 1;
        Some(block)
    }
}

/// The chains of one size: blocks come from and go to `loaded`; `spare` is empty or full.
///
/// So a CPU goes to the common stock at most once for every chain's worth of blocks, and what it freed
/// last is what it gets first.
struct Pair {
    loaded: Chain,
    spare: Chain,
}

impl Pair {
    /// Goes on with the spare chain, and takes a block from it.
    #[cold]
    #[inline(never)]
    fn exchange(&mut self) -> Option<NonNull<u8>> {
        core::mem::swap(&mut self.loaded, &mut self.spare);
        self.loaded.pop()
    }

    /// Makes the loaded chain, which is full, the spare one; returns the spare one if there was one.
    #[cold]
    #[inline(never)]
    fn set_aside(&mut self) -> Option<Chain> {
        let full = core::mem::replace(&mut self.loaded, Chain::new());
        let spare = core::mem::replace(&mut self.spare, full);
        Some(spare).filter(|spare| !spare.is_empty())
    }
}

/// The free blocks of all sizes that one CPU has at hand, and what it has given out.
#[repr(align(64))]
pub(super) struct Front {
    pairs: [Pair; CLASSES],
    /// Blocks given out less blocks taken back, here and so negative on a CPU that frees for others.
    pub(super) live_blocks: isize,
    /// The bytes asked for in these.
    pub(super) live_bytes: isize,
}

impl Front {
    pub(super) const fn new() -> Self {
        Self {
            pairs: [const {
                Pair {
                    loaded: Chain::new(),
                    spare: Chain::new(),
                }
            }; CLASSES],
            live_blocks: 0,
            live_bytes: 0,
        }
    }

    /// Counts a block of `bytes` bytes as given out.
    #[inline]
    pub(super) fn count_allocation(&mut self, bytes: usize) {
        self.live_blocks += 1;
        self.live_bytes += bytes.cast_signed();
    }

    /// Counts a block of `bytes` bytes as taken back.
    #[inline]
    pub(super) fn count_release(&mut self, bytes: usize) {
        self.live_blocks -= 1;
        self.live_bytes -= bytes.cast_signed();
    }

    /// A free block, if one is at hand.
    #[inline]
    pub(super) fn pop(&mut self, class: SizeClass) -> Option<NonNull<u8>> {
        let pair = &mut self.pairs[class.index()];
        pair.loaded.pop().or_else(|| pair.exchange())
    }

    /// Takes a block back; returns a chain of others if they have become too many.
    ///
    /// # Safety
    /// `block` is a block of this class that nobody uses.
    #[inline]
    pub(super) unsafe fn push(&mut self, class: SizeClass, block: NonNull<u8>) -> Option<Chain> {
        let pair = &mut self.pairs[class.index()];
        let surplus = if pair.loaded.count() >= class.chain_blocks() {
            pair.set_aside()
        } else {
            None
        };
        // SAFETY: A block has at least 16 bytes and is aligned to 16; nobody uses it.
        unsafe { pair.loaded.push(block) };
        surplus
    }

    /// Adds blocks fetched from the common stock; returns what there was no room for.
    pub(super) fn restock(&mut self, class: SizeClass, chain: Chain) -> Option<Chain> {
        let pair = &mut self.pairs[class.index()];
        let place = if pair.loaded.is_empty() {
            &mut pair.loaded
        } else {
            &mut pair.spare
        };
        let before = core::mem::replace(place, chain);
        Some(before).filter(|before| !before.is_empty())
    }

    /// Takes all blocks of a class away.
    pub(super) fn drain(&mut self, class: SizeClass) -> [Chain; 2] {
        let pair = &mut self.pairs[class.index()];
        [&mut pair.loaded, &mut pair.spare].map(|chain| core::mem::replace(chain, Chain::new()))
    }
}
