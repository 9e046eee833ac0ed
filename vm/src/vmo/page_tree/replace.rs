//! Putting other pages in the place of all those of a range.

use core::ops::Range;

use super::nodes::{MOST_REPLACED, NodeStock};
use super::slots::slot;
use super::{Keeper, PageTree};
use crate::vmo::index::PageIndex;

impl<P> PageTree<P> {
    /// Puts the pages that `next` has for the indices in `range` there, and nothing where it has none. The
    /// pages that were there go back.
    ///
    /// # Panics
    /// If `stock` is not full, or `range` has more pages than it is for.
    pub fn replace(
        &mut self,
        range: Range<PageIndex>,
        keeper: &impl Keeper<P>,
        stock: &mut NodeStock<P>,
        mut next: impl FnMut(PageIndex) -> Option<P>,
    ) {
        let count = range.end.saturating_since(range.start);
        assert!(count <= MOST_REPLACED as u64, "too many pages for a stock");
        let edges = self.own_edges_from(range.clone(), keeper, stock);
        edges.expect("a full stock has nodes for the edges");
        self.drain(range.clone(), keeper, &mut |_, page| keeper.free(page));
        for number in 0..count {
            let index = range.start.saturating_add(number);
            let Some(page) = next(index) else { continue };
            let position = self.position(index);
            let leaf = self.own_way(position, keeper, stock);
            let leaf = leaf.expect("a full stock has nodes for the way to each page");
            leaf.put(slot(position, 0), page);
        }
    }
}
