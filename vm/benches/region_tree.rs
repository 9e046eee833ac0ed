//! What the region tree costs with many regions, to be counted in instructions.
//!
//! `cargo bench -p vm --bench region_tree` runs every operation and checks its outcome. For numbers,
//! count the instructions of one of the four `measure_…` functions:
//!
//! ```sh
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*measure_insert*' \
//!     target/release/deps/region_tree-…
//! ```
//!
//! and divide by [`REGIONS`]. The targets are in `docs/performance.md`.

use std::hint::black_box;
use std::sync::Arc;

use intrusive_collections::intrusive_adapter;
use vm::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use vm::region_tree::{GapRequest, HasRange, RegionLink, RegionTree};

/// How many regions there are.
const REGIONS: usize = 100_000;

/// The pages of the few gaps that a search looks for; all others are smaller.
const WIDE_GAP: usize = 64;

/// As large as a mapping with its counters.
struct Region {
    link: RegionLink,
    range: VirtRange,
    _rest: [usize; 7],
}

impl HasRange for Region {
    #[inline]
    fn range(&self) -> VirtRange {
        self.range
    }
}

intrusive_adapter!(Adapter = Arc<Region>: Region { link => RegionLink });

type Tree = RegionTree<Adapter>;

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

fn regions(random: &mut Random) -> Vec<Arc<Region>> {
    let mut page = 0x1000;
    (0..REGIONS)
        .map(|number| {
            let pages = 1 + random.below(8);
            let base = VirtAddr::new(page * PAGE_SIZE);
            let range = VirtRange::new(base, PageCount::new(pages)).expect("a valid range");
            let gap = if number % 1000 == 999 {
                WIDE_GAP
            } else {
                random.below(WIDE_GAP / 2)
            };
            page += pages + gap;
            Arc::new(Region {
                link: RegionLink::new(),
                range,
                _rest: [0; 7],
            })
        })
        .collect()
}

#[inline(never)]
fn measure_insert(tree: &mut Tree, regions: Vec<Arc<Region>>) {
    for region in regions {
        assert!(tree.insert(region).is_ok());
    }
}

#[inline(never)]
fn measure_lookup(tree: &Tree, addresses: &[VirtAddr]) {
    for &address in addresses {
        assert!(black_box(tree.find(address)).is_some());
    }
}

#[inline(never)]
fn measure_gap(tree: &Tree, requests: &[GapRequest]) {
    for &request in requests {
        assert!(black_box(tree.lowest_gap(request)).is_some());
    }
}

#[inline(never)]
fn measure_random_gap(tree: &Tree, request: GapRequest, mut number: u64) {
    for _ in 0..REGIONS {
        let next = || {
            number = number.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            number
        };
        assert!(black_box(tree.random_gap(request, 30, next)).is_some());
    }
}

#[inline(never)]
fn measure_remove(tree: &mut Tree, addresses: &[VirtAddr], removed: &mut Vec<Arc<Region>>) {
    for &address in addresses {
        removed.extend(tree.find_mut(address).remove());
    }
}

fn main() {
    let mut random = Random(1);
    let mut regions = regions(&mut random);
    let end = regions
        .last()
        .map_or(0, |region| region.range().end().raw());
    random.shuffle(&mut regions);
    let mut addresses: Vec<VirtAddr> = regions.iter().map(|region| region.range().base()).collect();
    let mut removed = Vec::with_capacity(REGIONS);

    let mut tree = Tree::default();
    measure_insert(&mut tree, regions);
    random.shuffle(&mut addresses);
    measure_lookup(&tree, &addresses);

    let whole = |base| VirtRange::between(base, VirtAddr::new(2 * end));
    let request = |pages, base| GapRequest {
        pages: PageCount::new(pages),
        align_log2: PAGE_SHIFT,
        within: whole(base).expect("there is room above the regions"),
    };
    let first = VirtAddr::new(0x1000 * PAGE_SIZE);
    let requests: Vec<_> = (0..REGIONS)
        .map(|number| request(WIDE_GAP / 2 + number % 32, first))
        .collect();
    measure_gap(&tree, &requests);
    measure_random_gap(&tree, request(1, first), 1);

    random.shuffle(&mut addresses);
    measure_remove(&mut tree, &addresses, &mut removed);
    assert!(tree.is_empty());
    assert_eq!(removed.len(), REGIONS);
}
