//! Cursors: places in a tree, for walking it and for editing it.

use core::mem::ManuallyDrop;

use intrusive_collections::PointerOps;

use super::balance::Slot;
use super::link::Side;
use super::node::{Node, NodeRef};
use super::{Augment, Pointer, TreeAdapter, Value, WavlTree};

/// A place in a tree that can only be looked at: an object, or the null place between last and first.
pub struct Cursor<'a, A: TreeAdapter, S> {
    pub(super) tree: &'a WavlTree<A, S>,
    pub(super) current: Option<Node<A>>,
}

impl<A: TreeAdapter, S> Clone for Cursor<'_, A, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: TreeAdapter, S> Copy for Cursor<'_, A, S> {}

impl<'a, A: TreeAdapter, S> Cursor<'a, A, S> {
    /// Whether the cursor is at no object.
    pub const fn is_null(&self) -> bool {
        self.current.is_none()
    }

    /// The object here.
    #[inline]
    pub fn get(&self) -> Option<&'a Value<A>> {
        self.current.map(|node| self.tree.value(node))
    }

    /// The same place if the object here is `wanted`, and the null place otherwise.
    #[inline]
    pub fn filter(mut self, wanted: impl FnOnce(&Value<A>) -> bool) -> Self {
        self.current = self.current.filter(|node| wanted(self.tree.value(*node)));
        self
    }

    /// The node here, for a search that follows the summaries.
    #[inline]
    pub fn node(&self) -> Option<NodeRef<'a, A, S>> {
        self.current.map(|node| NodeRef {
            tree: self.tree,
            node,
        })
    }

    /// A further owning pointer to the object here.
    #[inline]
    pub fn clone_pointer(&self) -> Option<Pointer<A>>
    where
        Pointer<A>: Clone,
    {
        let raw = self.tree.raw_value(self.current?);
        let pointer_ops = self.tree.adapter.pointer_ops();
        // SAFETY:
        // 1. `raw` came from `into_raw` when the object was inserted, and the tree owns it.
        // 2. `ManuallyDrop` and the `into_raw` below leave that ownership with the tree, even if
        //    `clone` panics.
        let pointer = ManuallyDrop::new(unsafe { pointer_ops.from_raw(raw) });
        let clone = Pointer::<A>::clone(&pointer);
        pointer_ops.into_raw(ManuallyDrop::into_inner(pointer));
        Some(clone)
    }

    /// Moves to the next object; from the null place to the first.
    #[inline]
    pub fn move_next(&mut self) {
        self.current = self.tree.step(self.current, Side::Right);
    }

    /// Moves to the previous object; from the null place to the last.
    #[inline]
    pub fn move_prev(&mut self) {
        self.current = self.tree.step(self.current, Side::Left);
    }

    /// A cursor at the next object.
    #[inline]
    pub fn peek_next(&self) -> Self {
        Self {
            current: self.tree.step(self.current, Side::Right),
            ..*self
        }
    }

    /// A cursor at the previous object.
    #[inline]
    pub fn peek_prev(&self) -> Self {
        Self {
            current: self.tree.step(self.current, Side::Left),
            ..*self
        }
    }
}

/// A place in a tree where it can be changed: an object, or the null place between last and first.
pub struct CursorMut<'a, A: TreeAdapter, S> {
    pub(super) tree: &'a mut WavlTree<A, S>,
    pub(super) current: Option<Node<A>>,
}

impl<'a, A: TreeAdapter, S> CursorMut<'a, A, S> {
    /// Whether the cursor is at no object.
    pub const fn is_null(&self) -> bool {
        self.current.is_none()
    }

    /// The object here.
    #[inline]
    pub fn get(&self) -> Option<&Value<A>> {
        self.as_cursor().get()
    }

    /// The same place if the object here is `wanted`, and the null place otherwise.
    #[inline]
    pub fn filter(mut self, wanted: impl FnOnce(&Value<A>) -> bool) -> Self {
        self.current = self.as_cursor().filter(wanted).current;
        self
    }

