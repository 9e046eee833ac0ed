//! `spec/vmar.md` §7, and the examples of §14 about protection.

use syscall::{Status, VmOptions};

use crate::addr::PAGE_SIZE;
use crate::mmu::Access;
use crate::testing::*;
use crate::vmar::MapRequest;
use crate::vmar::OpChildren::{self, Allowed, Forbidden};

const P: usize = PAGE_SIZE;

fn protect(vmar: &Region, options: VmOptions, at: usize, pages: usize) -> syscall::Result<()> {
    protect_as(vmar, options, (at, pages), Allowed)
}

fn protect_as(
    vmar: &Region,
    options: VmOptions,
    (at, pages): (usize, usize),
    children: OpChildren,
) -> syscall::Result<()> {
    vmar.protect(options, page_of(vmar, at), pages * P, children)
}

#[test]
fn the_arguments_are_checked() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    let base = page_of(&vmar, 0);
    for options in [
        VmOptions::PERM_WRITE,
        VmOptions::PERM_EXECUTE,
        R | VmOptions::COMPACT,
        R | VmOptions::SPECIFIC,
        R | VmOptions::CAN_MAP_READ,
        R | VmOptions::MAP_RANGE,
        R | VmOptions::ALLOW_FAULTS,
        R | VmOptions::from_raw(1 << 16),
        R | VmOptions::from_raw(12 << 24),
    ] {
        world.refuses(Status::INVALID_ARGS, || {
            vmar.protect(options, base, P, Allowed)
        });
    }
    let odd = base.checked_add(8).expect("small");
    world.refuses(Status::INVALID_ARGS, || vmar.protect(R, odd, P, Allowed));
    for length in [0, usize::MAX] {
        world.refuses(Status::INVALID_ARGS, || {
            vmar.protect(R, base, length, Allowed)
        });
    }
    world.refuses(Status::INVALID_ARGS, || protect(&vmar, R, 0, 5));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_dead_region_answers_bad_state_before_the_bounds_are_looked_at() {
    let world = World::new();
    let dead = world.vmar(4);
    dead.destroy().expect("alive");
    world.refuses(Status::BAD_STATE, || protect(&dead, R, 0, 8));
    world.refuses(Status::INVALID_ARGS, || protect(&dead, R, 0, 0));
    drop(dead);
    finish(world);
}

#[test]
fn holes_are_not_found_wherever_they_are() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.vmo(4));
    vmar.map(request_at(1, &vmo, 0, 3)).expect("free");
    vmar.map(request_at(8, &vmo, 0, 3)).expect("free");
    for (at, pages) in [(0, 2), (1, 10), (3, 2), (8, 4), (5, 1)] {
        world.refuses(Status::NOT_FOUND, || protect(&vmar, R, at, pages));
    }
    // An empty region is a hole as well.
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 4 * P, 4 * P)
        .expect("free");
    world.refuses(Status::NOT_FOUND, || protect(&vmar, R, 1, 10));
    child.map(request_at(0, &vmo, 0, 4)).expect("free");
    assert_eq!(protect(&vmar, R, 1, 10), Ok(()));
    drop((vmar, vmo, child));
    finish(world);
}

#[test]
fn one_mapping_that_may_not_write_denies_it_for_all() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.vmo(4));
    for at in [0, 4, 8] {
        let permitted = if at == 4 { Access::READ } else { Access::all() };
        let options = R | SPECIFIC;
        let request = MapRequest {
            options,
            permitted,
            ..request_at(at, &vmo, 0, 4)
        };
        vmar.map(request).expect("free");
    }
    world.refuses(Status::ACCESS_DENIED, || protect(&vmar, RW, 1, 10));
    assert_eq!(protect(&vmar, R, 1, 10), Ok(()));
    assert_eq!(protect(&vmar, RW, 0, 4), Ok(()));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn the_first_reason_by_address_wins() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.vmo(4));
    let read_only = |at| MapRequest {
        options: R | SPECIFIC,
        permitted: Access::READ,
        ..request_at(at, &vmo, 0, 2)
    };
    vmar.map(read_only(0)).expect("free");
    vmar.map(read_only(6)).expect("free");
    // The mapping comes before the hole, and then the hole before the mapping.
    world.refuses(Status::ACCESS_DENIED, || protect(&vmar, RW, 0, 8));
    world.refuses(Status::NOT_FOUND, || protect(&vmar, RW, 4, 4));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_parent_may_only_reduce() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.vmo(4));
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 4 * P, 4 * P)
        .expect("free");
    child.map(request_at(0, &vmo, 0, 4)).expect("free");
    world.refuses(Status::INVALID_ARGS, || {
        protect_as(&vmar, R, (4, 4), Forbidden)
    });
    assert_eq!(protect(&vmar, R, 4, 2), Ok(()));
    world.refuses(Status::ACCESS_DENIED, || protect(&vmar, RW, 4, 4));
    world.refuses(Status::ACCESS_DENIED, || protect(&vmar, RW, 5, 1));
    assert_eq!(protect(&vmar, RW, 6, 2), Ok(()));
    assert_eq!(protect_as(&child, RW, (0, 2), Forbidden), Ok(()));
    drop((vmar, vmo, child));
    finish(world);
}

#[test]
fn what_is_taken_away_is_gone_at_once_and_what_is_added_appears() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    let page = page_of(&vmar, 1);
    for cpu in 0..CPUS {
        assert_eq!(world.store_on(cpu, &world.space, page, 7), Ok(()));
    }
    protect(&vmar, R, 1, 1).expect("mapped");
    for cpu in 0..CPUS {
        let stored = world.store_on(cpu, &world.space, page, 8);
        assert_eq!(stored, Err(Status::ACCESS_DENIED));
        assert_eq!(world.load_on(cpu, &world.space, page), Ok(7));
    }
    assert_eq!(world.store(page_of(&vmar, 0), 8), Ok(()));
    protect(&vmar, VmOptions::empty(), 1, 1).expect("mapped");
    assert_eq!(world.load(page), Err(Status::ACCESS_DENIED));
    protect(&vmar, RX, 1, 1).expect("mapped");
    assert_eq!(world.fetch(page), Ok(7));
    assert_eq!(world.store(page, 9), Err(Status::ACCESS_DENIED));
    protect(&vmar, RW, 1, 1).expect("mapped");
    assert_eq!(world.store(page, 9), Ok(()));
    assert_eq!(world.fetch(page), Err(Status::ACCESS_DENIED));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_page_of_zeros_does_not_become_writable() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    for at in 0..2 {
        assert_eq!(world.load(page_of(&vmar, at)), Ok(0));
    }
    protect(&vmar, R, 0, 4).expect("mapped");
    protect(&vmar, RW | VmOptions::PERM_EXECUTE, 0, 4).expect("mapped");
    assert_eq!(vmo.info().memory_use.committed_bytes, 0);
    assert_eq!(world.store(page_of(&vmar, 0), 5), Ok(()));
    assert_eq!(world.load(page_of(&vmar, 1)), Ok(0));
    assert_eq!(vmo.info().memory_use.committed_bytes, P as u64);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn the_length_is_rounded_up() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(5), world.vmo(5));
    vmar.map(request_at(0, &vmo, 0, 5)).expect("free");
    vmar.protect(R, page_of(&vmar, 0), 4 * P - 1, Allowed)
        .expect("mapped");
    assert_eq!(
        world.store(page_of(&vmar, 3), 1),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(world.store(page_of(&vmar, 4), 1), Ok(()));
    drop((vmar, vmo));
    finish(world);
}
