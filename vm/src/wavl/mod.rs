//! An intrusive, self-balancing search tree whose nodes can summarise what hangs below them.
//!
//! It is at home in `intrusive-collections`: a [`Link`] is a field of the object, an adapter made by
//! `intrusive_adapter!` finds the object of a link, `KeyAdapter` gives the key, and [`Cursor`] and
//! [`CursorMut`] walk and edit. Read [`WavlTree`] first, then [`Augment`]. No operation allocates or
//! recurses, and each takes at most a constant number of steps per level.
//!
//! # Ranks
//!
//! The tree is *weak AVL*, after Haeupler, Sen and Tarjan, "Rank-Balanced Trees", ACM Transactions
//! on Algorithms 11(4), 2015. Every node has a whole number, its rank. A missing node counts as
//! rank -1 and a leaf has rank 0. The *rank difference* of a node is its parent's rank less its own;
//! a node with difference d is called a d-child, and a node whose children are an i-child and a
//! j-child is called an i,j-node. One rule keeps the tree low:
//!
//! > Every rank difference is 1 or 2, and every leaf has rank 0.
//!
//! A rank is then at least half the height and at most the height, and the root's rank is at most
//! `2 log2 n`. A tree that has only seen insertions has no 2,2-nodes: it is an AVL tree.
//!
//! Differences are all that the algorithms ask for, and the context always leaves two possibilities
//! of different parity, so a node stores one bit: whether its rank is odd. Equal parities of parent
//! and child mean an even difference.
//!
//! # Insertion
//!
//! A new leaf may be a 0-child. The repair looks at the other child of its parent `p`:
//!
//! ```text
//!    p is 0,1: promote p (rank + 1),          p is 0,2: rotate, and all is well:
//!    then look at p as a child
//!
//!         p  r            p  r+1                  p  r                x  r
//!       0/ \1    ───►   1/ \2                   0/ \2    ───►       1/ \1
//!       x   y           x   y                  x  r  y             a   p  r-1
//!                                            1/ \2                   1/ \1
//!                                            a   b                   b   y
//! ```
//!
//! If the inner child `b` of `x` is the 1-child and `a` the 2-child, `b` is lifted twice, becomes the
//! top with rank r, and `x` and `p` go down to rank r-1: a double rotation.
//!
//! # Removal
//!
//! A node with two children first changes places with its successor, so the node that goes away has
//! at most one child. A node that becomes a leaf of rank 1 is demoted. What remains is a 3-child `x`
//! with sibling `y`:
//!
//! ```text
//!    y is a 2-child: demote p                 y is a 1-child and a 2,2-node: demote p and y
//!
//!         p  r            p  r-1                  p  r                p  r-1
//!       3/ \2    ───►   2/ \1                   3/ \1    ───►       2/ \1
//!       x   y           x   y                  x   y r-1           x   y r-2
//!
//!    y is a 1-child whose outer child z is a 1-child: rotate; whatever v was, all is well
//!
//!         p  r                         y  r
//!       3/ \1                        1/ \2
//!       x   y  r-1       ───►    p  r-1  z  r-2
//!         v/ \1                   2/ \
//!         v   z                   x   v
//! ```
//!
//! (If `p` is now a leaf it is demoted once more.) Otherwise `v` is a 1-child and `z` a 2-child: `v`
//! is lifted twice to rank r, `y` falls by one and `p` by two. A demotion may make `p` a 3-child in
//! turn; a rotation ends the repair. So insertion and removal rotate at most twice.
//!
//! # Augmentation
//!
//! [`Augment::summarize`] computes what a node knows about its subtree from its own object and the
//! summaries of its two children. The tree keeps these up to date:
//!
//! ```text
//!                  ┌──────── max ────────┐
//!               [ 7 | 9 ]            a node is [ object | largest object below ]
//!               /        \
//!         [ 2 | 2 ]    [ 8 | 9 ]     insert 10 below 9: 9, 8 and 7 are computed anew, in this
//!                           \        order; then 8 and 9 rotate, and 8, 9 and whatever above
//!                         [ 9 | 9 ]  changes by it are computed anew
//! ```
//!
//! After a change the path upwards is computed anew until a summary comes out as it was. A rotation
//! computes the nodes that went down, then the one that went up, unless its summary depends on the order
//! of objects only: then it is what the old top had, and no ancestor is touched.

mod balance;
mod cursor;
mod keyed;
mod link;
mod node;
mod tree;

#[cfg(test)]
mod tests;

pub use cursor::{Cursor, CursorMut};
pub use link::{Link, LinkOps, Parity, Side, WavlLinkOps};
pub use node::NodeRef;
pub use tree::{Entry, InsertCursor, Iter, WavlTree};

use intrusive_collections::{Adapter, PointerOps};

/// An adapter for objects with a link that a [`WavlTree`] can use.
pub trait TreeAdapter: Adapter<LinkOps: WavlLinkOps> {}

impl<A: Adapter<LinkOps: WavlLinkOps>> TreeAdapter for A {}

/// The objects that `A` adapts.
pub type Value<A> = <<A as Adapter>::PointerOps as PointerOps>::Value;

/// The owning pointers to the objects that `A` adapts.
pub type Pointer<A> = <<A as Adapter>::PointerOps as PointerOps>::Pointer;

/// What the links that `A` adapts can remember of a subtree.
pub type Summary<A> = <<A as Adapter>::LinkOps as WavlLinkOps>::Summary;

/// How a subtree is summarised in its topmost node.
pub trait Augment<A: TreeAdapter> {
    /// Whether the summary of a subtree depends on its shape, or only on its items in order.
    ///
    /// If it does not, a rotation need not compute the summary of the node that goes up.
    const SHAPE: Shape = Shape::Matters;

    /// The summary of the subtree of `item`, given those of its two children.
    ///
    /// The result may depend on nothing else, or it will be out of date. A changed item must be
    /// announced with [`CursorMut::update`].
    fn summarize(
        item: &Value<A>,
        left: Option<Summary<A>>,
        right: Option<Summary<A>>,
    ) -> Summary<A>;

    /// The summary of a subtree in which an item is new, if it follows from the one before and from
    /// that of the item alone.
    ///
    /// `None`, the default, has it computed from the children. That is always right, and costs more.
    #[inline]
    fn with_new(before: Summary<A>, item: Summary<A>) -> Option<Summary<A>> {
        let _ = (before, item);
        None
    }
}

/// What the shape of a subtree is to its summary. See [`Augment::SHAPE`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// A summary may change when its subtree only changes its shape.
    Matters,
    /// A summary depends on the items and their order only.
    IsIrrelevant,
}

/// The augmentation of a tree that needs none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl<A: TreeAdapter> Augment<A> for Plain
where
    A::LinkOps: WavlLinkOps<Summary = ()>,
{
    fn summarize(_: &Value<A>, _: Option<()>, _: Option<()>) {}
}
