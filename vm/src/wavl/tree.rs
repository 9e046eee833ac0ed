//! The tree itself: searching, inserting, iterating.

use core::cmp::Ordering;
use core::fmt;
use core::marker::PhantomData;

use super::balance::Slot;
use super::link::Side;
use super::node::{Node, NodeRef};
use super::{Cursor, CursorMut, Entry, InsertCursor, Iter, Plain, Pointer, TreeAdapter, Value};

/// An intrusive weak AVL tree of the objects that `A` adapts, summarised by `S`.
///
/// 1. The objects are in order, as the adapter's key or the caller's comparisons say.
/// 2. Every rank difference is 1 or 2, and every leaf has rank 0.
/// 3. The summary of each node is what `S` makes of its object and its children's summaries.
///
/// `attach`, `detach` and `exchange` (in `balance`) are the only functions that change the shape of a tree
/// that is used again, so only they can break 2 and 3; what is out of order was inserted through a cursor.
pub struct WavlTree<A: TreeAdapter, S = Plain> {
    pub(super) adapter: A,
    pub(super) root: Option<Node<A>>,
    augment: PhantomData<fn() -> S>,
}

// SAFETY: The tree owns its objects, so it goes where their owning pointers may go.
unsafe impl<A: TreeAdapter + Send, S> Send for WavlTree<A, S> where Pointer<A>: Send {}

// SAFETY: A shared tree gives out shared references to objects and copies of summaries, and clones of
// owning pointers; nothing is written.
unsafe impl<A: TreeAdapter + Sync, S> Sync for WavlTree<A, S>
where
    Value<A>: Sync,
    super::Summary<A>: Sync,
{
}

/// Where a search for one object ended.
pub(super) enum Search<A: TreeAdapter> {
    Found(Node<A>),
    Missing(Option<Slot<A>>),
}

impl<A: TreeAdapter, S> WavlTree<A, S> {
    /// An empty tree.
    pub const fn new(adapter: A) -> Self {
        Self {
            adapter,
            root: None,
            augment: PhantomData,
        }
    }

