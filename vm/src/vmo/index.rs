//! Places inside a VMO, counted in pages.

use crate::addr::{PAGE_SHIFT, PAGE_SIZE};

/// The number of a page in a VMO; page `n` begins at byte offset `n * PAGE_SIZE`.
///
/// At most [`PageIndex::LIMIT`], so that every byte offset of a page before it fits a `u64`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct PageIndex(u64);

impl PageIndex {
    /// The first page.
    pub const ZERO: Self = Self(0);

    /// One more than the last page whose bytes all have an offset.
    pub const LIMIT: Self = Self(1 << (u64::BITS - PAGE_SHIFT));

    /// The page with this number; `None` beyond [`LIMIT`](Self::LIMIT).
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::LIMIT.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The page that contains the byte at `offset`.
    pub const fn containing(offset: u64) -> Self {
        Self(offset >> PAGE_SHIFT)
    }

    /// The first page that begins at or after byte `offset`.
    pub const fn covering(offset: u64) -> Self {
        Self(offset.div_ceil(PAGE_SIZE as u64))
    }

    /// The number of the page.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The byte offset at which the page begins; `None` for [`LIMIT`](Self::LIMIT), where it does not fit.
    pub const fn offset(self) -> Option<u64> {
        if self.0 < Self::LIMIT.0 {
            Some(self.0 << PAGE_SHIFT)
        } else {
            None
        }
    }

    /// The page `pages` further on, but not beyond [`LIMIT`](Self::LIMIT).
    pub const fn saturating_add(self, pages: u64) -> Self {
        let number = self.0.saturating_add(pages);
        if number < Self::LIMIT.0 {
            Self(number)
        } else {
            Self::LIMIT
        }
    }

    /// How many pages lie between `base` and this page; zero if `base` is higher.
    pub const fn saturating_since(self, base: Self) -> u64 {
        self.0.saturating_sub(base.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_has_an_offset_and_the_limit_has_none() {
        let last = PageIndex::containing(u64::MAX);
        assert_eq!(last.offset(), Some(u64::MAX - 0xfff));
        assert_eq!(last.saturating_add(1), PageIndex::LIMIT);
        assert_eq!(PageIndex::LIMIT.offset(), None);
        assert_eq!(last.saturating_add(u64::MAX), PageIndex::LIMIT);
    }
}
