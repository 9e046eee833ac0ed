//! Another tree with the same pages.

use core::ops::Range;

use syscall::Result;

use super::node::Node;
use super::slots::{POSITIONS, pieces};
use super::{Keeper, PageTree};
use crate::vmo::index::PageIndex;

impl<P> PageTree<P> {
    /// A tree with the pages of `range` only, whose page 0 is the first of them.
    ///
    /// It shares the nodes. Only if there are pages outside `range`, the nodes at its edges are copied
    /// without those. So it takes as long as the tree is high, whatever the number of pages.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the nodes at the edges. Nothing changes.
    pub fn snapshot(&self, range: Range<PageIndex>, keeper: &impl Keeper<P>) -> Result<Self> {
        let start = self.position(range.start);
        let pages = range.end.saturating_since(range.start);
        if !self.has_pages_in(&pieces(start, pages)) {
            return Ok(Self::new());
        }
        let mut child = Self {
            root: self.root.as_ref().map(Node::share),
            height: self.height,
            origin: start,
        };
        let trimmed = child.trim(pieces(start + pages, POSITIONS - pages), keeper);
        if trimmed.is_err() {
            child.drain_piece(0..POSITIONS, keeper, &mut |_, page| keeper.free(page));
        }
        trimmed.map(|()| child)
    }

    /// Gives back the pages in `outside`.
    ///
    /// # Errors
    /// `NO_MEMORY`: some may still be there.
    fn trim(&mut self, outside: [Range<u64>; 2], keeper: &impl Keeper<P>) -> Result<()> {
        for piece in outside {
            self.own_edges_of(&piece, keeper)?;
            self.drain_piece(piece, keeper, &mut |_, page| keeper.free(page));
        }
        Ok(())
    }
}
