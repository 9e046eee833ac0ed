//! Where the heap's pages come from.

use core::ptr::NonNull;

use crate::addr::PageCount;

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

    /// How much memory the source's own bookkeeping may ever need.
    fn reserve(&self) -> PageCount;

    /// Hands out `pages` pages, a power of two, that follow each other and begin at a multiple of
    /// `2^align_log2` bytes.
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