    /// The same place, to look at.
    pub const fn as_cursor(&self) -> Cursor<'_, A, S> {
        Cursor {
            tree: self.tree,
            current: self.current,
        }
    }

    /// The object here, for as long as the tree could have been changed through `self`.
    #[inline]
    pub fn into_ref(self) -> Option<&'a Value<A>> {
        self.into_cursor().get()
    }

    /// The same place, to look at for as long as the tree could have been changed through `self`.
    pub fn into_cursor(self) -> Cursor<'a, A, S> {
        Cursor {
            tree: self.tree,
            current: self.current,
        }
    }

    /// Moves to the next object; from the null place to the first.
    #[inline]
    pub fn move_next(&mut self) {
        self.current = self.tree.step(self.current, Side::Right);
    }

    /// Moves to the previous object; from the null place to the last.
    #[inline]
    pub fn move_prev(&mut self) {
        self.current = self.tree.step(self.current, Side::Left);
    }

    /// A cursor at the next object.
    #[inline]
    pub fn peek_next(&self) -> Cursor<'_, A, S> {
        self.as_cursor().peek_next()
    }

    /// A cursor at the previous object.
    #[inline]
    pub fn peek_prev(&self) -> Cursor<'_, A, S> {
        self.as_cursor().peek_prev()
    }
}

impl<A: TreeAdapter, S: Augment<A>> CursorMut<'_, A, S> {
    /// Takes out the object here and moves to the next one; `None` at the null place.
    #[inline]
    pub fn remove(&mut self) -> Option<Pointer<A>> {
        self.remove_with(|_, _| {})
    }

    /// As [`remove`](Self::remove), after `change` has changed the next object on account of this one.
    ///
    /// `change` gets the object here and the next one, if there is one. This is for summaries that depend
    /// on what an object knows of its neighbour, and saves an [`update`](Self::update).
    #[inline]
    pub fn remove_with(
        &mut self,
        change: impl FnOnce(&Value<A>, Option<&Value<A>>),
    ) -> Option<Pointer<A>> {
        let node = self.current?;
        self.move_next();
        change(self.tree.value(node), self.get());
        self.tree.detach(node, self.current);
        Some(self.tree.disown(node))
    }

    /// Puts `object` into the place of the object here, which is given back.
    ///
    /// It must belong there by its key.
    ///
    /// # Errors
    /// Gives `object` back at the null place.
    ///
    /// # Panics
    /// If `object` is in a tree already.
    pub fn replace_with(&mut self, object: Pointer<A>) -> Result<Pointer<A>, Pointer<A>> {
        let Some(old) = self.current else {
            return Err(object);
        };
        let new = self.tree.adopt(object);
        self.tree.exchange(old, new);
        self.current = Some(new);
        Ok(self.tree.disown(old))
    }

    /// A cursor for changes at the next object, while this one stays here.
    #[inline]
    pub fn peek_next_mut(&mut self) -> CursorMut<'_, A, S> {
        CursorMut {
            current: self.tree.step(self.current, Side::Right),
            tree: self.tree,
        }
    }

    /// Brings the summaries up to date after a change of the object here that keeps its place.
    #[inline]
    pub fn update(&mut self) {
        self.tree.refresh_upwards(self.current);
    }

    /// Inserts an object before this place; at the end of the tree if it is the null place.
    ///
    /// It must belong there by its key.
    ///
    /// # Panics
    /// If the object is in a tree already.
    pub fn insert_before(&mut self, object: Pointer<A>) {
        self.insert_beside(object, Side::Left);
    }

    /// Inserts an object after this place; at the start of the tree if it is the null place.
    ///
    /// It must belong there by its key.
    ///
    /// # Panics
    /// If the object is in a tree already.
    pub fn insert_after(&mut self, object: Pointer<A>) {
        self.insert_beside(object, Side::Right);
    }

    fn insert_beside(&mut self, object: Pointer<A>, side: Side) {
        let node = self.tree.adopt(object);
        let slot = self.tree.slot_beside(self.current, side);
        self.tree.attach(node, slot);
    }
}

impl<A: TreeAdapter, S> WavlTree<A, S> {
    /// The place next to `from` on `side`, in a circle that goes through the null place.
    #[inline]
    fn step(&self, from: Option<Node<A>>, side: Side) -> Option<Node<A>> {
        match from {
            Some(node) => self.neighbour(node, side),
            None => self.end(side.opposite()),
        }
    }

    /// The empty slot directly beside a place; `None` in an empty tree.
    fn slot_beside(&self, place: Option<Node<A>>, side: Side) -> Option<Slot<A>> {
        let inside = match place {
            Some(node) => match self.child(node, side) {
                None => return Some(Slot { parent: node, side }),
                Some(child) => child,
            },
            None => self.root?,
        };
        let side = side.opposite();
        Some(Slot {
            parent: self.outermost(inside, side),
            side,
        })
    }
}
