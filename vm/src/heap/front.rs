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

    /// A free block from the loaded chain, if there is one.
    #[inline]
    pub(super) fn pop(&mut self, class: SizeClass) -> Option<NonNull<u8>> {
        self.pairs[class.index()].loaded.pop()
    }

    /// A free block from the spare chain, if there is one; for when the loaded chain is empty.
    pub(super) fn pop_spare(&mut self, class: SizeClass) -> Option<NonNull<u8>> {
        let pair = &mut self.pairs[class.index()];
        core::mem::swap(&mut pair.loaded, &mut pair.spare);
        pair.loaded.pop()
    }

    /// Whether the loaded chain is not full.
    #[inline]
    pub(super) fn has_room(&self, class: SizeClass) -> bool {
        self.pairs[class.index()].loaded.count() < class.chain_blocks()
    }

    /// Begins a new loaded chain if the one in use is full; returns the spare one if it was full too.
    pub(super) fn make_room(&mut self, class: SizeClass) -> Option<Chain> {
        if self.has_room(class) {
            return None;
        }
        let pair = &mut self.pairs[class.index()];
        let full = core::mem::replace(&mut pair.loaded, Chain::new());
        let spare = core::mem::replace(&mut pair.spare, full);
        Some(spare).filter(|spare| !spare.is_empty())
    }

    /// Puts a block on the loaded chain.
    ///
    /// # Safety
    /// `block` is a block of this class that nobody uses.
    #[inline]
    pub(super) unsafe fn push(&mut self, class: SizeClass, block: NonNull<u8>) {
        // SAFETY: A block has at least 16 bytes and is aligned to 8; nobody uses it.
        unsafe { self.pairs[class.index()].loaded.push(block) };
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
