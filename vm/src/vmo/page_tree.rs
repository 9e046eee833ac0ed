//! The contents of a VMO: a sparse array of pages as a persistent radix tree.
//!
//! A node has 64 slots. A leaf's slots hold pages, an inner node's hold the nodes one level down, and a
//! missing node is a hole, however large:
//!
//! ```text
//!   position  =  … | 6 bits | 6 bits       height 2: 4096 pages
//!                      │        │
//!             [ 0 1 2 … 63 ] │             inner
//!               │     │      │
//!               │   [ 0 1 2 … 63 ]         leaf: pages 128..=191, a bit for each present one
//!             [ 0 … 63 ]                   leaf: pages 0..=63
//! ```
//!
//! A snapshot is another tree with the same root, so it takes no time. Each tree goes its own way from
//! there: before it changes a node that another tree reaches, it puts a copy in its place, and so for all
//! nodes above. Here B has changed one page since it was made from A:
//!
//! ```text
//!      A         B
//!      │         │
//!    [ 0 1 ]  [ 0 1 ]      B's own copy
//!      │  └───┐ │  │
//!      │      ├────┘       one node, two references: neither changes it
//!      │   [ 0 … 63 ]
//!      │        └── [ 0 … 63 ]   copied; has all pages but one in common with A's
//!    [ 0 … 63 ]
//! ```
//!
//! So every tree is complete in itself. It is never looked at through another one, and a lookup takes the
//! same steps however many snapshots of snapshots there are. Trees that share nodes need no lock in
//! common: nobody changes what is shared, and a node with one reference belongs to one tree.
//!
//! The tree grows upwards when a page is put beyond its capacity and shrinks again when the high pages
//! go, so a lookup costs the height that the highest page needs, and no more.
//!
//! Pages are values of type `P`. A [`Keeper`] counts how often each is had. Whoever has a tree drains it in
//! the end: a tree that is dropped loses its pages.

mod drain;
mod keeper;
mod look_up;
mod node;
mod nodes;
mod put;
mod replace;
mod sharing;
mod slots;
mod snapshot;
#[cfg(test)]
mod tests;
mod walk;

use core::ops::Range;

pub use keeper::Keeper;
pub use look_up::{Found, Lookup};
use node::Node;
pub use nodes::{MOST_REPLACED, NodeStock};
pub use sharing::{SharedLeaf, Survey};
pub use slots::SLOTS;
use slots::{POSITIONS, SLOT_BITS};

use super::index::PageIndex;

/// A sparse array of pages.
///
/// Nodes know nothing of indices, but of *positions*, which all trees that share nodes have in common: page
/// `i` is at position `origin + i`.
///
/// 1. Every node has something in it.
/// 2. The root is the lowest node that covers all positions from 0 to that of the last page.
/// 3. All pages are at the positions of indices below [`PageIndex::LIMIT`].
/// 4. A node to which there are several references, or that is below such a node, is not changed.
/// 5. Pages and nodes have as many references as there are slots and trees that they are in.
///
/// `put`, `Vacant::fill`, `own_edges`, `drain` and what they call change nodes, and so can break these.
#[derive(Debug)]
#[must_use = "the pages of a tree are lost if it is not drained"]
pub struct PageTree<P> {
    root: Option<Node<P>>,
    /// How many levels there are.
    height: u32,
    /// The position of page 0, and thus not above [`PageIndex::LIMIT`]; 0 if there are no pages.
    origin: PageIndex,
}

/// Whether others have something too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sharing {
    /// Nobody else reaches it.
    Own,
    /// Others may reach it.
    Shared,
}

impl<P> PageTree<P> {
    /// A tree without pages.
    pub const fn new() -> Self {
        Self {
            root: None,
            height: 0,
            origin: PageIndex::ZERO,
        }
    }

    /// Where the page at `index` is.
    #[inline(always)]
    pub const fn position(&self, index: PageIndex) -> u64 {
        self.origin.number() + index.number()
    }

    /// Where the pages of `range` are.
    ///
    /// A range that begins with the first page or ends with the last there can be has all positions on that
    /// side, as there are no others, so that it has no edge there.
    #[inline]
    fn positions(&self, range: Range<PageIndex>) -> Range<u64> {
        let start = match range.start {
            PageIndex::ZERO => 0,
            first => self.position(first),
        };
        let end = match range.end {
            PageIndex::LIMIT => POSITIONS,
            past => self.position(past),
        };
        start..end
    }

    /// Whether `position` is not too high for the root. Without pages only the first one is not.
    #[inline(always)]
    const fn covers(&self, position: u64) -> bool {
        position >> (SLOT_BITS * self.height) == 0
    }
}

/// The index of the page at `position` in a tree with this origin.
#[inline(always)]
fn index_at(position: u64, origin: PageIndex) -> PageIndex {
    PageIndex::ZERO.saturating_add(position.saturating_sub(origin.number()))
}
