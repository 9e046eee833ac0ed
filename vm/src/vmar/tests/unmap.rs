//! `spec/vmar.md` §6, and the examples of §14 about unmapping.

use syscall::Status;

use super::shown;
use crate::addr::{PAGE_SIZE, VirtAddr};
use crate::testing::*;
use crate::vmar::OpChildren::{Allowed, Forbidden};

const P: usize = PAGE_SIZE;

/// Unmaps `pages` pages from page `at` of a region on.
fn unmap(vmar: &Region, at: usize, pages: usize) -> syscall::Result<()> {
    vmar.unmap(page_of(vmar, at), pages * P, Allowed)
}

#[test]
fn the_range_must_be_aligned_and_not_empty() {
    let world = World::new();
    let base = world.root.range().base();
    let odd = base.checked_add(1).expect("small");
    world.refuses(Status::INVALID_ARGS, || world.root.unmap(odd, P, Allowed));
    for length in [0, usize::MAX, usize::MAX - P + 2] {
        world.refuses(Status::INVALID_ARGS, || {
            world.root.unmap(base, length, Allowed)
        });
    }
    finish(world);
}

#[test]
fn a_dead_region_answers_bad_state_before_the_bounds_are_looked_at() {
    let world = World::new();
    let dead = world.vmar(4);
    dead.destroy().expect("alive");
    world.refuses(Status::BAD_STATE, || unmap(&dead, 0, 8));
    world.refuses(Status::INVALID_ARGS, || unmap(&dead, 0, 0));
    drop(dead);
    finish(world);
}

#[test]
fn the_range_must_lie_inside() {
    let world = World::new();
    let vmar = world.vmar(4);
    world.refuses(Status::INVALID_ARGS, || unmap(&vmar, 0, 5));
    world.refuses(Status::INVALID_ARGS, || unmap(&vmar, 4, 1));
    world.refuses(Status::INVALID_ARGS, || {
        vmar.unmap(VirtAddr::new(0), P, Allowed)
    });
    assert_eq!(unmap(&vmar, 0, 4), Ok(()));
    drop(vmar);
    finish(world);
}

#[test]
fn the_first_half_of_a_mapping_can_go() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    unmap(&vmar, 0, 2).expect("inside");
    assert_eq!(shown(&world, &vmar), [None, None, Some(3), Some(4)]);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn the_middle_of_a_mapping_can_go() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    assert_eq!(shown(&world, &vmar), [Some(1), Some(2), Some(3), Some(4)]);
    unmap(&vmar, 1, 2).expect("inside");
    assert_eq!(shown(&world, &vmar), [Some(1), None, None, Some(4)]);
    assert_eq!(vmo.info().num_mappings, 2);
    // Both parts are still known to the VMO.
    vmo.set_size(3 * P as u64).expect("resizable");
    assert_eq!(world.load(page_of(&vmar, 3)), Err(Status::OUT_OF_RANGE));
    assert_eq!(world.load(page_of(&vmar, 0)), Ok(1));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn the_edges_of_two_mappings_can_go() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(8), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    vmar.map(request_at(4, &vmo, 0, 4)).expect("free");
    shown(&world, &vmar);
    unmap(&vmar, 2, 3).expect("inside");
    let rest = [
        Some(1),
        Some(2),
        None,
        None,
        None,
        Some(2),
        Some(3),
        Some(4),
    ];
    assert_eq!(shown(&world, &vmar), rest);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_covered_region_is_destroyed() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    vmar.map(request_at(8, &vmo, 0, 4)).expect("free");
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 4 * P, 4 * P)
        .expect("free");
    child.map(request_at(0, &vmo, 0, 4)).expect("free");
    shown(&world, &vmar);
    unmap(&vmar, 0, 9).expect("inside");
    let mut rest = vec![None; 9];
    rest.extend([Some(2), Some(3), Some(4)]);
    assert_eq!(shown(&world, &vmar), rest);
    assert!(child.is_dead());
    world.refuses(Status::BAD_STATE, || child.map(request_at(0, &vmo, 0, 1)));
    drop((vmar, vmo, child));
    finish(world);
}

#[test]
fn a_region_that_is_covered_in_part_stays() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 8 * P, 4 * P)
        .expect("free");
    child.map(request_at(0, &vmo, 0, 4)).expect("free");
    for (at, pages) in [(1, 10), (9, 1), (11, 1), (9, 3)] {
        world.refuses(Status::INVALID_ARGS, || unmap(&vmar, at, pages));
    }
    assert!(!child.is_dead());
    drop((vmar, vmo, child));
    finish(world);
}

#[test]
fn destroying_regions_needs_the_right() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 8 * P, 4 * P)
        .expect("free");
    let unmap = |pages| vmar.unmap(page_of(&vmar, 0), pages * P, Forbidden);
    world.refuses(Status::INVALID_ARGS, || unmap(12));
    // Mappings alone do not need it.
    assert_eq!(unmap(8), Ok(()));
    drop((vmar, vmo, child));
    finish(world);
}

#[test]
fn gaps_do_not_matter() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(8), world.numbered_vmo(4));
    assert_eq!(unmap(&vmar, 0, 8), Ok(()));
    vmar.map(request_at(1, &vmo, 0, 4)).expect("free");
    assert_eq!(unmap(&vmar, 0, 5), Ok(()));
    assert_eq!(shown(&world, &vmar), [None; 8]);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn the_length_is_rounded_up() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(6), world.numbered_vmo(6));
    vmar.map(request_at(0, &vmo, 0, 6)).expect("free");
    vmar.unmap(page_of(&vmar, 0), 4 * P - 1, Allowed)
        .expect("inside");
    assert_eq!(
        shown(&world, &vmar),
        [None, None, None, None, Some(5), Some(6)]
    );
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn what_is_split_keeps_its_permissions_on_both_sides() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(6), world.numbered_vmo(6));
    vmar.map(request_at(0, &vmo, 0, 6)).expect("free");
    let protect = |at, options| vmar.protect(options, page_of(&vmar, at), P, Allowed);
    protect(0, R).expect("mapped");
    protect(5, R).expect("mapped");
    unmap(&vmar, 2, 2).expect("inside");
    let may_write = |at| world.store(page_of(&vmar, at), 9);
    assert_eq!(may_write(0), Err(Status::ACCESS_DENIED));
    assert_eq!(may_write(1), Ok(()));
    assert_eq!(may_write(4), Ok(()));
    assert_eq!(may_write(5), Err(Status::ACCESS_DENIED));
    drop((vmar, vmo));
    finish(world);
}
