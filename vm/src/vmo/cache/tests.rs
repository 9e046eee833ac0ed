//! Memory types and operations on the caches: `spec/vmo.md` §5 and §6.

use std::vec::Vec;

use syscall::{Status, VmarOp, VmoChildOptions};

use crate::addr::{PAGE_SIZE, PhysAddr, VirtAddr};
use crate::mmu::MemoryType;
use crate::pages::CacheOp;
use crate::sim::{SimMmu, take_maintained};
use crate::testing::*;
use crate::vmar::{OpChildren, RangeOp, RangeRequest};
use crate::vmo::{ChildRequest, PageIndex, Vmo};

const P: u64 = PAGE_SIZE as u64;

const TYPES: [MemoryType; 4] = [
    MemoryType::Cached,
    MemoryType::Uncached,
    MemoryType::UncachedDevice,
    MemoryType::WriteCombining,
];

/// The pages of a VMO that are present.
fn frames(world: &World, vmo: &Memory) -> Vec<PhysAddr> {
    let state = vmo.lock();
    let mut frames = Vec::new();
    let _: core::ops::ControlFlow<()> =
        state.visit_present(world.pages, PageIndex::ZERO..state.end(), |_, page, _| {
            frames.push(page);
            core::ops::ControlFlow::Continue(())
        });
    frames
}

#[track_caller]
fn assert_all_are(world: &World, vmo: &Memory, memory: MemoryType) {
    assert_eq!((vmo.memory(), vmo.info().memory), (memory, memory));
    for frame in frames(world, vmo) {
        assert_eq!(world.pages.memory_type(frame), Some(memory), "{frame:?}");
    }
}

/// A mapping of `pages` pages of `vmo`.
fn map(world: &World, vmo: &Memory, pages: usize) -> VirtAddr {
    world.root.map(request(RW, vmo, pages)).expect("room")
}

fn unmap(world: &World, address: VirtAddr, pages: usize) {
    let unmapped = world
        .root
        .unmap(address, pages * PAGE_SIZE, OpChildren::Forbidden);
    assert_eq!(unmapped, Ok(()));
}

#[test]
fn pages_follow_each_change_of_the_memory_type_and_keep_their_contents() {
    let world = World::new();
    let vmo = world.numbered_vmo(3);
    for from in TYPES {
        for to in TYPES {
            assert_eq!(vmo.set_memory(from), Ok(()));
            assert_eq!(vmo.set_memory(to), Ok(()));
            assert_all_are(&world, &vmo, to);
        }
    }
    assert_eq!(vmo.set_memory(MemoryType::Cached), Ok(()));
    let mut byte = [0];
    vmo.read(2 * P, &mut byte).expect("cached again");
    assert_eq!(byte, [3]);
    drop(vmo);
    finish(world);
}

#[test]
fn a_mapped_vmo_keeps_its_memory_type() {
    let world = World::new();
    let vmo = world.numbered_vmo(2);
    let address = map(&world, &vmo, 2);
    for memory in TYPES {
        assert_eq!(vmo.set_memory(memory), Err(Status::BAD_STATE));
    }
    assert_all_are(&world, &vmo, MemoryType::Cached);
    unmap(&world, address, 2);
    assert_eq!(vmo.set_memory(MemoryType::Uncached), Ok(()));
    drop(vmo);
    finish(world);
}

