//! Locking discardable VMOs: `spec/vmo.md` §5 and §11.

use syscall::{Status, VmoOptions};

use super::LockState;
use crate::addr::{PAGE_SIZE, PageCount};
use crate::reclaim::Reclaimable;
use crate::testing::*;

const P: u64 = PAGE_SIZE as u64;
const SIZE: u64 = 3 * P;

/// A discardable VMO of three pages, the first of which begins with a byte that is not zero.
fn discardable(world: &World) -> Memory {
    let vmo = world.vmo_with(3, VmoOptions::DISCARDABLE | VmoOptions::RESIZABLE);
    vmo.write(0, &[7]).expect("memory");
    vmo
}

fn kept(size: u64) -> LockState {
    LockState {
        size,
        discarded_size: 0,
    }
}

fn discarded(size: u64) -> LockState {
    LockState {
        size,
        discarded_size: size,
    }
}

#[test]
fn it_starts_unlocked_and_locks_are_counted() {
    let world = World::new();
    let vmo = discardable(&world);
    assert_eq!(vmo.unlock_pages(0, SIZE), Err(Status::BAD_STATE));
    assert_eq!(vmo.lock_pages(0, SIZE), Ok(kept(SIZE)));
    assert_eq!(vmo.try_lock_pages(0, SIZE), Ok(()));
    assert_eq!(vmo.unlock_pages(0, SIZE), Ok(()));
    assert_eq!(vmo.discard(), PageCount::ZERO, "one lock is left");
    assert_eq!(vmo.unlock_pages(0, SIZE), Ok(()));
    assert_eq!(vmo.unlock_pages(0, SIZE), Err(Status::BAD_STATE));
    assert_eq!(vmo.discard(), PageCount::new(1));
    drop(vmo);
    finish(world);
}

#[test]
fn a_count_that_is_full_takes_no_more_locks() {
    let world = World::new();
    let vmo = discardable(&world);
    vmo.lock().locks.count = u64::MAX;
    assert_eq!(vmo.lock_pages(0, SIZE), Err(Status::BAD_STATE));
    assert_eq!(vmo.try_lock_pages(0, SIZE), Err(Status::BAD_STATE));
    assert_eq!(vmo.lock().locks.count, u64::MAX);
    drop(vmo);
    finish(world);
}

#[test]
fn only_all_of_a_discardable_vmo_is_locked() {
    let world = World::new();
    let vmo = discardable(&world);
    assert_eq!(vmo.lock_pages(0, SIZE), Ok(kept(SIZE)));
    for (offset, size) in [
        (0, SIZE - P),
        (0, SIZE - 1),
        (0, SIZE + P),
        (0, 0),
        (P, SIZE - P),
        (P, SIZE),
        (u64::MAX, SIZE),
    ] {
        let (lock, try_lock) = (
            vmo.lock_pages(offset, size),
            vmo.try_lock_pages(offset, size),
        );
        assert_eq!(lock, Err(Status::OUT_OF_RANGE), "{offset:#x} {size:#x}");
        assert_eq!(try_lock, Err(Status::OUT_OF_RANGE), "{offset:#x} {size:#x}");
        let unlock = vmo.unlock_pages(offset, size);
        assert_eq!(unlock, Err(Status::OUT_OF_RANGE), "{offset:#x} {size:#x}");
    }
    let other = world.vmo(3);
    for (offset, size) in [(0, SIZE), (P, SIZE)] {
        assert_eq!(other.lock_pages(offset, size), Err(Status::NOT_SUPPORTED));
        let try_lock = other.try_lock_pages(offset, size);
        assert_eq!(try_lock, Err(Status::NOT_SUPPORTED));
        assert_eq!(other.unlock_pages(offset, size), Err(Status::NOT_SUPPORTED));
    }
    drop((vmo, other));
    finish(world);
}

#[test]
fn after_a_discard_only_lock_locks_and_tells_once() {
    let world = World::new();
    let vmo = discardable(&world);
    assert_eq!(vmo.discard(), PageCount::new(1));
    assert_eq!(vmo.try_lock_pages(0, SIZE), Err(Status::UNAVAILABLE));
    assert_eq!(vmo.try_lock_pages(P, SIZE), Err(Status::OUT_OF_RANGE));
    assert_eq!(vmo.unlock_pages(0, SIZE), Err(Status::BAD_STATE));
    let mut byte = [9];
    assert_eq!(vmo.read(0, &mut byte), Ok(()));
    assert_eq!(byte, [0]);
    assert_eq!(vmo.lock_pages(0, SIZE), Ok(discarded(SIZE)));
    assert_eq!(vmo.lock_pages(0, SIZE), Ok(kept(SIZE)));
    assert_eq!(vmo.try_lock_pages(0, SIZE), Ok(()));
    drop(vmo);
    finish(world);
}

#[test]
fn a_vmo_without_pages_has_nothing_to_lose() {
    let world = World::new();
    let vmo = world.vmo_with(3, VmoOptions::DISCARDABLE);
    assert_eq!(vmo.discard(), PageCount::ZERO);
    assert_eq!(vmo.try_lock_pages(0, SIZE), Ok(()));
    drop(vmo);
    finish(world);
}

#[test]
fn a_new_size_is_what_is_locked_and_what_was_discarded() {
    let world = World::new();
    let vmo = discardable(&world);
    assert_eq!(vmo.discard(), PageCount::new(1));
    assert_eq!(vmo.set_size(5 * P), Ok(()));
    assert_eq!(vmo.lock_pages(0, SIZE), Err(Status::OUT_OF_RANGE));
    assert_eq!(vmo.lock_pages(0, 5 * P), Ok(discarded(5 * P)));
    drop(vmo);
    finish(world);
}

#[test]
fn a_lock_that_is_undone_tells_the_next_one_what_it_found() {
    let world = World::new();
    let vmo = discardable(&world);
    assert_eq!(vmo.discard(), PageCount::new(1));
    let found = vmo.lock_pages(0, SIZE).expect("a lock");
    assert_eq!(vmo.undo_lock(found), Ok(()));
    assert_eq!(vmo.undo_lock(found), Err(Status::BAD_STATE));
    assert_eq!(vmo.try_lock_pages(0, SIZE), Err(Status::UNAVAILABLE));
    assert_eq!(vmo.lock_pages(0, SIZE), Ok(discarded(SIZE)));
    drop(vmo);
    finish(world);
}
