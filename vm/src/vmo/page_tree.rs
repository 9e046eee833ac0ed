//! The contents of a VMO: a sparse array of pages as a radix tree.
//!
//! A node has 64 slots. A leaf's slots hold pages, an inner node's hold the nodes one level down, and a
//! missing node is a hole, however large:
//!
//! ```text
//!   index  =  … | 6 bits | 6 bits          height 2: 4096 pages
//!                   │        │
//!             [ 0 1 2 … 63 ] │             inner
//!               │     │      │
//!               │   [ 0 1 2 … 63 ]         leaf: pages 128..=191, a bit for each present one
//!             [ 0 … 63 ]                   leaf: pages 0..=63
//! ```
//!
//! The tree grows upwards when a page is inserted beyond its capacity and shrinks again when the high
//! pages go, so a lookup costs the height that the highest page needs, and no more.
//!
//! Pages are handed in and taken out as values of type `P`; the tree never copies or drops one of its
//! own accord, except that dropping the tree drops what is still in it.

mod slots;
mod walk;

use alloc::boxed::Box;
use core::ops::{ControlFlow, Range};

use slots::{Bits, SLOT_BITS, SLOTS, slot, slots_in};
use syscall::Result;
use walk::{Drain, visit_leaves};

use super::index::PageIndex;
use crate::try_alloc::try_box;

/// A sparse array of pages.
///
/// 1. Every node but the root has something in it; so has the root, unless the tree is `None`.
/// 2. The root is the lowest node that covers all pages.
/// 3. `len` is the number of pages.
///
/// `insert`, `remove` and `drain` are the only functions that change nodes.
#[derive(Debug)]
pub struct PageTree<P> {
    root: Option<Node<P>>,
    height: u32,
    len: u64,
    metadata_bytes: usize,
}

/// What a [`PageTree`] has at one index.
pub enum Lookup<'a, P> {
    /// This page.
    Present(&'a P),
    /// A place for a page.
    Vacant(Vacant<'a, P>),
    /// Not even a place for one; [`PageTree::insert`] makes it.
    NoLeaf,
}

/// A place for a page.
pub struct Vacant<'a, P> {
    leaf: &'a mut Leaf<P>,
    slot: usize,
    len: &'a mut u64,
}

#[derive(Debug)]
enum Node<P> {
    Leaf(Box<Leaf<P>>),
    Inner(Box<Inner<P>>),
}

#[derive(Debug)]
struct Leaf<P> {
    present: u64,
    pages: [Option<P>; SLOTS],
}

#[derive(Debug)]
struct Inner<P> {
    present: u64,
    nodes: [Option<Node<P>>; SLOTS],
}

impl<P> PageTree<P> {
    /// A tree without pages.
    pub const fn new() -> Self {
        Self {
            root: None,
            height: 0,
            len: 0,
            metadata_bytes: 0,
        }
    }

    /// The memory that the tree itself occupies, in bytes.
    pub const fn metadata_bytes(&self) -> usize {
        self.metadata_bytes
    }

    /// The page at `index`, if it is present.
    #[inline]
    pub fn get(&self, index: PageIndex) -> Option<&P> {
        if !self.covers(index) {
            return None;
        }
        let mut node = self.root.as_ref()?;
        let mut level = self.height;
        loop {
            level -= 1;
            match node {
                Node::Leaf(leaf) => return leaf.pages[slot(index, 0)].as_ref(),
                Node::Inner(inner) => node = inner.nodes[slot(index, level)].as_ref()?,
            }
        }
    }

    /// The page at `index`, for changes, if it is present.
    pub fn get_mut(&mut self, index: PageIndex) -> Option<&mut P> {
        if !self.covers(index) {
            return None;
        }
        let mut node = self.root.as_mut()?;
        let mut level = self.height;
        loop {
            level -= 1;
            match node {
                Node::Leaf(leaf) => return leaf.pages[slot(index, 0)].as_mut(),
                Node::Inner(inner) => node = inner.nodes[slot(index, level)].as_mut()?,
            }
        }
    }

