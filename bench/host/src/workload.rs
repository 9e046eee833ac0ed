//! The regions and the questions that every structure gets.
//!
//! Regions of one to eight pages lie in a row, with gaps of less than [`WIDE_GAP`] pages between them. Every hundredth
//! part of the way there is a wider gap, each one page wider than the one before:
//!
//! ```text
//!    ##.###..#....#.##  64  #.##...#.####.#  65  ##..###.#..#.##.##  66  #.# …
//! ```
//!
//! So the size that is asked for decides how far a first-fit search has to look, and [`Workload::searches`] asks
//! for sizes that spread the answers evenly.

use vm::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use vm::region_tree::GapRequest;

/// The pages of the first of the wide gaps. All narrow gaps are smaller.
pub const WIDE_GAP: usize = 64;

/// How many wide gaps there are, if there are as many regions.
const WIDE_GAPS: usize = 100;

/// The page where the regions begin.
const FIRST_PAGE: usize = 0x1000;

/// Where all regions lie: far more room than a million of them take.
pub const BOUNDS: VirtRange = {
    let base = VirtAddr::new(FIRST_PAGE * PAGE_SIZE);
    VirtRange::between(base, VirtAddr::new(1 << 47)).expect("the lower half of the addresses")
};

/// Disjoint regions in random order, and questions about them.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The regions, in the order of their insertion.
    pub regions: Vec<VirtRange>,
    /// An address in each region, in another order.
    pub lookups: Vec<VirtAddr>,
    /// The base of each region, in a third order.
    pub removals: Vec<VirtAddr>,
    /// Where all regions and gaps lie.
    bounds: VirtRange,
    wide_gaps: usize,
}

impl Workload {
    /// A workload of `count` regions; the same for the same `seed`.
    ///
    /// # Panics
    /// If `count` is zero.
    pub fn new(count: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let stride = (count / WIDE_GAPS).max(1);
        let (mut page, mut wide_gaps) = (FIRST_PAGE, 0);
        let mut regions: Vec<VirtRange> = (1..=count)
            .map(|number| {
                let region = pages(page, 1 + random.below(8));
                let gap = if number % stride == 0 {
                    wide_gaps += 1;
                    WIDE_GAP + wide_gaps - 1
                } else {
                    random.below(WIDE_GAP / 2)
                };
                page += region.pages().get() + gap;
                region
            })
            .collect();
        let bounds = pages(FIRST_PAGE, page - FIRST_PAGE);
        random.shuffle(&mut regions);
        let mut lookups: Vec<VirtAddr> = regions
            .iter()
            .map(|region| offset(region.base(), random.below(region.bytes())))
            .collect();
        random.shuffle(&mut lookups);
        let mut removals: Vec<VirtAddr> = regions.iter().map(|region| region.base()).collect();
        random.shuffle(&mut removals);
        Self {
            regions,
            lookups,
            removals,
            bounds,
            wide_gaps,
        }
    }

    /// `count` searches for a gap, whose answers are spread evenly over the wide gaps.
    pub fn searches(&self, count: usize) -> Vec<GapRequest> {
        (0..count)
            .map(|number| GapRequest {
                pages: PageCount::new(WIDE_GAP + (2 * number + 1) * self.wide_gaps / (2 * count)),
                align_log2: PAGE_SHIFT,
                within: self.bounds,
            })
            .collect()
    }
}

/// The range of `count` pages from page `first` on.
fn pages(first: usize, count: usize) -> VirtRange {
    let base = VirtAddr::new(first * PAGE_SIZE);
    VirtRange::new(base, PageCount::new(count)).expect("a million regions fit an address space")
}

fn offset(address: VirtAddr, bytes: usize) -> VirtAddr {
    address
        .checked_add(bytes)
        .expect("the end of a region is an address")
}

/// A linear congruential generator, so that every run does the same.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        (self.0 >> 33) as usize % limit
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
