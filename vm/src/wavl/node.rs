//! Nodes: inside the module as handles, outside as references for searches of one's own.

use intrusive_collections::{LinkOps, PointerOps};

use super::link::{Parity, Side, WavlLinkOps};
use super::{Summary, TreeAdapter, Value, WavlTree};

/// A handle to a link in the tree at hand.
///
/// The module's invariant: a `Node` is made only from a link that its tree has acquired, and is used
/// only on that tree, before the link is released. The tree owns the objects of its links and so
/// keeps them alive. That is what the `unsafe` blocks of this file rely on.
pub(super) struct Node<A: TreeAdapter>(<A::LinkOps as LinkOps>::LinkPtr);

impl<A: TreeAdapter> Clone for Node<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: TreeAdapter> Copy for Node<A> {}

impl<A: TreeAdapter> PartialEq for Node<A> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<A: TreeAdapter, S> WavlTree<A, S> {
    /// Takes an object into the tree's ownership, as a node that still has to be attached.
    ///
    /// # Panics
    /// If the object is in a tree already.
    pub(super) fn adopt(&mut self, object: super::Pointer<A>) -> Node<A> {
        let raw = self.adapter.pointer_ops().into_raw(object);
        // SAFETY: `raw` comes from an owning pointer, so it is valid.
        let link = unsafe { self.adapter.get_link(raw) };
        // SAFETY: The object is alive, because this tree owns it now.
        let acquired = unsafe { self.adapter.link_ops_mut().acquire_link(link) };
        assert!(
            acquired,
            "attempted to insert an object that is already linked"
        );
        Node(link)
    }

    /// Gives up the ownership of an object whose node has been detached.
    #[inline]
    pub(super) fn disown(&mut self, node: Node<A>) -> super::Pointer<A> {
        // SAFETY: The tree acquired the link, and nothing in the tree refers to it any more.
        unsafe { self.adapter.link_ops_mut().release_link(node.0) };
        // SAFETY: The link came from `get_link`, in `adopt`.
        let raw = unsafe { self.adapter.get_value(node.0) };
        // SAFETY: The object came from `into_raw`, in `adopt`, and is given back once.
        unsafe { self.adapter.pointer_ops().from_raw(raw) }
    }

    /// The node of an object.
    ///
    /// # Safety
    /// `object` points to an object in this tree.
    #[inline]
    pub(super) unsafe fn node_of(&self, object: *const Value<A>) -> Node<A> {
        // SAFETY: The tree owns the object, so it is alive.
        Node(unsafe { self.adapter.get_link(object) })
    }

    #[inline]
    pub(super) fn raw_value(&self, node: Node<A>) -> *const Value<A> {
        // SAFETY: The link came from `get_link`, in `adopt`.
        unsafe { self.adapter.get_value(node.0) }
    }

    #[inline]
    pub(super) fn value(&self, node: Node<A>) -> &Value<A> {
        // SAFETY: The tree owns the object, and removing it needs exclusive access to the tree.
        unsafe { &*self.raw_value(node) }
    }

    #[inline]
    pub(super) fn child(&self, node: Node<A>, side: Side) -> Option<Node<A>> {
        // SAFETY: The module's invariant, see `Node`.
        unsafe { self.adapter.link_ops().child(node.0, side) }.map(Node)
    }

    #[inline]
    pub(super) fn parent(&self, node: Node<A>) -> Option<Node<A>> {
        // SAFETY: The module's invariant, see `Node`.
        unsafe { self.adapter.link_ops().parent(node.0) }.map(Node)
    }

    /// The parity of the rank of a node, or of a missing one.
    #[inline]
    pub(super) fn parity(&self, node: Option<Node<A>>) -> Parity {
        match node {
            // SAFETY: The module's invariant, see `Node`.
            Some(node) => unsafe { self.adapter.link_ops().parity(node.0) },
            None => Parity::Odd,
        }
    }

    #[inline]
    pub(super) fn summary(&self, node: Node<A>) -> Summary<A> {
        // SAFETY: The module's invariant, see `Node`; and `attach` sets the summary first of all.
        unsafe { self.adapter.link_ops().summary(node.0) }
    }

