//! `BTreeMap` of the standard library, from base to range.

use std::collections::BTreeMap;

use vm::addr::{VirtAddr, VirtRange};
use vm::region_tree::GapRequest;

use super::{Structure, first_fit};

/// Regions in a `BTreeMap`.
#[derive(Default)]
pub struct StandardMap(BTreeMap<VirtAddr, VirtRange>);

impl Structure for StandardMap {
    const NAME: &'static str = "std BTreeMap";

    type Item = VirtRange;

    fn item(range: VirtRange) -> VirtRange {
        range
    }

    #[inline]
    fn insert(&mut self, item: VirtRange) {
        self.0.insert(item.base(), item);
    }

    #[inline]
    fn find(&self, address: VirtAddr) -> Option<VirtRange> {
        let (_, region) = self.0.range(..=address).next_back()?;
        region.contains(address).then_some(*region)
    }

    #[inline]
    fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        first_fit(self.0.values().copied(), request)
    }

    #[inline]
    fn remove(&mut self, base: VirtAddr) -> Option<VirtRange> {
        self.0.remove(&base)
    }
}
