//! Attaching and detaching nodes: the only code that changes the shape of a tree.
//!
//! The module's page shows the cases with pictures. Here "lift" is a rotation seen from the node that
//! goes up, "flip" a promotion or demotion by one, of which only the parity is stored.

use super::link::Side;
use super::node::Node;
use super::{Augment, Shape, Summary, TreeAdapter, WavlTree};

/// A place below a node where a child is, or could be.
pub(super) struct Slot<A: TreeAdapter> {
    pub(super) parent: Node<A>,
    pub(super) side: Side,
}

impl<A: TreeAdapter> Clone for Slot<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: TreeAdapter> Copy for Slot<A> {}

impl<A: TreeAdapter, S: Augment<A>> WavlTree<A, S> {
    /// Hangs `node` into the empty `slot`; `None` is the root of an empty tree.
    pub(super) fn attach(&mut self, node: Node<A>, slot: Option<Slot<A>>) {
        let summary = S::summarize(self.value(node), None, None);
        self.set_summary(node, summary);
        self.set_child(node, Side::Left, None);
        self.set_child(node, Side::Right, None);
        let Some(Slot { parent, side }) = slot else {
            self.root = Some(node);
            return;
        };
        self.set_parent(node, Some(parent));
        self.set_child(parent, side, Some(node));
        self.announce(summary, parent);
        self.rebalance_after_attach(node, Slot { parent, side });
    }

    /// Brings the summaries from `parent` upwards up to date with a new leaf below it.
    #[inline]
    fn announce(&mut self, leaf: Summary<A>, parent: Node<A>) {
        let mut next = Some(parent);
        while let Some(node) = next {
            let before = self.summary(node);
            let Some(summary) = S::with_new(before, leaf) else {
                return self.refresh_upwards(next);
            };
            if summary == before {
                return;
            }
            self.set_summary(node, summary);
            next = self.parent(node);
        }
    }

    /// Takes `node` out of the shape; the caller still has to disown it.
    pub(super) fn detach(&mut self, node: Node<A>) {
        let left = self.child(node, Side::Left);
        let right = self.child(node, Side::Right);
        let (Some(left), Some(right)) = (left, right) else {
            let slot = self.slot_of(node);
            self.replace(slot, left.or(right));
            if let Some(slot) = slot {
                self.refresh_upwards(Some(slot.parent));
                self.rebalance_after_detach(slot);
            }
            return;
        };

        let successor = self.outermost(right, Side::Left);
        let slot = if successor == right {
            Slot {
                parent: successor,
                side: Side::Right,
            }
        } else {
            let slot = self.slot_of(successor);
            self.replace(slot, self.child(successor, Side::Right));
            self.set_child(successor, Side::Right, Some(right));
            self.set_parent(right, Some(successor));
            slot.unwrap_or(Slot {
                parent: right,
                side: Side::Left,
            })
        };
        self.set_child(successor, Side::Left, Some(left));
        self.set_parent(left, Some(successor));
        if self.parity(Some(successor)) != self.parity(Some(node)) {
            self.flip(successor);
        }
        self.set_summary(successor, self.summary(node));
        self.replace(self.slot_of(node), Some(successor));

        self.refresh_upwards(Some(slot.parent));
        self.refresh_upwards(Some(successor));
        self.rebalance_after_detach(slot);
    }

    /// Computes the summaries from `node` upwards anew, until one comes out as it was.
    #[inline]
    pub(super) fn refresh_upwards(&mut self, mut node: Option<Node<A>>) {
        while let Some(current) = node {
            let before = self.summary(current);
            if self.refresh(current) == before {
                return;
            }
            node = self.parent(current);
        }
    }

    /// Computes the summary of one node anew.
    #[inline]
    fn refresh(&mut self, node: Node<A>) -> Summary<A> {
        let left = self
            .child(node, Side::Left)
            .map(|child| self.summary(child));
        let right = self
            .child(node, Side::Right)
            .map(|child| self.summary(child));
        let summary = S::summarize(self.value(node), left, right);
        self.set_summary(node, summary);
        summary
    }

    /// Restores the rank rule above `node`, a new leaf in `slot`.
    ///
    /// `node` is a 0-child or a 1-child, so equal parities mean 0.
    fn rebalance_after_attach(&mut self, mut node: Node<A>, slot: Slot<A>) {
        let mut next = Some(slot);
        while let Some(Slot { parent, side }) = next {
            let rank = self.parity(Some(parent));
            if self.parity(Some(node)) != rank {
                return;
            }
            let sibling = self.child(parent, side.opposite());
            if self.parity(sibling) == rank {
                self.rotate_after_attach(node, Slot { parent, side });
                return;
            }
            self.flip(parent);
            node = parent;
            next = self.slot_of(node);
        }
    }

