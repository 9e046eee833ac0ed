//! An intrusive, self-balancing search tree whose nodes can summarise what hangs below them.
//!
//! It is at home in `intrusive-collections`: a [`Link`] is a field of the object, an adapter made by
//! `intrusive_adapter!` finds the object of a link, `KeyAdapter` gives the key, and [`Cursor`] and
//! [`CursorMut`] walk and edit. Whoever knows its `RBTree` knows this tree: methods have the same names and
//! do the same, but for the owning cursors, which are left out. What is new are the summaries ([`Augment`]),
//! searches of one's own that follow them ([`NodeRef`]), and editing that tells a neighbour
//! ([`CursorMut::remove_with`]). Read [`WavlTree`] first, then [`Augment`].
//!
//! Apart from `core`, this module needs `intrusive-collections` and nothing else.
//!
//! ```
//! use intrusive_collections::{KeyAdapter, intrusive_adapter};
//! use vm::wavl::{Augment, Link, NodeRef, WavlTree};
//!
//! /// A runner, in a tree by time whose nodes know how many runners are below them.
//! struct Runner {
//!     seconds: u32,
//!     link: Link<usize>,
//! }
//!
//! intrusive_adapter!(ByTime = Box<Runner>: Runner { link => Link<usize> });
//!
//! impl<'k> KeyAdapter<'k> for ByTime {
//!     type Key = u32;
//!
//!     fn get_key(&self, runner: &'k Runner) -> u32 {
//!         runner.seconds
//!     }
//! }
//!
//! struct Count;
//!
//! impl Augment<ByTime> for Count {
//!     fn summarize(_: &Runner, left: Option<usize>, right: Option<usize>) -> usize {
//!         1 + left.unwrap_or(0) + right.unwrap_or(0)
//!     }
//! }
//!
//! /// The runner with `place` others before, in as many steps as the tree has levels.
//! fn nth(tree: &WavlTree<ByTime, Count>, mut place: usize) -> Option<&Runner> {
//!     let mut node: NodeRef<_, _> = tree.root()?;
//!     loop {
//!         let before = node.left().map_or(0, |left| left.summary());
//!         node = if place < before {
//!             node.left()?
//!         } else if place == before {
//!             return Some(node.get());
//!         } else {
//!             place -= before + 1;
//!             node.right()?
//!         };
//!     }
//! }
//!
//! let mut tree = WavlTree::<ByTime, Count>::default();
//! for seconds in [742, 688, 803, 655, 701] {
//!     tree.insert(Box::new(Runner { seconds, link: Link::new() }));
//! }
//! assert_eq!(nth(&tree, 0).map(|runner| runner.seconds), Some(655));
//! assert_eq!(nth(&tree, 3).map(|runner| runner.seconds), Some(742));
//! tree.find_mut(&688).remove();
//! assert_eq!(nth(&tree, 3).map(|runner| runner.seconds), Some(803));
//! assert!(nth(&tree, 4).is_none());
//! ```
//!
//! # What it costs
//!
//! No operation recurses or allocates. With n objects a tree has at most `2 log2 n` levels below its root, and at
//! most `1.44 log2 n` if nothing has been removed. The steps of one call are at most:
//!
//! | operation | steps |
//! |---|---|
//! | find, bounds, entry, first and last object | one per level |
//! | insert | one per level to search, three to summarise, one promotion; one single or double rotation |
//! | remove at a cursor | three per level to summarise, one demotion; one single or double rotation |
//! | next, previous | one per level; a whole walk takes two per object |
//! | `clear`, dropping | three per object |
//! | `take`, `fast_clear`, cursor from a pointer | one |
//!
//! Over a long series of insertions and removals promotions and demotions come to a constant number per
//! operation.
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
//! ```text
//!   rank 3                  40                     40 is a 1,2-node: 20 is a 1-child, 60 a 2-child
//!                         /    \
//!   rank 2              20      \                  20 is a 1,2-node
//!                      /  \      \
//!   rank 1           10    \      60               10 has one child, and a missing one of rank -1
//!                   /       \    /  \
//!   rank 0         5        30  50  70             leaves: two missing children of rank -1
//! ```
//!
//! A rank is at least the height of its node and at most twice that, and the root's rank is at most
//! `2 log2 n`. A tree that has only seen insertions has no 2,2-nodes: it is an AVL tree.
//!
//! Differences are all that the algorithms ask for, and the context always leaves two possibilities
//! of different parity, so a node stores one bit: whether its rank is odd. Equal parities of parent
//! and child mean an even difference. The bit lies in the low bits of the link to the parent.
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
//! If the inner child `b` of `x` is the 1-child and `a` the 2-child, a double rotation lifts `b` above both:
//!
//! ```text
//!            p  r                            b  r
//!          0/ \2                          1/   \1
//!         x  r  y         ───►      r-1  x       p  r-1
//!       2/ \1                          1/ \     / \1
//!       a   b  r-1                     a   c   d   y
//!          / \                   c and d were 1- or 2-children, and still are
//!         c   d
//! ```
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
//!
//!    otherwise its inner child v is a 1-child and z a 2-child: lift v above both
//!
//!         p  r                            v  r
//!       3/ \1                           2/   \2
//!       x   y  r-1       ───►     r-2  p       y  r-2
//!         1/ \2                      1/ \     / \1
//!   r-2   v   z                      x   a   b   z
//!        / \
//!       a   b
//! ```
//!
//! (After the single rotation `p` may be a leaf, and is demoted once more.) A demotion may make `p` a 3-child
//! in turn, so that the repair goes on above it; a rotation ends it. So insertion and removal lift at
//! most two nodes.
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
//! of objects only ([`Augment::SHAPE`]): then it is what the old top had, and no ancestor is touched.
//!
//! A summary may also tell of something between two objects, such as the distance between their keys: let each
//! object remember what lies between it and the one before. Then a change at one place changes the next object
//! as well, and [`InsertCursor::insert_with`] and [`CursorMut::remove_with`] do both at once.

mod balance;
mod cursor;
mod entry;
mod iter;
mod keyed;
mod link;
mod node;
mod tree;

#[cfg(test)]
mod tests;

pub use cursor::{Cursor, CursorMut};
pub use entry::{Entry, InsertCursor};
pub use iter::{IntoIter, Iter};
pub use link::{Link, LinkOps, Parity, Side, WavlLinkOps};
pub use node::NodeRef;
pub use tree::WavlTree;

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
