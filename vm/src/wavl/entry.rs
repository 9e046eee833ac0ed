//! Places for objects that are not there yet.

use super::balance::Slot;
use super::link::Side;
use super::node::Node;
use super::{Augment, CursorMut, Pointer, TreeAdapter, Value, WavlTree};

/// The place that [`WavlTree::entry_by`] or [`WavlTree::entry`] found.
pub enum Entry<'a, A: TreeAdapter, S> {
    /// The object.
    Occupied(CursorMut<'a, A, S>),
    /// The gap where the object would be.
    Vacant(InsertCursor<'a, A, S>),
}

impl<'a, A: TreeAdapter, S: Augment<A>> Entry<'a, A, S> {
    /// A cursor at the object that was found, or else at `object`, which is inserted.
    ///
    /// # Panics
    /// If it has to be inserted, and is in a tree already.
    pub fn or_insert(self, object: Pointer<A>) -> CursorMut<'a, A, S> {
        self.or_insert_with(|| object)
    }

    /// A cursor at the object that was found, or else at the one that `make` makes, which is inserted.
    ///
    /// # Panics
    /// If it is in a tree already.
    pub fn or_insert_with(self, make: impl FnOnce() -> Pointer<A>) -> CursorMut<'a, A, S> {
        match self {
            Self::Occupied(cursor) => cursor,
            Self::Vacant(place) => place.insert(make()),
        }
    }
}

/// A gap between two neighbours that no search has to find again.
pub struct InsertCursor<'a, A: TreeAdapter, S> {
    pub(super) tree: &'a mut WavlTree<A, S>,
    pub(super) slot: Option<Slot<A>>,
}

impl<A: TreeAdapter, S> InsertCursor<'_, A, S> {
    /// The object before this gap.
    #[inline]
    pub fn previous(&self) -> Option<&Value<A>> {
        self.beside(Side::Left).map(|node| self.tree.value(node))
    }

    /// The object after this gap.
    #[inline]
    pub fn next(&self) -> Option<&Value<A>> {
        self.beside(Side::Right).map(|node| self.tree.value(node))
    }

    /// The neighbour on `side`: the parent on one side, and some node above it on the other.
    #[inline]
    fn beside(&self, side: Side) -> Option<Node<A>> {
        let slot = self.slot?;
        if slot.side == side {
            self.tree.above(slot.parent, side)
        } else {
            Some(slot.parent)
        }
    }
}

impl<'a, A: TreeAdapter, S: Augment<A>> InsertCursor<'a, A, S> {
    /// Inserts an object here.
    ///
    /// # Panics
    /// If the object is in a tree already.
    #[inline]
    pub fn insert(self, object: Pointer<A>) -> CursorMut<'a, A, S> {
        let node = self.tree.adopt(object);
        self.tree.attach(node, self.slot);
        CursorMut {
            tree: self.tree,
            current: Some(node),
        }
    }

    /// As [`insert`](Self::insert), after `change` has changed the next object on account of this one.
    ///
    /// `change` gets the object and the next one, if there is one. See [`CursorMut::remove_with`].
    ///
    /// # Panics
    /// If the object is in a tree already.
    #[inline]
    pub fn insert_with(
        self,
        object: Pointer<A>,
        change: impl FnOnce(&Value<A>, Option<&Value<A>>),
    ) -> CursorMut<'a, A, S> {
        let next = self.beside(Side::Right);
        let node = self.tree.adopt(object);
        let tree = &*self.tree;
        change(tree.value(node), next.map(|next| tree.value(next)));
        self.tree.refresh_upwards(next);
        self.tree.attach(node, self.slot);
        CursorMut {
            tree: self.tree,
            current: Some(node),
        }
    }
}
