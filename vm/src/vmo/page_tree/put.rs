//! Putting a page in, and making the way to its place.

use syscall::Result;

use super::node::{Below, Inner, Leaf, Node, NodeRef};
use super::nodes::{Heap, Nodes};
use super::slots::slot;
use super::{Keeper, PageTree};
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
        match self.own_way(position, keeper, &mut Heap) {
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
    pub(super) fn own_way(
        &mut self,
        position: u64,
        keeper: &impl Keeper<P>,
        nodes: &mut impl Nodes<P>,
    ) -> Result<&mut Leaf<P>> {
        self.grow_to(position, nodes)?;
        let root = match &mut self.root {
            Some(root) => root,
            none => none.insert(chain(position, self.height, nodes)?),
        };
        let way = Way { position, keeper };
        match root {
            Node::Leaf(leaf) => leaf.own(0, keeper, nodes),
            Node::Inner(inner) => way.own_below(inner, self.height - 1, nodes),
        }
    }

    /// Puts nodes on top until the tree covers `position`.
    fn grow_to(&mut self, position: u64, nodes: &mut impl Nodes<P>) -> Result<()> {
        while self.height == 0 || !self.covers(position) {
            if self.root.is_some() {
                let permit = nodes.inner()?;
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

/// The way down to the leaf for a position.
struct Way<'a, K> {
    position: u64,
    keeper: &'a K,
}

impl<K> Way<'_, K> {
    /// The leaf, below a node that has `level` levels below it.
    fn own_below<'n, P>(
        &self,
        mut inner: &'n mut NodeRef<Inner<P>>,
        mut level: u32,
        nodes: &mut impl Nodes<P>,
    ) -> Result<&'n mut Leaf<P>>
    where
        K: Keeper<P>,
    {
        loop {
            let node = inner.own(level, self.keeper, nodes)?;
            let slot = slot(self.position, level);
            if node.present >> slot & 1 == 0 {
                node.put(slot, chain(self.position, level, nodes)?);
            }
            level -= 1;
            match &mut node.below {
                Below::Leaves(leaves) => {
                    let leaf = leaves[slot].as_mut().expect("its bit is set");
                    return leaf.own(0, self.keeper, nodes);
                }
                Below::Inners(inners) => inner = inners[slot].as_mut().expect("its bit is set"),
            }
        }
    }
}

/// An empty leaf for `position` below as many inner nodes as make `levels` levels.
fn chain<P>(position: u64, levels: u32, nodes: &mut impl Nodes<P>) -> Result<Node<P>> {
    let mut node = Node::Leaf(NodeRef::from_permit(nodes.leaf()?, Leaf::empty()));
    for level in 1..levels {
        let inner = Inner::with(slot(position, level), node);
        node = Node::Inner(NodeRef::from_permit(nodes.inner()?, inner));
    }
    Ok(node)
}
