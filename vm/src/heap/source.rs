//! Where the heap's pages come from.

use core::ptr::NonNull;

use crate::addr::{PageCount, PhysRange};
use crate::pages::owner::Heap;
use crate::pages::{FrameRun, PageDatabase};

/// Something that hands out whole pages.
///
/// # Safety
/// What [`take`](Self::take) returns is writable memory of that length and alignment, and nobody else
/// uses it until it is given back.
pub unsafe trait PageSource: Sync {
    /// Whether the calling CPU is inside the source, and what it allocates is the source's own.
    ///
    /// While it is, the heap neither takes pages nor gives any back.
    fn is_bookkeeping(&self) -> bool;

    /// The same as a quick guess: false only if the calling CPU is outside for sure.
    #[inline]
    fn may_be_bookkeeping(&self) -> bool {
        self.is_bookkeeping()
    }

    /// How much memory the source's own bookkeeping may ever need.
    fn reserve(&self) -> PageCount;

    /// Hands out `pages` pages that follow each other and begin at a multiple of `2^align_log2` bytes.
    ///
    /// `None` if memory has run out.
    fn take(&self, pages: PageCount, align_log2: u32) -> Option<NonNull<u8>>;

    /// Takes pages back.
    ///
    /// # Safety
    /// 1. `take` returned `base` for this number of pages.
    /// 2. Nobody uses them any more.
    unsafe fn give_back(&self, base: NonNull<u8>, pages: PageCount);
}

/// At most so many frames of memory cause a byte of bookkeeping.
///
/// The database's buddy manages blocks of 64 frames. No two free blocks that it lists are halves of a
/// larger one, so it lists at most every other block, and a B-tree that is at least half full spends less
/// than 24 bytes on each.
const FRAMES_PER_BYTE: usize = 4;

/// What its bookkeeping may need however little memory there is: a node for each of its B-trees.
const LEAST_RESERVE: PageCount = PageCount::new(4);

// SAFETY: A frame or run of the heap belongs to nobody else, and the direct map shows it, writable, at
// the address that the trait deals in. `take` looks at the alignment of that address.
unsafe impl PageSource for PageDatabase {
    #[inline]
    fn is_bookkeeping(&self) -> bool {
        Self::is_bookkeeping(self)
    }

    #[inline]
    fn may_be_bookkeeping(&self) -> bool {
        Self::may_be_bookkeeping(self)
    }

    fn reserve(&self) -> PageCount {
        let bytes = self.counts().total.get() / FRAMES_PER_BYTE;
        PageCount::covering(bytes).max(LEAST_RESERVE)
    }

    fn take(&self, pages: PageCount, align_log2: u32) -> Option<NonNull<u8>> {
        let run = self.allocate_contiguous::<Heap>(pages, align_log2).ok()?;
        let base = self.pointer(run.range().base());
        if base.addr().trailing_zeros() < align_log2 {
            // The direct map does not preserve an alignment as large as this.
            self.free_run(run);
            return None;
        }
        let _ = run.into_range();
        Some(base)
    }

    unsafe fn give_back(&self, base: NonNull<u8>, pages: PageCount) {
        let base = self.physmap().address_of(base);
        if let Some(range) = PhysRange::new(base, pages) {
            // SAFETY: The caller gives back what `take` turned into this range, once.
            self.free_run(unsafe { FrameRun::<Heap>::from_range(range) });
        }
    }
}
