//! Looking for room between regions.
//!
//! All searches walk the gaps that are large enough in one direction, at O(log n) steps per gap, and
//! ask of each which positions it offers. A gap that is large enough offers none if none of its pages
//! is aligned as requested, so a large alignment may cost a visit to more than one.

use super::walk::{Downwards, Gaps, Upwards};
use super::{RegionAdapter, RegionTree};
use crate::addr::{PAGE_SHIFT, PageCount, VirtAddr, VirtRange};

/// What a new region needs.
#[derive(Clone, Copy, Debug)]
pub struct GapRequest {
    /// Its length; at least one page.
    pub pages: PageCount,
    /// Its base is a multiple of `2^align_log2` bytes, and always of a page.
    pub align_log2: u32,
    /// Where it has to lie.
    pub within: VirtRange,
}

/// Positions at which a request fits: `count` many, `2^align_log2` bytes apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidates {
    /// The lowest position.
    pub first: VirtAddr,
    /// How many positions there are; at least one.
    pub count: usize,
    /// The logarithm of the distance from one to the next, in bytes.
    pub step_log2: u32,
}

impl Candidates {
    /// The position with `index` others below it.
    ///
    /// `None` if there are not so many.
    pub fn nth(self, index: usize) -> Option<VirtAddr> {
        if index >= self.count {
            return None;
        }
        self.first.checked_add(index << self.step_log2)
    }
}

/// The search for a random position draws this often before it looks at the gaps one by one.
const DRAWS: usize = 8;

/// Up to so many positions, a random choice looks at the gaps one by one and is exact.
const FEW: usize = 1 << 8;

impl GapRequest {
    /// The positions in the free addresses from `low` up to `high`.
    #[inline]
    pub(super) fn candidates(&self, low: VirtAddr, high: VirtAddr) -> Option<Candidates> {
        let step_log2 = self.align_log2.max(PAGE_SHIFT);
        let low = low.max(self.within.base()).align_up(step_log2)?;
        let room_bytes = high.min(self.within.end()).checked_sub(low)?;
        let spare_bytes = room_bytes.checked_sub(self.pages.bytes()?)?;
        Some(Candidates {
            first: low,
            count: (spare_bytes >> step_log2) + 1,
            step_log2,
        })
    }
}

impl GapRequest {
    /// A first guess at a position, free or not, to be tried before [`RegionTree::random_gap`].
    ///
    /// It is drawn as that draws, so that trying it first changes no chances. `None` if there are so few
    /// positions that the choice has to be exact.
    #[inline]
    pub fn guess(&self, entropy_bits: u32, random: impl FnOnce() -> u64) -> Option<VirtRange> {
        let all = self.candidates(self.within.base(), self.within.end())?;
        let limit = all.count.min(positions(entropy_bits));
        if limit <= FEW {
            return None;
        }
        VirtRange::new(all.nth(below(limit, random()))?, self.pages)
    }
}

/// How many positions `entropy_bits` can tell apart.
const fn positions(entropy_bits: u32) -> usize {
    match 1_usize.checked_shl(entropy_bits) {
        Some(positions) => positions,
        None => usize::MAX,
    }
}

impl<A: RegionAdapter> RegionTree<A> {
    /// The groups of positions at which `request` fits, by ascending address.
    pub fn gaps(&self, request: GapRequest) -> Gaps<'_, A, Upwards> {
        Gaps::new(self, request)
    }

    /// The lowest position at which `request` fits.
    pub fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        self.gaps(request).next().map(|candidates| candidates.first)
    }

    /// The highest position at which `request` fits.
    pub fn highest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        let candidates = Gaps::<A, Downwards>::new(self, request).next()?;
        candidates.nth(candidates.count - 1)
    }

    /// How many positions there are at which `request` fits, counted up to `limit`.
    ///
    /// Visits at most `limit` groups of positions.
    pub fn count_candidates(&self, request: GapRequest, limit: usize) -> usize {
        let mut count = 0_usize;
        for candidates in self.gaps(request) {
            count = count.saturating_add(candidates.count);
            if count >= limit {
                return limit;
            }
        }
        count
    }

    /// The position at which `request` fits with `index` such positions below it.
    pub fn nth_candidate(&self, request: GapRequest, mut index: usize) -> Option<VirtAddr> {
        for candidates in self.gaps(request) {
            if let Some(position) = candidates.nth(index) {
                return Some(position);
            }
            index -= candidates.count;
        }
        None
    }

    /// A position at which `request` fits, chosen with at most `entropy_bits` bits of `random`.
    ///
    /// `None` means that it fits nowhere. The choice is uniform over the lowest `2^entropy_bits`
    /// positions if these are at most 256. Otherwise it is drawn from the lowest `2^entropy_bits`
    /// aligned positions, free or not, until one fits, which is uniform over those that do. A space so
    /// full that eight draws fail is drawn from again above its first gap, and at last gets one of its
    /// lowest 256 positions. So the work is bounded whatever the layout, and a position is found
    /// whenever there is one.
    ///
    /// Differs from Zircon: which counts all positions in all gaps, at a cost that grows with the
    /// number of regions.
    ///
    /// Source: `spec/vmar.md` §4.
    pub fn random_gap(
        &self,
        request: GapRequest,
        entropy_bits: u32,
        mut random: impl FnMut() -> u64,
    ) -> Option<VirtAddr> {
        let limit = positions(entropy_bits);
        let all = request.candidates(request.within.base(), request.within.end())?;
        if limit.min(all.count) > FEW {
            if let Some(position) = self.draw(request, all, limit, &mut random) {
                return Some(position);
            }
            let lowest = self.lowest_gap(request)?;
            let above = request.candidates(lowest, request.within.end())?;
            if let Some(position) = self.draw(request, above, limit, &mut random) {
                return Some(position);
            }
        }
        let count = self.count_candidates(request, limit.min(FEW));
        if count == 0 {
            return None;
        }
        self.nth_candidate(request, below(count, random()))
    }

    /// Draws from the lowest `limit` of `positions` until one turns out to be free.
    fn draw(
        &self,
        request: GapRequest,
        positions: Candidates,
        limit: usize,
        random: &mut impl FnMut() -> u64,
    ) -> Option<VirtAddr> {
        (0..DRAWS).find_map(|_| {
            let base = positions.nth(below(positions.count.min(limit), random()))?;
            let range = VirtRange::new(base, request.pages)?;
            (!self.overlaps(range)).then_some(base)
        })
    }
}

/// A number below `count`, even to within `count / 2^64`.
fn below(count: usize, random: u64) -> usize {
    ((u128::from(random) * count as u128) >> u64::BITS) as usize
}