    /// What is at `index`: the quick way to a page, or to a place for one.
    #[inline]
    pub fn look_up(&mut self, index: PageIndex) -> Lookup<'_, P> {
        if !self.covers(index) {
            return Lookup::NoLeaf;
        }
        let mut node = self.root.as_mut();
        let mut level = self.height;
        while let Some(found) = node {
            level -= 1;
            match found {
                Node::Inner(inner) => node = inner.nodes[slot(index, level)].as_mut(),
                Node::Leaf(leaf) => {
                    let slot = slot(index, 0);
                    if leaf.present >> slot & 1 == 0 {
                        return Lookup::Vacant(Vacant {
                            leaf,
                            slot,
                            len: &mut self.len,
                        });
                    }
                    return match &leaf.pages[slot] {
                        Some(page) => Lookup::Present(page),
                        None => Lookup::NoLeaf,
                    };
                }
            }
        }
        Lookup::NoLeaf
    }

    /// Puts `page` into the empty place at `index`.
    ///
    /// # Errors
    /// There is no memory for a node. The tree is as before, and the page comes back.
    ///
    /// # Panics
    /// If a page is present at `index`.
    pub fn insert(&mut self, index: PageIndex, page: P) -> Result<(), P> {
        if !self.covers(index) && self.grow_to(index).is_err() {
            self.lower();
            return Err(page);
        }
        match insert_below(&mut self.root, index, self.height, page) {
            Ok(new_bytes) => {
                self.metadata_bytes += new_bytes;
                self.len += 1;
                Ok(())
            }
            Err(page) => {
                self.lower();
                Err(page)
            }
        }
    }

    /// Takes out the page at `index`, if it is present.
    pub fn remove(&mut self, index: PageIndex) -> Option<P> {
        let mut removed = None;
        self.drain(index..index.saturating_add(1), &mut |_, page| {
            removed = Some(page)
        });
        removed
    }

    /// Takes out all pages in `range`, in ascending order.
    pub fn drain(&mut self, range: Range<PageIndex>, sink: &mut impl FnMut(PageIndex, P)) {
        let range = range.start.number()..range.end.number();
        let mut drain = Drain {
            range,
            pages: 0,
            node_bytes: 0,
            sink,
        };
        if !drain.range.is_empty() && self.height > 0 {
            drain.below(&mut self.root, 0, self.height);
        }
        self.len -= drain.pages;
        self.metadata_bytes -= drain.node_bytes;
        self.lower();
    }

    /// How many pages in `range` are present.
    pub fn count(&self, range: Range<PageIndex>) -> u64 {
        if range.start == PageIndex::ZERO && self.capacity() <= range.end.number() {
            return self.len;
        }
        let range = range.start.number()..range.end.number();
        let mut pages = 0;
        let _ = visit_leaves(
            self.root.as_ref(),
            0,
            self.height,
            &range,
            &mut |leaf, base| {
                pages += u64::from((leaf.present & slots_in(&range, base, 0)).count_ones());
                ControlFlow::<()>::Continue(())
            },
        );
        pages
    }

    /// Shows the pages in `range` to `visitor`, in ascending order, until it breaks off.
    pub fn visit<B>(
        &self,
        range: Range<PageIndex>,
        mut visitor: impl FnMut(PageIndex, &P) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let range = range.start.number()..range.end.number();
        visit_leaves(
            self.root.as_ref(),
            0,
            self.height,
            &range,
            &mut |leaf, base| {
                for slot in Bits(leaf.present & slots_in(&range, base, 0)) {
                    if let (Some(page), Some(index)) =
                        (&leaf.pages[slot], PageIndex::new(base + slot as u64))
                    {
                        visitor(index, page)?;
                    }
                }
                ControlFlow::Continue(())
            },
        )
    }

    /// The number of the first page that is too high for the tree.
    const fn capacity(&self) -> u64 {
        1 << (SLOT_BITS * self.height)
    }

    const fn covers(&self, index: PageIndex) -> bool {
        self.height > 0 && index.number() < self.capacity()
    }

    /// Puts nodes on top until the tree covers `index`.
    fn grow_to(&mut self, index: PageIndex) -> Result<()> {
        while !self.covers(index) {
            if self.root.is_some() {
                let mut inner = try_box(Inner::empty())?;
                inner.present = 1;
                inner.nodes[0] = self.root.take();
                self.root = Some(Node::Inner(inner));
                self.metadata_bytes += size_of::<Inner<P>>();
            }
            self.height += 1;
        }
        Ok(())
    }

    /// Takes off nodes from the top while what is below the first slot suffices.
    fn lower(&mut self) {
        while let Some(Node::Inner(inner)) = &mut self.root
            && inner.present == 1
        {
            self.root = inner.nodes[0].take();
            self.height -= 1;
            self.metadata_bytes -= size_of::<Inner<P>>();
        }
        if self.root.is_none() {
            self.height = 0;
        }
    }
}

impl<P> Vacant<'_, P> {
    /// Puts a page there.
    #[inline]
    pub fn fill(self, page: P) {
        self.leaf.pages[self.slot] = Some(page);
        self.leaf.present |= 1 << self.slot;
        *self.len += 1;
    }
}

impl<P> Leaf<P> {
    const fn empty() -> Self {
        Self {
            present: 0,
            pages: [const { None }; SLOTS],
        }
    }
}

impl<P> Inner<P> {
    const fn empty() -> Self {
        Self {
            present: 0,
            nodes: [const { None }; SLOTS],
        }
    }
}

/// Inserts into the subtree of `level` levels at `place`; answers how many bytes of nodes that took.
fn insert_below<P>(
    place: &mut Option<Node<P>>,
    index: PageIndex,
    level: u32,
    page: P,
) -> Result<usize, P> {
    let mut added = 0;
    if place.is_none() {
        match empty_chain(index, level) {
            Ok(chain) => *place = Some(chain),
            Err(_) => return Err(page),
        }
        added = size_of::<Leaf<P>>() + (level as usize - 1) * size_of::<Inner<P>>();
    }
    let slot = slot(index, level - 1);
    match place {
        Some(Node::Leaf(leaf)) => {
            assert!(leaf.pages[slot].is_none(), "a page is present already");
            leaf.pages[slot] = Some(page);
            leaf.present |= 1 << slot;
        }
        Some(Node::Inner(inner)) => {
            added += insert_below(&mut inner.nodes[slot], index, level - 1, page)?;
            inner.present |= 1 << slot;
        }
        None => {}
    }
    Ok(added)
}

/// A leaf for `index` below as many inner nodes as make `level` levels, without a page.
fn empty_chain<P>(index: PageIndex, level: u32) -> Result<Node<P>> {
    let mut node = Node::Leaf(try_box(Leaf::empty())?);
    for above in 1..level {
        let mut inner = try_box(Inner::empty())?;
        let slot = slot(index, above);
        inner.present = 1 << slot;
        inner.nodes[slot] = Some(node);
        node = Node::Inner(inner);
    }
    Ok(node)
}

#[cfg(test)]
mod tests;