    /// Whether there is nothing in the tree.
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The topmost node, where a search of one's own begins.
    #[inline]
    pub fn root(&self) -> Option<NodeRef<'_, A, S>> {
        self.root.map(|node| NodeRef { tree: self, node })
    }

    /// A cursor at no object.
    pub const fn cursor(&self) -> Cursor<'_, A, S> {
        Cursor {
            tree: self,
            current: None,
        }
    }

    /// A cursor for changes, at no object.
    pub const fn cursor_mut(&mut self) -> CursorMut<'_, A, S> {
        CursorMut {
            tree: self,
            current: None,
        }
    }

    /// A cursor at this very object.
    ///
    /// # Safety
    /// `object` points to an object in this tree.
    pub unsafe fn cursor_from_ptr(&self, object: *const Value<A>) -> Cursor<'_, A, S> {
        // SAFETY: The caller promises that the object is in this tree.
        let node = unsafe { self.node_of(object) };
        Cursor {
            tree: self,
            current: Some(node),
        }
    }

    /// A cursor for changes, at this very object.
    ///
    /// # Safety
    /// `object` points to an object in this tree.
    pub unsafe fn cursor_mut_from_ptr(&mut self, object: *const Value<A>) -> CursorMut<'_, A, S> {
        // SAFETY: The caller promises that the object is in this tree.
        let node = unsafe { self.node_of(object) };
        CursorMut {
            tree: self,
            current: Some(node),
        }
    }

    /// A cursor at the first object.
    pub fn front(&self) -> Cursor<'_, A, S> {
        Cursor {
            tree: self,
            current: self.end(Side::Left),
        }
    }

    /// A cursor for changes, at the first object.
    pub fn front_mut(&mut self) -> CursorMut<'_, A, S> {
        CursorMut {
            current: self.end(Side::Left),
            tree: self,
        }
    }

    /// A cursor at the last object.
    pub fn back(&self) -> Cursor<'_, A, S> {
        Cursor {
            tree: self,
            current: self.end(Side::Right),
        }
    }

    /// A cursor for changes, at the last object.
    pub fn back_mut(&mut self) -> CursorMut<'_, A, S> {
        CursorMut {
            current: self.end(Side::Right),
            tree: self,
        }
    }

    /// All objects, in order.
    pub fn iter(&self) -> Iter<'_, A, S> {
        Iter {
            tree: self,
            ends: self.end(Side::Left).zip(self.end(Side::Right)),
        }
    }

    /// The object for which `compare` returns `Equal`.
    ///
    /// `compare` tells how the wanted object compares with the one it is given.
    #[inline]
    pub fn find_by(&self, compare: impl FnMut(&Value<A>) -> Ordering) -> Cursor<'_, A, S> {
        Cursor {
            tree: self,
            current: self.found(compare),
        }
    }

    /// As [`find_by`](Self::find_by), for changes.
    #[inline]
    pub fn find_by_mut(
        &mut self,
        compare: impl FnMut(&Value<A>) -> Ordering,
    ) -> CursorMut<'_, A, S> {
        CursorMut {
            current: self.found(compare),
            tree: self,
        }
    }

    /// The first object that is not `before` the wanted place.
    ///
    /// All objects that are must come first.
    #[inline]
    pub fn first_not(&self, before: impl FnMut(&Value<A>) -> bool) -> Cursor<'_, A, S> {
        Cursor {
            tree: self,
            current: self.boundary(before).1,
        }
    }

    /// As [`first_not`](Self::first_not), for changes.
    #[inline]
    pub fn first_not_mut(&mut self, before: impl FnMut(&Value<A>) -> bool) -> CursorMut<'_, A, S> {
        CursorMut {
            current: self.boundary(before).1,
            tree: self,
        }
    }

    /// The last object that is `before` the wanted place.
    ///
    /// All objects that are must come first.
    #[inline]
    pub fn last(&self, before: impl FnMut(&Value<A>) -> bool) -> Cursor<'_, A, S> {
        Cursor {
            tree: self,
            current: self.boundary(before).0,
        }
    }

    /// As [`last`](Self::last), for changes.
    #[inline]
    pub fn last_mut(&mut self, before: impl FnMut(&Value<A>) -> bool) -> CursorMut<'_, A, S> {
        CursorMut {
            current: self.boundary(before).0,
            tree: self,
        }
    }

    /// The object for which `compare` returns `Equal`, or the place where it would go.
    #[inline]
    pub fn entry_by(&mut self, compare: impl FnMut(&Value<A>) -> Ordering) -> Entry<'_, A, S> {
        match self.search(compare) {
            Search::Found(node) => Entry::Occupied(CursorMut {
                current: Some(node),
                tree: self,
            }),
            Search::Missing(slot) => Entry::Vacant(InsertCursor { tree: self, slot }),
        }
    }

    /// Takes all objects out.
    pub fn clear(&mut self) {
        let mut next = self.root.take();
        // The tree is taken apart from the leaves up; a parent forgets the child that has gone.
        while let Some(node) = next {
            let child = self
                .child(node, Side::Left)
                .or(self.child(node, Side::Right));
            if child.is_some() {
                next = child;
                continue;
            }
            next = self.parent(node);
            if let Some(parent) = next {
                let is_left = self.child(parent, Side::Left) == Some(node);
                self.set_child(parent, if is_left { Side::Left } else { Side::Right }, None);
            }
            drop(self.disown(node));
        }
    }

    /// Forgets all objects, in one step: they are neither unlinked nor dropped.
    ///
    /// They cannot get into a tree again before [`Link::force_unlink`](super::Link::force_unlink), and what
    /// owns memory leaks, unless somebody else has its pointer.
    pub const fn fast_clear(&mut self) {
        self.root = None;
    }

    /// Moves all objects into a new tree, in one step.
    pub fn take(&mut self) -> Self
    where
        A: Clone,
    {
        Self {
            adapter: self.adapter.clone(),
            root: self.root.take(),
            augment: PhantomData,
        }
    }

    /// The place between the objects that are `before` it and those that are not.
    ///
    /// All objects that are must come first.
    #[inline]
    pub fn place_after(
        &mut self,
        mut before: impl FnMut(&Value<A>) -> bool,
    ) -> InsertCursor<'_, A, S> {
        let (mut slot, mut here) = (None, self.root);
        while let Some(node) = here {
            // Written so that the comparison decides without a jump.
            let is_below = before(self.value(node));
            let side = if is_below { Side::Right } else { Side::Left };
            slot = Some(Slot { parent: node, side });
            here = self.child(node, side);
        }
        InsertCursor { tree: self, slot }
    }

    #[inline]
    pub(super) fn search(&self, mut compare: impl FnMut(&Value<A>) -> Ordering) -> Search<A> {
        let mut slot = None;
        let mut next = self.root;
        while let Some(node) = next {
            let side = match compare(self.value(node)) {
                Ordering::Less => Side::Left,
                Ordering::Greater => Side::Right,
                Ordering::Equal => return Search::Found(node),
            };
            slot = Some(Slot { parent: node, side });
            next = self.child(node, side);
        }
        Search::Missing(slot)
    }

    #[inline]
    fn found(&self, compare: impl FnMut(&Value<A>) -> Ordering) -> Option<Node<A>> {
        match self.search(compare) {
            Search::Found(node) => Some(node),
            Search::Missing(_) => None,
        }
    }

    /// The last node that is `before` the wanted place, and the first that is not.
    #[inline]
    fn boundary(
        &self,
        mut before: impl FnMut(&Value<A>) -> bool,
    ) -> (Option<Node<A>>, Option<Node<A>>) {
        let (mut below, mut above) = (None, None);
        let mut next = self.root;
        while let Some(node) = next {
            // Written so that one comparison decides all three without a jump.
            let is_below = before(self.value(node));
            below = if is_below { next } else { below };
            above = if is_below { above } else { next };
            next = self.child(node, if is_below { Side::Right } else { Side::Left });
        }
        (below, above)
    }
}

impl<A: TreeAdapter, S> Drop for WavlTree<A, S> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<A: TreeAdapter + Default, S> Default for WavlTree<A, S> {
    fn default() -> Self {
        Self::new(A::default())
    }
}

impl<A: TreeAdapter, S> fmt::Debug for WavlTree<A, S>
where
    Value<A>: fmt::Debug,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self).finish()
    }
}
