//! The levels of a page table, and which entries a range touches on each.

use core::ops::Range;

use crate::addr::{PAGE_SHIFT, VirtAddr, VirtRange};
use crate::mmu::PageSize;

/// The logarithm of the number of entries in a table.
const INDEX_BITS: u32 = 9;

/// Levels of tables.
pub const LEVELS: usize = 4;

/// Entries in a table.
pub const ENTRIES: usize = 1 << INDEX_BITS;

/// How far a table is from the pages: 0 for tables of base pages, 3 for the root.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Level(u8);

impl Level {
    /// Tables whose entries translate base pages.
    pub const LEAF: Self = Self(0);

    /// The topmost table.
    pub const ROOT: Self = Self(LEVELS as u8 - 1);

    /// The levels above the leaf tables, from the root down.
    pub(super) const ABOVE_LEAF: [Self; 3] = [Self::ROOT, Self(2), Self(1)];

    /// The size of page that an entry translates if it is a leaf; `None` at the root.
    #[inline]
    pub const fn page_size(self) -> Option<PageSize> {
        match self.0 {
            0 => Some(PageSize::Base),
            1 => Some(PageSize::Large),
            2 => Some(PageSize::Huge),
            _ => None,
        }
    }

    /// The level of the tables that entries point to; `None` below the leaf tables.
    #[inline]
    pub const fn below(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(level) => Some(Self(level)),
            None => None,
        }
    }

    /// Its number: 0 for tables of base pages, 3 for the root.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The bits of an address, the highest and the lowest, that choose an entry.
    pub const fn bits(self) -> (u32, u32) {
        (self.shift() + INDEX_BITS - 1, self.shift())
    }

    /// The logarithm of the number of bytes that one entry covers.
    #[inline]
    const fn shift(self) -> u32 {
        PAGE_SHIFT + INDEX_BITS * self.0 as u32
    }

    /// The entry for `address`.
    #[inline]
    pub const fn index(self, address: VirtAddr) -> usize {
        (address.raw() >> self.shift()) % ENTRIES
    }

    /// The number of the table for `address` among all tables of this level.
    #[inline]
    pub const fn table_number(self, address: VirtAddr) -> usize {
        address.raw() >> self.shift() >> INDEX_BITS
    }

    /// The entries that `range` touches, all in one table.
    #[inline]
    pub(super) const fn indices(self, range: VirtRange) -> Range<usize> {
        let last = VirtAddr::new(range.end().raw() - 1);
        self.index(range.base())..self.index(last) + 1
    }

    /// Cuts `range` where one entry ends and the next begins.
    #[inline]
    pub(super) fn parts(self, range: VirtRange) -> impl Iterator<Item = VirtRange> {
        let mut rest = Some(range);
        core::iter::from_fn(move || {
            let (part, after) = rest?.split_at_multiple(self.shift());
            rest = after;
            Some(part)
        })
    }

    /// All addresses that the entry for `address` covers.
    pub(super) fn whole_entry(self, address: VirtAddr) -> Option<VirtRange> {
        let base = VirtAddr::new(address.raw() >> self.shift() << self.shift());
        VirtRange::between(base, base.checked_add(1 << self.shift())?)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn range(base: usize, end: usize) -> VirtRange {
        VirtRange::between(VirtAddr::new(base), VirtAddr::new(end)).expect("a valid range")
    }

    const LARGE: Level = Level(1);

    #[test]
    fn a_range_is_cut_between_entries() {
        let parts: Vec<_> = LARGE.parts(range(0x1f_f000, 0x60_1000)).collect();
        assert_eq!(
            parts,
            [
                range(0x1f_f000, 0x20_0000),
                range(0x20_0000, 0x40_0000),
                range(0x40_0000, 0x60_0000),
                range(0x60_0000, 0x60_1000),
            ]
        );
    }

    #[test]
    fn the_last_page_of_all_is_not_cut_off() {
        let end = usize::MAX & !0xfff;
        let parts: Vec<_> = Level::ROOT.parts(range(end - 0x2000, end)).collect();
        assert_eq!(parts, [range(end - 0x2000, end)]);
        assert_eq!(Level::LEAF.indices(range(end - 0x2000, end)), 509..511);
    }

    #[test]
    fn entries_are_found_by_nine_bits_each() {
        let address = VirtAddr::new(3 << 39 | 5 << 30 | 7 << 21 | 9 << 12 | 0xabc);
        let indices: Vec<_> = (0..4)
            .rev()
            .map(|level| Level(level).index(address))
            .collect();
        assert_eq!(indices, [3, 5, 7, 9]);
        assert_eq!(
            LARGE.whole_entry(address).map(VirtRange::base),
            Some(VirtAddr::new(3 << 39 | 5 << 30 | 7 << 21))
        );
    }
}
