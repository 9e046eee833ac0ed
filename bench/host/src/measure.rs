//! The loops that are measured.
//!
//! Each `measure_…` function is one operation on many regions, and nothing else; callgrind writes a file of counts
//! at the end of each. Where there are few regions there are many trees, so that a count is a mean over
//! thousands of operations.

use std::hint::black_box;

use vm::addr::VirtAddr;
use vm::region_tree::GapRequest;

use crate::structures::{GapSearch, Structure};
use crate::workload::Workload;

/// How many operations are measured at least, but for searches that take long.
const OPERATIONS: usize = 10_000;

/// How many regions all linear searches look at, about.
const LOOKED_AT: usize = 4_000_000;

/// The fewest searches for a gap.
const FEWEST_SEARCHES: usize = 4;

/// The measured operations, in the order in which [`Trial::run`] calls their loops.
pub const OPERATION_NAMES: [&str; 4] = ["insert", "lookup", "first-fit gap", "remove"];

/// Trees, and what happens to them.
pub struct Trial<S: Structure> {
    /// One tree for each of the workloads.
    pub trees: Vec<S>,
    /// The workloads; all of the same size.
    pub workloads: Vec<Workload>,
    /// The items of each workload, until they are inserted.
    pub items: Vec<Vec<S::Item>>,
    /// The searches for a gap in each tree.
    pub searches: Vec<Vec<GapRequest>>,
}

impl<S: Structure> Trial<S> {
    /// Prepares trees for `count` regions each.
    pub fn new(count: usize) -> Self {
        let rounds = (OPERATIONS / count).max(1);
        let total = match S::GAP_SEARCH {
            GapSearch::Logarithmic => OPERATIONS,
            GapSearch::Linear => (LOOKED_AT / count).clamp(FEWEST_SEARCHES, OPERATIONS),
        };
        let workloads: Vec<Workload> = (1_u64..)
            .take(rounds)
            .map(|seed| Workload::new(count, seed))
            .collect();
        Self {
            trees: workloads.iter().map(|_| S::default()).collect(),
            items: workloads.iter().map(Self::items_of).collect(),
            searches: workloads
                .iter()
                .map(|workload| workload.searches((total / rounds).max(1)))
                .collect(),
            workloads,
        }
    }

    fn items_of(workload: &Workload) -> Vec<S::Item> {
        workload.regions.iter().copied().map(S::item).collect()
    }

    /// Inserts everything.
    pub fn filled(mut self) -> Self {
        measure_insert(&mut self.trees, std::mem::take(&mut self.items));
        self
    }

    /// Does everything once. Answers how many operations of each kind there were.
    pub fn run(mut self) -> [usize; 4] {
        let regions = self.workloads.iter().map(|workload| workload.regions.len());
        let count = regions.sum();
        measure_nothing();
        measure_insert(&mut self.trees, self.items);
        measure_lookup(&self.trees, &self.workloads);
        measure_gap(&self.trees, &self.searches);
        let mut removed = Vec::with_capacity(count);
        measure_remove(&mut self.trees, &self.workloads, &mut removed);
        let searches = self.searches.iter().map(Vec::len).sum();
        [count, count, searches, count]
    }
}

/// Ends the preparation: what callgrind counted until here is of no interest.
#[inline(never)]
pub fn measure_nothing() {
    black_box(());
}

/// Inserts the items of each workload into its tree.
#[inline(never)]
pub fn measure_insert<S: Structure>(trees: &mut [S], items: Vec<Vec<S::Item>>) {
    for (tree, items) in trees.iter_mut().zip(items) {
        for item in items {
            tree.insert(item);
        }
    }
}

/// Looks all addresses up.
///
/// # Panics
/// If one is in no region.
#[inline(never)]
pub fn measure_lookup<S: Structure>(trees: &[S], workloads: &[Workload]) {
    for (tree, workload) in trees.iter().zip(workloads) {
        for &address in &workload.lookups {
            assert!(black_box(tree.find(address)).is_some());
        }
    }
}

/// Searches for gaps.
///
/// # Panics
/// If there is none for a request.
#[inline(never)]
pub fn measure_gap<S: Structure>(trees: &[S], searches: &[Vec<GapRequest>]) {
    for (tree, searches) in trees.iter().zip(searches) {
        for &request in searches {
            let position: Option<VirtAddr> = black_box(tree.lowest_gap(request));
            assert!(position.is_some());
        }
    }
}

/// Removes all regions, by their bases, into `removed`, which has room for them.
///
/// # Panics
/// If one is not there.
#[inline(never)]
pub fn measure_remove<S: Structure>(
    trees: &mut [S],
    workloads: &[Workload],
    removed: &mut Vec<S::Item>,
) {
    for (tree, workload) in trees.iter_mut().zip(workloads) {
        for &base in &workload.removals {
            let item = tree.remove(base);
            assert!(item.is_some());
            removed.extend(item);
        }
    }
}
