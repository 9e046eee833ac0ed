//! Every structure gives the same answers as a plain list, or the comparison would mean nothing.

use bench_host::structures::{Ours, Ranges, RedBlack, StandardMap, Structure, WavlCrate};
use bench_host::workload::{WIDE_GAP, Workload};
use vm::addr::{VirtAddr, VirtRange};
use vm::region_tree::GapRequest;

/// First fit in a list of regions by ascending address.
fn first_fit(regions: &[VirtRange], request: GapRequest) -> Option<VirtAddr> {
    let mut low = request.within.base();
    for region in regions {
        if region.base().raw() - low.raw() >= request.pages.bytes()? {
            return Some(low);
        }
        low = region.end();
    }
    (request.within.end().raw() - low.raw() >= request.pages.bytes()?).then_some(low)
}

fn check<S: Structure>(count: usize) {
    let workload = Workload::new(count, 7);
    let mut sorted = workload.regions.clone();
    sorted.sort_by_key(|region| region.base());
    let mut tree = S::default();
    for &region in &workload.regions {
        tree.insert(S::item(region));
    }
    for &address in &workload.lookups {
        let expected = sorted.iter().find(|region| region.contains(address));
        assert_eq!(tree.find(address).as_ref(), expected, "{}", S::NAME);
    }
    for region in &sorted {
        let is_free = !sorted.iter().any(|other| other.contains(region.end()));
        assert_eq!(tree.find(region.end()).is_none(), is_free, "{}", S::NAME);
    }
    for (number, base) in workload.removals.into_iter().enumerate() {
        if number % 8 == 0 {
            for request in workload_searches(count) {
                let expected = first_fit(&sorted, request);
                assert_eq!(tree.lowest_gap(request), expected, "{}", S::NAME);
            }
        }
        assert!(tree.remove(base).is_some(), "{}", S::NAME);
        assert!(tree.remove(base).is_none(), "{}", S::NAME);
        sorted.retain(|region| region.base() != base);
    }
}

/// Searches that end everywhere in a workload of `count` regions, and one that finds nothing at first.
fn workload_searches(count: usize) -> Vec<GapRequest> {
    let mut searches = Workload::new(count, 7).searches(10);
    let mut too_large = searches[9];
    too_large.pages = vm::addr::PageCount::new(2 * WIDE_GAP + 100);
    searches.push(too_large);
    searches
}

fn check_sizes<S: Structure>() {
    for count in [1, 10, 100, 300] {
        check::<S>(count);
    }
}

#[test]
fn the_region_tree_agrees_with_a_list() {
    check_sizes::<Ours>();
}

#[test]
fn the_standard_map_agrees_with_a_list() {
    check_sizes::<StandardMap>();
}

#[test]
fn rangemap_agrees_with_a_list() {
    check_sizes::<Ranges>();
}

#[test]
fn the_red_black_tree_agrees_with_a_list() {
    check_sizes::<RedBlack>();
}

#[test]
fn the_wavltree_crate_agrees_with_a_list() {
    check_sizes::<WavlCrate>();
}

#[test]
fn searches_end_all_over_the_regions() {
    let workload = Workload::new(1000, 7);
    let mut sorted = workload.regions.clone();
    sorted.sort_by_key(|region| region.base());
    let below: Vec<usize> = workload
        .searches(10)
        .into_iter()
        .map(|request| {
            let position = first_fit(&sorted, request).expect("each size has its gap");
            sorted.partition_point(|region| region.base() < position)
        })
        .collect();
    assert_eq!(below, [60, 160, 260, 360, 460, 560, 660, 760, 860, 960]);
}
