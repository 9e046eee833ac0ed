//! Nodes, and the one kind of pointer to them.

use alloc::sync::Arc;
use core::array;
use core::mem;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use syscall::Result;

use super::Keeper;
use super::drain::{Drain, release};
use super::nodes::Nodes;
use super::slots::{Bits, SLOTS, base_of, slots_in};
use crate::sync::step;
use crate::try_alloc::ArcPermit;

/// A counted reference to a node, held by the node above it or by a tree.
///
/// All that is done with the count of references is done here.
#[derive(Debug)]
#[must_use = "what is in a node is lost with the last reference; release it"]
pub(super) struct NodeRef<T>(Arc<T>);

/// Pages, by slot.
#[derive(Debug)]
pub(super) struct Leaf<P> {
    /// A bit for each slot that is not empty.
    pub(super) present: u64,
    pub(super) pages: [Option<P>; SLOTS],
}

/// Nodes of one level down, by slot.
#[derive(Debug)]
pub(super) struct Inner<P> {
    /// A bit for each slot that is not empty.
    pub(super) present: u64,
    pub(super) below: Below<P>,
}

/// What is in the slots of an inner node. One word per slot, since they all have the same.
#[derive(Debug)]
pub(super) enum Below<P> {
    Leaves([Option<NodeRef<Leaf<P>>>; SLOTS]),
    Inners([Option<NodeRef<Inner<P>>>; SLOTS]),
}

/// A node of either kind.
#[derive(Debug)]
pub(super) enum Node<P> {
    Leaf(NodeRef<Leaf<P>>),
    Inner(NodeRef<Inner<P>>),
}

/// What leaves and inner nodes have in common. `level` is the number of levels below the node.
pub(super) trait Contents<P>: Sized {
    /// A bit for each slot that is not empty.
    fn present(&self) -> u64;

    /// The memory for such a node.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn permit(nodes: &mut impl Nodes<P>) -> Result<ArcPermit<Self>>;

    /// The same contents once more.
    fn copy(&self, keeper: &impl Keeper<P>) -> Self;

    /// Takes out what `drain` wants, if the first page has position `base`.
    fn drain(&mut self, drain: &mut Drain<'_, impl FnMut(u64, P)>, base: u64, level: u32);
}

impl<T> NodeRef<T> {
    /// What a node occupies: two counts and the node.
    pub(super) const BYTES: usize = size_of::<[AtomicUsize; 2]>() + size_of::<T>();

    /// A node in memory that is there already.
    pub(super) fn from_permit(permit: ArcPermit<T>, node: T) -> Self {
        Self(permit.fill(node))
    }

    /// Whether this is the only reference. If that is so for all nodes from the root down, nobody but the
    /// tree reaches the node.
    #[inline(always)]
    pub(super) fn is_only(&self) -> bool {
        step();
        if Arc::strong_count(&self.0) != 1 {
            return false;
        }
        // Somebody else may have had a reference, copied the node, and thereby counted up what is below it,
        // before letting go. Those counts are looked at next, so this must come in between.
        fence(Ordering::Acquire);
        true
    }

    /// The node for changes, if this is the only reference.
    #[inline(always)]
    pub(super) fn only(&mut self) -> Option<&mut T> {
        step();
        Arc::get_mut(&mut self.0)
    }

    /// Another reference.
    pub(super) fn share(&self) -> Self {
        step();
        Self(Arc::clone(&self.0))
    }

    /// How many references there are at this moment.
    pub(super) fn references(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Lets go of the node. Of all who do, only the last one gets it.
    pub(super) fn into_inner(self) -> Option<T> {
        step();
        Arc::into_inner(self.0)
    }

    /// The node for changes. If there are other references, a copy takes its place.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the copy. Nothing changes.
    pub(super) fn own<P>(
        &mut self,
        level: u32,
        keeper: &impl Keeper<P>,
        nodes: &mut impl Nodes<P>,
    ) -> Result<&mut T>
    where
        T: Contents<P>,
    {
        if !self.is_only() {
            let permit = T::permit(nodes)?;
            let copy = Self::from_permit(permit, self.copy(keeper));
            release(mem::replace(self, copy), level, keeper);
        }
        let node = self.only();
        Ok(node.expect("references are only made by whoever has one"))
    }
}

impl<T> Deref for NodeRef<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<P> Leaf<P> {
    pub(super) const fn empty() -> Self {
        Self {
            present: 0,
            pages: [const { None }; SLOTS],
        }
    }

