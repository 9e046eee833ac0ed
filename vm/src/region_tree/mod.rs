//! The disjoint regions of one VMAR, in the order of their addresses, and the gaps between them.
//!
//! [`RegionTree`] is a [`WavlTree`] in which each region knows the free room directly below it, in its
//! [`Gap`], and each node the largest of these gaps in its subtree, in its [`LargestGap`]:
//!
//! ```text
//!  bounds  [0,64)     ..... [5,10) .. [12,20)[20,30) ............... [45,50) ........ [58,60) ....
//!  gap below               5      2       0       0                15              8        (not kept)
//!
//!                               [20,30)  gap 0, largest 15
//!                              /                           \
//!               [5,10)  gap 5, largest 5            [45,50)  gap 15, largest 15
//!                      \                                   \
//!             [12,20)  gap 2, largest 2            [58,60)  gap 8, largest 8
//! ```
//!
//! A search for a gap turns away from every subtree that has none large enough, so it looks at one or two nodes
//! of each level. The lowest gap of 6 pages is found like this: the left subtree of `[20,30)` has at most 5,
//! there is nothing directly below `[20,30)`, so it is in the right subtree, which has no left one: it
//! is directly below `[45,50)`. The room above the last region is looked at when nothing else is left.
//!
//! To insert a region is to divide the gap of the next one; to remove it is to join the two again:
//!
//! ```text
//!   [20,30)........ 15 ........[45,50)    ───►    [20,30)... 4 ...[34,40)..... 5 .....[45,50)
//! ```
//!
//! So at most two gaps change, and of two neighbours one is always above the other: only summaries on
//! one path upwards can change, and they are computed anew until one comes out as it was.
//!
//! ```
//! use intrusive_collections::intrusive_adapter;
//! use vm::addr::{PageCount, VirtAddr, VirtRange};
//! use vm::region_tree::{Gap, GapRequest, HasRange, RegionLink, RegionTree};
//!
//! struct Region {
//!     range: VirtRange,
//!     gap: Gap,
//!     link: RegionLink,
//! }
//!
//! impl HasRange for Region {
//!     fn range(&self) -> VirtRange {
//!         self.range
//!     }
//!
//!     fn gap(&self) -> &Gap {
//!         &self.gap
//!     }
//! }
//!
//! intrusive_adapter!(Adapter = Box<Region>: Region { link => RegionLink });
//!
//! /// The pages from `first` up to `end`.
//! fn pages(first: usize, end: usize) -> VirtRange {
//!     VirtRange::between(VirtAddr::new(first << 12), VirtAddr::new(end << 12)).expect("not empty")
//! }
//!
//! fn region(range: VirtRange) -> Box<Region> {
//!     Box::new(Region { range, gap: Gap::new(), link: RegionLink::new() })
//! }
//!
//! let mut tree = RegionTree::new(Adapter::new(), pages(0, 64));
//! for (first, end) in [(20, 30), (5, 10), (45, 50), (12, 20), (58, 60)] {
//!     assert!(tree.insert(region(pages(first, end))).is_ok());
//! }
//! let request = GapRequest { pages: PageCount::new(6), align_log2: 12, within: tree.bounds() };
//! let place = tree.lowest_gap(request).and_then(|base| VirtRange::new(base, request.pages));
//! assert_eq!(place, Some(pages(30, 36)));
//!
//! // What finds out whether a place is free also knows where it is in the tree.
//! assert!(tree.vacancy(pages(29, 31)).is_none());
//! let vacancy = tree.vacancy(pages(30, 36)).expect("it is free");
//! vacancy.fill(region(pages(30, 36)));
//! assert_eq!(tree.lowest_gap(request).map(VirtAddr::raw), Some(36 << 12));
//! ```
//!
//! [`GapRequest`] says what to look for. Where in the gaps a new region goes is decided in `gaps`,
//! by functions that look at nothing but the tree.

mod edit;
mod gap;
mod gaps;
mod walk;

#[cfg(test)]
mod tests;

