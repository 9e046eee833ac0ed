//! `spec/vmar.md` §9 and §10.

use syscall::Status;

use super::shown;
use crate::addr::PAGE_SIZE;
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;

const P: usize = PAGE_SIZE;

#[test]
fn the_root_cannot_be_destroyed() {
    let world = World::new();
    world.refuses(Status::NOT_SUPPORTED, || world.root.destroy());
    finish(world);
}

#[test]
fn a_region_dies_once_and_with_all_below() {
    let world = World::new();
    let (outer, vmo) = (world.vmar(8), world.numbered_vmo(2));
    let inner = outer.allocate(CAN_ALL | SPECIFIC, 0, 4 * P).expect("free");
    let innermost = inner.allocate(CAN_ALL | SPECIFIC, 0, 2 * P).expect("free");
    innermost.map(request_at(0, &vmo, 0, 2)).expect("free");
    outer.map(request_at(4, &vmo, 0, 2)).expect("free");
    let pages = shown(&world, &outer);
    assert_eq!(pages[..6], [Some(1), Some(2), None, None, Some(1), Some(2)]);
    outer.destroy().expect("alive");
    assert_eq!(shown(&world, &outer), [None; 8]);
    assert_eq!(vmo.info().num_mappings, 0);
    for region in [&outer, &inner, &innermost] {
        assert!(region.is_dead());
        let base = region.range().base();
        world.refuses(Status::BAD_STATE, || region.destroy());
        world.refuses(Status::BAD_STATE, || region.allocate(CAN_ALL, 0, P));
        world.refuses(Status::BAD_STATE, || region.map(request(R, &vmo, 1)));
        world.refuses(Status::BAD_STATE, || region.unmap(base, P, Allowed));
        world.refuses(Status::BAD_STATE, || region.protect(R, base, P, Allowed));
        assert_eq!(records(region), Err(Status::BAD_STATE));
    }
    assert_eq!(outer.range().bytes(), 8 * P);
    drop((outer, inner, innermost, vmo));
    finish(world);
}

#[test]
fn the_range_can_be_used_again_and_old_contents_are_gone() {
    let world = World::new();
    let parent = world.vmar(4);
    let child = parent.allocate(CAN_ALL, 0, 4 * P).expect("room");
    child
        .map(request_at(0, &world.numbered_vmo(4), 0, 4))
        .expect("free");
    assert_eq!(world.load(page_of(&parent, 0)), Ok(1));
    child.destroy().expect("alive");
    let fresh = world.vmo(4);
    parent.map(request_at(0, &fresh, 0, 4)).expect("free again");
    assert_eq!(shown(&world, &parent), [Some(0); 4]);
    drop((parent, child, fresh));
    finish(world);
}

#[test]
fn depth_costs_no_stack() {
    let world = World::new();
    let top = world.vmar(1);
    let vmo = world.numbered_vmo(1);
    let mut innermost = top.clone();
    for _ in 0..20_000 {
        innermost = innermost.allocate(CAN_ALL, 0, P).expect("room");
    }
    innermost.map(request(R, &vmo, 1)).expect("room");
    assert_eq!(world.load(page_of(&top, 0)), Ok(1));
    assert_eq!(records(&top).expect("alive").len(), 20_002);
    top.destroy().expect("alive");
    assert!(innermost.is_dead());
    drop((top, vmo, innermost));
    finish(world);
}

#[test]
fn the_end_of_an_address_space_kills_every_region() {
    let world = World::new();
    let (region, vmo) = (world.vmar(4), world.numbered_vmo(1));
    let base = region.map(request(R, &vmo, 1)).expect("room");
    assert_eq!(world.load(base), Ok(1));
    world.space.destroy();
    assert_eq!(world.space.root().err(), Some(Status::BAD_STATE));
    assert_eq!(world.root.map(request(R, &vmo, 1)), Err(Status::BAD_STATE));
    assert_eq!(region.unmap(base, P, Allowed), Err(Status::BAD_STATE));
    assert_eq!(records(&region), Err(Status::BAD_STATE));
    assert_eq!(world.load(base), Err(Status::NOT_FOUND));
    assert_eq!(vmo.info().num_mappings, 0);
    // A second end changes nothing.
    world.space.destroy();
    drop((region, vmo));
    finish(world);
}
