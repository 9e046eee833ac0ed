//! Which nodes a tree has.

use std::collections::BTreeMap;

use super::*;
use crate::vmo::page_tree::node::{Below, Inner, Leaf, NodeRef};
use crate::vmo::page_tree::slots::base_of;

/// What was found in a tree by going through all of its nodes.
#[derive(Debug, Default)]
pub struct Survey {
    /// The bytes of each node, by its address.
    pub nodes: BTreeMap<usize, usize>,
    /// The number of the page at each position.
    pub pages: BTreeMap<u64, u32>,
}

/// Checks a tree's invariants; answers what is in it.
pub fn survey(tree: &Tree) -> Survey {
    let mut survey = Survey::default();
    match &tree.root {
        None => assert_eq!((tree.height, tree.origin), (0, PageIndex::ZERO)),
        Some(Node::Leaf(leaf)) => {
            assert_eq!(tree.height, 1);
            survey.leaf(leaf, 0);
        }
        Some(Node::Inner(inner)) => {
            assert_ne!(inner.present, 1, "the root is not needed");
            survey.inner(inner, 0, tree.height - 1);
        }
    }
    for position in survey.pages.keys() {
        let index = position
            .checked_sub(tree.origin.number())
            .and_then(PageIndex::new);
        assert!(index.is_some_and(|index| index < PageIndex::LIMIT));
    }
    survey
}

impl Survey {
    fn leaf(&mut self, leaf: &NodeRef<Leaf<TestPage>>, base: u64) {
        self.add(leaf);
        assert_ne!(leaf.present, 0, "an empty leaf");
        for (slot, page) in leaf.pages.iter().enumerate() {
            assert_eq!(page.is_some(), leaf.present >> slot & 1 == 1);
            if let Some(page) = page {
                self.pages.insert(base + slot as u64, page.number());
            }
        }
    }

    fn inner(&mut self, inner: &NodeRef<Inner<TestPage>>, base: u64, level: u32) {
        self.add(inner);
        assert_ne!(inner.present, 0, "an empty node");
        for slot in 0..64 {
            let first = base_of(base, slot, level);
            let is_there = match &inner.below {
                Below::Leaves(leaves) => {
                    assert_eq!(level, 1);
                    leaves[slot].as_ref().map(|leaf| self.leaf(leaf, first))
                }
                Below::Inners(inners) => inners[slot]
                    .as_ref()
                    .map(|inner| self.inner(inner, first, level - 1)),
            };
            assert_eq!(is_there.is_some(), inner.present >> slot & 1 == 1);
        }
    }

    fn add<T>(&mut self, node: &NodeRef<T>) {
        let address = core::ptr::from_ref(&**node).addr();
        assert_eq!(self.nodes.insert(address, NodeRef::<T>::BYTES), None);
    }

    pub fn bytes(&self) -> usize {
        self.nodes.values().sum()
    }
}

#[test]
fn an_empty_tree_has_no_pages_and_no_nodes() {
    let counts = Counts::default();
    let mut tree = Tree::new();
    assert!(tree.get(page(0)).is_none());
    assert!(matches!(tree.find(page(0), &counts), Found::Absent));
    assert!(matches!(tree.look_up(page(0), &counts), Lookup::NoWay));
    assert_eq!(tree.metadata_bytes(), 0);
    assert_eq!(tree.count(ALL), 0);
    assert!(matches!(tree.remove(page(0), &counts), Ok(None)));
}

#[test]
fn nodes_fit_the_blocks_of_the_heap() {
    type Page = crate::vmo::state::Page;
    assert_eq!(NodeRef::<Leaf<Page>>::BYTES, 16 + 8 + 64 * 4);
    assert_eq!(NodeRef::<Inner<Page>>::BYTES, 16 + 16 + 64 * 8);
}

#[test]
fn the_highest_page_of_all_can_be_present() {
    let counts = Counts::default();
    let last = PageIndex::LIMIT.number() - 1;
    let mut tree = tree_of(&counts, [last, 0]);
    assert_eq!(contents(&tree, ALL), [(0, 1), (last, 0)]);
    assert_eq!(tree.count(pages(last..last + 1)), 1);
    let removed = tree.remove(page(last), &counts).expect("nothing is copied");
    assert_eq!(removed.as_ref().map(TestPage::number), Some(0));
    removed.into_iter().for_each(|page| counts.free(page));
    survey(&tree);
    assert_eq!(tree.height, 1);
    dissolve(tree, &counts);
    assert_eq!(counts.len(), 0);
}

#[test]
fn what_is_removed_gives_its_nodes_back() {
    let counts = Counts::default();
    let mut tree = tree_of(&counts, [0, 63, 64, 4095, 4096]);
    let mut drained = Vec::new();
    tree.drain(pages(1..4096), &counts, &mut |index, page| {
        drained.push(index.number());
        counts.free(page);
    });
    assert_eq!(drained, [63, 64, 4095]);
    survey(&tree);
    dissolve(tree, &counts);
    assert_eq!(counts.len(), 0);
}

#[test]
fn a_hole_costs_nothing_however_large() {
    let counts = Counts::default();
    let low = tree_of(&counts, [0]);
    let high = tree_of(&counts, [0, PageIndex::LIMIT.number() - 1]);
    assert_eq!(survey(&low).nodes.len(), 1);
    assert_eq!(survey(&high).nodes.len(), 2 * 9 - 1);
    assert_eq!(high.metadata_bytes(), survey(&high).bytes());
}