#[test]
fn mappings_and_pages_that_come_later_have_the_memory_type_too() {
    let world = World::new();
    let vmo = world.vmo(2000);
    vmo.set_memory(MemoryType::WriteCombining)
        .expect("not mapped");
    let address = map(&world, &vmo, 2000);
    let page = |number: usize| address.checked_add(number * PAGE_SIZE).expect("mapped");
    // The simulated machine compares each translation that it uses with the direct map.
    assert_eq!(world.store(page(1), 7), Ok(()));
    assert_eq!((world.load(page(1)), world.load(page(2))), (Ok(7), Ok(0)));
    assert_eq!(world.store(page(2), 8), Ok(()));
    assert_eq!(world.load(page(2)), Ok(8));
    let commit = RangeRequest {
        op: RangeOp::Commit,
        address: page(500),
        length: 1000 * PAGE_SIZE,
        children: OpChildren::Forbidden,
    };
    assert_eq!(world.root.op_range(commit, || Ok(())), Ok(()));
    assert_eq!(world.load(page(1300)), Ok(0));
    assert_eq!(frames(&world, &vmo).len(), 1002);
    assert_all_are(&world, &vmo, MemoryType::WriteCombining);
    let zero = RangeRequest {
        op: RangeOp::try_from(VmarOp::ZERO).expect("known"),
        ..commit
    };
    assert_eq!(world.root.op_range(zero, || Ok(())), Err(Status::BAD_STATE));
    unmap(&world, address, 2000);
    drop(vmo);
    finish(world);
}

#[test]
fn frames_are_cached_again_when_they_are_free() {
    let world = World::new();
    let vmo = world.numbered_vmo(5);
    vmo.set_memory(MemoryType::Uncached).expect("not mapped");
    let before = frames(&world, &vmo);
    vmo.set_size(2 * P + 10).expect("resizable");
    for frame in &before[3..] {
        assert_eq!(world.pages.memory_type(*frame), Some(MemoryType::Cached));
    }
    assert_all_are(&world, &vmo, MemoryType::Uncached);
    vmo.set_stream_size(P, || {}).expect("inside");
    assert_eq!(frames(&world, &vmo).len(), 1);
    drop(vmo);
    for frame in before {
        assert_eq!(world.pages.memory_type(frame), Some(MemoryType::Cached));
    }
    finish(world);
}

#[test]
fn memory_that_is_not_cached_is_not_copied_until_it_is_again() {
    let world = World::new();
    let vmo = world.numbered_vmo(1);
    for memory in &TYPES[1..] {
        vmo.set_memory(*memory).expect("not mapped");
        assert_eq!(vmo.read(0, &mut [0]), Err(Status::BAD_STATE));
        assert_eq!(vmo.write(0, &[0]), Err(Status::BAD_STATE));
        // An end that does not fit comes first, one beyond the VMO after.
        assert_eq!(vmo.read(u64::MAX, &mut [0]), Err(Status::OUT_OF_RANGE));
        assert_eq!(vmo.read(P, &mut [0]), Err(Status::BAD_STATE));
    }
    vmo.set_memory(MemoryType::Cached).expect("not mapped");
    assert_eq!(vmo.write(0, &[5]), Ok(()));
    drop(vmo);
    finish(world);
}

#[test]
fn a_change_without_memory_for_tables_changes_nothing() {
    let world = World::new();
    let vmo = world.numbered_vmo(4);
    // Pages that do not lie side by side are prepared one after the other.
    drop(world.numbered_vmo(1));
    for successes in 0.. {
        let plan = world.pages.fail_after(successes);
        let changed = vmo.set_memory(MemoryType::Uncached);
        drop(plan);
        if changed.is_ok() {
            assert_ne!(successes, 0, "nothing was prepared");
            break;
        }
        assert_eq!(changed, Err(Status::NO_MEMORY));
        assert_all_are(&world, &vmo, MemoryType::Cached);
    }
    let absent = world.vmo(1);
    absent.set_memory(MemoryType::Uncached).expect("not mapped");
    let address = map(&world, &absent, 1);
    assert_eq!(world.load(address), Ok(0));
    let before = world.pages.counts();
    let plan = world.pages.fail_after(1);
    assert_eq!(world.store(address, 1), Err(Status::NO_MEMORY));
    drop(plan);
    assert_eq!(world.pages.counts(), before);
    assert_eq!(world.store(address, 1), Ok(()));
    unmap(&world, address, 1);
    drop((vmo, absent));
    finish(world);
}

