//! The region tree against a plain list of ranges.

mod gaps;

use std::cell::Cell;
use std::rc::Rc;
use std::vec::Vec;

use intrusive_collections::intrusive_adapter;
use proptest::prelude::*;

use self::gaps::{all_positions, check_searches};
use super::*;
use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount};

#[derive(Debug)]
struct Region {
    range: Cell<VirtRange>,
    link: RegionLink,
    gap: Gap,
}

impl HasRange for Region {
    fn range(&self) -> VirtRange {
        self.range.get()
    }

    fn gap(&self) -> &Gap {
        &self.gap
    }
}

intrusive_adapter!(Adapter = Rc<Region>: Region { link => RegionLink });

type Tree = RegionTree<Adapter>;

/// The first page of the bounds that the tests place regions in.
const FLOOR: usize = 100;
/// The pages in those bounds.
const ROOM: usize = 64;

/// The range of `count` pages from page `first` on.
fn pages(first: usize, count: usize) -> VirtRange {
    VirtRange::new(VirtAddr::new(first * PAGE_SIZE), PageCount::new(count)).expect("a valid range")
}

fn region(first: usize, count: usize) -> Rc<Region> {
    region_at(pages(first, count))
}

fn region_at(range: VirtRange) -> Rc<Region> {
    Rc::new(Region {
        range: Cell::new(range),
        link: RegionLink::new(),
        gap: Gap::new(),
    })
}

#[test]
fn insert_refuses_what_lies_outside_the_bounds() {
    let mut tree = tree_in(pages(100, 10));
    for (first, count) in [(99, 1), (99, 2), (110, 1), (109, 2), (90, 40)] {
        assert!(tree.insert(region(first, count)).is_err());
    }
    assert!(tree.insert(region(100, 1)).is_ok());
    assert!(tree.insert(region(109, 1)).is_ok());
    check(&tree);
    let removed = tree.find_mut(VirtAddr::new(100 * PAGE_SIZE)).remove();
    assert!(removed.is_some());
    check(&tree);
}

#[test]
#[should_panic(expected = "does not go where it belongs")]
fn a_vacancy_takes_only_a_region_of_its_range() {
    let mut tree = empty();
    let vacancy = tree.vacancy(pages(100, 2)).expect("the tree is empty");
    vacancy.fill(region(100, 3));
}

/// A tree for the lower half of the addresses.
fn empty() -> Tree {
    tree_in(pages(0, 1 << 35))
}

fn tree_in(bounds: VirtRange) -> Tree {
    RegionTree::new(Adapter::new(), bounds)
}

fn tree_of(ranges: &[(usize, usize)]) -> Tree {
    let mut tree = empty();
    for &(first, count) in ranges {
        tree.insert(region(first, count))
            .expect("the ranges are disjoint");
    }
    tree
}

fn request(count: usize, align_pages: usize, within: VirtRange) -> GapRequest {
    let align_log2 = PAGE_SHIFT + align_pages.ilog2();
    GapRequest {
        pages: PageCount::new(count),
        align_log2,
        within,
    }
}

fn page(address: VirtAddr) -> usize {
    address.raw() / PAGE_SIZE
}

/// Checks the gap below each region, and the largest gap of each subtree.
fn check(tree: &Tree) {
    let mut low = tree.bounds().base();
    for region in tree.iter() {
        assert!(low <= region.range().base(), "regions overlap");
        assert_eq!(low_end(region), low, "an outdated gap below {region:?}");
        low = region.range().end();
    }
    assert!(low <= tree.bounds().end());
    let mut cursor = tree.tree.front();
    while let Some(node) = cursor.node() {
        let below = [node.left(), node.right()].map(|child| child.map(|child| child.summary()));
        let largest = below
            .into_iter()
            .flatten()
            .fold(node.get().gap().size(), Ord::max);
        assert_eq!(
            node.summary(),
            largest,
            "an outdated summary at {:?}",
            node.get()
        );
        cursor.move_next();
    }
}

#[test]
fn a_link_and_a_gap_leave_room_for_a_region_of_128_bytes() {
    assert_eq!(size_of::<RegionLink>() + size_of::<Gap>(), 40);
}

#[test]
fn insert_accepts_a_touching_neighbour_and_rejects_an_overlap() {
    let mut tree = tree_of(&[(102, 2)]);
    assert!(tree.insert(region(104, 1)).is_ok());
    assert!(tree.insert(region(101, 1)).is_ok());
    for (first, count) in [(103, 1), (100, 10), (101, 1), (104, 2), (100, 2)] {
        let refused = tree.insert(region(first, count)).expect_err("it overlaps");
        assert_eq!(refused.range(), pages(first, count));
        assert!(!refused.link.is_linked());
    }
    assert_eq!(tree.iter().count(), 3);
}

#[test]
fn find_knows_both_ends_of_a_region() {
    let tree = tree_of(&[(102, 2), (110, 1)]);
    let found = |raw: usize| {
        tree.find(VirtAddr::new(raw))
            .map(|region| page(region.range().base()))
    };
    assert_eq!(found(102 * PAGE_SIZE), Some(102));
    assert_eq!(found(104 * PAGE_SIZE - 1), Some(102));
    assert_eq!(found(104 * PAGE_SIZE), None);
    assert_eq!(found(102 * PAGE_SIZE - 1), None);
}

