//! What a region knows of the room below it, and a subtree of the room among its regions.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::addr::{PAGE_SIZE, PageCount, VirtAddr};

/// The gap field: how much is free directly below a region, down to the next one or to the lower bound.
///
/// It lies in the object beside its link, and belongs to the tree that the object is in: nothing else
/// changes it, and whoever may read the tree may read it. It is atomic only so that objects can be shared.
#[derive(Default)]
pub struct Gap {
    bytes: AtomicUsize,
}

impl Gap {
    /// The gap of a region that is in no tree.
    pub const fn new() -> Self {
        Self {
            bytes: AtomicUsize::new(0),
        }
    }

    /// The size in bytes.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The size, as the summary of a region alone.
    #[inline]
    pub(super) fn size(&self) -> LargestGap {
        LargestGap(self.bytes())
    }

    /// Makes the gap reach from `low` to `high`, which is not lower.
    #[inline]
    pub(super) fn set(&self, low: VirtAddr, high: VirtAddr) {
        debug_assert!(low <= high, "a gap cannot be negative");
        let bytes = high.raw().wrapping_sub(low.raw());
        self.bytes.store(bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} pages", self.bytes() / PAGE_SIZE)
    }
}

/// The size of the largest of the gaps directly below the regions of a subtree.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LargestGap(usize);

impl LargestGap {
    /// Of no region.
    pub(super) const NONE: Self = Self(0);

    /// Just large enough for `pages`; `None` if no gap can be.
    #[inline]
    pub(super) fn for_pages(pages: PageCount) -> Option<Self> {
        pages.bytes().map(Self)
    }

    /// The size of the gap.
    #[inline]
    pub const fn pages(self) -> PageCount {
        PageCount::new(self.0 / PAGE_SIZE)
    }
}
