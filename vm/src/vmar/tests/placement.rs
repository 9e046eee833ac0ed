//! `spec/vmar.md` §4.

use std::collections::BTreeSet;

use syscall::{Status, VmOptions};

use crate::addr::PAGE_SIZE;
use crate::aspace::Aslr;
use crate::testing::*;

const P: usize = PAGE_SIZE;

#[test]
fn without_randomness_regions_go_to_the_lowest_place() {
    let world = World::with_aslr(Aslr::Off);
    let parent = world.vmar(16);
    for page in 0..3 {
        let child = parent.allocate(CAN_ALL, 0, P).expect("room");
        assert_eq!(child.range().base(), page_of(&parent, page));
    }
    drop(parent);
    finish(world);
}

#[test]
fn requests_below_a_limit_succeed_exactly_while_there_is_room() {
    let world = World::new();
    let parent = world.vmar(100);
    let vmo = world.vmo(1);
    let options = R | VmOptions::OFFSET_IS_UPPER_LIMIT;
    for _ in 0..50 {
        let base = parent.map(crate::vmar::MapRequest {
            offset: 50 * P,
            ..request(options, &vmo, 1)
        });
        assert!(base.expect("room") < page_of(&parent, 50));
    }
    world.refuses(Status::NO_RESOURCES, || {
        parent.map(crate::vmar::MapRequest {
            offset: 50 * P,
            ..request(options, &vmo, 1)
        })
    });
    assert!(parent.map(request(R, &vmo, 50)).is_ok());
    drop((parent, vmo));
    finish(world);
}

#[test]
fn places_are_aligned_as_wished_in_absolute_addresses() {
    let world = World::new();
    let odd = world
        .root
        .allocate(CAN_ALL | SPECIFIC, P, 64 * P)
        .expect("free");
    let vmo = world.vmo(1);
    let align = VmOptions::from_raw(16 << 24);
    for _ in 0..4 {
        let base = odd.map(request(R | align, &vmo, 1)).expect("room");
        assert!(base.is_aligned_to(16), "{base}");
    }
    // The region ends in the middle of a fifth unit, and its first page is not aligned.
    world.refuses(Status::NO_RESOURCES, || {
        odd.map(request(R | align, &vmo, 1))
    });
    drop((odd, vmo));
    finish(world);
}

#[test]
fn places_differ_from_time_to_time() {
    let world = World::new();
    let vmo = world.vmo(1);
    let places: BTreeSet<_> = (0..20)
        .map(|_| world.root.map(request(R, &vmo, 1)).expect("room"))
        .collect();
    assert_eq!(places.len(), 20);
    let lowest = places.first().expect("not empty").raw() - ROOT_BASE;
    let highest = places.last().expect("not empty").raw() - ROOT_BASE;
    assert!(
        highest - lowest > ROOT_PAGES * P / 4,
        "twenty places all lie close together"
    );
    drop(vmo);
    finish(world);
}

#[test]
fn a_compact_region_keeps_its_regions_together() {
    let world = World::new();
    let options = CAN_ALL | VmOptions::COMPACT;
    let compact = world
        .root
        .allocate(options, 0, (ROOT_PAGES / 2) * P)
        .expect("room");
    let vmo = world.vmo(1);
    for _ in 0..20 {
        let base = compact.map(request(R, &vmo, 1)).expect("room");
        let distance = base.raw() - compact.range().base().raw();
        assert!(
            distance < (256 + 20) * P,
            "{distance:#x} is not among the lowest 256 places"
        );
    }
    drop((compact, vmo));
    finish(world);
}
