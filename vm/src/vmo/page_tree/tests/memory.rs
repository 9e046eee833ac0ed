//! Running out of memory at each allocation.

use super::shape::survey;
use super::*;
use crate::try_alloc::fault;

/// Two trees that share all of their nodes.
fn pair(counts: &Counts) -> (Tree, Tree) {
    let tree = tree_of(counts, (0..80).map(|number| number * 60).chain([1 << 20]));
    let child = tree.snapshot(ALL, counts).expect("memory is plenty");
    (tree, child)
}

/// Makes a call with each allocation failing in turn. If it fails, no tree may be changed.
///
/// Answers how many allocations it makes.
fn fail_each(mut call: impl FnMut(&mut Tree, &Counts) -> Result<(), ()>) -> usize {
    for successes in 0.. {
        let counts = Counts::default();
        let (mut tree, child) = pair(&counts);
        let before = (contents(&tree, ALL), counts.living());
        let childs = contents(&child, ALL);
        let plan = fault::fail_after(successes);
        let result = call(&mut tree, &counts);
        let has_struck = plan.has_struck();
        drop(plan);
        assert_eq!(result.is_err(), has_struck);
        if has_struck {
            assert_eq!((contents(&tree, ALL), counts.living()), before);
        }
        assert_eq!(contents(&child, ALL), childs);
        survey(&tree);
        dissolve(tree, &counts);
        dissolve(child, &counts);
        assert_eq!(counts.len(), 0);
        if !has_struck {
            return successes;
        }
    }
    unreachable!("some number of allocations suffices")
}

/// Puts a new page, and gives back whichever is left over.
fn try_put(tree: &mut Tree, counts: &Counts, index: u64) -> Result<(), ()> {
    let result = tree.put(page(index), counts.make(), counts);
    let (left, result) = match result {
        Ok(before) => (before, Ok(())),
        Err(page) => (Some(page), Err(())),
    };
    left.into_iter().for_each(|page| counts.free(page));
    result
}

fn discard<T>(result: syscall::Result<T>) -> Result<T, ()> {
    result.map_err(|status| assert_eq!(status, syscall::Status::NO_MEMORY))
}

#[test]
fn put_replaces_a_shared_page_or_changes_nothing() {
    assert_eq!(fail_each(|tree, counts| try_put(tree, counts, 120)), 4);
}

#[test]
fn put_makes_the_way_or_changes_nothing() {
    let made = fail_each(|tree, counts| try_put(tree, counts, 1 << 16));
    assert_eq!(made, 2 + 2, "two copies and two new nodes");
    let last = PageIndex::LIMIT.number() - 1;
    let made = fail_each(|tree, counts| try_put(tree, counts, last));
    assert_eq!(
        made,
        5 + 8,
        "five nodes on top, and eight below the topmost"
    );
}

#[test]
fn remove_takes_a_page_or_changes_nothing() {
    let made = fail_each(|tree, counts| {
        let removed = discard(tree.remove(page(60), counts))?;
        removed.into_iter().for_each(|page| counts.free(page));
        Ok(())
    });
    assert_eq!(made, 4);
    let made = fail_each(|tree, counts| {
        let removed = discard(tree.remove(page(1), counts))?;
        assert!(removed.is_none());
        Ok(())
    });
    assert_eq!(made, 0, "nothing is copied for an absent page");
}

#[test]
fn a_range_is_drained_or_nothing_changes() {
    let made = fail_each(|tree, counts| {
        discard(tree.own_edges(pages(70..4000), counts))?;
        tree.drain(pages(70..4000), counts, &mut |_, page| counts.free(page));
        assert_eq!(indices(tree)[..3], [0, 60, 4020]);
        Ok(())
    });
    assert_eq!(made, 3 + 1, "the leaf at the end has no page in the range");
}

#[test]
fn a_snapshot_of_a_part_is_made_or_nothing_changes() {
    let made = fail_each(|tree, counts| {
        let child = discard(tree.snapshot(pages(70..4000), counts))?;
        assert_eq!(indices(&child)[0], 50);
        dissolve(child, counts);
        Ok(())
    });
    assert_ne!(made, 0);
}
