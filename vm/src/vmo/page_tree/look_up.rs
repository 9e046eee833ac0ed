//! Finding one page, or the place for it.
//!
//! The page-fault path. One step down is: the slot, what is in it, and whether there is another reference
//! to it.

use super::node::{Below, Inner, Leaf, Node, NodeRef};
use super::slots::slot;
use super::{Keeper, PageTree, Sharing};
use crate::vmo::index::PageIndex;

/// What a [`PageTree`] has at one index, and whether others have it too.
#[derive(Debug)]
pub enum Found<'a, P> {
    /// This page, which no other tree reaches and nobody else has: it may be written to.
    Own(&'a P),
    /// This page, which others have too.
    Shared(&'a P),
    /// No page.
    Absent,
}

/// What a [`PageTree`] has at one index, for changes.
#[derive(Debug)]
pub enum Lookup<'a, P> {
    /// This page, which no other tree reaches and nobody else has.
    Own(&'a mut P),
    /// This page, which others have too; [`PageTree::put`] puts another one in its place.
    Shared(&'a P),
    /// A place for a page, which no other tree reaches.
    Vacant(Vacant<'a, P>),
    /// No page, and no such place; [`PageTree::put`] makes it.
    NoWay,
}

/// A place for a page.
#[derive(Debug)]
pub struct Vacant<'a, P> {
    leaf: &'a mut Leaf<P>,
    slot: usize,
}

impl<P> Vacant<'_, P> {
    /// Puts a page there.
    #[inline]
    pub fn fill(self, page: P) {
        self.leaf.pages[self.slot] = Some(page);
        self.leaf.present |= 1 << self.slot;
    }
}

impl<P> PageTree<P> {
    /// The page at `index`, if it is present.
    #[inline]
    pub fn get(&self, index: PageIndex) -> Option<&P> {
        self.page_at(self.position(index))
    }

    /// The page at a position, if it is present: for telling whether two trees have the same one.
    #[inline]
    pub fn page_at(&self, position: u64) -> Option<&P> {
        if !self.covers(position) {
            return None;
        }
        match self.root.as_ref()? {
            Node::Leaf(leaf) => leaf.pages[slot(position, 0)].as_ref(),
            Node::Inner(inner) => page_below(inner, position, self.height - 1),
        }
    }

    /// The page at `index`, and whether it may be written to.
    #[inline]
    pub fn find(&self, index: PageIndex, keeper: &impl Keeper<P>) -> Found<'_, P> {
        let position = self.position(index);
        let Some((leaf, way)) = self.leaf(position) else {
            return Found::Absent;
        };
        match &leaf.pages[slot(position, 0)] {
            None => Found::Absent,
            Some(page) if way == Sharing::Own && leaf.is_only() && keeper.is_exclusive(page) => {
                Found::Own(page)
            }
            Some(page) => Found::Shared(page),
        }
    }

    /// The leaf for `position`, and whether other trees reach the nodes above it.
    #[inline(always)]
    pub(super) fn leaf(&self, position: u64) -> Option<(&NodeRef<Leaf<P>>, Sharing)> {
        if !self.covers(position) {
            return None;
        }
        match self.root.as_ref()? {
            Node::Leaf(leaf) => Some((leaf, Sharing::Own)),
            Node::Inner(inner) => leaf_below(inner, position, self.height - 1),
        }
    }

    /// What is at `index`, for changes: the quick way to a page of its own, or to a place for one.
    #[inline]
    pub fn look_up(&mut self, index: PageIndex, keeper: &impl Keeper<P>) -> Lookup<'_, P> {
        let position = self.position(index);
        if !self.covers(position) {
            return Lookup::NoWay;
        }
        let leaf = match &mut self.root {
            None => return Lookup::NoWay,
            Some(Node::Leaf(leaf)) => leaf,
            Some(Node::Inner(inner)) => match own_leaf_below(inner, position, self.height - 1) {
                Ok(leaf) => leaf,
                Err(Some(page)) => return Lookup::Shared(page),
                Err(None) => return Lookup::NoWay,
            },
        };
        let slot = slot(position, 0);
        if !leaf.is_only() {
            return shared(leaf.pages[slot].as_ref());
        }
        let Some(leaf) = leaf.only() else {
            return Lookup::NoWay;
        };
        if leaf.present >> slot & 1 == 0 {
            return Lookup::Vacant(Vacant { leaf, slot });
        }
        match &mut leaf.pages[slot] {
            None => Lookup::NoWay,
            Some(page) => {
                if keeper.is_exclusive(page) {
                    Lookup::Own(page)
                } else {
                    Lookup::Shared(page)
                }
            }
        }
    }
}

#[inline]
fn shared<P>(page: Option<&P>) -> Lookup<'_, P> {
    match page {
        Some(page) => Lookup::Shared(page),
        None => Lookup::NoWay,
    }
}

/// The page at `position`, below a node with `level` levels below it.
#[inline]
fn page_below<P>(mut inner: &Inner<P>, position: u64, mut level: u32) -> Option<&P> {
    loop {
        let place = slot(position, level);
        match &inner.below {
            Below::Leaves(leaves) => {
                return leaves[place].as_ref()?.pages[slot(position, 0)].as_ref();
            }
            Below::Inners(inners) => inner = inners[place].as_ref()?,
        }
        level -= 1;
    }
}

/// The leaf for `position`, and whether other trees reach the nodes above it.
#[inline]
fn leaf_below<P>(
    mut inner: &NodeRef<Inner<P>>,
    position: u64,
    mut level: u32,
) -> Option<(&NodeRef<Leaf<P>>, Sharing)> {
    let mut way = Sharing::Own;
    loop {
        if !inner.is_only() {
            way = Sharing::Shared;
        }
        let slot = slot(position, level);
        match &inner.below {
            Below::Leaves(leaves) => return Some((leaves[slot].as_ref()?, way)),
            Below::Inners(inners) => inner = inners[slot].as_ref()?,
        }
        level -= 1;
    }
}

/// The leaf for `position`, if no other tree reaches the nodes above it.
///
/// # Errors
/// There is no leaf, or others reach it; with the page that is there nevertheless.
#[inline]
fn own_leaf_below<P>(
    mut inner: &mut NodeRef<Inner<P>>,
    position: u64,
    mut level: u32,
) -> Result<&mut NodeRef<Leaf<P>>, Option<&P>> {
    loop {
        if !inner.is_only() {
            return Err(page_below(inner, position, level));
        }
        let Some(node) = inner.only() else {
            return Err(None);
        };
        let slot = slot(position, level);
        match &mut node.below {
            Below::Leaves(leaves) => return leaves[slot].as_mut().ok_or(None),
            Below::Inners(inners) => inner = inners[slot].as_mut().ok_or(None)?,
        }
        level -= 1;
    }
}
