//! Addresses, lengths and ranges as types.
//!
//! Bytes and pages differ, and so do physical and virtual addresses, so that mixing them up does not
//! compile. Start with [`VirtAddr`], [`PageCount`] and [`VirtRange`]; the physical ones mirror them.
//!
//! Arithmetic on raw addresses happens in this module only.

use core::fmt;

/// The logarithm of [`PAGE_SIZE`].
pub const PAGE_SHIFT: u32 = 12;

/// Bytes in a base page, on every architecture.
pub const PAGE_SIZE: usize = 1 << PAGE_SHIFT;

const PAGE_MASK: usize = PAGE_SIZE - 1;

macro_rules! address {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(transparent)]
        pub struct $name(usize);

        impl $name {
            #[doc = concat!("The ", $what, " address `raw`.")]
            pub const fn new(raw: usize) -> Self {
                Self(raw)
            }

            /// The address as a number.
            pub const fn raw(self) -> usize {
                self.0
            }

            /// Whether a page begins here.
            pub const fn is_page_aligned(self) -> bool {
                self.0 & PAGE_MASK == 0
            }

            /// The beginning of the page that contains this address.
            pub const fn page_base(self) -> Self {
                Self(self.0 & !PAGE_MASK)
            }

            /// The distance in bytes from the beginning of the page.
            pub const fn page_offset(self) -> usize {
                self.0 & PAGE_MASK
            }

            /// Whether the address is a multiple of `2^log2`.
            pub const fn is_aligned_to(self, log2: u32) -> bool {
                self.0.trailing_zeros() >= log2
            }

            /// The highest multiple of `2^log2` that is not above this address.
            pub const fn align_down(self, log2: u32) -> Self {
                Self(self.0 & (usize::MAX << log2))
            }

            /// The lowest multiple of `2^log2` from here on; `None` if there is none.
            pub const fn align_up(self, log2: u32) -> Option<Self> {
                let Some(unit) = 1_usize.checked_shl(log2) else { return None };
                match self.0.checked_add(unit - 1) {
                    Some(raw) => Some(Self(raw & !(unit - 1))),
                    None => None,
                }
            }

            /// This address moved up by `bytes`; `None` if that wraps.
            pub const fn checked_add(self, bytes: usize) -> Option<Self> {
                match self.0.checked_add(bytes) {
                    Some(raw) => Some(Self(raw)),
                    None => None,
                }
            }

            /// The distance in bytes from `base` up to this address; `None` if `base` is higher.
            pub const fn checked_sub(self, base: Self) -> Option<usize> {
                self.0.checked_sub(base.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{:#x}", self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{:#018x}", self.0)
            }
        }
    };
}

address!(
    /// A virtual address: what an instruction names.
    VirtAddr,
    "virtual"
);

address!(
    /// A physical address: what goes out on the bus.
    PhysAddr,
    "physical"
);

/// A count of base pages, never of bytes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct PageCount(usize);

impl PageCount {
    /// No pages at all.
    pub const ZERO: Self = Self(0);

    /// A count of `pages`.
    pub const fn new(pages: usize) -> Self {
        Self(pages)
    }

    /// The count as a number.
    pub const fn get(self) -> usize {
        self.0
    }

    /// The same length in bytes; `None` if it does not fit a `usize`.
    pub const fn bytes(self) -> Option<usize> {
        self.0.checked_mul(PAGE_SIZE)
    }

    /// The pages that `bytes` bytes need, the last one perhaps partly used.
    pub const fn covering(bytes: usize) -> Self {
        Self(bytes.div_ceil(PAGE_SIZE))
    }

