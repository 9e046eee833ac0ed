//! Operations on ranges: `spec/vmo.md` §5 and §9.

use syscall::{Result, Status, VmoChildOptions};

use crate::addr::PAGE_SIZE;
use crate::aspace::Aslr;
use crate::mmu::MemoryType;
use crate::testing::*;
use crate::try_alloc::fault;
use crate::vmo::{ChildRequest, Vmo};

const P: u64 = PAGE_SIZE as u64;

/// Makes `operation` on what `make` makes, with each of its allocations failing in turn, and has `check` look
/// at what came of it.
fn starve<T>(
    make: impl Fn() -> T,
    operation: impl Fn(&T) -> Result<()>,
    check: impl Fn(&T, Result<()>),
) {
    for successes in 0.. {
        let made = make();
        let guard = fault::fail_after(successes);
        let result = operation(&made);
        let was_starved = guard.has_struck();
        drop(guard);
        check(&made, result);
        if !was_starved {
            assert_eq!(result, Ok(()));
            break;
        }
    }
}

fn go_on() -> Result<()> {
    Ok(())
}

fn child(parent: &Memory, options: VmoChildOptions, first: u64, pages: u64) -> Memory {
    let request = ChildRequest {
        koid: new_koid(),
        options,
        offset: first * P,
        size: pages * P,
        may_resize: false,
    };
    parent.create_child(request).expect("memory")
}

fn snapshot(parent: &Memory, pages: u64) -> Memory {
    child(parent, VmoChildOptions::SNAPSHOT, 0, pages)
}

fn committed(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P
}

fn private(vmo: &Memory) -> u64 {
    vmo.info().memory_use.private_bytes / P
}

fn bytes<const N: usize>(vmo: &Memory, offsets: [u64; N]) -> [u8; N] {
    offsets.map(|offset| {
        let mut byte = [0xee];
        vmo.read(offset, &mut byte).expect("it is there");
        byte[0]
    })
}

#[test]
fn a_commit_for_which_there_are_not_enough_frames_makes_none() {
    let world = World::with_frames(Aslr::Off, 1024);
    let vmo = world.vmo(4000);
    let before = world.pages.counts();
    for (offset, size) in [(0, 4000 * P), (P + 1, 2000 * P), (511 * P, 1100 * P)] {
        assert_eq!(
            vmo.commit_range(offset, size, go_on),
            Err(Status::NO_MEMORY)
        );
        assert_eq!(world.pages.counts(), before);
    }
    assert_eq!(vmo.commit_range(511 * P, 2 * P, go_on), Ok(()));
    assert_eq!(committed(&vmo), 2);
    drop(vmo);
    finish(world);
}

#[test]
fn a_commit_without_memory_makes_whole_blocks_or_nothing() {
    let world = World::new();
    let commit = |vmo: &Memory| vmo.commit_range(500 * P, 30 * P, go_on);
    starve(
        || world.vmo(600),
        commit,
        |vmo, result| match result {
            Ok(()) => assert_eq!(committed(vmo), 30),
            Err(status) => {
                assert_eq!(status, Status::NO_MEMORY);
                assert!([0, 12].contains(&committed(vmo)), "{}", committed(vmo));
            }
        },
    );
    finish(world);
}

#[test]
fn whoever_pauses_can_end_it() {
    let world = World::new();
    let vmo = world.vmo(1200);
    let mut turns = 0;
    let stopped = vmo.commit_range(0, 1200 * P, || {
        turns += 1;
        if turns == 2 {
            Err(Status::CANCELED)
        } else {
            Ok(())
        }
    });
    assert_eq!((stopped, committed(&vmo)), (Err(Status::CANCELED), 512));
    let stopped = vmo.decommit_range(0, 1200 * P, || Err(Status::CANCELED));
    assert_eq!((stopped, committed(&vmo)), (Err(Status::CANCELED), 0));
    drop(vmo);
    finish(world);
}

#[test]
fn a_vmo_that_shrinks_ends_a_commit() {
    let world = World::new();
    let vmo = world.resizable(1200);
    let stopped = vmo.commit_range(0, 1200 * P, || vmo.set_size(600 * P));
    assert_eq!(stopped, Err(Status::OUT_OF_RANGE));
    assert!(committed(&vmo) <= 600);
    drop(vmo);
    finish(world);
}

