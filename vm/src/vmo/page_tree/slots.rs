//! Which slots of a node belong to which pages.

use core::ops::Range;

use crate::vmo::index::PageIndex;

/// The logarithm of [`SLOTS`].
pub(super) const SLOT_BITS: u32 = 6;

/// The slots of a node: as many as a word has bits.
pub const SLOTS: usize = 1 << SLOT_BITS;

/// The height of the highest trees.
pub(super) const MAX_HEIGHT: u32 = 9;

/// How many positions the highest trees have: enough for an origin and an index that are both as large as
/// they can be.
pub(super) const POSITIONS: u64 = 1 << (SLOT_BITS * MAX_HEIGHT);

const _: () = assert!(2 * PageIndex::LIMIT.number() <= POSITIONS);

/// The slot of `position` in a node with `level` levels below it.
#[inline(always)]
pub(super) const fn slot(position: u64, level: u32) -> usize {
    (position >> (SLOT_BITS * level)) as usize % SLOTS
}

/// How many pages a node with `level` levels below it can have.
pub(super) const fn pages_below(level: u32) -> u64 {
    1 << (SLOT_BITS * (level + 1))
}

/// The position of the first page in `slot` of the node whose own first page has position `base`.
#[inline(always)]
pub(super) const fn base_of(base: u64, slot: usize, level: u32) -> u64 {
    base + ((slot as u64) << (SLOT_BITS * level))
}

/// The slots that `range` touches in the node whose first page is `base`, with `level` levels below.
#[inline]
pub(super) fn slots_in(range: &Range<u64>, base: u64, level: u32) -> u64 {
    let shift = SLOT_BITS * level;
    let Some(last) = range
        .end
        .checked_sub(1)
        .and_then(|last| last.checked_sub(base))
    else {
        return 0;
    };
    let first = range.start.saturating_sub(base) >> shift;
    let last = (last >> shift).min(SLOTS as u64 - 1);
    if first > last {
        0
    } else {
        (u64::MAX >> (SLOTS as u64 - 1 - last)) & (u64::MAX << first)
    }
}

/// The numbers of the bits that are set, from the lowest.
pub(super) struct Bits(pub(super) u64);

impl Iterator for Bits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}