#[test]
fn a_copy_ends_when_the_memory_type_changes() {
    let world = World::new();
    let vmo = world.numbered_vmo(2);
    let steps = vmo.copy_steps(0, 2 * PAGE_SIZE).expect("inside");
    let pages: Vec<_> = steps.map(|step| step.index).collect();
    assert_eq!(vmo.with_page_for_read(pages[0], |_| ()), Ok(()));
    assert_eq!(vmo.set_memory(MemoryType::Uncached), Ok(()));
    assert_eq!(
        vmo.with_page_for_read(pages[1], |_| ()),
        Err(Status::BAD_STATE)
    );
    drop(vmo);
    finish(world);
}

#[test]
fn operations_on_caches_check_their_range_first() {
    let world = World::new();
    let vmo = world.numbered_vmo(2);
    let physical = Vmo::<SimMmu>::physical(world.pages, new_koid(), device(2), TYPES[1]);
    let physical = physical.expect("memory");
    for op in [CacheOp::Sync, CacheOp::Clean, CacheOp::CleanInvalidate] {
        let result = |vmo: &Memory, offset, size| vmo.maintain_cache(op, offset, size, || Ok(()));
        for (offset, size) in [(0, 0), (u64::MAX, 0)] {
            assert_eq!(result(&vmo, offset, size), Err(Status::INVALID_ARGS));
            assert_eq!(result(&physical, offset, size), Err(Status::INVALID_ARGS));
        }
        for (offset, size) in [(1, 2 * P), (2 * P, 1), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
            assert_eq!(result(&vmo, offset, size), Err(Status::OUT_OF_RANGE));
            assert_eq!(result(&physical, offset, size), Err(Status::OUT_OF_RANGE));
        }
        for (offset, size) in [(0, 1), (2 * P - 1, 1), (0, 2 * P), (100, P)] {
            assert_eq!(result(&vmo, offset, size), Ok(()));
            assert_eq!(result(&physical, offset, size), Err(Status::NOT_SUPPORTED));
        }
    }
    drop((vmo, physical));
    finish(world);
}

#[test]
fn operations_on_caches_reach_every_byte_of_the_range_and_no_other() {
    let world = World::new();
    let vmo = world.vmo(6);
    for page in [1, 2, 4] {
        vmo.write(page * P, &[1]).expect("memory");
    }
    let child = ChildRequest {
        koid: new_koid(),
        options: VmoChildOptions::SLICE,
        offset: P,
        size: 4 * P,
        may_resize: false,
    };
    let slice = vmo.create_child(child).expect("memory");
    let frames = frames(&world, &vmo);
    take_maintained();
    let bytes = |vmo: &Memory, offset, size| {
        let done = vmo.maintain_cache(CacheOp::Clean, offset, size, || Ok(()));
        assert_eq!(done, Ok(()));
        let mut bytes = 0;
        for (first, len, op) in take_maintained() {
            assert_eq!(op, CacheOp::Clean);
            bytes += len;
            let frame = world.pages.physmap().address_of(first).page_base();
            assert!(frames.contains(&frame), "{frame:?} is another's");
        }
        bytes
    };
    assert_eq!(bytes(&vmo, 0, 6 * P), 3 * PAGE_SIZE);
    assert_eq!(bytes(&vmo, P - 1, P + 2), PAGE_SIZE + 1);
    assert_eq!(bytes(&vmo, 3 * P - 5, 2 * P), 5 + PAGE_SIZE - 5);
    assert_eq!(bytes(&vmo, 3 * P, P), 0);
    assert_eq!(bytes(&slice, 0, 4 * P), 3 * PAGE_SIZE);
    assert_eq!(bytes(&slice, 2 * P - 7, 8), 7);
    let beyond = slice.maintain_cache(CacheOp::Clean, 4 * P, 1, || Ok(()));
    assert_eq!(beyond, Err(Status::OUT_OF_RANGE));
    drop((vmo, slice));
    finish(world);
}

