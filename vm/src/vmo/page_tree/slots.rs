//! Which slots of a node belong to which pages.

use core::ops::Range;

use crate::vmo::index::PageIndex;

/// The logarithm of [`SLOTS`].
pub const SLOT_BITS: u32 = 6;

/// The slots of a node: as many as a word has bits.
pub const SLOTS: usize = 1 << SLOT_BITS;

/// The slot of `index` in a node with `level` levels below it.
pub const fn slot(index: PageIndex, level: u32) -> usize {
    (index.number() >> (SLOT_BITS * level)) as usize % SLOTS
}

/// The slots that `range` touches in the node whose first page is `base`, with `level` levels below.
pub fn slots_in(range: &Range<u64>, base: u64, level: u32) -> u64 {
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
pub struct Bits(pub u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}
