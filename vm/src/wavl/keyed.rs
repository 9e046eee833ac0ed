//! Searching and inserting by the key that an adapter reads from its objects.

use core::borrow::Borrow;
use core::cmp::Ordering;

use intrusive_collections::{Bound, KeyAdapter};

use super::balance::Slot;
use super::node::Node;
use super::tree::Search;
use super::{Augment, Cursor, CursorMut, Pointer, TreeAdapter, Value, WavlTree};

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

    fn slot_after_equals(&self, node: Node<A>) -> Option<Slot<A>>
    where
        for<'k> <A as KeyAdapter<'k>>::Key: Ord,
    {
        // The keys of two objects are of one type only at a common lifetime.
        fn compare<'k, A>(adapter: &A, one: &'k Value<A>, other: &'k Value<A>) -> Ordering
        where
            A: TreeAdapter + KeyAdapter<'k, Key: Ord>,
        {
            match adapter.get_key(one).cmp(&adapter.get_key(other)) {
                Ordering::Less => Ordering::Less,
                Ordering::Equal | Ordering::Greater => Ordering::Greater,
            }
        }
        let value = self.value(node);
        let search = self.search(|other| compare(&self.adapter, value, other));
        match search {
            Search::Found(_) => None,
            Search::Missing(slot) => slot,
        }
    }
}
