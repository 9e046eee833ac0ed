//! Another tree with the same pages.

use core::ops::Range;

use syscall::{Result, Status};

use super::node::Node;
use super::nodes::Heap;
use super::slots::POSITIONS;
use super::{Keeper, PageTree};
use crate::vmo::index::PageIndex;

impl<P> PageTree<P> {
    /// A tree with the pages of `range` only, whose page 0 is the first of them.
    ///
    /// It shares the nodes. Only if there are pages outside `range`, the nodes at its edges are copied
    /// without those. So it takes as long as the tree is high, whatever the number of pages.
    ///
    /// # Errors
    /// Nothing changes.
    /// - `INVALID_ARGS`: it would begin too far from the page 0 of the first ancestor.
    /// - `NO_MEMORY`: there is none for the nodes at the edges.
    pub fn snapshot(&self, range: Range<PageIndex>, keeper: &impl Keeper<P>) -> Result<Self> {
        let inside = self.position(range.start)..self.position(range.end);
        if !self.has_pages_in(&inside) {
            return Ok(Self::new());
        }
        let origin = PageIndex::new(inside.start).ok_or(Status::INVALID_ARGS)?;
        let mut child = Self {
            root: self.root.as_ref().map(Node::share),
            height: self.height,
            origin,
        };
        let outside = [0..inside.start, inside.end..POSITIONS];
        let trimmed = outside
            .into_iter()
            .try_for_each(|part| child.trim(part, keeper));
        if trimmed.is_err() {
            child.trim(0..POSITIONS, keeper)?;
        }
        trimmed.map(|()| child)
    }

    /// Gives back the pages at these positions.
    ///
    /// # Errors
    /// `NO_MEMORY`: they are still there.
    fn trim(&mut self, part: Range<u64>, keeper: &impl Keeper<P>) -> Result<()> {
        self.own_edges_of(&part, keeper, &mut Heap)?;
        self.drain_positions(part, keeper, &mut |_, page| keeper.free(page));
        Ok(())
    }
}
