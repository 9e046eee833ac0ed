//! Trees that share nodes and pages.

use super::shape::survey;
use super::*;

fn is_own(tree: &Tree, counts: &Counts, index: u64) -> bool {
    matches!(tree.find(page(index), counts), Found::Own(_))
}

/// How many nodes `tree` has that `other` has not.
fn nodes_beside(tree: &Tree, other: &Tree) -> usize {
    let others = survey(other).nodes;
    let nodes = survey(tree).nodes.into_keys();
    nodes.filter(|node| !others.contains_key(node)).count()
}

#[test]
fn a_snapshot_of_everything_copies_nothing() {
    let counts = Counts::default();
    let tree = tree_of(&counts, (0..100).map(|number| number * 1000));
    let no_memory = crate::try_alloc::fault::fail_after(0);
    let child = tree.snapshot(ALL, &counts).expect("no memory is needed");
    drop(no_memory);
    assert_eq!(nodes_beside(&child, &tree), 0);
    assert_eq!(contents(&child, ALL), contents(&tree, ALL));
    dissolve(tree, &counts);
    assert_eq!(child.count(ALL), 100);
    dissolve(child, &counts);
    assert_eq!(counts.len(), 0);
}

#[test]
fn what_is_shared_is_found_as_shared_by_both_and_is_own_again_when_one_has_gone() {
    let counts = Counts::default();
    for first_to_go in [0, 1] {
        let tree = tree_of(&counts, [5, 5000]);
        assert!(is_own(&tree, &counts, 5));
        let child = tree.snapshot(ALL, &counts).expect("memory is plenty");
        assert!(!is_own(&tree, &counts, 5) && !is_own(&child, &counts, 5));
        let mut trees = vec![tree, child];
        dissolve(trees.remove(first_to_go), &counts);
        assert!(is_own(&trees[0], &counts, 5) && is_own(&trees[0], &counts, 5000));
        dissolve(trees.remove(0), &counts);
    }
    assert_eq!(counts.len(), 0);
}

#[test]
fn changing_a_page_copies_one_path() {
    let counts = Counts::default();
    let tree = tree_of(&counts, (0..64).map(|number| number * 64 * 64));
    assert_eq!(tree.height, 3);
    let mut child = tree.snapshot(ALL, &counts).expect("memory is plenty");
    let new = put(&mut child, &counts, 64 * 64);
    assert_eq!(nodes_beside(&child, &tree), 3);
    assert!(is_own(&child, &counts, 64 * 64) && is_own(&tree, &counts, 64 * 64));
    assert!(!is_own(&child, &counts, 0));
    assert_eq!(child.get(page(64 * 64)).map(TestPage::number), Some(new));
    assert_ne!(tree.get(page(64 * 64)).map(TestPage::number), Some(new));
    dissolve(child, &counts);
    dissolve(tree, &counts);
    assert_eq!(counts.len(), 0);
}

#[test]
fn a_page_that_is_changed_in_its_place_costs_no_memory() {
    let counts = Counts::default();
    let mut tree = tree_of(&counts, [7, 700]);
    let child = tree.snapshot(ALL, &counts).expect("memory is plenty");
    assert!(matches!(tree.look_up(page(7), &counts), Lookup::Shared(_)));
    assert!(matches!(tree.look_up(page(8), &counts), Lookup::NoWay));
    dissolve(child, &counts);
    let _no_memory = crate::try_alloc::fault::fail_after(0);
    assert!(matches!(tree.look_up(page(7), &counts), Lookup::Own(_)));
    match tree.look_up(page(8), &counts) {
        Lookup::Vacant(vacant) => vacant.fill(counts.make()),
        other => panic!("{other:?}"),
    }
    put(&mut tree, &counts, 9);
    assert_eq!(indices(&tree), [7, 8, 9, 700]);
    survey(&tree);
    dissolve(tree, &counts);
    assert_eq!(counts.len(), 0);
}

#[test]
fn a_vacant_place_in_a_shared_leaf_is_no_way() {
    let counts = Counts::default();
    let mut tree = tree_of(&counts, [0]);
    let mut child = tree.snapshot(ALL, &counts).expect("memory is plenty");
    for tree in [&mut tree, &mut child] {
        assert!(matches!(tree.look_up(page(1), &counts), Lookup::NoWay));
    }
    put(&mut child, &counts, 1);
    assert_eq!(indices(&tree), [0]);
    // Both have a leaf of their own now, but still one page together.
    assert!(matches!(tree.look_up(page(1), &counts), Lookup::Vacant(_)));
    assert!(matches!(tree.look_up(page(0), &counts), Lookup::Shared(_)));
    assert!(matches!(child.look_up(page(1), &counts), Lookup::Own(_)));
}

#[test]
fn a_thousand_generations_are_as_deep_as_one() {
    let counts = Counts::default();
    let mut generations = vec![tree_of(&counts, [0, 100, 10_000])];
    for generation in 1..=1000 {
        let parent = &generations[generation - 1];
        let mut child = parent.snapshot(ALL, &counts).expect("memory is plenty");
        put(&mut child, &counts, 100);
        generations.push(child);
    }
    // Reading a page looks at one node per level and nothing else.
    let nodes = survey(&generations[0]).nodes.len();
    for (generation, tree) in generations.iter().enumerate() {
        assert_eq!((tree.height, survey(tree).nodes.len()), (3, nodes));
        assert!(is_own(tree, &counts, 100), "generation {generation}");
        assert!(!is_own(tree, &counts, 0), "generation {generation}");
    }
    assert_eq!(counts.len(), 1003);
    for tree in generations.drain(..1000) {
        dissolve(tree, &counts);
    }
    assert_eq!(counts.len(), 3);
    assert!(is_own(&generations[0], &counts, 0));
}

