//! `spec/vmar.md` §3, in the order of its checks.

use syscall::{Status, VmOptions};

use crate::addr::{PAGE_SIZE, PageCount, VirtRange};
use crate::testing::*;

const P: usize = PAGE_SIZE;

#[test]
fn unknown_options_and_alignments_are_refused() {
    let world = World::new();
    for bit in 16..24 {
        let options = VmOptions::from_raw(1 << bit);
        world.refuses(Status::INVALID_ARGS, || world.root.allocate(options, 0, P));
    }
    for exponent in [1, 9, 33, 255] {
        let options = VmOptions::from_raw(exponent << 24);
        world.refuses(Status::INVALID_ARGS, || world.root.allocate(options, 0, P));
    }
    finish(world);
}

#[test]
fn options_of_mappings_are_refused() {
    let world = World::new();
    for options in [
        VmOptions::PERM_READ,
        VmOptions::PERM_WRITE,
        VmOptions::PERM_EXECUTE,
        VmOptions::SPECIFIC_OVERWRITE,
        VmOptions::MAP_RANGE,
        VmOptions::REQUIRE_NON_RESIZABLE,
        VmOptions::ALLOW_FAULTS,
        VmOptions::FAULT_BEYOND_STREAM_SIZE,
    ] {
        world.refuses(Status::INVALID_ARGS, || world.root.allocate(options, 0, P));
    }
    let ignored = VmOptions::PERM_READ_IF_XOM_UNSUPPORTED;
    assert!(world.root.allocate(ignored, 0, P).is_ok());
    finish(world);
}

#[test]
fn the_size_is_whole_pages_and_not_zero() {
    let world = World::new();
    for size in [0, 1, P - 1, P + 1] {
        world.refuses(Status::INVALID_ARGS, || {
            world.root.allocate(CAN_ALL, 0, size)
        });
    }
    finish(world);
}

#[test]
fn a_dead_parent_answers_bad_state_after_the_option_checks_and_before_the_rest() {
    let world = World::new();
    let dead = world.vmar(4);
    dead.destroy().expect("alive");
    world.refuses(Status::BAD_STATE, || dead.allocate(CAN_ALL, 1, P));
    world.refuses(Status::BAD_STATE, || dead.allocate(CAN_ALL, 0, 0));
    world.refuses(Status::INVALID_ARGS, || dead.allocate(CAN_ALL, 0, 1));
    drop(dead);
    finish(world);
}

#[test]
fn capabilities_only_shrink_but_for_specific() {
    let world = World::new();
    let can_read = VmOptions::CAN_MAP_READ;
    let parent = world.root.allocate(can_read, 0, 8 * P).expect("room");
    for more in [VmOptions::CAN_MAP_WRITE, VmOptions::CAN_MAP_EXECUTE] {
        world.refuses(Status::ACCESS_DENIED, || {
            parent.allocate(can_read | more, 0, P)
        });
    }
    let child = parent
        .allocate(can_read | VmOptions::CAN_MAP_SPECIFIC, 0, P)
        .expect("room");
    assert_eq!(child.flags(), can_read | VmOptions::CAN_MAP_SPECIFIC);
    drop((parent, child));
    finish(world);
}

#[test]
fn an_exact_place_and_a_limit_exclude_each_other() {
    let world = World::new();
    let both = SPECIFIC | VmOptions::OFFSET_IS_UPPER_LIMIT;
    world.refuses(Status::INVALID_ARGS, || world.root.allocate(both, 8 * P, P));
    finish(world);
}

#[test]
fn an_offset_without_meaning_or_alignment_is_refused() {
    let world = World::new();
    world.refuses(Status::INVALID_ARGS, || world.root.allocate(CAN_ALL, P, P));
    world.refuses(Status::INVALID_ARGS, || {
        world.root.allocate(SPECIFIC, P + 1, P)
    });
    let limit = VmOptions::OFFSET_IS_UPPER_LIMIT;
    world.refuses(Status::INVALID_ARGS, || {
        world.root.allocate(limit, 4 * P + 8, P)
    });
    finish(world);
}

