//! Changing a tree at a place that a search has found.

use super::{HasRange, LargestGaps, RegionAdapter, RegionCursor, low_end};
use crate::addr::{VirtAddr, VirtRange};
use crate::wavl::{CursorMut, InsertCursor, Pointer, Value};

/// A region in a tree, to take out or to resize; or no region.
pub struct EditCursor<'a, A: RegionAdapter> {
    pub(super) cursor: CursorMut<'a, A, LargestGaps>,
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
        self.cursor.remove_with(|region, next| {
            // What was below the region is below the next one now.
            if let Some(next) = next {
                next.gap().set(low_end(region), next.range().base());
            }
        })
    }

    /// Lets `change` alter the range of the region here, and brings the tree up to date.
    ///
    /// The new range must overlap no other region and keep its place among them: shrinking always
    /// does, and so does growing into the gaps on either side.
    #[inline]
    pub fn resize(&mut self, change: impl FnOnce(&Value<A>)) {
        let Some(region) = self.cursor.get() else {
            return;
        };
        let low = low_end(region);
        change(region);
        let range = region.range();
        debug_assert!(
            self.keeps_its_place(),
            "a resized region overlaps its neighbour"
        );
        region.gap().set(low, range.base());
        self.cursor.update();
        let mut next = self.cursor.peek_next_mut();
        if let Some(region) = next.get() {
            region.gap().set(range.end(), region.range().base());
            next.update();
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

/// A place where nothing is, to be filled without another search. See [`RegionTree::vacancy`](super::RegionTree::vacancy).
pub struct Vacancy<'a, A: RegionAdapter> {
    pub(super) place: InsertCursor<'a, A, LargestGaps>,
    /// The lower end of the gap that the place is in.
    pub(super) low: VirtAddr,
    pub(super) range: VirtRange,
}

impl<A: RegionAdapter> Vacancy<'_, A> {
    /// The addresses.
    #[inline]
    pub const fn range(&self) -> VirtRange {
        self.range
    }

    /// Puts a region here, whose range must be the one that was asked for.
    ///
    /// # Panics
    /// If the region has another range, or is in a tree already.
    #[inline]
    pub fn fill(self, region: Pointer<A>)
    where
        Pointer<A>: core::ops::Deref<Target = Value<A>>,
    {
        let range = region.range();
        assert!(range == self.range, "a region does not go where it belongs");
        self.place.insert_with(region, |region, next| {
            region.gap().set(self.low, range.base());
            if let Some(next) = next {
                next.gap().set(range.end(), next.range().base());
            }
        });
    }
}