    /// Puts a page into a slot; answers what was there.
    #[inline]
    pub(super) fn put(&mut self, slot: usize, page: P) -> Option<P> {
        self.present |= 1 << slot;
        self.pages[slot].replace(page)
    }
}

impl<P> Contents<P> for Leaf<P> {
    fn permit(nodes: &mut impl Nodes<P>) -> Result<ArcPermit<Self>> {
        nodes.leaf()
    }

    fn present(&self) -> u64 {
        self.present
    }

    fn copy(&self, keeper: &impl Keeper<P>) -> Self {
        let share = |slot: usize| self.pages[slot].as_ref().map(|page| keeper.share(page));
        Self {
            present: self.present,
            pages: array::from_fn(share),
        }
    }

    fn drain(&mut self, drain: &mut Drain<'_, impl FnMut(u64, P)>, base: u64, level: u32) {
        for slot in Bits(self.present & slots_in(&drain.range, base, level)) {
            self.present &= !(1 << slot);
            if let Some(page) = self.pages[slot].take() {
                (drain.sink)(base + slot as u64, page);
            }
        }
    }
}

impl<P> Inner<P> {
    /// A node with one node below it.
    pub(super) fn with(slot: usize, node: Node<P>) -> Self {
        let below = match node {
            Node::Leaf(leaf) => {
                let mut leaves = [const { None }; SLOTS];
                leaves[slot] = Some(leaf);
                Below::Leaves(leaves)
            }
            Node::Inner(inner) => {
                let mut inners = [const { None }; SLOTS];
                inners[slot] = Some(inner);
                Below::Inners(inners)
            }
        };
        Self {
            present: 1 << slot,
            below,
        }
    }

    /// Puts a node of the same kind as the others into an empty slot.
    pub(super) fn put(&mut self, slot: usize, node: Node<P>) {
        match (&mut self.below, node) {
            (Below::Leaves(leaves), Node::Leaf(leaf)) => leaves[slot] = Some(leaf),
            (Below::Inners(inners), Node::Inner(inner)) => inners[slot] = Some(inner),
            (Below::Leaves(_), Node::Inner(_)) | (Below::Inners(_), Node::Leaf(_)) => {
                unreachable!("all nodes of a level are of one kind")
            }
        }
        self.present |= 1 << slot;
    }

    /// Another reference to the node in a slot.
    pub(super) fn share_slot(&self, slot: usize) -> Option<Node<P>> {
        match &self.below {
            Below::Leaves(leaves) => leaves[slot].as_ref().map(|leaf| Node::Leaf(leaf.share())),
            Below::Inners(inners) => inners[slot]
                .as_ref()
                .map(|inner| Node::Inner(inner.share())),
        }
    }
}

impl<P> Contents<P> for Inner<P> {
    fn permit(nodes: &mut impl Nodes<P>) -> Result<ArcPermit<Self>> {
        nodes.inner()
    }

    fn present(&self) -> u64 {
        self.present
    }

    fn copy(&self, _: &impl Keeper<P>) -> Self {
        fn share_all<T>(nodes: &[Option<NodeRef<T>>; SLOTS]) -> [Option<NodeRef<T>>; SLOTS] {
            array::from_fn(|slot| nodes[slot].as_ref().map(NodeRef::share))
        }
        let below = match &self.below {
            Below::Leaves(leaves) => Below::Leaves(share_all(leaves)),
            Below::Inners(inners) => Below::Inners(share_all(inners)),
        };
        Self {
            present: self.present,
            below,
        }
    }

    fn drain(&mut self, drain: &mut Drain<'_, impl FnMut(u64, P)>, base: u64, level: u32) {
        for slot in Bits(self.present & slots_in(&drain.range, base, level)) {
            let first = base_of(base, slot, level);
            let is_empty = match &mut self.below {
                Below::Leaves(leaves) => drain.place(&mut leaves[slot], first, level - 1),
                Below::Inners(inners) => drain.place(&mut inners[slot], first, level - 1),
            };
            if is_empty {
                self.present &= !(1 << slot);
            }
        }
    }
}

impl<P> Node<P> {
    /// Another reference to the same node.
    pub(super) fn share(&self) -> Self {
        match self {
            Self::Leaf(leaf) => Self::Leaf(leaf.share()),
            Self::Inner(inner) => Self::Inner(inner.share()),
        }
    }
}
