//! Searching and inserting by the key that an adapter reads from its objects.

use core::borrow::Borrow;
use core::cmp::Ordering;

use intrusive_collections::{Bound, KeyAdapter};

use super::balance::Slot;
use super::link::Side;
use super::node::Node;
use super::tree::Search;
use super::{
    Augment, Cursor, CursorMut, Entry, InsertCursor, Iter, Pointer, TreeAdapter, Value, WavlTree,
};

/// Searches by the adapter's key, as in `intrusive_collections::RBTree`.
impl<A: TreeAdapter + for<'k> KeyAdapter<'k>, S> WavlTree<A, S> {
    /// A cursor at an object with this key; any one of them if there are several.
    #[inline]
    pub fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Cursor<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Q>,
    {
        self.find_by(|value| key.cmp(self.adapter.get_key(value).borrow()))
    }

    /// As [`find`](Self::find), for changes.
    #[inline]
    pub fn find_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> CursorMut<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Q>,
    {
        CursorMut {
            current: self.find(key).current,
            tree: self,
        }
    }

    /// A cursor at the first object whose key is within the lower bound.
    #[inline]
    pub fn lower_bound<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> Cursor<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Q>,
    {
        self.first_not(|value| match bound {
            Bound::Unbounded => false,
            Bound::Included(key) => self.adapter.get_key(value).borrow() < key,
            Bound::Excluded(key) => self.adapter.get_key(value).borrow() <= key,
        })
    }

    /// As [`lower_bound`](Self::lower_bound), for changes.
    #[inline]
    pub fn lower_bound_mut<Q: Ord + ?Sized>(&mut self, bound: Bound<&Q>) -> CursorMut<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Q>,
    {
        CursorMut {
            current: self.lower_bound(bound).current,
            tree: self,
        }
    }

    /// A cursor at the last object whose key is within the upper bound.
    #[inline]
    pub fn upper_bound<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> Cursor<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Q>,
    {
        self.last(|value| match bound {
            Bound::Unbounded => true,
            Bound::Included(key) => self.adapter.get_key(value).borrow() <= key,
            Bound::Excluded(key) => self.adapter.get_key(value).borrow() < key,
        })
    }

    /// As [`upper_bound`](Self::upper_bound), for changes.
    #[inline]
    pub fn upper_bound_mut<Q: Ord + ?Sized>(&mut self, bound: Bound<&Q>) -> CursorMut<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Q>,
    {
        CursorMut {
            current: self.upper_bound(bound).current,
            tree: self,
        }
    }

    /// The objects whose keys are within both bounds, in order.
    pub fn range<Low: Ord + ?Sized, High: Ord + ?Sized>(
        &self,
        low: Bound<&Low>,
        high: Bound<&High>,
    ) -> Iter<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Low> + Borrow<High> + Ord,
    {
        let ends = self
            .lower_bound(low)
            .current
            .zip(self.upper_bound(high).current);
        Iter {
            tree: self,
            ends: ends.filter(|&(first, last)| self.compare(first, last).is_le()),
        }
    }

    /// The object with this key, or the place where it would go.
    pub fn entry<Q: Ord + ?Sized>(&mut self, key: &Q) -> Entry<'_, A, S>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Borrow<Q>,
    {
        match self.search(|value| key.cmp(self.adapter.get_key(value).borrow())) {
            Search::Found(node) => Entry::Occupied(CursorMut {
                current: Some(node),
                tree: self,
            }),
            Search::Missing(slot) => Entry::Vacant(InsertCursor { tree: self, slot }),
        }
    }

    /// Inserts an object where its key belongs, after those with an equal key.
    ///
    /// # Panics
    /// If the object is in a tree already.
    pub fn insert(&mut self, object: Pointer<A>) -> CursorMut<'_, A, S>
    where
        S: Augment<A>,
        for<'k> <A as KeyAdapter<'k>>::Key: Ord,
    {
        let node = self.adopt(object);
        let slot = self.slot_after_equals(node);
        self.attach(node, slot);
        CursorMut {
            current: Some(node),
            tree: self,
        }
    }

    /// Where an object goes, after those with an equal key.
    fn slot_after_equals(&self, node: Node<A>) -> Option<Slot<A>>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Ord,
    {
        let (mut slot, mut here) = (None, self.root);
        while let Some(parent) = here {
            let side = match self.compare(node, parent) {
                Ordering::Less => Side::Left,
                Ordering::Equal | Ordering::Greater => Side::Right,
            };
            slot = Some(Slot { parent, side });
            here = self.child(parent, side);
        }
        slot
    }

    /// How the keys of two nodes compare.
    fn compare(&self, one: Node<A>, other: Node<A>) -> Ordering
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Ord,
    {
        // The keys of two objects are of one type only at a common lifetime.
        fn compare<'k, A>(adapter: &A, one: &'k Value<A>, other: &'k Value<A>) -> Ordering
        where
            A: TreeAdapter + KeyAdapter<'k, Key: Ord>,
        {
            adapter.get_key(one).cmp(&adapter.get_key(other))
        }
        compare(&self.adapter, self.value(one), self.value(other))
    }
}

impl<A: TreeAdapter + for<'k> KeyAdapter<'k>, S: Augment<A>> CursorMut<'_, A, S>
where
    for<'k> <A as KeyAdapter<'k>>::Key: Ord,
{
    /// Inserts an object where its key belongs, wherever this cursor is, and stays.
    ///
    /// # Panics
    /// If the object is in a tree already.
    pub fn insert(&mut self, object: Pointer<A>) -> CursorMut<'_, A, S> {
        self.tree.insert(object)
    }
}