#[test]
fn choosing_an_offset_needs_the_capability() {
    let world = World::new();
    let plain = world
        .root
        .allocate(VmOptions::CAN_MAP_READ, 0, 8 * P)
        .expect("room");
    let limit = VmOptions::OFFSET_IS_UPPER_LIMIT;
    world.refuses(Status::ACCESS_DENIED, || plain.allocate(SPECIFIC, 0, P));
    world.refuses(Status::ACCESS_DENIED, || plain.allocate(limit, 4 * P, P));
    // Even where the place would be out of bounds.
    world.refuses(Status::ACCESS_DENIED, || plain.allocate(SPECIFIC, 8 * P, P));
    drop(plain);
    finish(world);
}

#[test]
fn a_place_lies_inside_the_parent() {
    let world = World::new();
    let parent = world.vmar(8);
    let limit = VmOptions::OFFSET_IS_UPPER_LIMIT;
    for (options, offset, size) in [
        (SPECIFIC, 8 * P, P),
        (SPECIFIC, 7 * P, 2 * P),
        (SPECIFIC, P, 8 * P),
        (SPECIFIC, usize::MAX & !(P - 1), P),
        (VmOptions::empty(), 0, 9 * P),
        (VmOptions::empty(), 0, usize::MAX & !(P - 1)),
        (limit, 9 * P, P),
        (limit, 4 * P, 5 * P),
        (limit, 0, P),
    ] {
        world.refuses(Status::INVALID_ARGS, || {
            parent.allocate(options, offset, size)
        });
    }
    assert!(parent.allocate(SPECIFIC, 7 * P, P).is_ok());
    assert!(parent.allocate(limit, P, P).is_ok());
    drop(parent);
    finish(world);
}

#[test]
fn an_exact_place_must_be_aligned_as_wished() {
    let world = World::new();
    let big = VmOptions::from_raw(16 << 24) | SPECIFIC;
    world.refuses(Status::INVALID_ARGS, || world.root.allocate(big, P, P));
    assert!(world.root.allocate(big, 1 << 16, P).is_ok());
    let small = VmOptions::from_raw(10 << 24) | SPECIFIC;
    assert!(world.root.allocate(small, P, P).is_ok());
    finish(world);
}

#[test]
fn an_exact_place_must_be_free() {
    let world = World::new();
    let parent = world.vmar(8);
    let first = parent.allocate(SPECIFIC, 2 * P, 2 * P).expect("free");
    for (offset, pages) in [(2, 2), (1, 2), (3, 2), (0, 8), (2, 1)] {
        let size = pages * P;
        world.refuses(Status::ALREADY_EXISTS, || {
            parent.allocate(SPECIFIC, offset * P, size)
        });
    }
    // Neighbours may touch.
    let below = parent.allocate(SPECIFIC, P, P).expect("free");
    let above = parent.allocate(SPECIFIC, 4 * P, P).expect("free");
    assert_eq!(below.range().end(), first.range().base());
    assert_eq!(above.range().base(), first.range().end());
    drop((parent, first, below, above));
    finish(world);
}

#[test]
fn a_full_parent_has_no_resources() {
    let world = World::new();
    let parent = world.vmar(4);
    let all = parent
        .allocate(CAN_ALL, 0, 4 * P)
        .expect("exactly the whole range is free");
    assert_eq!(all.range(), parent.range());
    world.refuses(Status::NO_RESOURCES, || parent.allocate(CAN_ALL, 0, P));
    let limit = VmOptions::OFFSET_IS_UPPER_LIMIT;
    world.refuses(Status::NO_RESOURCES, || parent.allocate(limit, 4 * P, P));
    drop((parent, all));
    finish(world);
}

#[test]
fn a_child_keeps_its_range_when_nobody_refers_to_it() {
    let world = World::new();
    let parent = world.vmar(4);
    drop(parent.allocate(CAN_ALL | SPECIFIC, P, P).expect("free"));
    world.refuses(Status::ALREADY_EXISTS, || parent.allocate(SPECIFIC, P, P));
    let base = page_of(&parent, 1);
    let child = VirtRange::new(base, PageCount::new(1)).expect("a valid range");
    assert_eq!(records(&parent).expect("alive")[1].range, child);
    drop(parent);
    finish(world);
}
