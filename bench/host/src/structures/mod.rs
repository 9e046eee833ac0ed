//! The structures that are compared, each used as its documentation suggests.

mod btree;
mod range_map;
mod red_black;
mod region_tree;
mod wavl_crate;

pub use btree::StandardMap;
pub use range_map::Ranges;
pub use red_black::RedBlack;
pub use region_tree::Ours;
pub use wavl_crate::WavlCrate;

use vm::addr::{VirtAddr, VirtRange};
use vm::region_tree::GapRequest;

/// How a structure finds the lowest gap that is large enough.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GapSearch {
    /// It knows where not to look.
    Logarithmic,
    /// It looks at all regions below the gap.
    Linear,
}

/// Something that keeps disjoint regions in order.
pub trait Structure: Default {
    /// What it is called.
    const NAME: &'static str;

    /// How it finds gaps.
    const GAP_SEARCH: GapSearch = GapSearch::Linear;

    /// What is inserted: in an intrusive structure, the object that has been allocated before.
    type Item;

    /// The item for a region.
    fn item(range: VirtRange) -> Self::Item;

    /// Inserts a region that overlaps no other.
    fn insert(&mut self, item: Self::Item);

    /// The region that contains `address`.
    fn find(&self, address: VirtAddr) -> Option<VirtRange>;

    /// The lowest position of a gap that `request` fits into.
    fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr>;

    /// Takes out the region that begins at `base`, and gives it back undropped.
    fn remove(&mut self, base: VirtAddr) -> Option<Self::Item>;
}

/// What is left of a region of the kernel beside its range and a link of five words.
type Rest = [usize; 7];

/// First fit in a list of `regions` by ascending address, for structures that know nothing of gaps.
#[inline]
fn first_fit(regions: impl Iterator<Item = VirtRange>, request: GapRequest) -> Option<VirtAddr> {
    let bytes = request.pages.bytes()?;
    let mut low = request.within.base();
    for region in regions {
        if region.base().checked_sub(low)? >= bytes {
            return Some(low);
        }
        low = region.end();
    }
    (request.within.end().checked_sub(low)? >= bytes).then_some(low)
}
