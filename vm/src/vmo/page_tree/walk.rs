//! Looking at the pages of a range.
//!
//! Recurses by level, of which there are at most nine.

use core::ops::{ControlFlow, Range};

use super::node::{Below, Inner, Leaf, Node, NodeRef};
use super::slots::{Bits, SLOTS, base_of, slots_in};
use super::{Keeper, PageTree, Sharing};
use crate::vmo::index::PageIndex;

/// What a whole node counts in [`PageTree::metadata_bytes`]; a shared one counts the fraction.
const WHOLE: u64 = 1 << 20;

/// The part of a leaf that a range covers.
pub(super) struct LeafPart<'a, P> {
    pub(super) leaf: &'a NodeRef<Leaf<P>>,
    /// The position of its first page.
    pub(super) base: u64,
    /// The slots in the range that have pages.
    pub(super) slots: u64,
    /// Whether other trees reach the nodes above.
    pub(super) way: Sharing,
}

impl<P> PageTree<P> {
    /// How many pages in `range` are present.
    pub fn count(&self, range: Range<PageIndex>) -> u64 {
        let mut pages = 0;
        let _ = self.visit_leaves(&self.positions(range), &mut |part| {
            pages += u64::from(part.slots.count_ones());
            ControlFlow::<()>::Continue(())
        });
        pages
    }

    /// Shows the pages in `range` to `visitor`, in ascending order, until it breaks off.
    #[inline]
    pub fn visit<B>(
        &self,
        range: Range<PageIndex>,
        mut visitor: impl FnMut(PageIndex, &P) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.visit_leaves(&self.positions(range), &mut |part| {
            part.visit(self.origin, |index, page| visitor(index, page))
        })
    }

    /// As [`visit`](Self::visit); also tells which pages may be written to, as [`find`](Self::find) does.
    #[inline]
    pub fn visit_own<B>(
        &self,
        range: Range<PageIndex>,
        keeper: &impl Keeper<P>,
        mut visitor: impl FnMut(PageIndex, &P, Sharing) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.visit_leaves(&self.positions(range), &mut |part| {
            if part.way == Sharing::Shared || !part.leaf.is_only() {
                return part.visit(self.origin, |index, page| {
                    visitor(index, page, Sharing::Shared)
                });
            }
            part.visit(self.origin, |index, page| {
                let sharing = if keeper.is_exclusive(page) {
                    Sharing::Own
                } else {
                    Sharing::Shared
                };
                visitor(index, page, sharing)
            })
        })
    }

    /// The memory that the tree itself occupies, in bytes.
    ///
    /// A node that several nodes or trees refer to counts for each of them in equal parts, so that the sum
    /// over all trees is what they occupy together.
    pub fn metadata_bytes(&self) -> usize {
        let fractions = match &self.root {
            None => 0,
            Some(Node::Leaf(leaf)) => leaf_bytes(leaf, WHOLE),
            Some(Node::Inner(inner)) => inner_bytes(inner, WHOLE),
        };
        (fractions / WHOLE) as usize
    }

    /// Whether any page is at these positions.
    pub(super) fn has_pages_in(&self, range: &Range<u64>) -> bool {
        self.visit_leaves(range, &mut |_| ControlFlow::Break(()))
            .is_break()
    }

    /// Shows the leaves that have pages at these positions.
    #[inline]
    pub(super) fn visit_leaves<B>(
        &self,
        range: &Range<u64>,
        visitor: &mut impl FnMut(LeafPart<'_, P>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut walk = Walk { range, visitor };
        let leaf_pages = SLOTS as u64;
        if range.start / leaf_pages == range.end.wrapping_sub(1) / leaf_pages {
            // The usual case when the neighbours of a page are looked at.
            return match self.leaf(range.start) {
                None => ControlFlow::Continue(()),
                Some((leaf, way)) => walk.leaf(leaf, range.start / leaf_pages * leaf_pages, way),
            };
        }
        match &self.root {
            None => ControlFlow::Continue(()),
            Some(Node::Leaf(leaf)) => walk.leaf(leaf, 0, Sharing::Own),
            Some(Node::Inner(inner)) => walk.inner(inner, 0, self.height - 1, Sharing::Own),
        }
    }
}

impl<P> LeafPart<'_, P> {
    /// Shows the pages to `visitor`, in ascending order, until it breaks off.
    #[inline(always)]
    fn visit<B>(
        &self,
        origin: PageIndex,
        mut visitor: impl FnMut(PageIndex, &P) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        // The first slots of the leaf may come before page 0.
        let offset = self.base.wrapping_sub(origin.number());
        for slot in Bits(self.slots) {
            let index = PageIndex::new(offset.wrapping_add(slot as u64));
            if let (Some(index), Some(page)) = (index, &self.leaf.pages[slot]) {
                visitor(index, page)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// A visit under way.
struct Walk<'a, F> {
    range: &'a Range<u64>,
    visitor: &'a mut F,
}

impl<F> Walk<'_, F> {
    #[inline]
    fn leaf<P, B>(&mut self, leaf: &NodeRef<Leaf<P>>, base: u64, way: Sharing) -> ControlFlow<B>
    where
        F: FnMut(LeafPart<'_, P>) -> ControlFlow<B>,
    {
        let slots = leaf.present & slots_in(self.range, base, 0);
        if slots == 0 {
            return ControlFlow::Continue(());
        }
        (self.visitor)(LeafPart {
            leaf,
            base,
            slots,
            way,
        })
    }

    fn inner<P, B>(
        &mut self,
        inner: &NodeRef<Inner<P>>,
        base: u64,
        level: u32,
        mut way: Sharing,
    ) -> ControlFlow<B>
    where
        F: FnMut(LeafPart<'_, P>) -> ControlFlow<B>,
    {
        if !inner.is_only() {
            way = Sharing::Shared;
        }
        for slot in Bits(inner.present & slots_in(self.range, base, level)) {
            let first = base_of(base, slot, level);
            match &inner.below {
                Below::Leaves(leaves) => {
                    if let Some(leaf) = &leaves[slot] {
                        self.leaf(leaf, first, way)?;
                    }
                }
                Below::Inners(inners) => {
                    if let Some(inner) = &inners[slot] {
                        self.inner(inner, first, level - 1, way)?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// The bytes of a leaf times `whole`, divided among those who refer to it.
fn leaf_bytes<P>(leaf: &NodeRef<Leaf<P>>, whole: u64) -> u64 {
    whole * NodeRef::<Leaf<P>>::BYTES as u64 / leaf.references() as u64
}

/// The bytes of an inner node and of all below it, as [`leaf_bytes`].
fn inner_bytes<P>(inner: &NodeRef<Inner<P>>, whole: u64) -> u64 {
    let part = whole / inner.references() as u64;
    let own = whole * NodeRef::<Inner<P>>::BYTES as u64 / inner.references() as u64;
    let below: u64 = match &inner.below {
        Below::Leaves(leaves) => leaves
            .iter()
            .flatten()
            .map(|leaf| leaf_bytes(leaf, part))
            .sum(),
        Below::Inners(inners) => inners
            .iter()
            .flatten()
            .map(|inner| inner_bytes(inner, part))
            .sum(),
    };
    own + below
}
