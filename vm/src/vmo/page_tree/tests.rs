//! The tree of pages beside a `BTreeMap`.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn page(number: u64) -> PageIndex {
    PageIndex::new(number).expect("a page number")
}

/// Checks the tree's invariants from the nodes.
fn check<P>(tree: &PageTree<P>) {
    let (mut bytes, mut pages) = (0, 0);
    check_below(tree.root.as_ref(), tree.height, &mut bytes, &mut pages);
    assert_eq!((bytes, pages), (tree.metadata_bytes, tree.len));
    assert_eq!(tree.root.is_none(), tree.height == 0);
    if let Some(Node::Inner(inner)) = &tree.root {
        assert_ne!(inner.present, 1, "the root is not needed");
    }
}

fn check_below<P>(node: Option<&Node<P>>, level: u32, bytes: &mut usize, pages: &mut u64) {
    match node {
        None => {}
        Some(Node::Leaf(leaf)) => {
            assert_eq!(level, 1);
            assert_ne!(leaf.present, 0);
            for (slot, page) in leaf.pages.iter().enumerate() {
                assert_eq!(page.is_some(), leaf.present >> slot & 1 == 1);
                *pages += u64::from(page.is_some());
            }
            *bytes += size_of::<Leaf<P>>();
        }
        Some(Node::Inner(inner)) => {
            assert_ne!(inner.present, 0);
            for (slot, node) in inner.nodes.iter().enumerate() {
                assert_eq!(node.is_some(), inner.present >> slot & 1 == 1);
                check_below(node.as_ref(), level - 1, bytes, pages);
            }
            *bytes += size_of::<Inner<P>>();
        }
    }
}

fn contents(tree: &PageTree<u64>, range: Range<PageIndex>) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let _ = tree.visit(range, |index, page| {
        found.push((index.number(), *page));
        ControlFlow::<()>::Continue(())
    });
    found
}

#[test]
fn an_empty_tree_has_no_pages_and_no_nodes() {
    let tree = PageTree::<u64>::new();
    assert_eq!(tree.get(page(0)), None);
    assert_eq!(tree.metadata_bytes(), 0);
    assert_eq!(tree.count(page(0)..PageIndex::LIMIT), 0);
}

#[test]
fn the_highest_page_of_all_can_be_present() {
    let mut tree = PageTree::new();
    let last = page(PageIndex::LIMIT.number() - 1);
    assert_eq!(tree.insert(last, 7), Ok(()));
    assert_eq!(tree.insert(page(0), 8), Ok(()));
    check(&tree);
    assert_eq!(
        contents(&tree, page(0)..PageIndex::LIMIT),
        [(0, 8), (last.number(), 7)]
    );
    assert_eq!(tree.remove(last), Some(7));
    check(&tree);
    assert_eq!(tree.height, 1);
}

#[test]
fn what_is_removed_gives_its_nodes_back() {
    let mut tree = PageTree::new();
    for number in [0, 63, 64, 4095, 4096] {
        assert_eq!(tree.insert(page(number), number), Ok(()));
    }
    let mut drained = Vec::new();
    tree.drain(page(1)..page(4096), &mut |index, page| {
        drained.push((index.number(), page))
    });
    assert_eq!(drained, [(63, 63), (64, 64), (4095, 4095)]);
    check(&tree);
    tree.drain(page(0)..PageIndex::LIMIT, &mut |_, _| ());
    assert_eq!(tree.metadata_bytes(), 0);
}

#[test]
fn a_failed_insert_leaves_the_tree_as_it_was() {
    let mut tree = PageTree::new();
    tree.insert(page(5), 5).expect("enough memory");
    let before = (tree.height, tree.metadata_bytes);
    for successes in 0..4 {
        let plan = crate::try_alloc::fault::fail_after(successes);
        let result = tree.insert(page(1 << 17), 1);
        assert!(plan.has_struck(), "after {successes} allocations");
        assert_eq!(result, Err(1));
        check(&tree);
        assert_eq!((tree.height, tree.metadata_bytes), before);
        assert_eq!(tree.get(page(5)), Some(&5));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    Remove(u64),
    Drain(u64, u64),
    Count(u64, u64),
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..200_u64,
        60..70_u64,
        4090..4100_u64,
        (0..52_u32).prop_map(|bit| 1 << bit),
        Just(PageIndex::LIMIT.number() - 1),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => number().prop_map(Step::Insert),
        2 => number().prop_map(Step::Remove),
        1 => (number(), number()).prop_map(|(start, end)| Step::Drain(start, end)),
        2 => (number(), number()).prop_map(|(start, end)| Step::Count(start, end)),
    ]
}

proptest! {
    #[test]
    fn behaves_like_an_ordered_map(steps in prop::collection::vec(step(), 1..120)) {
        let mut tree = PageTree::new();
        let mut model = BTreeMap::new();
        for (value, step) in steps.into_iter().enumerate() {
            let value = value as u64;
            match step {
                Step::Insert(number) => {
                    if let std::collections::btree_map::Entry::Vacant(entry) = model.entry(number) {
                        entry.insert(value);
                        prop_assert_eq!(tree.insert(page(number), value), Ok(()));
                    }
                }
                Step::Remove(number) => {
                    prop_assert_eq!(tree.remove(page(number)), model.remove(&number));
                }
                Step::Drain(start, end) => {
                    let end = end.max(start);
                    let mut drained = Vec::new();
                    tree.drain(page(start)..page(end), &mut |index, page| {
                        drained.push((index.number(), page));
                    });
                    let expected: Vec<_> = model.extract_if(start..end, |_, _| true).collect();
                    prop_assert_eq!(drained, expected);
                }
                Step::Count(start, end) => {
                    let end = end.max(start);
                    let expected: Vec<_> =
                        model.range(start..end).map(|(number, value)| (*number, *value)).collect();
                    prop_assert_eq!(tree.count(page(start)..page(end)), expected.len() as u64);
                    prop_assert_eq!(contents(&tree, page(start)..page(end)), expected);
                }
            }
            check(&tree);
            for (number, value) in &model {
                prop_assert_eq!(tree.get(page(*number)), Some(value));
            }
        }
    }
}
