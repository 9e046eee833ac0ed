//! Searches for gaps, and placement in them.

use super::*;

/// Every position that fits, by trying them all.
pub(super) fn all_positions(tree: &Tree, request: GapRequest) -> Vec<VirtAddr> {
    (page(request.within.base())..page(request.within.end()))
        .filter_map(|first| VirtRange::new(VirtAddr::new(first * PAGE_SIZE), request.pages))
        .filter(|range| range.base().is_aligned_to(request.align_log2))
        .filter(|range| request.within.contains_range(*range))
        .filter(|range| tree.iter().all(|region| !region.range().overlaps(*range)))
        .map(VirtRange::base)
        .collect()
}

/// Compares every kind of search with trying all positions.
pub(super) fn check_searches(tree: &Tree, request: GapRequest) {
    let positions = all_positions(tree, request);
    assert_eq!(
        tree.lowest_gap(request),
        positions.first().copied(),
        "{request:?}"
    );
    assert_eq!(
        tree.highest_gap(request),
        positions.last().copied(),
        "{request:?}"
    );
    assert_eq!(tree.count_candidates(request, usize::MAX), positions.len());
    assert_eq!(tree.count_candidates(request, 3), positions.len().min(3));
    let listed: Vec<VirtAddr> = tree
        .gaps(request)
        .flat_map(|group| (0..group.count).filter_map(move |index| group.nth(index)))
        .collect();
    assert_eq!(listed, positions);
    for (index, position) in positions.iter().enumerate() {
        assert_eq!(tree.nth_candidate(request, index), Some(*position));
    }
    assert_eq!(tree.nth_candidate(request, positions.len()), None);
}

#[test]
fn a_request_for_the_whole_range_has_one_candidate() {
    let tree = tree_of(&[]);
    let all = pages(FLOOR, ROOM);
    assert_eq!(tree.count_candidates(request(ROOM, 1, all), usize::MAX), 1);
    assert_eq!(
        tree.random_gap(request(ROOM, 1, all), 30, || u64::MAX),
        Some(all.base())
    );
    assert_eq!(tree.random_gap(request(ROOM + 1, 1, all), 30, || 0), None);
}

#[test]
fn requests_near_the_limits_of_addresses_do_not_wrap() {
    let top = VirtRange::between(
        VirtAddr::new(usize::MAX << 47),
        VirtAddr::new(usize::MAX << 12),
    );
    let top = top.expect("the upper half");
    let mut tree = tree_in(top);
    let last = VirtRange::new(VirtAddr::new(usize::MAX << 13), PageCount::new(1)).expect("a page");
    tree.insert(region_at(last)).expect("the tree is empty");
    assert_eq!(tree.lowest_gap(request(1, 1, top)), Some(top.base()));
    let huge = GapRequest {
        pages: PageCount::new(usize::MAX),
        align_log2: 12,
        within: top,
    };
    assert_eq!(tree.lowest_gap(huge), None);
    let coarse = GapRequest {
        pages: PageCount::new(1),
        align_log2: 63,
        within: top,
    };
    assert_eq!(tree.highest_gap(coarse), None);
    assert_eq!(tree.random_gap(coarse, 30, || 1), None);
}

#[test]
fn gaps_of_any_size_are_told_apart() {
    let gap = 1 << 29;
    let last = (1 << 36) - 1;
    let mut tree = tree_in(pages(0, last + 1));
    for number in 0..100 {
        let wider = usize::from(number >= 70);
        assert!(tree.insert(region(number * gap + wider, 1)).is_ok());
    }
    assert!(tree.insert(region(last, 1)).is_ok());
    check(&tree);
    let within = pages(0, 99 * gap + 2);
    for (count, place) in [(gap - 1, Some(0)), (gap, Some(69)), (gap + 1, None)] {
        let expected = place.map(|place| VirtAddr::new((1 + place * gap) * PAGE_SIZE));
        assert_eq!(tree.lowest_gap(request(count, 1, within)), expected);
    }
    let top = last - (99 * gap + 2);
    let all = request(top, 1, tree.bounds());
    assert_eq!(tree.lowest_gap(all).map(page), Some(99 * gap + 2));
    assert_eq!(tree.highest_gap(all).map(page), Some(99 * gap + 2));
    assert_eq!(tree.lowest_gap(request(top + 1, 1, tree.bounds())), None);
}

