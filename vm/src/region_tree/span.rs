//! What a node of a region tree knows about its subtree, packed into two words.

use core::fmt;

use crate::addr::{PAGE_SHIFT, VirtAddr, VirtRange};
use crate::wavl::Side;

/// The extent of some neighbouring regions, and the largest gap between any two of them.
///
/// Page numbers below 2^42 in magnitude cover every address of a 48-bit or 52-bit machine, so that
/// the two ends and the gap share 128 bits:
///
/// ```text
///             63                          22 21             0
///    ends[0]  [ first address, page number ][ gap, high part ]
///    ends[1]  [ end address, page number   ][ gap, low part  ]
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Span {
    ends: [i64; 2],
}

/// How far an end is shifted beyond its place in an address.
const END_SHIFT: u32 = GAP_BITS - PAGE_SHIFT;
/// The bits of one half of a gap.
const GAP_BITS: u32 = 22;
const GAP_MASK: i64 = (1 << GAP_BITS) - 1;

impl Span {
    /// The span of a region and of what is on its left and on its right.
    #[inline]
    pub(super) fn joined(region: VirtRange, left: Option<Self>, right: Option<Self>) -> Self {
        let (mut first, mut end) = (region.base(), region.end());
        let mut gap_bytes = 0;
        if let Some(left) = left {
            gap_bytes = left.gap_bytes().max(distance(left.end(), first));
            first = left.first();
        }
        if let Some(right) = right {
            gap_bytes = gap_bytes
                .max(right.gap_bytes())
                .max(distance(end, right.first()));
            end = right.end();
        }
        Self::packed(first, end, gap_bytes)
    }

    #[inline]
    fn packed(first: VirtAddr, end: VirtAddr, gap_bytes: usize) -> Self {
        let gap = (gap_bytes >> PAGE_SHIFT) as i64;
        let span = Self {
            ends: [
                ((first.raw() as i64) << END_SHIFT) | (gap >> GAP_BITS),
                ((end.raw() as i64) << END_SHIFT) | (gap & GAP_MASK),
            ],
        };
        debug_assert!(
            span.first() == first && span.end() == end,
            "an address has too many bits"
        );
        span
    }

    /// The lowest address of any of the regions.
    #[inline]
    pub fn first(self) -> VirtAddr {
        self.edge(Side::Left)
    }

    /// The address after the last one of any of the regions.
    #[inline]
    pub fn end(self) -> VirtAddr {
        self.edge(Side::Right)
    }

    /// [`first`](Self::first) on the left side, [`end`](Self::end) on the right.
    #[inline]
    pub fn edge(self, side: Side) -> VirtAddr {
        VirtAddr::new((self.ends[side as usize] >> END_SHIFT) as usize).page_base()
    }

    /// The length in bytes of the largest gap between two of the regions.
    #[inline]
    pub fn gap_bytes(self) -> usize {
        let gap = ((self.ends[0] & GAP_MASK) << GAP_BITS) | (self.ends[1] & GAP_MASK);
        (gap as usize) << PAGE_SHIFT
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?}..{:?}, gap {:#x}",
            self.first(),
            self.end(),
            self.gap_bytes()
        )
    }
}

/// The bytes from `low` up to `high`, in whichever order they are given.
#[inline]
pub(super) fn distance(one: VirtAddr, other: VirtAddr) -> usize {
    one.raw().abs_diff(other.raw())
}
