//! Trees of pages by themselves and beside models.

mod family;
mod keeper;
mod memory;
mod replace;
mod shape;
mod sharing;
mod threads;

use core::ops::{ControlFlow, Range};

use keeper::{Counts, TestPage};

use super::*;

type Tree = PageTree<TestPage>;

fn page(number: u64) -> PageIndex {
    PageIndex::new(number).expect("a page number")
}

fn pages(range: Range<u64>) -> Range<PageIndex> {
    page(range.start)..page(range.end)
}

const ALL: Range<PageIndex> = PageIndex::ZERO..PageIndex::LIMIT;

/// A tree with a new page at each of these indices.
fn tree_of(counts: &Counts, indices: impl IntoIterator<Item = u64>) -> Tree {
    let mut tree = Tree::new();
    for index in indices {
        put(&mut tree, counts, index);
    }
    tree
}

/// Puts a new page at `index`, gives back what was there, and answers the number of the page.
fn put(tree: &mut Tree, counts: &Counts, index: u64) -> u32 {
    let new = counts.make();
    let number = new.number();
    let before = tree
        .put(page(index), new, counts)
        .expect("memory is plenty");
    before.into_iter().for_each(|page| counts.free(page));
    number
}

/// Takes all pages out of a tree and gives them back.
fn dissolve(mut tree: Tree, counts: &Counts) {
    tree.drain(ALL, counts, &mut |_, page| counts.free(page));
    assert_eq!(tree.metadata_bytes(), 0);
}

/// The pages of a tree, with their indices.
fn contents(tree: &Tree, range: Range<PageIndex>) -> Vec<(u64, u32)> {
    let mut found = Vec::new();
    let _ = tree.visit(range, |index, page| {
        found.push((index.number(), page.number()));
        ControlFlow::<()>::Continue(())
    });
    found
}

fn indices(tree: &Tree) -> Vec<u64> {
    contents(tree, ALL)
        .into_iter()
        .map(|(index, _)| index)
        .collect()
}
