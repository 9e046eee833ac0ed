//! Stream sizes, and mappings that fault beyond them: `spec/vmo.md` §4, `spec/vmar.md` §11.

use syscall::{Status, VmOptions, VmoOptions};

use crate::addr::{PAGE_SIZE, VirtAddr};
use crate::mmu::{Domain, MemoryType};
use crate::testing::*;
use crate::vmo::{MAX_SIZE, Vmo};

const P: u64 = PAGE_SIZE as u64;

const BEYOND: VmOptions = VmOptions::ALLOW_FAULTS.union(VmOptions::FAULT_BEYOND_STREAM_SIZE);

fn page(base: VirtAddr, number: usize) -> VirtAddr {
    base.checked_add(number * PAGE_SIZE)
        .expect("in the mapping")
}

fn set(vmo: &Memory, size: u64) -> syscall::Result<()> {
    vmo.set_stream_size(size, || ())
}

/// What the first byte of each of four mapped pages is.
fn first_bytes(world: &World, base: VirtAddr) -> Vec<syscall::Result<u8>> {
    (0..4)
        .map(|number| world.load(page(base, number)))
        .collect()
}

#[test]
fn a_stream_size_is_checked_in_the_documented_order() {
    let world = World::new();
    let physical = Vmo::physical(world.pages, new_koid(), device(1), MemoryType::Cached);
    let physical = physical.expect("memory");
    assert_eq!(physical.stream_size(), 0);
    for size in [0, 1, P + 1] {
        assert_eq!(set(&physical, size), Err(Status::NOT_SUPPORTED));
    }
    let vmo = world.vmo(2);
    for size in [2 * P + 1, u64::MAX] {
        assert_eq!(set(&vmo, size), Err(Status::OUT_OF_RANGE));
    }
    for size in [0, 2 * P, 1, 1, P] {
        assert_eq!(set(&vmo, size), Ok(()));
        assert_eq!((vmo.stream_size(), vmo.size()), (size, 2 * P));
    }
    let unbounded = world.vmo_with(0, VmoOptions::UNBOUNDED);
    assert_eq!(set(&unbounded, MAX_SIZE), Ok(()));
    assert_eq!(set(&unbounded, MAX_SIZE + 1), Err(Status::OUT_OF_RANGE));
    drop((physical, vmo, unbounded));
    finish(world);
}

#[test]
fn what_lies_beyond_the_smaller_size_becomes_zero() {
    let world = World::new();
    let vmo = world.numbered_vmo(4);
    let read = |offset| {
        let mut byte = [0xee];
        vmo.read(offset, &mut byte).expect("inside");
        byte[0]
    };
    set(&vmo, P + 10).expect("inside");
    assert_eq!((read(P + 9), read(P + 10), read(2 * P - 1)), (2, 0, 0));
    assert_eq!((read(2 * P), read(3 * P)), (0, 0));
    assert_eq!(vmo.info().memory_use.committed_bytes, 2 * P);
    // Growing makes zero what somebody has written beyond the old end.
    vmo.write(P + 5, &[7; 20]).expect("present");
    vmo.write(3 * P, &[7]).expect("memory");
    set(&vmo, 4 * P).expect("inside");
    assert_eq!((read(P + 9), read(P + 10), read(3 * P)), (7, 0, 0));
    // The same size again makes nothing zero.
    set(&vmo, P).expect("inside");
    vmo.write(2 * P, &[7]).expect("memory");
    set(&vmo, P).expect("inside");
    assert_eq!(read(2 * P), 7);
    drop(vmo);
    finish(world);
}

#[test]
fn mappings_that_fault_beyond_follow_the_stream_at_once() {
    let mut world = World::new();
    let vmo = world.numbered_vmo(4);
    let other = world.another_space(Domain::User);
    let here = world.root.map(request(RW | BEYOND, &vmo, 4)).expect("room");
    let plain = world.root.map(request(RW, &vmo, 4)).expect("room");
    let there = other
        .root()
        .expect("alive")
        .map(request(R | BEYOND, &vmo, 4));
    let there = there.expect("room");
    let end = Err(Status::OUT_OF_RANGE);
    let see = |number| {
        world.load_everywhere(&[
            (&world.space, page(here, number)),
            (&other, page(there, number)),
        ])
    };
    assert_eq!(see(2), [Ok(3); 2 * CPUS]);
    set(&vmo, 2 * P + 1).expect("inside");
    assert_eq!(see(2), [Ok(3); 2 * CPUS], "the page with the end stays");
    assert_eq!(see(3), [end; 2 * CPUS]);
    set(&vmo, 2 * P).expect("inside");
    assert_eq!(see(2), [end; 2 * CPUS]);
    world.space.mmu().assert_nothing_is_stale();
    other.mmu().assert_nothing_is_stale();
    // The page of zeros does not stay either.
    set(&vmo, 4 * P).expect("inside");
    assert_eq!(see(3), [Ok(0); 2 * CPUS]);
    set(&vmo, 3 * P).expect("inside");
    assert_eq!(see(3), [end; 2 * CPUS]);
    set(&vmo, 0).expect("inside");
    assert_eq!(first_bytes(&world, here), [end; 4]);
    assert_eq!(first_bytes(&world, plain), [Ok(0); 4]);
    assert_eq!(world.store(page(plain, 1), 5), Ok(()));
    assert_eq!(world.load(page(here, 1)), end);
    set(&vmo, 2 * P).expect("inside");
    assert_eq!(first_bytes(&world, here), [Ok(0), Ok(0), end, end]);
    drop((vmo, other));
    finish(world);
}

#[test]
fn a_new_size_is_the_stream_size_as_asked_for() {
    let world = World::new();
    let vmo = world.numbered_vmo(4);
    let base = world.root.map(request(R | BEYOND, &vmo, 4)).expect("room");
    vmo.set_size(P + 1).expect("resizable");
    assert_eq!(vmo.stream_size(), P + 1);
    let end = Err(Status::OUT_OF_RANGE);
    assert_eq!(first_bytes(&world, base), [Ok(1), Ok(2), end, end]);
    set(&vmo, P).expect("inside");
    assert_eq!(first_bytes(&world, base), [Ok(1), end, end, end]);
    vmo.set_size(3 * P).expect("resizable");
    assert_eq!(first_bytes(&world, base), [Ok(1), Ok(0), Ok(0), end]);
    drop(vmo);
    finish(world);
}

#[test]
fn zeroing_a_long_stream_pauses_between_blocks() {
    let world = World::new();
    let vmo = world.vmo_with(0, VmoOptions::UNBOUNDED);
    let blocks = [0, 512, 1 << 40];
    for first in blocks {
        vmo.write(first * P, &[1]).expect("memory");
    }
    let mut pauses = 0;
    vmo.set_stream_size(MAX_SIZE, || pauses += 1)
        .expect("inside");
    assert!(
        (blocks.len()..=blocks.len() + 1).contains(&pauses),
        "{pauses}"
    );
    assert_eq!(vmo.info().memory_use.committed_bytes, 0);
    drop(vmo);
    finish(world);
}
