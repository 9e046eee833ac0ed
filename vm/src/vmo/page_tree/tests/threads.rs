//! Trees that share nodes, changed at the same time.

use std::sync::{Barrier, Mutex};
use std::thread;

use super::*;
use crate::try_alloc::ArcPermit;
use crate::vmo::page_tree::drain::Drain;
use crate::vmo::page_tree::node::{Leaf, NodeRef};

/// How often each race is run.
const ROUNDS: usize = 300;

/// Counts that several threads use.
#[derive(Default)]
struct LockedCounts(Mutex<Counts>);

impl Keeper<TestPage> for LockedCounts {
    fn share(&self, page: &TestPage) -> TestPage {
        self.0.lock().expect("nobody panicked").share(page)
    }

    fn is_exclusive(&self, page: &TestPage) -> bool {
        self.0.lock().expect("nobody panicked").is_exclusive(page)
    }

    fn free(&self, page: TestPage) {
        self.0.lock().expect("nobody panicked").free(page);
    }
}

/// Makes a tree and two snapshots of it, and does something to each in a thread of its own, at the same
/// time. All pages must have been given back in the end.
fn race(act: impl Fn(&mut Tree, &LockedCounts, u64) + Sync) {
    for _ in 0..ROUNDS {
        let mut counts = Counts::default();
        let tree = tree_of(&counts, [0, 1, 70, 5000]);
        let one = tree.snapshot(ALL, &counts).expect("memory is plenty");
        let other = tree
            .snapshot(pages(1..6000), &counts)
            .expect("memory is plenty");
        counts = LockedCounts(Mutex::new(counts)).run(vec![tree, one, other], &act);
        assert_eq!(counts.len(), 0);
    }
}

impl LockedCounts {
    /// Runs `act` on all trees at once, drains them, and gives back the counts.
    fn run(self, trees: Vec<Tree>, act: &(impl Fn(&mut Tree, &Self, u64) + Sync)) -> Counts {
        let start = Barrier::new(trees.len());
        thread::scope(|scope| {
            for (tree, number) in trees.into_iter().zip(0..) {
                let (counts, start) = (&self, &start);
                scope.spawn(move || {
                    let mut tree = tree;
                    start.wait();
                    act(&mut tree, counts, number);
                    tree.drain(ALL, counts, &mut |_, page| counts.free(page));
                });
            }
        });
        self.0.into_inner().expect("nobody panicked")
    }
}

#[test]
fn who_lets_go_of_a_node_last_gets_its_pages() {
    let counts = Counts::default();
    let mut leaf = Leaf::empty();
    assert!(leaf.put(5, counts.make()).is_none());
    let permit = ArcPermit::new().expect("memory is plenty");
    let one = NodeRef::from_permit(permit, leaf);
    let other = one.share();
    let mut positions = Vec::new();
    let mut drain = Drain {
        range: 0..64,
        sink: &mut |position, page| {
            positions.push(position);
            counts.free(page);
        },
    };
    drain.let_go(one, 0, 0);
    drain.let_go(other, 0, 0);
    assert_eq!(positions, [5]);
    assert_eq!(counts.len(), 0);
}

#[test]
fn trees_that_end_at_the_same_time_give_every_page_back_once() {
    race(|_, _, _| ());
}

#[test]
fn trees_that_copy_the_same_node_at_the_same_time_give_every_page_back_once() {
    race(|tree, counts, number| {
        let new = counts.0.lock().expect("nobody panicked").make();
        let before = tree
            .put(page(70 - number), new, counts)
            .expect("memory is plenty");
        before.into_iter().for_each(|page| counts.free(page));
        let removed = tree.remove(page(0), counts).expect("memory is plenty");
        removed.into_iter().for_each(|page| counts.free(page));
    });
}
