//! Going through the pages of a range, to take them out or to look at them.
//!
//! Both recurse by level, of which there are at most nine.

use core::ops::{ControlFlow, Range};

use super::slots::{Bits, SLOT_BITS, slots_in};
use super::{Inner, Leaf, Node};
use crate::vmo::index::PageIndex;

/// A removal under way.
pub(super) struct Drain<'a, F> {
    pub(super) range: Range<u64>,
    pub(super) pages: u64,
    pub(super) node_bytes: usize,
    pub(super) sink: &'a mut F,
}

impl<F> Drain<'_, F> {
    /// Drains the subtree of `level` levels at `place`, whose first page is `base`.
    pub(super) fn below<P>(&mut self, place: &mut Option<Node<P>>, base: u64, level: u32)
    where
        F: FnMut(PageIndex, P),
    {
        let (is_empty, node_bytes) = match place {
            None => return,
            Some(Node::Leaf(leaf)) => {
                for slot in Bits(leaf.present & slots_in(&self.range, base, 0)) {
                    if let (Some(page), Some(index)) =
                        (leaf.pages[slot].take(), PageIndex::new(base + slot as u64))
                    {
                        self.pages += 1;
                        (self.sink)(index, page);
                    }
                    leaf.present &= !(1 << slot);
                }
                (leaf.present == 0, size_of::<Leaf<P>>())
            }
            Some(Node::Inner(inner)) => {
                for slot in Bits(inner.present & slots_in(&self.range, base, level - 1)) {
                    let below = base + ((slot as u64) << (SLOT_BITS * (level - 1)));
                    self.below(&mut inner.nodes[slot], below, level - 1);
                    if inner.nodes[slot].is_none() {
                        inner.present &= !(1 << slot);
                    }
                }
                (inner.present == 0, size_of::<Inner<P>>())
            }
        };
        if is_empty {
            *place = None;
            self.node_bytes += node_bytes;
        }
    }
}

/// Shows the leaves that `range` touches, each with the number of its first page.
pub(super) fn visit_leaves<P, B>(
    node: Option<&Node<P>>,
    base: u64,
    level: u32,
    range: &Range<u64>,
    visitor: &mut impl FnMut(&Leaf<P>, u64) -> ControlFlow<B>,
) -> ControlFlow<B> {
    match node {
        None => ControlFlow::Continue(()),
        Some(Node::Leaf(leaf)) => visitor(leaf, base),
        Some(Node::Inner(inner)) => {
            for slot in Bits(inner.present & slots_in(range, base, level - 1)) {
                let below = base + ((slot as u64) << (SLOT_BITS * (level - 1)));
                visit_leaves(inner.nodes[slot].as_ref(), below, level - 1, range, visitor)?;
            }
            ControlFlow::Continue(())
        }
    }
}
