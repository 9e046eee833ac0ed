//! Putting a page in, and making the way to its place.

use syscall::Result;

use super::node::{Below, Inner, Leaf, Node, NodeRef};
use super::slots::slot;
use super::{Keeper, PageTree};
use crate::try_alloc::ArcPermit;
use crate::vmo::index::PageIndex;

impl<P> PageTree<P> {
    /// Puts `page` at `index`; answers the page that was there.
    ///
    /// Nodes on the way that other trees reach too are replaced by copies, and missing ones are made.
    ///
    /// # Errors
    /// There is no memory for a node. The contents are as before, and the page comes back.
    pub fn put(
        &mut self,
        index: PageIndex,
        page: P,
        keeper: &impl Keeper<P>,
    ) -> Result<Option<P>, P> {
        let position = self.position(index);
        match self.own_way(position, keeper) {
            Ok(leaf) => Ok(leaf.put(slot(position, 0), page)),
            Err(_) => {
                self.lower(keeper);
                Err(page)
            }
        }
    }

    /// The leaf for `position`, made if it is missing, with no other tree reaching it.
    ///
    /// # Errors
    /// `NO_MEMORY`: the contents are as before, but there may be nodes on top that are not needed.
    fn own_way(&mut self, position: u64, keeper: &impl Keeper<P>) -> Result<&mut Leaf<P>> {
        self.grow_to(position)?;
        let root = match &mut self.root {
            Some(root) => root,
            none => none.insert(chain(position, self.height)?),
        };
        match root {
            Node::Leaf(leaf) => leaf.own(0, keeper),
            Node::Inner(inner) => own_way_below(inner, position, self.height - 1, keeper),
        }
    }

    /// Puts nodes on top until the tree covers `position`.
    fn grow_to(&mut self, position: u64) -> Result<()> {
        while self.height == 0 || !self.covers(position) {
            if self.root.is_some() {
                let permit = ArcPermit::new()?;
                if let Some(root) = self.root.take() {
                    self.root = Some(Node::Inner(NodeRef::from_permit(
                        permit,
                        Inner::with(0, root),
                    )));
                }
            }
            self.height += 1;
        }
        Ok(())
    }
}

fn own_way_below<'a, P>(
    mut inner: &'a mut NodeRef<Inner<P>>,
    position: u64,
    mut level: u32,
    keeper: &impl Keeper<P>,
) -> Result<&'a mut Leaf<P>> {
    loop {
        let node = inner.own(level, keeper)?;
        let slot = slot(position, level);
        if node.present >> slot & 1 == 0 {
            node.put(slot, chain(position, level)?);
        }
        level -= 1;
        match &mut node.below {
            Below::Leaves(leaves) => {
                let leaf = leaves[slot].as_mut().expect("its bit is set");
                return leaf.own(0, keeper);
            }
            Below::Inners(inners) => inner = inners[slot].as_mut().expect("its bit is set"),
        }
    }
}

/// An empty leaf for `position` below as many inner nodes as make `levels` levels.
fn chain<P>(position: u64, levels: u32) -> Result<Node<P>> {
    let mut node = Node::Leaf(NodeRef::new(Leaf::empty())?);
    for level in 1..levels {
        node = Node::Inner(NodeRef::new(Inner::with(slot(position, level), node))?);
    }
    Ok(node)
}