#[test]
fn a_child_has_the_pages_of_its_range_and_no_others() {
    let counts = Counts::default();
    let tree = tree_of(&counts, 0..200);
    let child = tree
        .snapshot(pages(50..150), &counts)
        .expect("memory is plenty");
    assert_eq!(indices(&child), (0..100).collect::<Vec<_>>());
    assert_eq!(
        child.get(page(3)).map(TestPage::number),
        tree.get(page(53)).map(TestPage::number)
    );
    dissolve(tree, &counts);
    assert_eq!(counts.len(), 100);
    survey(&child);
    dissolve(child, &counts);
    assert_eq!(counts.len(), 0);
}

#[test]
fn a_child_of_a_hole_is_empty_and_begins_at_position_0() {
    let counts = Counts::default();
    let tree = tree_of(&counts, [0, 200]);
    for hole in [1..200, 201..1 << 40, 5..5, 200..200] {
        let mut child = tree
            .snapshot(pages(hole), &counts)
            .expect("memory is plenty");
        survey(&child);
        assert_eq!(child.count(ALL), 0);
        put(&mut child, &counts, 3);
        assert_eq!((child.height, indices(&child)), (1, vec![3]));
        dissolve(child, &counts);
    }
}

#[test]
fn a_tree_begins_no_further_from_its_first_ancestor_than_a_page_can_be() {
    let counts = Counts::default();
    let last = PageIndex::LIMIT.number() - 1;
    let tree = tree_of(&counts, [0, last]);
    let mut child = tree
        .snapshot(pages(last..last + 1), &counts)
        .expect("memory is plenty");
    assert_eq!(indices(&child), [0]);
    put(&mut child, &counts, last);
    survey(&child);
    assert_eq!(
        child
            .snapshot(pages(2..last), &counts)
            .map(|empty| empty.origin),
        Ok(page(0))
    );
    let refused = child.snapshot(pages(2..last + 1), &counts).map(drop);
    assert_eq!(refused, Err(syscall::Status::INVALID_ARGS));
    let mut grandchild = child
        .snapshot(pages(1..last + 1), &counts)
        .expect("memory is plenty");
    assert_eq!(
        (grandchild.origin, indices(&grandchild)),
        (PageIndex::LIMIT, vec![last - 1])
    );
    put(&mut grandchild, &counts, last);
    survey(&grandchild);
    for tree in [child, tree, grandchild] {
        dissolve(tree, &counts);
    }
    assert_eq!(counts.len(), 0);
}

#[test]
fn draining_gives_the_sink_only_what_nobody_else_reaches() {
    let counts = Counts::default();
    let mut tree = tree_of(&counts, 0..256);
    let child = tree.snapshot(ALL, &counts).expect("memory is plenty");
    let range = pages(10..250);
    tree.own_edges(range.clone(), &counts)
        .expect("memory is plenty");
    let mut drained = Vec::new();
    tree.drain(range, &counts, &mut |index, page| {
        drained.push(index.number());
        counts.free(page);
    });
    // The leaves at both ends are copies, those between just lost a reference.
    assert_eq!(drained, (10..64).chain(192..250).collect::<Vec<_>>());
    assert_eq!(indices(&tree), (0..10).chain(250..256).collect::<Vec<_>>());
    assert_eq!(child.count(ALL), 256);
}

#[test]
#[should_panic(expected = "a shared node is to be changed")]
fn draining_part_of_a_shared_node_without_owning_it_is_a_mistake() {
    let counts = Counts::default();
    let mut tree = tree_of(&counts, [0, 1]);
    let _child = tree.snapshot(ALL, &counts).expect("memory is plenty");
    tree.drain(pages(0..1), &counts, &mut |_, _| ());
}

#[test]
fn owning_the_edges_of_a_hole_copies_nothing() {
    let counts = Counts::default();
    let mut tree = tree_of(&counts, [0, 100]);
    let child = tree.snapshot(ALL, &counts).expect("memory is plenty");
    let _no_memory = crate::try_alloc::fault::fail_after(0);
    for range in [1..64, 101..128, 1 << 20..1 << 30, 0..4096] {
        assert_eq!(tree.own_edges(pages(range), &counts), Ok(()));
    }
    assert_eq!(nodes_beside(&tree, &child), 0);
}

#[test]
fn visitors_learn_which_pages_may_be_written_to() {
    let counts = Counts::default();
    let tree = tree_of(&counts, [0, 1, 64]);
    let mut child = tree.snapshot(ALL, &counts).expect("memory is plenty");
    put(&mut child, &counts, 1);
    let mut seen = Vec::new();
    let _ = child.visit_own(ALL, &counts, |index, _, sharing| {
        seen.push((index.number(), sharing));
        ControlFlow::<()>::Continue(())
    });
    let shared = Sharing::Shared;
    assert_eq!(seen, [(0, shared), (1, Sharing::Own), (64, shared)]);
}