    /// Both counts together.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of this count without the `other`; zero if that is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

macro_rules! range {
    ($(#[$doc:meta])* $name:ident, $address:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, PartialEq)]
        pub struct $name {
            base: $address,
            pages: PageCount,
        }

        impl $name {
            /// The range of `pages` pages from `base` on.
            ///
            /// `None` if `base` is not page aligned, `pages` is zero, or the end does not fit the
            /// address type.
            pub const fn new(base: $address, pages: PageCount) -> Option<Self> {
                if !base.is_page_aligned() || pages.get() == 0 {
                    return None;
                }
                let Some(bytes) = pages.bytes() else { return None };
                match base.checked_add(bytes) {
                    Some(_) => Some(Self { base, pages }),
                    None => None,
                }
            }

            /// The range from `base` up to, not including, `end`; both page aligned and `base < end`.
            pub const fn between(base: $address, end: $address) -> Option<Self> {
                match end.checked_sub(base) {
                    Some(bytes) if bytes & PAGE_MASK == 0 => {
                        Self::new(base, PageCount::new(bytes >> PAGE_SHIFT))
                    }
                    _ => None,
                }
            }

            /// The first address.
            pub const fn base(self) -> $address {
                self.base
            }

            /// The address after the last one.
            pub const fn end(self) -> $address {
                $address::new(self.base.raw() + self.bytes())
            }

            /// The length in pages, at least one.
            pub const fn pages(self) -> PageCount {
                self.pages
            }

            /// The length in bytes, at least a page.
            pub const fn bytes(self) -> usize {
                self.pages.get() << PAGE_SHIFT
            }

            /// Whether `address` lies inside.
            pub const fn contains(self, address: $address) -> bool {
                self.base.raw() <= address.raw() && address.raw() < self.end().raw()
            }

            /// Whether all of `other` lies inside.
            pub const fn contains_range(self, other: Self) -> bool {
                self.base.raw() <= other.base.raw() && other.end().raw() <= self.end().raw()
            }

            /// Whether the two have a page in common.
            pub const fn overlaps(self, other: Self) -> bool {
                self.base.raw() < other.end().raw() && other.base.raw() < self.end().raw()
            }

            /// The `pages` pages, at least one, after the first `skipped`; `None` if they are not all
            /// inside.
            #[inline]
            pub const fn part(self, skipped: PageCount, pages: PageCount) -> Option<Self> {
                let Some(end) = skipped.get().checked_add(pages.get()) else { return None };
                if pages.get() == 0 || end > self.pages.get() {
                    return None;
                }
                let base = $address::new(self.base.raw() + (skipped.get() << PAGE_SHIFT));
                Some(Self { base, pages })
            }

            /// What lies before the next multiple of `2^log2`, at least a page, and what follows, if
            /// anything does.
            #[inline]
            pub const fn split_at_multiple(self, log2: u32) -> (Self, Option<Self>) {
                let page = self.base.raw() >> PAGE_SHIFT;
                let unit = if log2 > PAGE_SHIFT { 1 << (log2 - PAGE_SHIFT) } else { 1 };
                let before = unit - (page & (unit - 1));
                if before >= self.pages.get() {
                    return (self, None);
                }
                let cut = $address::new((page + before) << PAGE_SHIFT);
                let first = Self { base: self.base, pages: PageCount::new(before) };
                let rest = PageCount::new(self.pages.get() - before);
                (first, Some(Self { base: cut, pages: rest }))
            }

            /// The pages that the two have in common; `None` if there are none.
            pub fn intersection(self, other: Self) -> Option<Self> {
                Self::between(self.base.max(other.base), self.end().min(other.end()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "[{:?}, {:?})", self.base, self.end())
            }
        }
    };
}

range!(
    /// A page-aligned range of at least one page of virtual addresses that does not wrap.
    VirtRange,
    VirtAddr
);

range!(
    /// A page-aligned range of at least one page of physical addresses that does not wrap.
    PhysRange,
    PhysAddr
);

impl VirtRange {
    /// The range that had this base and so many pages when it was taken apart.
    #[inline]
    pub(crate) fn from_parts(base: VirtAddr, pages: PageCount) -> Self {
        debug_assert!(Self::new(base, pages).is_some(), "these were never a range");
        Self { base, pages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(base: usize, pages: usize) -> VirtRange {
        VirtRange::new(VirtAddr::new(base), PageCount::new(pages)).expect("a valid range")
    }

    #[test]
    fn ranges_that_only_touch_do_not_overlap() {
        assert!(!range(0x1000, 1).overlaps(range(0x2000, 1)));
        assert!(range(0x1000, 2).overlaps(range(0x2000, 1)));
    }

    #[test]
    fn a_range_may_end_at_the_last_page_but_not_wrap() {
        let last = VirtAddr::new(usize::MAX & !PAGE_MASK);
        assert_eq!(VirtRange::new(last, PageCount::new(1)), None);
        let before_last = VirtAddr::new(last.raw() - PAGE_SIZE);
        assert!(VirtRange::new(before_last, PageCount::new(1)).is_some());
        assert_eq!(
            VirtRange::new(before_last, PageCount::new(usize::MAX)),
            None
        );
    }

    #[test]
    fn aligning_up_moves_at_most_to_the_next_multiple() {
        assert_eq!(
            VirtAddr::new(0x1001).align_up(12),
            Some(VirtAddr::new(0x2000))
        );
        assert_eq!(
            VirtAddr::new(0x2000).align_up(12),
            Some(VirtAddr::new(0x2000))
        );
        assert_eq!(VirtAddr::new(usize::MAX).align_up(12), None);
        assert_eq!(VirtAddr::new(1).align_up(usize::BITS), None);
    }

    #[test]
    fn unaligned_and_empty_ranges_do_not_exist() {
        assert_eq!(VirtRange::new(VirtAddr::new(1), PageCount::new(1)), None);
        assert_eq!(VirtRange::new(VirtAddr::new(0x1000), PageCount::ZERO), None);
        assert_eq!(
            VirtRange::between(VirtAddr::new(0x2000), VirtAddr::new(0x1000)),
            None
        );
    }

    #[test]
    fn intersection_is_what_both_contain() {
        assert_eq!(
            range(0x1000, 4).intersection(range(0x3000, 8)),
            Some(range(0x3000, 2))
        );
        assert_eq!(range(0x1000, 2).intersection(range(0x3000, 8)), None);
    }

    #[test]
    fn a_part_is_inside() {
        let part =
            |skipped, pages| range(0x3000, 4).part(PageCount::new(skipped), PageCount::new(pages));
        assert_eq!(part(0, 4), Some(range(0x3000, 4)));
        assert_eq!(part(3, 1), Some(range(0x6000, 1)));
        assert_eq!(part(3, 2), None);
        assert_eq!(part(1, 0), None);
        assert_eq!(part(usize::MAX, 2), None);
    }

    #[test]
    fn a_range_splits_at_multiples_inside_it_only() {
        assert_eq!(
            range(0x3000, 4).split_at_multiple(14),
            (range(0x3000, 1), Some(range(0x4000, 3)))
        );
        assert_eq!(
            range(0x4000, 4).split_at_multiple(14),
            (range(0x4000, 4), None)
        );
        assert_eq!(
            range(0x4000, 2).split_at_multiple(0),
            (range(0x4000, 1), Some(range(0x5000, 1)))
        );
    }

    #[test]
    fn bytes_round_up_to_pages() {
        assert_eq!(PageCount::covering(0), PageCount::ZERO);
        assert_eq!(PageCount::covering(1), PageCount::new(1));
        assert_eq!(PageCount::covering(PAGE_SIZE + 1), PageCount::new(2));
    }
}