#[test]
fn a_commit_gives_every_member_its_own_pages() {
    let world = World::new();
    let parent = world.numbered_vmo(4);
    let clone = snapshot(&parent, 4);
    assert_eq!((private(&parent), private(&clone)), (0, 0));
    assert_eq!(clone.commit_range(P, 2 * P, go_on), Ok(()));
    assert_eq!((private(&parent), private(&clone)), (2, 2));
    assert_eq!(bytes(&clone, [0, P, 2 * P, 3 * P]), [1, 2, 3, 4]);
    drop((parent, clone));
    finish(world);
}

#[test]
fn a_slice_means_its_owners_pages_and_no_others() {
    let world = World::new();
    let owner = world.vmo(8);
    let slice = child(&owner, VmoChildOptions::SLICE, 2, 3);
    assert_eq!(slice.commit_range(P, 2 * P, go_on), Ok(()));
    assert_eq!(committed(&owner), 2);
    for range in [(0, 4 * P), (3 * P, 1), (3 * P + 1, 0)] {
        let refused = Err(Status::OUT_OF_RANGE);
        assert_eq!(slice.commit_range(range.0, range.1, go_on), refused);
        assert_eq!(slice.decommit_range(range.0, range.1, go_on), refused);
        assert_eq!(slice.zero_range(range.0, range.1, go_on), refused);
        assert_eq!(slice.prefetch_range(range.0, range.1), refused);
    }
    owner.write(3 * P, &[1, 1]).expect("memory");
    owner.write(4 * P, &[1, 1]).expect("memory");
    assert_eq!(slice.zero_range(P + 1, P, go_on), Ok(()));
    let seen = bytes(&owner, [3 * P, 3 * P + 1, 4 * P, 4 * P + 1]);
    assert_eq!(seen, [1, 0, 0, 1]);
    assert_eq!(slice.decommit_range(2 * P, P, go_on), Ok(()));
    assert_eq!(committed(&owner), 1);
    drop((owner, slice));
    finish(world);
}

#[test]
fn zeroing_a_part_of_a_shared_page_copies_it_or_changes_nothing() {
    let world = World::new();
    let parent = world.numbered_vmo(3);
    let seen = |vmo: &Memory| bytes(vmo, [P - 1, P, 2 * P - 1, 2 * P, 2 * P + 1]);
    let zero = |clone: &Memory| clone.zero_range(P, P + 1, go_on);
    starve(
        || snapshot(&parent, 3),
        zero,
        |clone, result| {
            match result {
                Ok(()) => assert_eq!(seen(clone), [1, 0, 0, 0, 3]),
                Err(status) => {
                    assert_eq!(status, Status::NO_MEMORY);
                    // What comes before is zero, or nothing is.
                    let seen = seen(clone);
                    assert!(
                        [[1, 0, 0, 3, 3], [1, 2, 2, 3, 3]].contains(&seen),
                        "{seen:?}"
                    );
                }
            }
            assert_eq!(seen(&parent), [1, 2, 2, 3, 3]);
        },
    );
    drop(parent);
    finish(world);
}

#[test]
fn what_all_members_zero_is_freed() {
    let world = World::new();
    let parent = world.vmo(600);
    assert_eq!(parent.commit_range(0, 600 * P, go_on), Ok(()));
    let clones = [snapshot(&parent, 600), snapshot(&parent, 600)];
    let before = world.pages.counts().free;
    for vmo in [&parent, &clones[0], &clones[1]] {
        assert_eq!(vmo.zero_range(0, 600 * P, go_on), Ok(()));
        assert_eq!(committed(vmo), 0);
    }
    assert!(world.pages.counts().free.get() >= before.get() + 600);
    drop((parent, clones));
    finish(world);
}

#[test]
fn physical_memory_has_no_pages_to_operate_on() {
    let world = World::new();
    let create = |memory| {
        Vmo::<crate::sim::SimMmu>::physical(world.pages, new_koid(), device(2), memory)
            .expect("memory")
    };
    let refused = Err(Status::NOT_SUPPORTED);
    let (uncached, cached) = (create(MemoryType::Uncached), create(MemoryType::Cached));
    for vmo in [&uncached, &cached] {
        assert_eq!(vmo.commit_range(0, 9 * P, go_on), refused);
        assert_eq!(vmo.decommit_range(1, 9 * P, go_on), refused);
        assert_eq!(vmo.prefetch_range(0, 9 * P), refused);
        assert_eq!(vmo.zero_range(0, 3 * P, go_on), Err(Status::OUT_OF_RANGE));
    }
    assert_eq!(uncached.zero_range(0, P, go_on), Err(Status::BAD_STATE));
    assert_eq!(cached.zero_range(0, P, go_on), refused);
    drop((uncached, cached));
    finish(world);
}