pub use edit::{EditCursor, Vacancy};
pub use gap::{Gap, LargestGap};
pub use gaps::{Candidates, GapRequest};
pub use walk::{Direction, Downwards, Gaps, Upwards};

use intrusive_collections::{Adapter, PointerOps};

use crate::addr::{VirtAddr, VirtRange};
use crate::wavl::{self, Pointer, Shape, Value, WavlLinkOps, WavlTree};

/// The link by which an object hangs in a [`RegionTree`]: four words.
pub type RegionLink = wavl::Link<LargestGap>;

/// A cursor for looking at regions.
pub type RegionCursor<'a, A> = wavl::Cursor<'a, A, LargestGaps>;

/// Something that occupies addresses.
pub trait HasRange {
    /// The addresses it occupies.
    ///
    /// Only [`EditCursor::resize`] may change them while the region is in a tree.
    fn range(&self) -> VirtRange;

    /// The first of them: all that most searches look at.
    #[inline]
    fn base(&self) -> VirtAddr {
        self.range().base()
    }

    /// Where the tree that it is in notes the room below it.
    ///
    /// Always the same place in the same object.
    fn gap(&self) -> &Gap;
}

/// An adapter for objects that have a range and a [`RegionLink`].
pub trait RegionAdapter:
    Adapter<LinkOps: WavlLinkOps<Summary = LargestGap>, PointerOps: PointerOps<Value: HasRange>>
{
}

impl<A> RegionAdapter for A where
    A: Adapter<LinkOps: WavlLinkOps<Summary = LargestGap>, PointerOps: PointerOps<Value: HasRange>>
{
}

/// The augmentation that keeps a [`LargestGap`] in each node.
#[derive(Clone, Copy, Debug)]
pub struct LargestGaps;

impl<A: RegionAdapter> wavl::Augment<A> for LargestGaps {
    const SHAPE: Shape = Shape::IsIrrelevant;

    #[inline]
    fn summarize(
        item: &Value<A>,
        left: Option<LargestGap>,
        right: Option<LargestGap>,
    ) -> LargestGap {
        let below = left
            .unwrap_or(LargestGap::NONE)
            .max(right.unwrap_or(LargestGap::NONE));
        item.gap().size().max(below)
    }

    #[inline]
    fn with_new(before: LargestGap, item: LargestGap) -> Option<LargestGap> {
        Some(before.max(item))
    }
}

/// The disjoint regions of one VMAR, ordered by base.
///
/// 1. Ranges never overlap, and all lie inside `bounds`.
/// 2. The gap of each region is what is free between it and the one before, or the base of `bounds`.
/// 3. Each node knows the largest gap in its subtree.
///
/// Only [`insert`](Self::insert) and an [`EditCursor`] change the tree, so only they can break these.
pub struct RegionTree<A: RegionAdapter> {
    tree: WavlTree<A, LargestGaps>,
    bounds: VirtRange,
}

impl<A: RegionAdapter> RegionTree<A> {
    /// A tree with no region, for regions inside `bounds`.
    pub const fn new(adapter: A, bounds: VirtRange) -> Self {
        Self {
            tree: WavlTree::new(adapter),
            bounds,
        }
    }

    /// Where all regions lie.
    pub const fn bounds(&self) -> VirtRange {
        self.bounds
    }

