//! Iterators: over the objects of a tree, and over those of a tree that goes away.

use super::link::Side;
use super::node::Node;
use super::{Pointer, TreeAdapter, Value, WavlTree};

/// The objects of a tree, in order, from both ends.
pub struct Iter<'a, A: TreeAdapter, S> {
    pub(super) tree: &'a WavlTree<A, S>,
    /// The first and the last object that are still to come.
    pub(super) ends: Option<(Node<A>, Node<A>)>,
}

impl<A: TreeAdapter, S> Clone for Iter<'_, A, S> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, A: TreeAdapter, S> Iterator for Iter<'a, A, S> {
    type Item = &'a Value<A>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends.take()?;
        if first != last {
            self.ends = self
                .tree
                .neighbour(first, Side::Right)
                .map(|next| (next, last));
        }
        Some(self.tree.value(first))
    }
}

impl<A: TreeAdapter, S> DoubleEndedIterator for Iter<'_, A, S> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let (first, last) = self.ends.take()?;
        if first != last {
            self.ends = self
                .tree
                .neighbour(last, Side::Left)
                .map(|previous| (first, previous));
        }
        Some(self.tree.value(last))
    }
}

impl<'a, A: TreeAdapter, S> IntoIterator for &'a WavlTree<A, S> {
    type Item = &'a Value<A>;
    type IntoIter = Iter<'a, A, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The objects of a tree, in order, from both ends, taken out one by one.
///
/// The tree is never used again, so it is not kept in balance: each object costs a walk from the root.
pub struct IntoIter<A: TreeAdapter, S> {
    tree: WavlTree<A, S>,
}

impl<A: TreeAdapter, S> IntoIter<A, S> {
    /// Takes out the outermost object on `side`.
    fn pop(&mut self, side: Side) -> Option<Pointer<A>> {
        let node = self.tree.end(side)?;
        let inner = self.tree.child(node, side.opposite());
        let parent = self.tree.parent(node);
        match parent {
            Some(parent) => self.tree.set_child(parent, side, inner),
            None => self.tree.root = inner,
        }
        if let Some(inner) = inner {
            self.tree.set_parent(inner, parent);
        }
        Some(self.tree.disown(node))
    }
}

impl<A: TreeAdapter, S> Iterator for IntoIter<A, S> {
    type Item = Pointer<A>;

    fn next(&mut self) -> Option<Pointer<A>> {
        self.pop(Side::Left)
    }
}

impl<A: TreeAdapter, S> DoubleEndedIterator for IntoIter<A, S> {
    fn next_back(&mut self) -> Option<Pointer<A>> {
        self.pop(Side::Right)
    }
}

impl<A: TreeAdapter, S> IntoIterator for WavlTree<A, S> {
    type Item = Pointer<A>;
    type IntoIter = IntoIter<A, S>;

    fn into_iter(self) -> IntoIter<A, S> {
        IntoIter { tree: self }
    }
}