    /// Ends an insertion: `node` is a 0-child in `slot`, and its sibling a 2-child.
    fn rotate_after_attach(&mut self, node: Node<A>, slot: Slot<A>) {
        let Slot { parent, side } = slot;
        let before = self.summary(parent);
        self.flip(parent);
        match self.child(node, side.opposite()) {
            Some(inner) if self.parity(Some(inner)) != self.parity(Some(node)) => {
                self.flip(inner);
                self.flip(node);
                self.lift_twice(inner, node, slot);
                self.refresh(node);
                self.refresh_rotated(parent, inner, before);
            }
            _ => {
                self.lift(node, slot);
                self.refresh_rotated(parent, node, before);
            }
        }
    }

    /// Restores the rank rule around `slot`, whose child has just lost one rank.
    fn rebalance_after_detach(&mut self, mut slot: Slot<A>) {
        if self.is_leaf(slot.parent) {
            // It had one child and so rank 1.
            self.flip(slot.parent);
            let Some(above) = self.slot_of(slot.parent) else {
                return;
            };
            slot = above;
        }
        // The child in `slot` is a 2-child or a 3-child, so equal parities mean 2.
        loop {
            let Slot { parent, side } = slot;
            let rank = self.parity(Some(parent));
            if self.parity(self.child(parent, side)) == rank {
                return;
            }
            // A 3-child has a sibling of rank 0 or more.
            let Some(sibling) = self.child(parent, side.opposite()) else {
                return;
            };
            if self.parity(Some(sibling)) != rank {
                let low = self.parity(Some(sibling));
                let outer = self.child(sibling, side.opposite());
                let inner = self.child(sibling, side);
                if self.parity(outer) != low || self.parity(inner) != low {
                    self.rotate_after_detach(sibling, slot);
                    return;
                }
                self.flip(sibling);
            }
            self.flip(parent);
            let Some(above) = self.slot_of(parent) else {
                return;
            };
            slot = above;
        }
    }

    /// Ends a removal: the child in `slot` is a 3-child, and `sibling` a 1-child with a 1-child.
    fn rotate_after_detach(&mut self, sibling: Node<A>, slot: Slot<A>) {
        let Slot { parent, side } = slot;
        let up = Slot {
            parent,
            side: side.opposite(),
        };
        let before = self.summary(parent);
        let outer = self.child(sibling, side.opposite());
        match self.child(sibling, side) {
            Some(inner) if self.parity(outer) == self.parity(Some(sibling)) => {
                self.flip(sibling);
                self.lift_twice(inner, sibling, up);
                self.refresh(sibling);
                self.refresh_rotated(parent, inner, before);
            }
            _ => {
                self.lift(sibling, up);
                self.flip(sibling);
                if !self.is_leaf(parent) {
                    self.flip(parent);
                }
                self.refresh_rotated(parent, sibling, before);
            }
        }
    }

    /// Computes the summaries after a rotation that put `top` in the place of `lower`, where the
    /// summary was `before`.
    #[inline]
    fn refresh_rotated(&mut self, lower: Node<A>, top: Node<A>, before: Summary<A>) {
        self.refresh(lower);
        match S::SHAPE {
            Shape::IsIrrelevant => self.set_summary(top, before),
            Shape::Matters => {
                if self.refresh(top) != before {
                    self.refresh_upwards(self.parent(top));
                }
            }
        }
    }

    /// Lifts the inner grandchild `inner` above `node` and then above the parent of `node`.
    #[inline]
    fn lift_twice(&mut self, inner: Node<A>, node: Node<A>, slot: Slot<A>) {
        self.lift(
            inner,
            Slot {
                parent: node,
                side: slot.side.opposite(),
            },
        );
        self.lift(inner, slot);
    }

    /// Lifts `node`, the child in `slot`, above its parent.
    ///
    /// ```text
    ///        parent          node
    ///        /    \          /  \
    ///     node     c  ──►   a   parent      (for the left side)
    ///     /  \                  /    \
    ///    a    b                b      c
    /// ```
    #[inline]
    fn lift(&mut self, node: Node<A>, slot: Slot<A>) {
        let Slot { parent, side } = slot;
        self.replace(self.slot_of(parent), Some(node));
        let moved = self.child(node, side.opposite());
        self.set_child(parent, side, moved);
        if let Some(moved) = moved {
            self.set_parent(moved, Some(parent));
        }
        self.set_child(node, side.opposite(), Some(parent));
        self.set_parent(parent, Some(node));
    }

    /// Puts `new` into `slot`, or at the root.
    #[inline]
    fn replace(&mut self, slot: Option<Slot<A>>, new: Option<Node<A>>) {
        match slot {
            Some(slot) => self.set_child(slot.parent, slot.side, new),
            None => self.root = new,
        }
        if let Some(new) = new {
            self.set_parent(new, slot.map(|slot| slot.parent));
        }
    }

    /// Where `node` hangs; `None` for the root.
    #[inline]
    fn slot_of(&self, node: Node<A>) -> Option<Slot<A>> {
        let parent = self.parent(node)?;
        let is_left = self.child(parent, Side::Left) == Some(node);
        let side = if is_left { Side::Left } else { Side::Right };
        Some(Slot { parent, side })
    }

    #[inline]
    fn is_leaf(&self, node: Node<A>) -> bool {
        self.child(node, Side::Left).is_none() && self.child(node, Side::Right).is_none()
    }
}
