//! Taking pages out.
//!
//! What a range covers whole is dropped whole: a node that other trees reach too just loses one reference.
//! A node that is covered in part must be the tree's own. There are two such nodes per level, at the two
//! ends of the range, and [`PageTree::own_edges`] copies those that are shared:
//!
//! ```text
//!                       root                own: covered in part
//!            ┌───────┬───┴───┬───────┐
//!          (own)  (whole) (whole)  (own)    whole: dropped, shared or not
//!          ┌─┴─┐                   ┌─┴─┐
//!            ├──────── range ────────┤
//! ```

use core::ops::Range;

use syscall::Result;

use super::node::{Below, Contents, Inner, Leaf, Node, NodeRef};
use super::nodes::{Heap, Nodes};
use super::slots::{POSITIONS, base_of, pages_below, slots_in};
use super::{Keeper, PageTree, index_at};
use crate::vmo::index::PageIndex;

/// A removal under way.
pub(super) struct Drain<'a, F> {
    /// The positions to empty.
    pub(super) range: Range<u64>,
    /// Where the pages go, with their positions.
    pub(super) sink: &'a mut F,
}

impl<P> PageTree<P> {
    /// Takes out the page at `index`, if it is present.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for copies of nodes on the way that are shared. The page stays.
    pub fn remove(&mut self, index: PageIndex, keeper: &impl Keeper<P>) -> Result<Option<P>> {
        if self.get(index).is_none() {
            return Ok(None);
        }
        let range = index..index.saturating_add(1);
        self.own_edges(range.clone(), keeper)?;
        let mut removed = None;
        self.drain(range, keeper, &mut |_, page| removed = Some(page));
        Ok(removed)
    }

    /// Makes the nodes that `range` covers in part the tree's own, so that it can be drained.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the copies. The contents are as before in any case.
    pub fn own_edges(&mut self, range: Range<PageIndex>, keeper: &impl Keeper<P>) -> Result<()> {
        self.own_edges_from(range, keeper, &mut Heap)
    }

    /// As [`own_edges`](Self::own_edges), with memory from `nodes`.
    pub(super) fn own_edges_from(
        &mut self,
        range: Range<PageIndex>,
        keeper: &impl Keeper<P>,
        nodes: &mut impl Nodes<P>,
    ) -> Result<()> {
        self.own_edges_of(&self.positions(range), keeper, nodes)
    }

    /// Takes out all pages in `range`. Those that no other tree reaches go to `sink`, in ascending order.
    ///
    /// Taking out all pages there can be needs no preparation.
    ///
    /// # Panics
    /// If `range` covers a node in part that other trees reach too, and in which there are pages of it:
    /// [`own_edges`](Self::own_edges) prevents that.
    pub fn drain(
        &mut self,
        range: Range<PageIndex>,
        keeper: &impl Keeper<P>,
        sink: &mut impl FnMut(PageIndex, P),
    ) {
        // The tree forgets it with the last page.
        let origin = self.origin;
        self.drain_positions(self.positions(range), keeper, &mut |position, page| {
            sink(index_at(position, origin), page);
        });
    }

    /// As [`own_edges`](Self::own_edges), for positions.
    pub(super) fn own_edges_of(
        &mut self,
        range: &Range<u64>,
        keeper: &impl Keeper<P>,
        nodes: &mut impl Nodes<P>,
    ) -> Result<()> {
        if !self.has_pages_in(range) {
            return Ok(());
        }
        let edges = Edges { range, keeper };
        match &mut self.root {
            None => Ok(()),
            Some(Node::Leaf(leaf)) => edges.own_leaf(leaf, 0, nodes),
            Some(Node::Inner(inner)) => edges.own_inner((inner, 0, self.height - 1), nodes),
        }
    }

    /// As [`drain`](Self::drain), for positions.
    pub(super) fn drain_positions(
        &mut self,
        range: Range<u64>,
        keeper: &impl Keeper<P>,
        sink: &mut impl FnMut(u64, P),
    ) {
        if !self.has_pages_in(&range) {
            return;
        }
        let mut drain = Drain { range, sink };
        self.root = match self.root.take() {
            None => None,
            Some(Node::Leaf(leaf)) => {
                let mut place = Some(leaf);
                drain.place(&mut place, 0, 0);
                place.map(Node::Leaf)
            }
            Some(Node::Inner(inner)) => {
                let mut place = Some(inner);
                drain.place(&mut place, 0, self.height - 1);
                place.map(Node::Inner)
            }
        };
        self.lower(keeper);
    }