    #[inline]
    pub(super) fn set_child(&mut self, node: Node<A>, side: Side, child: Option<Node<A>>) {
        let child = child.map(|child| child.0);
        // SAFETY: The module's invariant, see `Node`.
        unsafe { self.adapter.link_ops_mut().set_child(node.0, side, child) }
    }

    #[inline]
    pub(super) fn set_parent(&mut self, node: Node<A>, parent: Option<Node<A>>) {
        let parent = parent.map(|parent| parent.0);
        // SAFETY: The module's invariant, see `Node`.
        unsafe { self.adapter.link_ops_mut().set_parent(node.0, parent) }
    }

    /// Promotes or demotes `node` by one rank.
    #[inline]
    pub(super) fn flip(&mut self, node: Node<A>) {
        // SAFETY: The module's invariant, see `Node`.
        unsafe { self.adapter.link_ops_mut().flip_parity(node.0) }
    }

    /// Gives `to` the parent and the rank of `from`.
    #[inline]
    pub(super) fn copy_place(&mut self, from: Node<A>, to: Node<A>) {
        // SAFETY: The module's invariant, see `Node`.
        unsafe { self.adapter.link_ops_mut().copy_place(from.0, to.0) }
    }

    #[inline]
    pub(super) fn set_summary(&mut self, node: Node<A>, summary: Summary<A>) {
        // SAFETY: The module's invariant, see `Node`.
        unsafe { self.adapter.link_ops_mut().set_summary(node.0, summary) }
    }

    /// The outermost node on `side` of the subtree of `node`.
    #[inline]
    pub(super) fn outermost(&self, mut node: Node<A>, side: Side) -> Node<A> {
        while let Some(next) = self.child(node, side) {
            node = next;
        }
        node
    }

    /// The neighbour of `node` on `side`, in key order.
    #[inline]
    pub(super) fn neighbour(&self, node: Node<A>, side: Side) -> Option<Node<A>> {
        match self.child(node, side) {
            Some(child) => Some(self.outermost(child, side.opposite())),
            None => self.above(node, side),
        }
    }

    /// The nearest node above `node` that is on `side` of it, in key order.
    #[inline]
    pub(super) fn above(&self, mut node: Node<A>, side: Side) -> Option<Node<A>> {
        while let Some(parent) = self.parent(node) {
            if self.child(parent, side) != Some(node) {
                return Some(parent);
            }
            node = parent;
        }
        None
    }

    /// The first or last node in key order.
    #[inline]
    pub(super) fn end(&self, side: Side) -> Option<Node<A>> {
        self.root.map(|root| self.outermost(root, side))
    }
}

/// A node of a tree, for read-only searches that follow the summaries.
pub struct NodeRef<'a, A: TreeAdapter, S> {
    pub(super) tree: &'a WavlTree<A, S>,
    pub(super) node: Node<A>,
}

impl<A: TreeAdapter, S> Clone for NodeRef<'_, A, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: TreeAdapter, S> Copy for NodeRef<'_, A, S> {}

impl<'a, A: TreeAdapter, S> NodeRef<'a, A, S> {
    /// The object of this node.
    #[inline]
    pub fn get(self) -> &'a Value<A> {
        self.tree.value(self.node)
    }

    /// What the node knows about its subtree.
    #[inline]
    pub fn summary(self) -> Summary<A> {
        self.tree.summary(self.node)
    }

    /// The left child, with smaller keys below.
    #[inline]
    pub fn left(self) -> Option<Self> {
        self.child(Side::Left)
    }

    /// The right child, with larger keys below.
    #[inline]
    pub fn right(self) -> Option<Self> {
        self.child(Side::Right)
    }

    /// The child on `side`.
    #[inline]
    pub fn child(self, side: Side) -> Option<Self> {
        self.tree
            .child(self.node, side)
            .map(|node| Self { node, ..self })
    }

    /// The parent.
    #[inline]
    pub fn parent(self) -> Option<Self> {
        self.tree
            .parent(self.node)
            .map(|node| Self { node, ..self })
    }

    /// Whether `other` is the same node.
    #[inline]
    pub fn is(self, other: Self) -> bool {
        self.node == other.node
    }
}
