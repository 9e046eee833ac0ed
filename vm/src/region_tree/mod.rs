//! The disjoint regions of one VMAR, in the order of their addresses, and the gaps between them.
//!
//! [`RegionTree`] is a [`WavlTree`] in which each node knows, in its [`Span`], the first and the last
//! address below it and the largest gap between two regions below it:
//!
//! ```text
//!                      [20,30)  span 5..60, gap 15
//!                     /                    \
//!        [5,10)  5..20, gap 2        [45,50)  45..60, gap 8
//!                \                            \
//!          [12,20)  12..20, gap 0       [58,60)  58..60, gap 0
//! ```
//!
//! The gap of a node is the largest of its children's gaps and of the two that touch its own region:
//! here `20 - 20` and `45 - 30`. So it follows from the region and the children alone, and a search
//! for a gap turns away from every subtree that has none large enough: it takes O(log n) steps.
//!
//! [`GapRequest`] says what to look for. Where in the gaps a new region goes is decided in `gaps`,
//! by functions that look at nothing but the tree.

mod gaps;
mod span;
mod walk;

#[cfg(test)]
mod tests;

pub use gaps::{Candidates, GapRequest};
pub use span::Span;
pub use walk::{Direction, Downwards, Gaps, Upwards};

use intrusive_collections::{Adapter, PointerOps};

use crate::addr::{VirtAddr, VirtRange};
use crate::wavl::{self, CursorMut, Pointer, Shape, Value, WavlLinkOps, WavlTree};

/// The link by which an object hangs in a [`RegionTree`]: five words.
pub type RegionLink = wavl::Link<Span>;

/// A cursor for looking at regions.
pub type RegionCursor<'a, A> = wavl::Cursor<'a, A, Spans>;

/// Something that occupies addresses.
pub trait HasRange {
    /// The addresses it occupies.
    ///
    /// Only [`EditCursor::resize`] may change them while the region is in a tree.
    fn range(&self) -> VirtRange;
}

/// An adapter for objects that have a range and a [`RegionLink`].
pub trait RegionAdapter:
    Adapter<LinkOps: WavlLinkOps<Summary = Span>, PointerOps: PointerOps<Value: HasRange>>
{
}

impl<A> RegionAdapter for A where
    A: Adapter<LinkOps: WavlLinkOps<Summary = Span>, PointerOps: PointerOps<Value: HasRange>>
{
}

/// The augmentation that keeps a [`Span`] in each node.
#[derive(Clone, Copy, Debug)]
pub struct Spans;

impl<A: RegionAdapter> wavl::Augment<A> for Spans {
    const SHAPE: Shape = Shape::IsIrrelevant;

    #[inline]
    fn summarize(item: &Value<A>, left: Option<Span>, right: Option<Span>) -> Span {
        Span::joined(item.range(), left, right)
    }

    #[inline]
    fn with_new(before: Span, item: Span) -> Option<Span> {
        before.extended(item)
    }
}

/// The disjoint regions of one VMAR, ordered by base.
///
/// 1. Ranges never overlap.
/// 2. Each node knows the extent of its subtree and the largest gap in it.
///
/// Only [`insert`](Self::insert) and an [`EditCursor`] change the tree, so only they can break these.
pub struct RegionTree<A: RegionAdapter> {
    tree: WavlTree<A, Spans>,
}

impl<A: RegionAdapter + Default> Default for RegionTree<A> {
    fn default() -> Self {
        Self::new(A::default())
    }
}

impl<A: RegionAdapter> RegionTree<A> {
    /// A tree with no region.
    pub const fn new(adapter: A) -> Self {
        Self {
            tree: WavlTree::new(adapter),
        }
    }

    /// Whether there is no region.
    pub const fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    /// All regions, by ascending address.
    pub fn iter(&self) -> wavl::Iter<'_, A, Spans> {
        self.tree.iter()
    }

    /// Adds a region.
    ///
    /// # Errors
    /// Gives the region back if it overlaps another one. Nothing changes.
    ///
    /// # Panics
    /// If the region is in a tree already.
    pub fn insert(&mut self, region: Pointer<A>) -> Result<(), Pointer<A>>
    where
        Pointer<A>: core::ops::Deref<Target = Value<A>>,
    {
        let range = region.range();
        let end = range.end();
        let place = self.tree.place_after(|other| other.range().base() < end);
        if place
            .previous()
            .is_some_and(|other| range.base() < other.range().end())
        {
            return Err(region);
        }
        place.insert(region);
        Ok(())
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
        let cursor = self.tree.last_mut(|other| other.range().base() <= address);
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
        self.tree.last(|other| other.range().base() < address)
    }

    /// A cursor at the last region that begins at or below `address`.
    #[inline]
    fn last_to(&self, address: VirtAddr) -> RegionCursor<'_, A> {
        self.tree.last(|other| other.range().base() <= address)
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

/// A region in a tree, to take out or to resize; or no region.
pub struct EditCursor<'a, A: RegionAdapter> {
    cursor: CursorMut<'a, A, Spans>,
}

impl<A: RegionAdapter> EditCursor<'_, A> {
    /// The region here; `None` after the last one.
    #[inline]
    pub fn get(&self) -> Option<&Value<A>> {
        self.cursor.get()
    }

    /// The same place, to look at.
    #[inline]
    pub fn as_cursor(&self) -> RegionCursor<'_, A> {
        self.cursor.as_cursor()
    }

    /// Moves to the next region by address.
    #[inline]
    pub fn move_next(&mut self) {
        self.cursor.move_next();
    }

    /// Moves to the previous region by address.
    #[inline]
    pub fn move_prev(&mut self) {
        self.cursor.move_prev();
    }

    /// Takes out the region here and moves to the next one.
    #[inline]
    pub fn remove(&mut self) -> Option<Pointer<A>> {
        self.cursor.remove()
    }

    /// Lets `change` alter the range of the region here, and brings the tree up to date.
    ///
    /// The new range must overlap no other region and keep its place among them: shrinking always
    /// does, and so does growing into the gaps on either side.
    #[inline]
    pub fn resize(&mut self, change: impl FnOnce(&Value<A>)) {
        if let Some(region) = self.cursor.get() {
            change(region);
            debug_assert!(
                self.keeps_its_place(),
                "a resized region overlaps its neighbour"
            );
            self.cursor.update();
        }
    }

    fn keeps_its_place(&self) -> bool {
        let Some(range) = self.get().map(HasRange::range) else {
            return true;
        };
        let above = self.cursor.peek_next();
        let below = self.cursor.peek_prev();
        above
            .get()
            .is_none_or(|above| range.end() <= above.range().base())
            && below
                .get()
                .is_none_or(|below| below.range().end() <= range.base())
    }
}