#[test]
fn overlapping_includes_what_is_partly_covered_and_nothing_that_touches() {
    let tree = tree_of(&[(100, 2), (102, 2), (104, 2), (110, 5)]);
    let bases = |range| -> Vec<usize> {
        tree.overlapping(range)
            .map(|region| page(region.range().base()))
            .collect()
    };
    assert_eq!(bases(pages(103, 8)), [102, 104, 110]);
    assert_eq!(bases(pages(102, 2)), [102]);
    assert_eq!(bases(pages(106, 4)), [0; 0]);
    assert!(tree.overlaps(pages(109, 2)));
    assert!(!tree.overlaps(pages(106, 4)));
}

#[test]
fn remove_takes_only_the_very_region() {
    let mut tree = tree_of(&[(100, 2)]);
    let twin = region(100, 2);
    assert!(tree.remove(&twin).is_none());
    let inside = tree
        .find_cursor(VirtAddr::new(101 * PAGE_SIZE))
        .clone_pointer();
    let inside = inside.expect("the region is there");
    assert!(
        tree.remove(&inside)
            .is_some_and(|removed| Rc::ptr_eq(&removed, &inside))
    );
    assert!(tree.is_empty());
}

#[test]
fn a_resized_region_changes_the_gaps_around_it() {
    let mut tree = tree_of(&[(100, 4), (104, 4), (108, 4)]);
    let request = request(2, 1, pages(100, 12));
    assert_eq!(tree.lowest_gap(request), None);
    tree.find_mut(VirtAddr::new(105 * PAGE_SIZE))
        .resize(|region| region.range.set(pages(104, 2)));
    assert_eq!(
        tree.lowest_gap(request),
        Some(VirtAddr::new(106 * PAGE_SIZE))
    );
    tree.find_mut(VirtAddr::new(109 * PAGE_SIZE))
        .resize(|region| region.range.set(pages(106, 6)));
    assert_eq!(tree.lowest_gap(request), None);
}

#[derive(Clone, Debug)]
enum Step {
    Insert(usize, usize),
    Remove(usize),
    Shrink(usize, usize),
    Grow(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let first = FLOOR - 4..FLOOR + ROOM + 4;
    let step = prop_oneof![
        4 => (first.clone(), 1_usize..8).prop_map(|(first, count)| Step::Insert(first, count)),
        2 => first.clone().prop_map(Step::Remove),
        1 => (first.clone(), 1_usize..4).prop_map(|(first, count)| Step::Shrink(first, count)),
        1 => first.prop_map(Step::Grow),
    ];
    prop::collection::vec(step, 0..60)
}

/// Does the same step to the tree and to a list of ranges.
fn apply(step: Step, tree: &mut Tree, model: &mut Vec<VirtRange>) {
    let holds = |range: &VirtRange, first| range.contains(VirtAddr::new(first * PAGE_SIZE));
    match step {
        Step::Insert(first, count) => {
            let range = pages(first, count);
            let is_free = model.iter().all(|other| !other.overlaps(range));
            assert_eq!(tree.insert(region(first, count)).is_ok(), is_free);
            if is_free {
                model.push(range);
            }
        }
        Step::Remove(first) => {
            let removed = tree.find_mut(VirtAddr::new(first * PAGE_SIZE)).remove();
            let place = model.iter().position(|range| holds(range, first));
            assert_eq!(
                removed.map(|region| region.range()),
                place.map(|at| model.swap_remove(at))
            );
        }
        Step::Shrink(first, count) => {
            let Some(range) = model.iter_mut().find(|range| holds(range, first)) else {
                return;
            };
            let count = count.min(range.pages().get());
            *range = pages(page(range.end()) - count, count);
            tree.find_mut(VirtAddr::new(first * PAGE_SIZE))
                .resize(|region| {
                    region.range.set(*range);
                });
        }
        Step::Grow(first) => grow(first, tree, model),
    }
}

/// Lets the region at page `first` take all the room up to the next one, but for one page.
fn grow(first: usize, tree: &mut Tree, model: &mut [VirtRange]) {
    let address = VirtAddr::new(first * PAGE_SIZE);
    let above = model.iter().map(|range| page(range.base()));
    let Some(limit) = above.filter(|&above| first < above).min() else {
        return;
    };
    let Some(range) = model.iter_mut().find(|range| range.contains(address)) else {
        return;
    };
    let start = page(range.base());
    *range = pages(start, range.pages().get().max(limit - start - 1));
    let mut cursor = tree.find_mut(address);
    cursor.resize(|region| region.range.set(*range));
}

proptest! {
    #[test]
    fn every_search_agrees_with_trying_all_positions(
        steps in steps(),
        (first, room) in (FLOOR - 4..FLOOR + 20, 1_usize..ROOM),
        count in 1_usize..6,
        align_log2 in 0_u32..4,
        random in any::<u64>(),
    ) {
        let mut tree = empty();
        let mut model = Vec::new();
        for step in steps {
            apply(step, &mut tree, &mut model);
            check(&tree);
        }
        model.sort_by_key(|range| range.base());
        prop_assert_eq!(tree.iter().map(HasRange::range).collect::<Vec<_>>(), model);

        for within in [pages(first, room), pages(FLOOR - 8, ROOM + 16)] {
            let request = request(count, 1 << align_log2, within);
            check_searches(&tree, request);
            let positions = all_positions(&tree, request);
            let chosen = tree.random_gap(request, 4, || random);
            prop_assert_eq!(chosen.is_some(), !positions.is_empty());
            prop_assert!(chosen.is_none_or(|chosen| positions[..16.min(positions.len())].contains(&chosen)));
        }
    }
}
