//! How places are spread: `spec/vmar.md` §4.
//!
//! Random numbers are the same in every run, so these tests either always pass or never.

use std::collections::BTreeMap;
use std::vec::Vec;

use syscall::VmOptions;

use crate::addr::PAGE_SIZE;
use crate::aspace::{Aslr, Entropy};
use crate::testing::*;
use crate::vmar::{MapRequest, OpChildren};

const P: usize = PAGE_SIZE;

/// A world whose places have `bits` bits of randomness.
fn world(bits: u32) -> World {
    World::with_aslr(Aslr::On(Entropy {
        source: random,
        bits,
    }))
}

/// Maps one page `tries` times, alone each time; how often it was at which page of the region.
fn histogram(
    world: &World,
    vmar: &Region,
    options: VmOptions,
    tries: usize,
) -> BTreeMap<usize, usize> {
    histogram_below(world, vmar, (options, 0), tries)
}

/// The same with an offset.
fn histogram_below(
    world: &World,
    vmar: &Region,
    (options, offset): (VmOptions, usize),
    tries: usize,
) -> BTreeMap<usize, usize> {
    let vmo = world.vmo(1);
    let mut counts = BTreeMap::new();
    for _ in 0..tries {
        let base = vmar.map(MapRequest {
            offset,
            ..request(R | options, &vmo, 1)
        });
        let base = base.expect("room");
        let page = (base.raw() - vmar.range().base().raw()) / P;
        *counts.entry(page).or_default() += 1;
        vmar.unmap(base, P, OpChildren::Forbidden).expect("mapped");
    }
    counts
}

/// Fails unless `counts` look as if each of `places` had been as likely as any other.
///
/// The statistic has `places - 1` degrees of freedom, so it lies within five standard deviations of that
/// but for one case in a million. A value far below would be as odd as one far above.
#[track_caller]
fn assert_uniform(counts: &BTreeMap<usize, usize>, places: &[usize]) {
    let tries: usize = counts.values().sum();
    assert!(
        counts.keys().all(|place| places.contains(place)),
        "a place that none should be at: {counts:?}"
    );
    let expected = tries as f64 / places.len() as f64;
    let chi_square: f64 = places
        .iter()
        .map(|place| {
            let count = counts.get(place).copied().unwrap_or(0) as f64;
            (count - expected).powi(2) / expected
        })
        .sum();
    let freedom = (places.len() - 1) as f64;
    let allowed = 5.0 * (2.0 * freedom).sqrt();
    assert!(
        (chi_square - freedom).abs() <= allowed,
        "chi-square {chi_square:.1} with {freedom} degrees of freedom"
    );
}

#[test]
fn every_page_of_an_empty_region_is_as_likely() {
    let world = world(30);
    for pages in [2, 64, 256, 300] {
        let vmar = world.vmar(pages);
        let counts = histogram(&world, &vmar, VmOptions::empty(), 40 * pages);
        assert_uniform(&counts, &(0..pages).collect::<Vec<_>>());
    }
    finish(world);
}

#[test]
fn gaps_of_different_sizes_are_chosen_by_their_pages() {
    let world = world(30);
    let (vmar, vmo) = (world.vmar(100), world.vmo(10));
    // Gaps of 1, 9, 20 and 40 pages; two of the mappings touch.
    for (at, pages) in [(1, 5), (15, 5), (40, 8), (48, 2), (90, 10)] {
        vmar.map(request_at(at, &vmo, 0, pages)).expect("free");
    }
    let free = [0..1, 6..15, 20..40, 50..90];
    let free: Vec<_> = free.into_iter().flatten().collect();
    let counts = histogram(&world, &vmar, VmOptions::empty(), 100 * free.len());
    assert_uniform(&counts, &free);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_nearly_full_large_region_is_as_fair() {
    let world = world(30);
    let (vmar, vmo) = (world.vmar(4096), world.vmo(41));
    // Of 4096 pages, 100 are free: one before each mapping of 40, and some at the end.
    let free: Vec<_> = (0..99).map(|index| index * 41).chain([4095]).collect();
    for index in 0..99 {
        let request = request_at(index * 41 + 1, &vmo, 0, 40);
        vmar.map(request).expect("free");
    }
    vmar.map(request_at(99 * 41, &vmo, 0, 36)).expect("free");
    let counts = histogram(&world, &vmar, VmOptions::empty(), 60 * free.len());
    assert_uniform(&counts, &free);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn aligned_places_and_places_below_a_limit_are_as_likely() {
    let world = world(30);
    let vmar = world
        .root
        .allocate(CAN_ALL | SPECIFIC, 3 * P, 1024 * P)
        .expect("free");
    let first = vmar.range().base().raw().next_multiple_of(16 * P);
    let first = (first - vmar.range().base().raw()) / P;
    let aligned: Vec<_> = (first..1024).step_by(16).collect();
    let align = VmOptions::from_raw(16 << 24);
    let counts = histogram(&world, &vmar, align, 60 * aligned.len());
    assert_uniform(&counts, &aligned);

    let limit = VmOptions::OFFSET_IS_UPPER_LIMIT;
    let below: Vec<_> = (0..77).collect();
    let counts = histogram_below(&world, &vmar, (limit, 77 * P), 60 * 77);
    assert_uniform(&counts, &below);

    let both: Vec<_> = aligned.into_iter().filter(|page| *page < 300).collect();
    let counts = histogram_below(&world, &vmar, (limit | align, 300 * P), 60 * both.len());
    assert_uniform(&counts, &both);
    drop(vmar);
    finish(world);
}

#[test]
fn only_the_lowest_places_are_chosen_among() {
    for bits in [0, 1, 4, 8, 10] {
        let world = world(bits);
        let (vmar, vmo) = (world.vmar(1 << 14), world.vmo(7));
        // The places below the mapping count, and those after it follow them.
        vmar.map(request_at(0, &vmo, 0, 7)).expect("free");
        let places = 1 << bits;
        let counts = histogram(&world, &vmar, VmOptions::empty(), 40 * places);
        let highest = counts.keys().last().copied().unwrap_or(0);
        assert!(highest < 7 + places, "{bits} bits, but page {highest}");
        if bits <= 8 {
            assert_uniform(&counts, &(7..7 + places).collect::<Vec<_>>());
        }
        drop((vmar, vmo));
        finish(world);
    }
}

#[test]
fn a_compact_region_has_eight_bits_whatever_others_have() {
    for bits in [4, 30] {
        let world = world(bits);
        let options = CAN_ALL | VmOptions::COMPACT;
        let vmar = world
            .root
            .allocate(options, 0, (1 << 14) * P)
            .expect("room");
        let counts = histogram(&world, &vmar, VmOptions::empty(), 40 * 256);
        assert_uniform(&counts, &(0..256).collect::<Vec<_>>());
        drop(vmar);
        finish(world);
    }
}

#[test]
fn more_bits_than_places_choose_among_all() {
    for bits in [Entropy::MAX_BITS, 63, 64, u32::MAX] {
        let world = world(bits);
        let vmar = world.vmar(32);
        let counts = histogram(&world, &vmar, VmOptions::empty(), 40 * 32);
        assert_uniform(&counts, &(0..32).collect::<Vec<_>>());
        drop(vmar);
        finish(world);
    }
}