    /// Takes off nodes from the top while what is below the first slot suffices.
    pub(super) fn lower(&mut self, keeper: &impl Keeper<P>) {
        while let Some(Node::Inner(inner)) = &self.root
            && inner.present == 1
        {
            let below = inner.share_slot(0);
            let above = core::mem::replace(&mut self.root, below);
            self.height -= 1;
            if let Some(Node::Inner(inner)) = above {
                release(inner, self.height, keeper);
            }
        }
        if self.root.is_none() {
            self.height = 0;
            self.origin = PageIndex::ZERO;
        }
    }
}

impl<F> Drain<'_, F> {
    /// Drains the node at `place`, whose first page has position `base`; whether nothing is left.
    pub(super) fn place<P, T: Contents<P>>(
        &mut self,
        place: &mut Option<NodeRef<T>>,
        base: u64,
        level: u32,
    ) -> bool
    where
        F: FnMut(u64, P),
    {
        let Some(node) = place else { return true };
        if let Some(contents) = node.only() {
            contents.drain(self, base, level);
            if contents.present() != 0 {
                return false;
            }
            *place = None;
        } else if covers(&self.range, base, level) {
            if let Some(node) = place.take() {
                self.let_go(node, base, level);
            }
        } else {
            let wanted = node.present() & slots_in(&self.range, base, level);
            assert!(wanted == 0, "a shared node is to be changed");
            return false;
        }
        true
    }

    /// Lets go of a node that somebody else had too, and perhaps has no longer.
    #[inline(never)]
    pub(super) fn let_go<P, T: Contents<P>>(&mut self, node: NodeRef<T>, base: u64, level: u32)
    where
        F: FnMut(u64, P),
    {
        if let Some(mut contents) = node.into_inner() {
            contents.drain(self, base, level);
        }
    }
}

/// Lets go of a node; if nobody else has it, of all that is in it.
pub(super) fn release<P, T: Contents<P>>(node: NodeRef<T>, level: u32, keeper: &impl Keeper<P>) {
    let mut drain = Drain {
        range: 0..POSITIONS,
        sink: &mut |_, page| keeper.free(page),
    };
    drain.place(&mut Some(node), 0, level);
}

/// The nodes at the two ends of a range.
struct Edges<'a, K> {
    range: &'a Range<u64>,
    keeper: &'a K,
}

impl<K> Edges<'_, K> {
    fn own_leaf<P>(
        &self,
        leaf: &mut NodeRef<Leaf<P>>,
        base: u64,
        nodes: &mut impl Nodes<P>,
    ) -> Result<()>
    where
        K: Keeper<P>,
    {
        if self.cuts(leaf.present, base, 0) {
            leaf.own(0, self.keeper, nodes)?;
        }
        Ok(())
    }

    /// For a node, the position of its first page, and the number of levels below.
    fn own_inner<P>(
        &self,
        (inner, base, level): (&mut NodeRef<Inner<P>>, u64, u32),
        nodes: &mut impl Nodes<P>,
    ) -> Result<()>
    where
        K: Keeper<P>,
    {
        if !self.cuts(inner.present, base, level) {
            return Ok(());
        }
        let inner = inner.own(level, self.keeper, nodes)?;
        let touched = inner.present & slots_in(self.range, base, level);
        // Only what is in the first and in the last slot of the range can be cut.
        let ends = [touched.trailing_zeros(), touched.ilog2()];
        for slot in ends.map(|slot| slot as usize) {
            let first = base_of(base, slot, level);
            match &mut inner.below {
                Below::Leaves(leaves) => {
                    if let Some(leaf) = &mut leaves[slot] {
                        self.own_leaf(leaf, first, nodes)?;
                    }
                }
                Below::Inners(inners) => {
                    if let Some(inner) = &mut inners[slot] {
                        self.own_inner((inner, first, level - 1), nodes)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether some of what is in a node is in the range, and the node sticks out of it.
    fn cuts(&self, present: u64, base: u64, level: u32) -> bool {
        present & slots_in(self.range, base, level) != 0 && !covers(self.range, base, level)
    }
}

/// Whether `range` covers the node whose first page has position `base`.
fn covers(range: &Range<u64>, base: u64, level: u32) -> bool {
    range.start <= base && base + pages_below(level) <= range.end
}
