//! `spec/vmar.md` §5.1, in the order of its checks, and §5.2.

use syscall::{Status, VmOptions, VmoOptions};

use crate::addr::PAGE_SIZE;
use crate::mmu::{Access, MemoryType};
use crate::testing::*;
use crate::vmar::{MapEntryKind, MapRequest, OpChildren};
use crate::vmo::Vmo;

const P: usize = PAGE_SIZE;

#[test]
fn a_physical_vmo_has_no_stream_to_fault_beyond() {
    let world = World::new();
    let physical = Vmo::physical(world.pages, new_koid(), device(1), MemoryType::Uncached);
    let physical = physical.expect("memory");
    // Comes before the check of the permissions.
    let options = VmOptions::FAULT_BEYOND_STREAM_SIZE | VmOptions::PERM_WRITE;
    world.refuses(Status::NOT_SUPPORTED, || {
        world.root.map(request(options, &physical, 1))
    });
    drop(physical);
    finish(world);
}

#[test]
fn write_and_execute_need_read() {
    let world = World::new();
    let vmo = world.vmo(1);
    for options in [VmOptions::PERM_WRITE, VmOptions::PERM_EXECUTE] {
        world.refuses(Status::INVALID_ARGS, || {
            world.root.map(request(options, &vmo, 1))
        });
    }
    drop(vmo);
    finish(world);
}

#[test]
fn options_that_are_not_for_this_mapping_are_refused() {
    let world = World::new();
    let vmo = world.vmo(1);
    for options in [
        VmOptions::MAP_RANGE | VmOptions::SPECIFIC_OVERWRITE,
        VmOptions::CAN_MAP_READ,
        VmOptions::CAN_MAP_WRITE,
        VmOptions::CAN_MAP_EXECUTE,
        VmOptions::FAULT_BEYOND_STREAM_SIZE,
        VmOptions::from_raw(1 << 16),
        VmOptions::from_raw(1 << 23),
        VmOptions::from_raw(9 << 24),
        VmOptions::from_raw(33 << 24),
        VmOptions::COMPACT,
        VmOptions::CAN_MAP_SPECIFIC,
    ] {
        world.refuses(Status::INVALID_ARGS, || {
            world.root.map(request(R | options, &vmo, 1))
        });
    }
    drop(vmo);
    finish(world);
}

#[test]
fn permissions_need_rights_on_both_handles() {
    let world = World::new();
    let vmo = world.vmo(1);
    for (options, permitted) in [
        (R, Access::empty()),
        (RW, Access::READ | Access::EXECUTE),
        (RX, Access::READ | Access::WRITE),
    ] {
        world.refuses(Status::ACCESS_DENIED, || {
            world.root.map(MapRequest {
                permitted,
                ..request(options, &vmo, 1)
            })
        });
    }
    // The rights are looked at before unknown bits.
    let unknown = R | VmOptions::from_raw(1 << 16);
    world.refuses(Status::ACCESS_DENIED, || {
        world.root.map(MapRequest {
            permitted: Access::empty(),
            ..request(unknown, &vmo, 1)
        })
    });
    drop(vmo);
    finish(world);
}

#[test]
fn vmos_that_change_need_consent() {
    let world = World::new();
    let resizable = world.resizable(1);
    let strict = R | VmOptions::REQUIRE_NON_RESIZABLE;
    world.refuses(Status::NOT_SUPPORTED, || {
        world.root.map(request(strict, &resizable, 1))
    });
    assert!(world.root.map(request(R, &resizable, 1)).is_ok());
    let discardable = world.vmo_with(1, VmoOptions::DISCARDABLE);
    world.refuses(Status::NOT_SUPPORTED, || {
        world.root.map(request(R, &discardable, 1))
    });
    let consenting = R | VmOptions::ALLOW_FAULTS;
    assert!(world.root.map(request(consenting, &discardable, 1)).is_ok());
    drop((resizable, discardable));
    finish(world);
}

#[test]
fn permissions_lie_within_what_the_region_allows() {
    let world = World::new();
    let vmo = world.vmo(1);
    let readable = world
        .root
        .allocate(VmOptions::CAN_MAP_READ, 0, 4 * P)
        .expect("room");
    world.refuses(Status::ACCESS_DENIED, || readable.map(request(RW, &vmo, 1)));
    let base = readable.map(request(R, &vmo, 1)).expect("room");
    // Nor may it be added later.
    world.refuses(Status::ACCESS_DENIED, || {
        readable.protect(RW, base, P, OpChildren::Allowed)
    });
    drop((vmo, readable));
    finish(world);
}

#[test]
fn the_place_in_the_vmo_is_checked() {
    let world = World::new();
    let vmo = world.vmo(1);
    let map = |vmo_offset, length| {
        world.root.map(MapRequest {
            vmo_offset,
            length,
            ..request(R, &vmo, 1)
        })
    };
    world.refuses(Status::INVALID_ARGS, || map(1, P));
    let last = u64::MAX - 0xfff;
    world.refuses(Status::OUT_OF_RANGE, || map(0, usize::MAX));
    world.refuses(Status::OUT_OF_RANGE, || map(last, 1));
    assert!(map(last - P as u64, P).is_ok());
    world.refuses(Status::OUT_OF_RANGE, || map(last - P as u64, P + 1));
    drop(vmo);
    finish(world);
}