#[test]
fn few_positions_are_chosen_evenly() {
    let tree = tree_of(&[(103, 1), (110, 40)]);
    let request = request(2, 1, pages(FLOOR, 60));
    let positions = all_positions(&tree, request);
    let count = positions.len() as u64;
    // The middle of each of `count` equal parts of all random numbers chooses one position each.
    let part = u64::MAX / count;
    let chosen: Vec<_> = (0..count)
        .filter_map(|index| tree.random_gap(request, 30, || index * part + part / 2))
        .collect();
    assert_eq!(chosen, positions);
}

#[test]
fn entropy_limits_the_choice_to_the_lowest_positions() {
    let tree = tree_of(&[(103, 1)]);
    let request = request(1, 1, pages(FLOOR, 1 << 20));
    let highest = |bits| tree.random_gap(request, bits, || u64::MAX).map(page);
    assert_eq!(highest(0), Some(100));
    assert_eq!(highest(2), Some(104));
    assert_eq!(highest(8), Some(356));
    assert_eq!(highest(12), Some(100 + (1 << 12) - 1));
    assert_eq!(highest(30), Some(100 + (1 << 20) - 1));
}

#[test]
fn a_crowded_space_gives_its_last_positions() {
    let free = [700, 2000, 2001, 4000];
    let mut tree = empty();
    for first in 0..4096 {
        if !free.contains(&first) {
            tree.insert(region(first, 1)).expect("pages are disjoint");
        }
    }
    let request = request(1, 1, pages(0, 4096));
    let mut next = generator();
    let mut found = Vec::new();
    while let Some(position) = tree.random_gap(request, 30, &mut next) {
        found.push(page(position));
        tree.insert(region(page(position), 1))
            .expect("the position is free");
    }
    found.sort_unstable();
    assert_eq!(found, free);
}

#[test]
fn a_guess_is_a_position_within_the_entropy_or_none_at_all() {
    let many = request(2, 4, pages(FLOOR, 1 << 20));
    let guess = |bits, number| many.guess(bits, || number).map(|range| page(range.base()));
    assert_eq!(guess(30, 0), Some(100));
    assert_eq!(guess(30, u64::MAX), Some(100 + (1 << 20) - 4));
    assert_eq!(guess(9, u64::MAX), Some(100 + 4 * 511));
    // So few that the choice is exact, and needs the regions.
    assert_eq!(guess(8, 0), None);
    assert!(request(2, 1, pages(FLOOR, 257)).guess(30, || 0).is_none());
    assert!(request(2, 1, pages(FLOOR, 258)).guess(30, || 0).is_some());
    assert!(request(ROOM, 1, pages(FLOOR, 2)).guess(30, || 0).is_none());
}

/// Random numbers, the same in each run.
fn generator() -> impl FnMut() -> u64 {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    move || {
        random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        random
    }
}

#[test]
fn regions_placed_and_removed_at_random_leave_every_gap_right() {
    let bounds = pages(0x1000, 512);
    let mut tree = tree_in(bounds);
    let mut next = generator();
    let mut placed: Vec<VirtRange> = Vec::new();
    for _ in 0..20_000 {
        let choice = (next() >> 33) as usize;
        if choice % 5 < 3 {
            let wanted = request(1 + choice % 7, 1 << (choice % 3), bounds);
            let entropy_bits = [0, 2, 8, 30][choice % 4];
            let Some(base) = tree.random_gap(wanted, entropy_bits, &mut next) else {
                assert_eq!(tree.lowest_gap(wanted), None);
                continue;
            };
            let range = VirtRange::new(base, wanted.pages).expect("a place is a range");
            assert!(placed.iter().all(|other| !other.overlaps(range)));
            assert!(tree.insert(region_at(range)).is_ok());
            placed.push(range);
        } else if !placed.is_empty() {
            let range = placed.swap_remove(choice % placed.len());
            let removed = tree.find_mut(range.base()).remove();
            assert_eq!(removed.map(|region| region.range()), Some(range));
        }
        check(&tree);
    }
    assert!(!placed.is_empty());
}
