//! VMOs of pages side by side: `spec/vmo.md` §14.

use syscall::{Result, Status};

use super::ContiguousRequest;
use crate::addr::PAGE_SIZE;
use crate::mmu::MemoryType;
use crate::sim::SimMmu;
use crate::testing::*;
use crate::try_alloc::fault::fail_each_in_turn;
use crate::vmar::{OpChildren, RangeOp, RangeRequest};
use crate::vmo::{PageIndex, Vmo, VmoKind};

const P: u64 = PAGE_SIZE as u64;

fn contiguous(world: &World, size: u64, alignment_log2: u32) -> Result<Memory> {
    let request = ContiguousRequest::new(size, alignment_log2)?;
    Vmo::<SimMmu>::contiguous(world.pages, new_koid(), request)
}

#[test]
fn sizes_and_alignments_are_checked_in_the_documented_order() {
    for (size, alignment, status) in [
        (0, 0, Status::INVALID_ARGS),
        (0, 12, Status::INVALID_ARGS),
        (1, 11, Status::INVALID_ARGS),
        (1, 64, Status::INVALID_ARGS),
        (u64::MAX, u32::MAX, Status::INVALID_ARGS),
    ] {
        assert_eq!(
            ContiguousRequest::new(size, alignment).err(),
            Some(status),
            "{size:#x} {alignment}"
        );
    }
    for alignment in [0, 12, 63] {
        assert!(ContiguousRequest::new(1, alignment).is_ok());
    }
    let world = World::new();
    for (size, status) in [(0, Status::NO_MEMORY), (1, Status::OUT_OF_RANGE)] {
        let size = u64::MAX - P + 1 + size;
        assert_eq!(contiguous(&world, size, 0).err(), Some(status));
    }
    finish(world);
}

#[test]
fn all_pages_are_there_side_by_side_and_full_of_zeros() {
    let world = World::new();
    for (size, alignment, pages) in [(1, 0, 1), (5 * P - 1, 12, 5), (700 * P, 21, 700)] {
        let vmo = contiguous(&world, size, alignment).expect("memory");
        assert_eq!((vmo.size(), vmo.stream_size()), (pages * P, 0));
        assert_eq!(vmo.kind(), VmoKind::Contiguous);
        assert_eq!(vmo.info().memory_use.committed_bytes, pages * P);
        let mut runs = std::vec::Vec::new();
        let state = vmo.lock();
        let _: core::ops::ControlFlow<()> = state.visit_runs(
            world.pages,
            PageIndex::ZERO..state.end(),
            |first, run, _| {
                runs.push((first, run));
                core::ops::ControlFlow::Continue(())
            },
        );
        drop(state);
        let [(first, run)] = runs[..] else {
            panic!("{} runs", runs.len());
        };
        assert_eq!((first, run.pages().get() as u64), (PageIndex::ZERO, pages));
        assert!(run.base().is_aligned_to(alignment));
        let mut bytes = std::vec![1; run.bytes()];
        vmo.read(0, &mut bytes).expect("cached");
        assert!(bytes.iter().all(|byte| *byte == 0));
        drop(vmo);
    }
    finish(world);
}

#[test]
fn creation_without_memory_leaves_nothing_behind() {
    let world = World::new();
    assert_eq!(
        contiguous(&world, 4096 * P, 0).err(),
        Some(Status::NO_MEMORY)
    );
    assert_eq!(contiguous(&world, P, 40).err(), Some(Status::NO_MEMORY));
    assert_eq!(
        contiguous(&world, u64::MAX - P, 0).err(),
        Some(Status::NO_MEMORY)
    );
    let before = world.pages.counts();
    fail_each_in_turn(|_| match contiguous(&world, 200 * P, 0) {
        Ok(vmo) => drop(vmo),
        Err(status) => {
            assert_eq!(status, Status::NO_MEMORY);
            assert_eq!(world.pages.counts(), before);
        }
    });
    finish(world);
}

#[test]
fn pages_stay_whatever_happens_and_become_zero_in_place() {
    let world = World::new();
    let vmo = contiguous(&world, 3 * P, 0).expect("memory");
    assert_eq!(vmo.set_size(P), Err(Status::UNAVAILABLE));
    assert_eq!(vmo.set_stream_size(0, || {}), Err(Status::NOT_SUPPORTED));
    let address = world.root.map(request(RW, &vmo, 3)).expect("room");
    assert_eq!(world.store(address, 5), Ok(()));
    let perform = |op| {
        let request = RangeRequest {
            op,
            address,
            length: 3 * PAGE_SIZE,
            children: OpChildren::Forbidden,
        };
        world.root.op_range(request, || Ok(()))
    };
    assert_eq!(perform(RangeOp::Decommit), Err(Status::NOT_SUPPORTED));
    assert_eq!(
        (perform(RangeOp::Commit), world.load(address)),
        (Ok(()), Ok(5))
    );
    assert_eq!(
        (perform(RangeOp::Zero), world.load(address)),
        (Ok(()), Ok(0))
    );
    assert_eq!(vmo.info().memory_use.committed_bytes, 3 * P);
    drop(vmo);
    // The mapping keeps it.
    assert_eq!(
        (world.store(address, 6), world.load(address)),
        (Ok(()), Ok(6))
    );
    let unmapped = world
        .root
        .unmap(address, 3 * PAGE_SIZE, OpChildren::Forbidden);
    assert_eq!(unmapped, Ok(()));
    finish(world);
}

#[test]
fn the_memory_type_changes_while_it_is_not_mapped() {
    let world = World::new();
    let vmo = contiguous(&world, 600 * P, 21).expect("memory");
    vmo.write(P, &[9]).expect("cached");
    vmo.set_memory(MemoryType::UncachedDevice)
        .expect("not mapped");
    // An operation that began before goes on.
    let all = PageIndex::ZERO..vmo.lock().end();
    let cleared = vmo.lock().clear_next_block(world.pages, all);
    assert!(cleared.is_ok());
    let address = world.root.map(request(RW, &vmo, 600)).expect("room");
    let second = address.checked_add(PAGE_SIZE).expect("mapped");
    assert_eq!(world.load(second), Ok(0));
    // A large page and a base page, both compared with the direct map.
    assert_eq!(world.store(address, 1), Ok(()));
    let last = address.checked_add(599 * PAGE_SIZE).expect("mapped");
    assert_eq!(world.store(last, 2), Ok(()));
    assert_eq!(vmo.set_memory(MemoryType::Cached), Err(Status::BAD_STATE));
    drop(vmo);
    let unmapped = world
        .root
        .unmap(address, 600 * PAGE_SIZE, OpChildren::Forbidden);
    assert_eq!(unmapped, Ok(()));
    finish(world);
}
