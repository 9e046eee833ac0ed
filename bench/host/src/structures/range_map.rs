//! `rangemap`'s map from ranges to values.

use rangemap::RangeMap;
use vm::addr::{VirtAddr, VirtRange};
use vm::region_tree::GapRequest;

use super::Structure;

/// Regions in a `RangeMap`. The value is the base, so that neighbours which touch stay apart.
#[derive(Default)]
pub struct Ranges(RangeMap<VirtAddr, VirtAddr>);

impl Structure for Ranges {
    const NAME: &'static str = "rangemap";

    type Item = VirtRange;

    fn item(range: VirtRange) -> VirtRange {
        range
    }

    #[inline]
    fn insert(&mut self, item: VirtRange) {
        self.0.insert(item.base()..item.end(), item.base());
    }

    #[inline]
    fn find(&self, address: VirtAddr) -> Option<VirtRange> {
        let (range, _) = self.0.get_key_value(&address)?;
        VirtRange::between(range.start, range.end)
    }

    #[inline]
    fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        let bytes = request.pages.bytes()?;
        let within = request.within.base()..request.within.end();
        let mut gaps = self.0.gaps(&within);
        let fits = gaps.find(|gap| gap.end.checked_sub(gap.start) >= Some(bytes));
        fits.map(|gap| gap.start)
    }

    #[inline]
    fn remove(&mut self, base: VirtAddr) -> Option<VirtRange> {
        let (range, _) = self.0.get_key_value(&base)?;
        let range = range.clone();
        self.0.remove(range.clone());
        VirtRange::between(range.start, range.end)
    }
}