#[test]
fn a_dead_region_answers_bad_state_before_the_length_is_looked_at() {
    let world = World::new();
    let vmo = world.vmo(1);
    let dead = world.vmar(4);
    dead.destroy().expect("alive");
    world.refuses(Status::BAD_STATE, || dead.map(request(R, &vmo, 0)));
    world.refuses(Status::OUT_OF_RANGE, || {
        dead.map(MapRequest {
            length: usize::MAX,
            ..request(R, &vmo, 0)
        })
    });
    world.refuses(Status::INVALID_ARGS, || world.root.map(request(R, &vmo, 0)));
    drop((vmo, dead));
    finish(world);
}

#[test]
fn an_exact_place_must_be_free_and_may_be_partly_beyond_the_vmo() {
    let world = World::new();
    let parent = world.vmar(12);
    let vmo = world.vmo(1);
    parent.map(request_at(4, &vmo, 0, 4)).expect("free");
    for (at, pages) in [(4, 4), (3, 2), (7, 2), (5, 1), (0, 12)] {
        world.refuses(Status::ALREADY_EXISTS, || {
            parent.map(request_at(at, &vmo, 0, pages))
        });
    }
    let child = parent.allocate(CAN_ALL | SPECIFIC, 8 * P, P).expect("free");
    world.refuses(Status::ALREADY_EXISTS, || {
        parent.map(request_at(8, &vmo, 0, 1))
    });
    assert_eq!(
        parent.map(request_at(9, &vmo, 7, 1)),
        Ok(page_of(&parent, 9))
    );
    drop((parent, vmo, child));
    finish(world);
}

#[test]
fn the_length_is_rounded_up() {
    let world = World::new();
    let parent = world.vmar(12);
    let vmo = world.vmo(4);
    let odd = MapRequest {
        length: 3 * P + 1,
        ..request_at(0, &vmo, 0, 1)
    };
    parent.map(odd).expect("free");
    world.refuses(Status::ALREADY_EXISTS, || {
        parent.map(request_at(3, &vmo, 0, 1))
    });
    assert_eq!(records(&parent).expect("alive")[1].range.bytes(), 4 * P);
    drop((parent, vmo));
    finish(world);
}

#[test]
fn a_mapping_needs_nobody_to_hold_its_vmo() {
    let world = World::new();
    let vmo = world.numbered_vmo(1);
    let base = world.root.map(request(R, &vmo, 1)).expect("room");
    drop(vmo);
    assert_eq!(world.load(base), Ok(1));
    world
        .root
        .unmap(base, P, OpChildren::Allowed)
        .expect("mapped");
    assert_eq!(world.load(base), Err(Status::NOT_FOUND));
    finish(world);
}

#[test]
fn a_vmo_counts_its_mappings_and_the_address_spaces_they_are_in() {
    let mut world = World::new();
    let other = world.another_space(crate::mmu::Domain::User);
    let vmo = world.vmo(1);
    let counts = || (vmo.info().num_mappings, vmo.info().share_count);
    assert_eq!(counts(), (0, 0));
    let base = world.root.map(request(R, &vmo, 1)).expect("room");
    world.root.map(request(R, &vmo, 1)).expect("room");
    assert_eq!(counts(), (2, 1));
    other
        .root()
        .expect("alive")
        .map(request(R, &vmo, 1))
        .expect("room");
    assert_eq!(counts(), (3, 2));
    world
        .root
        .unmap(base, P, OpChildren::Allowed)
        .expect("mapped");
    assert_eq!(counts(), (2, 2));
    other.destroy();
    assert_eq!(counts(), (1, 1));
    drop((vmo, other));
    finish(world);
}

#[test]
fn maximal_permissions_are_those_of_the_time_of_mapping() {
    let world = World::new();
    let vmo = world.vmo(1);
    let permitted = Access::READ;
    let base = world
        .root
        .map(MapRequest {
            permitted,
            ..request(R, &vmo, 1)
        })
        .expect("room");
    world.refuses(Status::ACCESS_DENIED, || {
        world.root.protect(RW, base, P, OpChildren::Allowed)
    });
    assert_eq!(world.root.protect(R, base, P, OpChildren::Allowed), Ok(()));
    drop(vmo);
    finish(world);
}

#[test]
fn a_mapping_without_permissions_only_reserves() {
    let world = World::new();
    let vmo = world.numbered_vmo(1);
    let base = world
        .root
        .map(request(VmOptions::empty(), &vmo, 1))
        .expect("room");
    assert_eq!(world.load(base), Err(Status::ACCESS_DENIED));
    let entry = records(&world.root).expect("alive")[1];
    assert!(matches!(entry.kind, MapEntryKind::Mapping { access, .. } if access.is_empty()));
    world
        .root
        .protect(RW, base, P, OpChildren::Allowed)
        .expect("within the maximum");
    assert_eq!(world.load(base), Ok(1));
    drop(vmo);
    finish(world);
}

#[test]
fn map_range_enters_what_is_present_and_commits_nothing() {
    let world = World::new();
    let vmo = world.resizable(8);
    vmo.write(P as u64, &[7]).expect("memory");
    let committed = vmo.info().memory_use;
    // The last two pages are beyond the VMO.
    let base = world
        .root
        .map(request(R | VmOptions::MAP_RANGE, &vmo, 10))
        .expect("room");
    assert_eq!(vmo.info().memory_use, committed);
    let page = |page: usize| base.checked_add(page * P).expect("in the mapping");
    assert!(world.is_entered(page(1)));
    for absent in [0, 2, 9] {
        assert!(!world.is_entered(page(absent)));
    }
    assert_eq!(world.load(page(1)), Ok(7));
    assert_eq!(world.load(page(8)), Err(Status::OUT_OF_RANGE));
    drop(vmo);
    finish(world);
}
