//! `spec/vmar.md` §5.2, "merge".

use syscall::{Status, VmOptions};

use super::shown;
use crate::addr::PAGE_SIZE;
use crate::mmu::Access;
use crate::testing::*;
use crate::vmar::MapRequest;
use crate::vmar::OpChildren::Allowed;

const P: usize = PAGE_SIZE;

/// How many mapping objects show `vmo`.
fn mappings(vmo: &Memory) -> usize {
    vmo.info().num_mappings
}

#[test]
fn mappings_that_continue_each_other_become_one() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(6), world.numbered_vmo(6));
    vmar.map(request_at(0, &vmo, 0, 2)).expect("free");
    vmar.map(request_at(4, &vmo, 4, 2)).expect("free");
    shown(&world, &vmar);
    assert_eq!(mappings(&vmo), 2);
    vmar.map(request_at(2, &vmo, 2, 2)).expect("free");
    assert_eq!(mappings(&vmo), 1);
    assert_eq!(records(&vmar).expect("alive").len(), 2);
    assert_eq!(shown(&world, &vmar), [1, 2, 3, 4, 5, 6].map(Some));
    // The VMO still reaches all of it.
    vmo.set_size(P as u64).expect("resizable");
    for page in 1..6 {
        assert_eq!(world.load(page_of(&vmar, page)), Err(Status::OUT_OF_RANGE));
    }
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn mappings_that_differ_in_anything_stay_apart() {
    let world = World::new();
    let (vmar, vmo, other) = (world.vmar(8), world.numbered_vmo(8), world.numbered_vmo(8));
    vmar.map(request_at(2, &vmo, 2, 2)).expect("free");
    let neighbours = [
        request_at(4, &vmo, 5, 1),
        request_at(4, &other, 4, 1),
        MapRequest {
            permitted: Access::READ | Access::WRITE,
            ..request_at(4, &vmo, 4, 1)
        },
        MapRequest {
            options: RW | VmOptions::SPECIFIC_OVERWRITE,
            ..request_at(4, &vmo, 4, 1)
        },
        request_at(1, &vmo, 0, 1),
        request_at(5, &vmo, 5, 1),
    ];
    for request in neighbours {
        let at = vmar.map(request).expect("free");
        assert_eq!(mappings(&vmo) + mappings(&other), 2);
        vmar.unmap(at, P, Allowed).expect("mapped");
    }
    drop((vmar, vmo, other));
    finish(world);
}

#[test]
fn options_that_a_mapping_forgets_do_not_keep_it_apart() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(6), world.numbered_vmo(6));
    let forgotten = [
        VmOptions::empty(),
        VmOptions::ALLOW_FAULTS,
        VmOptions::MAP_RANGE,
        VmOptions::PERM_READ_IF_XOM_UNSUPPORTED,
        VmOptions::from_bits_retain(12 << 24),
    ];
    for (page, options) in forgotten.into_iter().enumerate() {
        vmar.map(MapRequest {
            options: RW | SPECIFIC | options,
            ..request_at(page, &vmo, page, 1)
        })
        .expect("free");
        assert_eq!(mappings(&vmo), 1, "{options:?}");
    }
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn current_permissions_may_differ_and_are_kept() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(6), world.numbered_vmo(6));
    vmar.map(request_at(0, &vmo, 0, 2)).expect("free");
    vmar.map(MapRequest {
        options: R | SPECIFIC,
        ..request_at(4, &vmo, 4, 2)
    })
    .expect("free");
    vmar.protect(R, page_of(&vmar, 0), P, Allowed)
        .expect("mapped");
    vmar.map(request_at(2, &vmo, 2, 2)).expect("free");
    assert_eq!(mappings(&vmo), 1);
    let may_write: Vec<_> = (0..6)
        .map(|page| world.store(page_of(&vmar, page), 9))
        .collect();
    let denied = Err(Status::ACCESS_DENIED);
    assert_eq!(may_write, [denied, Ok(()), Ok(()), Ok(()), denied, denied]);
    // One record for each run, and the region itself.
    assert_eq!(records(&vmar).expect("alive").len(), 4);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn unmapping_and_mapping_again_gives_one_mapping() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(6), world.numbered_vmo(6));
    vmar.map(request_at(0, &vmo, 0, 6)).expect("free");
    vmar.unmap(page_of(&vmar, 2), 2 * P, Allowed)
        .expect("inside");
    assert_eq!(mappings(&vmo), 2);
    vmar.map(request_at(2, &vmo, 2, 2)).expect("free");
    assert_eq!(mappings(&vmo), 1);
    assert_eq!(shown(&world, &vmar), [1, 2, 3, 4, 5, 6].map(Some));
    drop((vmar, vmo));
    finish(world);
}