    /// Whether there is no region.
    pub const fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// All regions, by ascending address.
    pub fn iter(&self) -> wavl::Iter<'_, A, LargestGaps> {
        self.tree.iter()
    }

    /// Adds a region.
    ///
    /// # Errors
    /// Gives the region back if it overlaps another one, or does not lie inside the bounds. Nothing changes.
    ///
    /// # Panics
    /// If the region is in a tree already.
    pub fn insert(&mut self, region: Pointer<A>) -> Result<(), Pointer<A>>
    where
        Pointer<A>: core::ops::Deref<Target = Value<A>>,
    {
        let range = region.range();
        match self.vacancy(range) {
            Some(vacancy) => {
                vacancy.fill(region);
                Ok(())
            }
            None => Err(region),
        }
    }

    /// The place for a region at `range`, found with one search.
    ///
    /// `None` if another one overlaps it, or it does not lie inside the bounds.
    #[inline]
    pub fn vacancy(&mut self, range: VirtRange) -> Option<Vacancy<'_, A>> {
        let end = range.end();
        let place = self.tree.place_after(|other| other.base() < end);
        let low = place
            .previous()
            .map_or(self.bounds.base(), |other| other.range().end());
        (low <= range.base() && end <= self.bounds.end()).then_some(Vacancy { place, low, range })
    }

    /// The region that contains `address`.
    #[inline]
    pub fn find(&self, address: VirtAddr) -> Option<&Value<A>> {
        self.find_cursor(address).get()
    }

    /// A cursor at the region that contains `address`.
    #[inline]
    pub fn find_cursor(&self, address: VirtAddr) -> RegionCursor<'_, A> {
        self.last_to(address)
            .filter(|region| address < region.range().end())
    }

    /// A cursor for changes, at the region that contains `address`.
    #[inline]
    pub fn find_mut(&mut self, address: VirtAddr) -> EditCursor<'_, A> {
        let cursor = self.tree.last_mut(|other| other.base() <= address);
        EditCursor {
            cursor: cursor.filter(|region| address < region.range().end()),
        }
    }

    /// A cursor at the first region that ends above `address`: it contains it, or comes next.
    #[inline]
    pub fn first_from(&self, address: VirtAddr) -> RegionCursor<'_, A> {
        self.tree.first_not(|other| other.range().end() <= address)
    }

    /// As [`first_from`](Self::first_from), for changes.
    #[inline]
    pub fn first_from_mut(&mut self, address: VirtAddr) -> EditCursor<'_, A> {
        EditCursor {
            cursor: self
                .tree
                .first_not_mut(|other| other.range().end() <= address),
        }
    }

    /// A cursor at the last region that begins below `address`.
    #[inline]
    pub fn last_below(&self, address: VirtAddr) -> RegionCursor<'_, A> {
        self.tree.last(|other| other.base() < address)
    }

    /// A cursor at the last region that begins at or below `address`.
    #[inline]
    fn last_to(&self, address: VirtAddr) -> RegionCursor<'_, A> {
        self.tree.last(|other| other.base() <= address)
    }

    /// Whether any region has a page in common with `range`.
    #[inline]
    pub fn overlaps(&self, range: VirtRange) -> bool {
        let last = self.last_below(range.end());
        last.get()
            .is_some_and(|region| range.base() < region.range().end())
    }

    /// The regions that have a page in common with `range`, by ascending address.
    pub fn overlapping(&self, range: VirtRange) -> Overlapping<'_, A> {
        Overlapping {
            cursor: self.first_from(range.base()),
            end: range.end(),
        }
    }

    /// Takes out this very region; `None` if it is not in this tree.
    ///
    /// Whoever has an [`EditCursor`] there saves the search.
    pub fn remove(&mut self, region: &Value<A>) -> Option<Pointer<A>> {
        let mut cursor = self.find_mut(region.range().base());
        if !core::ptr::addr_eq(cursor.get()?, region) {
            return None;
        }
        cursor.remove()
    }
}

/// The regions that overlap a range. See [`RegionTree::overlapping`].
pub struct Overlapping<'a, A: RegionAdapter> {
    cursor: RegionCursor<'a, A>,
    end: VirtAddr,
}

impl<'a, A: RegionAdapter> Iterator for Overlapping<'a, A> {
    type Item = &'a Value<A>;

    fn next(&mut self) -> Option<Self::Item> {
        let region = self
            .cursor
            .get()
            .filter(|region| region.range().base() < self.end)?;
        self.cursor.move_next();
        Some(region)
    }
}

/// The lower end of the gap below a region in a tree.
#[inline]
fn low_end(region: &(impl HasRange + ?Sized)) -> VirtAddr {
    VirtAddr::new(
        region
            .range()
            .base()
            .raw()
            .wrapping_sub(region.gap().bytes()),
    )
}
