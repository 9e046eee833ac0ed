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
        self.hang(parent, side, Some(node));
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
    ///
    /// `next` is the node after it, whose object may have changed.
    pub(super) fn detach(&mut self, node: Node<A>, next: Option<Node<A>>) {
        let left = self.child(node, Side::Left);
        let right = self.child(node, Side::Right);
        // Which node is to be summarised first, and which place has lost a rank.
        let (dirty, slot) = match (left, right, next) {
            (Some(left), Some(right), Some(next)) => {
                let slot = self.put_successor(next, node, [left, right]);
                (slot.parent, Some(slot))
            }
            (None, child, _) | (child, ..) => {
                let slot = self.slot_of(node);
                self.replace(slot, child);
                match (child, slot) {
                    (Some(child), _) => {
                        self.set_summary(child, self.summary(node));
                        (child, slot)
                    }
                    (None, Some(above)) => (above.parent, slot),
                    (None, None) => return,
                }
            }
        };
        self.refresh_upwards(Some(dirty));
        if next != Some(dirty) {
            self.refresh_upwards(next);
        }
        if let Some(slot) = slot {
            self.rebalance_after_detach(slot);
        }
    }

    /// Puts `new` into the place of `old`; the caller still has to disown that.
    pub(super) fn exchange(&mut self, old: Node<A>, new: Node<A>) {
        for side in [Side::Left, Side::Right] {
            self.hang(new, side, self.child(old, side));
        }
        self.stand_in(new, old);
        self.refresh_upwards(Some(new));
    }

    /// Puts `successor`, the node after `node`, into the place of `node`, which has two children.
    ///
    /// Answers where `successor` was.
    #[inline]
    fn put_successor(
        &mut self,
        successor: Node<A>,
        node: Node<A>,
        [left, right]: [Node<A>; 2],
    ) -> Slot<A> {
        let mut slot = Slot {
            parent: successor,
            side: Side::Right,
        };
        if successor != right {
            // It is the leftmost node below `right`.
            slot = Slot {
                parent: self.parent(successor).unwrap_or(right),
                side: Side::Left,
            };
            self.replace(Some(slot), self.child(successor, Side::Right));
            self.hang(successor, Side::Right, Some(right));
        }
        self.hang(successor, Side::Left, Some(left));
        self.stand_in(successor, node);
        slot
    }

    /// Gives `new` what is above `old`: the parent, and what that knows of `old`.
    #[inline]
    fn stand_in(&mut self, new: Node<A>, old: Node<A>) {
        match self.slot_of(old) {
            Some(slot) => self.set_child(slot.parent, slot.side, Some(new)),
            None => self.root = Some(new),
        }
        self.copy_place(old, new);
        self.set_summary(new, self.summary(old));
    }

    /// Computes the summaries from `node` upwards anew, until one comes out as it was.
    #[inline]
    pub(super) fn refresh_upwards(&mut self, mut node: Option<Node<A>>) {
        while let Some(current) = node {
            let summary = self.summarize(current);
            if summary == self.summary(current) {
                return;
            }
            self.set_summary(current, summary);
            node = self.parent(current);
        }
    }

    /// Computes the summary of one node anew.
    #[inline]
    fn refresh(&mut self, node: Node<A>) -> Summary<A> {
        let summary = self.summarize(node);
        self.set_summary(node, summary);
        summary
    }

    /// What the summary of `node` should be.
    #[inline]
    fn summarize(&self, node: Node<A>) -> Summary<A> {
        let left = self.child(node, Side::Left);
        let right = self.child(node, Side::Right);
        S::summarize(
            self.value(node),
            left.map(|child| self.summary(child)),
            right.map(|child| self.summary(child)),
        )
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
        // The child in `slot` is a 2-child or a 3-child, so equal parities mean 2.
        loop {
            let Slot { parent, side } = slot;
            let rank = self.parity(Some(parent));
            let child = self.child(parent, side);
            if self.parity(child) == rank {
                if child.is_some() || !self.is_leaf(parent) {
                    return;
                }
                // It has become a leaf, and still has rank 1.
            } else {
                // A 3-child has a sibling of rank 0 or more.
                let Some(sibling) = self.child(parent, side.opposite()) else {
                    return;
                };
                let low = self.parity(Some(sibling));
                if low != rank {
                    if self.parity(self.child(sibling, side.opposite())) != low {
                        self.rotate_after_detach(sibling, slot);
                        return;
                    }
                    if let Some(inner) = self.child(sibling, side)
                        && self.parity(Some(inner)) != low
                    {
                        self.rotate_twice_after_detach(inner, sibling, slot);
                        return;
                    }
                    self.flip(sibling);
                }
            }
            self.flip(parent);
            let Some(above) = self.slot_of(parent) else {
                return;
            };
            slot = above;
        }
    }

    /// Ends a removal: the child in `slot` is a 3-child, `sibling` a 1-child, and its outer child too.
    fn rotate_after_detach(&mut self, sibling: Node<A>, slot: Slot<A>) {
        let Slot { parent, side } = slot;
        let before = self.summary(parent);
        self.lift(
            sibling,
            Slot {
                parent,
                side: side.opposite(),
            },
        );
        self.flip(sibling);
        if !self.is_leaf(parent) {
            self.flip(parent);
        }
        self.refresh_rotated(parent, sibling, before);
    }

    /// Ends a removal: the child in `slot` is a 3-child, `sibling` a 1-child, and its child `inner` too.
    fn rotate_twice_after_detach(&mut self, inner: Node<A>, sibling: Node<A>, slot: Slot<A>) {
        let Slot { parent, side } = slot;
        let before = self.summary(parent);
        self.flip(sibling);
        self.lift_twice(
            inner,
            sibling,
            Slot {
                parent,
                side: side.opposite(),
            },
        );
        self.refresh(sibling);
        self.refresh_rotated(parent, inner, before);
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

    /// Lifts `inner`, the inner child of `node`, above `node` and above its parent; `node` is in `slot`.
    ///
    /// ```text
    ///        parent              inner
    ///        /    \             /     \
    ///     node     d   ──►   node     parent      (for the left side)
    ///     /  \               /  \      /  \
    ///    a   inner          a    b    c    d
    ///        /   \
    ///       b     c
    /// ```
    #[inline]
    fn lift_twice(&mut self, inner: Node<A>, node: Node<A>, slot: Slot<A>) {
        let Slot { parent, side } = slot;
        self.replace(self.slot_of(parent), Some(inner));
        self.hang(node, side.opposite(), self.child(inner, side));
        self.hang(parent, side, self.child(inner, side.opposite()));
        self.hang(inner, side, Some(node));
        self.hang(inner, side.opposite(), Some(parent));
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
        self.hang(parent, side, self.child(node, side.opposite()));
        self.hang(node, side.opposite(), Some(parent));
    }

    /// Makes `child` the child of `parent` on `side`, and `parent` its parent.
    #[inline]
    fn hang(&mut self, parent: Node<A>, side: Side, child: Option<Node<A>>) {
        self.set_child(parent, side, child);
        if let Some(child) = child {
            self.set_parent(child, Some(parent));
        }
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
