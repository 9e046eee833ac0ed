//! Jacinth's region tree.

use intrusive_collections::intrusive_adapter;
use vm::addr::{VirtAddr, VirtRange};
use vm::region_tree::{Gap, GapRequest, HasRange, RegionLink, RegionTree};

use super::{GapSearch, Rest, Structure};
use crate::workload::BOUNDS;

/// A region with a link, as large as the kernel's.
pub struct Region {
    link: RegionLink,
    gap: Gap,
    range: VirtRange,
    _rest: Rest,
}

impl HasRange for Region {
    #[inline]
    fn range(&self) -> VirtRange {
        self.range
    }

    #[inline]
    fn gap(&self) -> &Gap {
        &self.gap
    }
}

intrusive_adapter!(Adapter = Box<Region>: Region { link => RegionLink });

/// Regions in a `RegionTree`, which also refuses overlaps and knows its gaps.
pub struct Ours(RegionTree<Adapter>);

impl Default for Ours {
    fn default() -> Self {
        Self(RegionTree::new(Adapter::new(), BOUNDS))
    }
}

impl Structure for Ours {
    const NAME: &'static str = "region tree";

    const GAP_SEARCH: GapSearch = GapSearch::Logarithmic;

    type Item = Box<Region>;

    fn item(range: VirtRange) -> Box<Region> {
        Box::new(Region {
            link: RegionLink::new(),
            gap: Gap::new(),
            range,
            _rest: Rest::default(),
        })
    }

    #[inline]
    fn insert(&mut self, item: Box<Region>) {
        assert!(self.0.insert(item).is_ok(), "the regions are disjoint");
    }

    #[inline]
    fn find(&self, address: VirtAddr) -> Option<VirtRange> {
        self.0.find(address).map(HasRange::range)
    }

    #[inline]
    fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        self.0.lowest_gap(request)
    }

    #[inline]
    fn remove(&mut self, base: VirtAddr) -> Option<Box<Region>> {
        self.0.find_mut(base).remove()
    }
}
