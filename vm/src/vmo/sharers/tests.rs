//! Which runs of pages are told of, who has them, and in which order members come.

use std::vec::Vec;

use syscall::VmoChildOptions;

use super::*;
use crate::addr::PAGE_SIZE;
use crate::testing::*;
use crate::vmo::ChildRequest;

const P: u64 = PAGE_SIZE as u64;

fn child(parent: &Memory, options: VmoChildOptions, first: u64, pages: u64) -> Memory {
    let request = ChildRequest {
        koid: new_koid(),
        options,
        offset: first * P,
        size: pages * P,
        may_resize: false,
    };
    parent.create_child(request).expect("memory")
}

fn snapshot(parent: &Memory, first: u64, pages: u64) -> Memory {
    child(parent, VmoChildOptions::SNAPSHOT, first, pages)
}

fn set(vmo: &Memory, page: u64) {
    vmo.write(page * P, &[77]).expect("memory");
}

/// All runs of a VMO as first page, number of pages, and sharers.
fn runs(vmo: &Memory) -> Vec<(u64, u64, Vec<Koid>)> {
    let mut runs = Vec::new();
    let mut next = PageIndex::ZERO;
    while let Some(run) = vmo.next_run(next) {
        assert!(run.pages > 0 && run.first >= next);
        assert_eq!(run.sharers, run.named.len());
        let mut named = run.named.to_vec();
        named.sort_unstable();
        runs.push((run.first.number(), run.pages, named));
        next = run.first.saturating_add(run.pages);
    }
    runs
}

#[test]
fn a_vmo_alone_has_its_pages_alone() {
    let world = World::new();
    let vmo = world.resizable(10);
    assert_eq!(runs(&vmo), []);
    assert_eq!(vmo.next_run(PageIndex::LIMIT), None);
    for page in [1, 2, 5] {
        set(&vmo, page);
    }
    let own = std::vec![vmo.koid()];
    assert_eq!(runs(&vmo), [(1, 2, own.clone()), (5, 1, own.clone())]);
    // More than are looked at once come in several runs without a gap.
    let many = world.vmo(2 * PROBE + 1);
    (0..=2 * PROBE as u64).for_each(|page| set(&many, page));
    let lengths: Vec<_> = runs(&many).iter().map(|run| (run.0, run.1)).collect();
    let probe = PROBE as u64;
    assert_eq!(lengths, [(0, probe), (probe, probe), (2 * probe, 1)]);
    drop((vmo, many));
    finish(world);
}

#[test]
fn a_run_ends_where_a_sharer_comes_or_goes() {
    let world = World::new();
    let parent = world.numbered_vmo(8);
    let first = snapshot(&parent, 0, 8);
    // Its page 0 is page 2 of the others.
    let second = snapshot(&first, 2, 4);
    set(&parent, 4);
    set(&first, 7);
    set(&second, 1);
    let [p, f, s] = [&parent, &first, &second].map(|vmo| vmo.koid());
    let named = |koids: &[Koid]| koids.to_vec();
    assert_eq!(
        runs(&parent),
        [
            (0, 2, named(&[p, f])),
            (2, 1, named(&[p, f, s])),
            (3, 1, named(&[p, f])),
            (4, 1, named(&[p])),
            (5, 1, named(&[p, f, s])),
            (6, 1, named(&[p, f])),
            (7, 1, named(&[p])),
        ]
    );
    assert_eq!(
        runs(&second),
        [
            (0, 1, named(&[p, f, s])),
            (1, 1, named(&[s])),
            (2, 1, named(&[f, s])),
            (3, 1, named(&[p, f, s])),
        ]
    );
    let positions = [&parent, &first, &second].map(|vmo| vmo.family_position());
    assert_eq!(positions, [0, 0, 2]);
    drop(first);
    assert_eq!(
        runs(&second),
        [
            (0, 1, named(&[p, s])),
            (1, 2, named(&[s])),
            (3, 1, named(&[p, s]))
        ]
    );
    drop((parent, second));
    finish(world);
}

#[test]
fn views_have_no_runs_and_are_no_sharers() {
    let world = World::new();
    let owner = world.vmo(6);
    set(&owner, 3);
    let slice = child(&owner, VmoChildOptions::SLICE, 2, 4);
    let inner = child(&slice, VmoChildOptions::SLICE, 1, 1);
    let reference = child(&owner, VmoChildOptions::REFERENCE, 0, 0);
    for view in [&slice, &inner, &reference] {
        assert_eq!(runs(view), []);
    }
    assert_eq!(runs(&owner), [(3, 1, std::vec![owner.koid()])]);
    let positions = [&slice, &inner, &reference].map(|vmo| vmo.family_position());
    assert_eq!(positions, [2, 3, 0]);
    drop((owner, slice, inner, reference));
    finish(world);
}

#[test]
fn more_sharers_than_are_named_are_counted() {
    let world = World::new();
    let parent = world.numbered_vmo(1);
    let children: Vec<_> = (0..MOST_NAMED + 5)
        .map(|_| snapshot(&parent, 0, 1))
        .collect();
    let run = parent.next_run(PageIndex::ZERO).expect("a page");
    assert_eq!(run.sharers, MOST_NAMED + 6);
    assert_eq!(run.named.len(), MOST_NAMED);
    drop((parent, children));
    finish(world);
}

#[test]
fn members_come_before_their_children_with_their_depth() {
    let world = World::new();
    let tree = |vmo: &Memory| -> Vec<(usize, Koid)> {
        vmo.family_tree()
            .map(|(depth, member)| (depth, member.koid()))
            .collect()
    };
    let root = world.vmo(1);
    assert_eq!(tree(&root), [(0, root.koid())]);
    let [left, right] = [0; 2].map(|_| snapshot(&root, 0, 1));
    let below = snapshot(&left, 0, 1);
    let deep = snapshot(&below, 0, 1);
    let beside = snapshot(&left, 0, 1);
    let [r, left_koid, right_koid, below_koid, deep_koid, beside_koid] =
        [&root, &left, &right, &below, &deep, &beside].map(|vmo| vmo.koid());
    // The youngest child comes first.
    let expected = [
        (0, r),
        (1, right_koid),
        (1, left_koid),
        (2, beside_koid),
        (2, below_koid),
        (3, deep_koid),
    ];
    assert_eq!(tree(&deep), expected);
    // Those that are left without a parent are side by side.
    drop(root);
    let orphans = tree(&right);
    assert_eq!(orphans.len(), 5);
    assert_eq!(orphans.iter().filter(|(depth, _)| *depth == 0).count(), 2);
    // One that goes during a walk does not end it.
    let mut walk = left.family_tree();
    let first = walk.next().map(|(_, member)| member.koid());
    drop((right, beside));
    let rest: Vec<_> = walk.map(|(_, member)| member.koid()).collect();
    let all: Vec<_> = first.into_iter().chain(rest).collect();
    for koid in [left_koid, below_koid, deep_koid] {
        assert_eq!(all.iter().filter(|seen| **seen == koid).count(), 1);
    }
    drop((left, below, deep));
    finish(world);
}
