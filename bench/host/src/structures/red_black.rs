//! The red-black tree of `intrusive-collections`.

use intrusive_collections::{Bound, KeyAdapter, RBTree, RBTreeLink, intrusive_adapter};
use vm::addr::{VirtAddr, VirtRange};
use vm::region_tree::GapRequest;

use super::{Rest, Structure, first_fit};

/// A region with a link.
pub struct Region {
    link: RBTreeLink,
    range: VirtRange,
    _rest: Rest,
}

intrusive_adapter!(Adapter = Box<Region>: Region { link => RBTreeLink });

impl<'k> KeyAdapter<'k> for Adapter {
    type Key = VirtAddr;

    #[inline]
    fn get_key(&self, region: &'k Region) -> VirtAddr {
        region.range.base()
    }
}

/// Regions in an `RBTree`.
#[derive(Default)]
pub struct RedBlack(RBTree<Adapter>);

impl Structure for RedBlack {
    const NAME: &'static str = "intrusive RBTree";

    type Item = Box<Region>;

    fn item(range: VirtRange) -> Box<Region> {
        Box::new(Region {
            link: RBTreeLink::new(),
            range,
            _rest: Rest::default(),
        })
    }

    #[inline]
    fn insert(&mut self, item: Box<Region>) {
        self.0.insert(item);
    }

    #[inline]
    fn find(&self, address: VirtAddr) -> Option<VirtRange> {
        let region = self.0.upper_bound(Bound::Included(&address)).get()?;
        region.range.contains(address).then_some(region.range)
    }

    #[inline]
    fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        first_fit(self.0.iter().map(|region| region.range), request)
    }

    #[inline]
    fn remove(&mut self, base: VirtAddr) -> Option<Box<Region>> {
        self.0.find_mut(&base).remove()
    }
}