#[test]
fn members_of_a_family_keep_their_memory_type() {
    let world = World::new();
    for options in [
        VmoChildOptions::SNAPSHOT,
        VmoChildOptions::SLICE,
        VmoChildOptions::REFERENCE,
    ] {
        let parent = world.vmo(2);
        parent.write(0, &[1]).expect("memory");
        let is_all = options == VmoChildOptions::REFERENCE;
        let request = ChildRequest {
            koid: new_koid(),
            options,
            offset: 0,
            size: if is_all { 0 } else { P },
            may_resize: false,
        };
        let child = parent.create_child(request).expect("memory");
        for vmo in [&parent, &child] {
            assert_eq!(vmo.set_memory(TYPES[1]), Err(Status::BAD_STATE));
        }
        drop(child);
        assert_eq!(parent.set_memory(TYPES[1]), Ok(()));
        assert_all_are(&world, &parent, TYPES[1]);
        let refused = parent.create_child(request).err();
        assert_eq!(refused, Some(Status::BAD_STATE));
        drop(parent);
    }
    finish(world);
}

#[test]
fn operations_on_caches_look_at_present_pages_only() {
    let world = World::new();
    let vmo = world.vmo(1 << 40);
    vmo.write(0, &[1]).expect("memory");
    vmo.write(P << 39, &[1]).expect("memory");
    let mut pauses = 0;
    let pause = || {
        pauses += 1;
        Ok(())
    };
    assert_eq!(
        vmo.maintain_cache(CacheOp::Clean, 0, P << 40, pause),
        Ok(())
    );
    // One for each block that has pages, and one for the rest.
    assert_eq!(pauses, 3);
    let stop = || Err(Status::CANCELED);
    let stopped = vmo.maintain_cache(CacheOp::Clean, 0, P << 40, stop);
    assert_eq!(stopped, Err(Status::CANCELED));
    assert_eq!(frames(&world, &vmo).len(), 2);
    drop(vmo);
    finish(world);
}

#[test]
fn physical_memory_changes_its_type_but_is_never_the_kernels() {
    let world = World::new();
    let physical = Vmo::<SimMmu>::physical(world.pages, new_koid(), device(1), TYPES[1]);
    let physical = physical.expect("memory");
    for memory in TYPES {
        assert_eq!(physical.set_memory(memory), Ok(()));
        assert_eq!(physical.memory(), memory);
    }
    let mut ram = crate::addr::PhysRange::new(PhysAddr::new(0xff_0000), device(32).pages());
    let beyond = Vmo::<SimMmu>::physical(world.pages, new_koid(), ram.expect("a range"), TYPES[1]);
    assert!(beyond.is_ok());
    let last = world.pages.zero_page();
    ram = crate::addr::PhysRange::new(last, device(1).pages());
    let refused = Vmo::<SimMmu>::physical(world.pages, new_koid(), ram.expect("a range"), TYPES[1]);
    assert_eq!(refused.err(), Some(Status::ACCESS_DENIED));
    drop((physical, beyond));
    finish(world);
}

#[test]
fn a_device_sees_its_own_type_in_every_mapping() {
    let world = World::new();
    let vmo = Vmo::<SimMmu>::physical(world.pages, new_koid(), device(1), MemoryType::Uncached);
    let vmo = vmo.expect("memory");
    vmo.set_memory(MemoryType::WriteCombining)
        .expect("not mapped");
    let address = map(&world, &vmo, 1);
    let resolved = world.space.fault(address, crate::mmu::Access::READ);
    assert_eq!(resolved, Ok(()));
    let path = world.space.mmu().walk(address);
    let last = path.last().expect("a way").entry;
    let crate::paging::Entry::Leaf(leaf) = last else {
        panic!("nothing is mapped: {last:?}");
    };
    assert_eq!(leaf.flags.memory, MemoryType::WriteCombining);
    unmap(&world, address, 1);
    drop(vmo);
    finish(world);
}
