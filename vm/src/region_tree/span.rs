//! What a node of a region tree knows about its subtree, packed into two words.

use core::fmt;

use crate::addr::{PAGE_SHIFT, PageCount, VirtAddr, VirtRange};
use crate::wavl::Side;

/// The extent of some neighbouring regions, and the largest gap between any two of them.
///
/// A page number takes 38 bits, which covers both halves of a 48-bit address space and the end of the lower
/// one. What is left of the first word holds the gap:
///
/// ```text
///             63                     26 25                    0
///    first    [ first address, as page ][ largest gap, in pages ]
///    end      [ end address, as page   ][           0           ]
/// ```
///
/// A gap of 2^26 - 1 pages (256 GiB) or more is stored as this number. There is room for few such gaps
/// in an address space, so that a search which has to look into each of them ends soon.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Span {
    first: i64,
    end: i64,
}

const GAP_BITS: u32 = 26;
const GAP_MASK: i64 = (1 << GAP_BITS) - 1;
/// How much further left than in an address the ends are.
const END_SHIFT: u32 = GAP_BITS - PAGE_SHIFT;

impl Span {
    /// The span of a region and of what is on its left and on its right.
    #[inline]
    pub(super) fn joined(region: VirtRange, left: Option<Self>, right: Option<Self>) -> Self {
        let (mut first, mut end) = (shifted(region.base()), shifted(region.end()));
        let mut gap = 0;
        // What is in the low bits of a word does not reach the difference in pages.
        if let Some(right) = right {
            gap = (right.first & GAP_MASK).max((right.first - end) >> GAP_BITS);
            end = right.end;
        }
        if let Some(left) = left {
            gap = gap
                .max(left.first & GAP_MASK)
                .max((first - left.end) >> GAP_BITS);
            first = left.first & !GAP_MASK;
        }
        Self {
            first: first | gap.min(GAP_MASK),
            end,
        }
    }

    /// The span of these regions and a further one; `None` if that lies between them.
    #[inline]
    pub(super) fn extended(self, region: Self) -> Option<Self> {
        let gap = self.first & GAP_MASK;
        if self.end <= region.first {
            let between = (region.first - self.end) >> GAP_BITS;
            let first = self.first - gap + gap.max(between.min(GAP_MASK));
            return Some(Self {
                first,
                end: region.end,
            });
        }
        if region.end <= self.first {
            let between = (self.first - region.end) >> GAP_BITS;
            return Some(Self {
                first: region.first + gap.max(between.min(GAP_MASK)),
                end: self.end,
            });
        }
        None
    }

    /// The pages from the edge on `side` to an address beyond it.
    #[inline]
    pub(super) fn pages_to(self, side: Side, address: VirtAddr) -> PageCount {
        let shifted = shifted(address);
        let difference = match side {
            Side::Left => self.first - shifted,
            Side::Right => shifted - self.end,
        };
        PageCount::new((difference >> GAP_BITS) as usize)
    }

    /// The lowest address of any of the regions.
    #[inline]
    pub fn first(self) -> VirtAddr {
        VirtAddr::new((self.first >> END_SHIFT) as usize).page_base()
    }

    /// The address after the last one of any of the regions.
    #[inline]
    pub fn end(self) -> VirtAddr {
        VirtAddr::new((self.end >> END_SHIFT) as usize)
    }

    /// [`first`](Self::first) on the left side, [`end`](Self::end) on the right.
    #[inline]
    pub fn edge(self, side: Side) -> VirtAddr {
        match side {
            Side::Left => self.first(),
            Side::Right => self.end(),
        }
    }

    /// Whether there may be a gap of `pages` pages between two of the regions.
    ///
    /// "No" is certain, and so is "yes" below 2^26 pages.
    #[inline]
    pub fn may_have_gap(self, pages: PageCount) -> bool {
        (self.first & GAP_MASK) as usize >= pages.get().min(GAP_MASK as usize)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = self.first & GAP_MASK;
        write!(
            formatter,
            "{:?}..{:?}, gap of {gap} pages",
            self.first(),
            self.end()
        )
    }
}

/// An address where it is in a word, with nothing beside it.
#[inline]
fn shifted(address: VirtAddr) -> i64 {
    let shifted = (address.raw() as i64) << END_SHIFT;
    debug_assert!(
        shifted >> END_SHIFT == address.raw() as i64,
        "an address has too many bits"
    );
    shifted
}
