//! Operations on ranges that are long, interrupted, or out of memory: `spec/vmar.md` §8.

use std::cell::Cell;

use syscall::{Result, Status, VmoOptions};

use super::shown;
use crate::addr::PAGE_SIZE;
use crate::mmu::Access;
use crate::testing::*;
use crate::try_alloc::fault::fail_after;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::RangeOp::{
    self, AlwaysNeed, Commit, Decommit, DontNeed, MapRange, Prefetch, Zero,
};
use crate::vmar::{MapRequest, RangeRequest};

const P: usize = PAGE_SIZE;

/// The pages that a step deals with at most.
const BLOCK: usize = 512;

/// Performs `op` on `pages` pages of a region from page `first` on, and counts the pauses.
///
/// It is interrupted after `most` of them.
fn on_pages(
    vmar: &Region,
    op: RangeOp,
    (first, pages): (usize, usize),
    most: usize,
) -> (Result<()>, usize) {
    let pauses = Cell::new(0);
    let request = RangeRequest {
        op,
        address: page_of(vmar, first),
        length: pages * P,
        children: Allowed,
    };
    let result = vmar.op_range(request, || {
        // Nothing is locked: anybody may do anything meanwhile.
        assert!(vmar.owner().lock().try_write().is_some());
        pauses.set(pauses.get() + 1);
        if pauses.get() > most {
            Err(Status::CANCELED)
        } else {
            Ok(())
        }
    });
    (result, pauses.get())
}

fn committed_pages(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P as u64
}

/// A region of `pages` pages that shows all of a VMO of that many.
fn mapped(world: &World, pages: usize) -> (Region, Memory) {
    let vmo = world.vmo(pages);
    let vmar = world
        .root
        .allocate(CAN_ALL | SPECIFIC, 0, pages * P)
        .expect("free");
    vmar.map(request_at(0, &vmo, 0, pages)).expect("free");
    (vmar, vmo)
}

#[test]
fn a_range_without_pages_takes_no_time() {
    let world = World::new();
    let pages = ROOT_PAGES / 2;
    let vmo = world.vmo_with(0, VmoOptions::UNBOUNDED);
    let vmar = world
        .root
        .allocate(CAN_ALL | SPECIFIC, 0, pages * P)
        .expect("free");
    // The mapping begins high in the largest VMO there can be.
    let vmo_offset = 1 << 62;
    vmar.map(MapRequest {
        vmo_offset,
        ..request_at(0, &vmo, 0, pages)
    })
    .expect("free");
    for op in [Decommit, Zero, MapRange, AlwaysNeed, Prefetch, DontNeed] {
        let (result, pauses) = on_pages(&vmar, op, (0, pages), usize::MAX);
        assert_eq!(result, Ok(()));
        assert!(pauses <= 1, "{op:?}: {pauses} steps for nothing");
    }
    for page in [0, 3 * BLOCK + 7, pages - 1] {
        vmo.write(vmo_offset + (page * P) as u64, &[1])
            .expect("memory");
    }
    for op in [MapRange, AlwaysNeed, Prefetch, Zero] {
        let (result, pauses) = on_pages(&vmar, op, (0, pages), usize::MAX);
        assert_eq!(result, Ok(()));
        assert!(pauses <= 4, "{op:?}: {pauses} steps for three pages");
    }
    assert_eq!(committed_pages(&vmo), 0);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn an_operation_that_is_interrupted_ends_at_a_block() {
    let world = World::new();
    let (vmar, vmo) = mapped(&world, 3 * BLOCK);
    let whole = (0, 3 * BLOCK);
    // Taking frames into stock is a step of its own.
    let (result, _) = on_pages(&vmar, Commit, whole, 1);
    assert_eq!(result, Err(Status::CANCELED));
    assert_eq!(committed_pages(&vmo), BLOCK as u64);
    let (result, pauses) = on_pages(&vmar, Commit, whole, usize::MAX);
    assert_eq!((result, pauses), (Ok(()), 3 + 2));
    assert_eq!(committed_pages(&vmo), 3 * BLOCK as u64);
    let (result, _) = on_pages(&vmar, Decommit, (1, 3 * BLOCK - 1), 0);
    assert_eq!(result, Err(Status::CANCELED));
    assert_eq!(committed_pages(&vmo), 2 * BLOCK as u64 + 1);
    let (result, pauses) = on_pages(&vmar, Zero, whole, usize::MAX);
    assert_eq!((result, pauses), (Ok(()), 3));
    assert_eq!(committed_pages(&vmo), 0);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_commit_beyond_all_memory_changes_nothing() {
    let world = World::new();
    let (vmar, vmo) = mapped(&world, ROOT_PAGES / 2);
    vmo.write(5 * P as u64, &[5]).expect("memory");
    let before = (world.snapshot(), vmo.info());
    let (result, pauses) = on_pages(&vmar, Commit, (0, ROOT_PAGES / 2), usize::MAX);
    assert_eq!((result, pauses), (Err(Status::NO_MEMORY), 0));
    assert_eq!((world.snapshot(), vmo.info()), before);
    // Exactly what is free is too much, because tables and nodes take some of it.
    let free = world.pages.counts().free.get();
    let (result, _) = on_pages(&vmar, Commit, (6, free), usize::MAX);
    assert_eq!(result, Err(Status::NO_MEMORY));
    assert_eq!(world.load(page_of(&vmar, 5)), Ok(5));
    let (result, _) = on_pages(&vmar, Zero, (0, ROOT_PAGES / 2), usize::MAX);
    assert_eq!((result, committed_pages(&vmo)), (Ok(()), 0));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_block_is_committed_as_a_whole_or_not_at_all() {
    for in_frames in [false, true] {
        let mut failures = 0;
        loop {
            let world = World::new();
            // The pages of two leaves of the tree, in two tables, most of them in the second block.
            let (vmar, vmo) = mapped(&world, 2 * BLOCK);
            vmo.write((BLOCK * P) as u64, &[9]).expect("memory");
            let (first, pages) = (BLOCK - 3, 70);
            let before = (shown_pages(&world, &vmar), committed_pages(&vmo));
            let result = {
                let _frames = in_frames.then(|| world.pages.fail_after(failures));
                let _heap = (!in_frames).then(|| fail_after(failures));
                on_pages(&vmar, Commit, (first, pages), usize::MAX).0
            };
            let committed = committed_pages(&vmo);
            assert_eq!(shown_pages(&world, &vmar), before.0);
            match result {
                Ok(()) => assert_eq!(committed, pages as u64),
                Err(status) => {
                    assert_eq!(status, Status::NO_MEMORY);
                    let first_block_alone = before.1 + 3;
                    assert!(
                        committed == before.1 || committed == first_block_alone,
                        "{committed} pages after {failures} allocations"
                    );
                }
            }
            drop((vmar, vmo));
            finish(world);
            if result.is_ok() {
                break;
            }
            failures += 1;
        }
        let least = if in_frames { 70 } else { 2 };
        assert!(failures >= least, "only {failures} allocations failed");
    }
}

/// What the pages around the border of the two blocks show.
fn shown_pages(world: &World, vmar: &Region) -> Vec<Result<u8>> {
    (BLOCK - 4..BLOCK + 4)
        .map(|page| world.load(page_of(vmar, page)))
        .collect()
}

#[test]
fn an_operation_meets_the_mappings_as_they_are_when_it_comes_to_them() {
    let world = World::new();
    let (vmar, vmo) = mapped(&world, 2 * BLOCK);
    let request = RangeRequest {
        op: Commit,
        address: page_of(&vmar, 0),
        length: 2 * BLOCK * P,
        children: Allowed,
    };
    let result = vmar.op_range(request, || {
        if committed_pages(&vmo) == BLOCK as u64 {
            vmar.unmap(page_of(&vmar, BLOCK + 1), P, Allowed)?;
        }
        Ok(())
    });
    assert_eq!(result, Err(Status::BAD_STATE));
    assert_eq!(committed_pages(&vmo), BLOCK as u64 + 1);
    let again = vmar.op_range(request, || vmar.destroy());
    assert_eq!(again, Err(Status::BAD_STATE));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn processors_operate_on_the_same_pages_at_once() {
    let world = World::new();
    let pages = 64;
    let (vmar, vmo) = mapped(&world, pages);
    let twice = world.root.map(MapRequest {
        offset: ROOT_PAGES / 2 * P,
        permitted: Access::READ,
        ..request(R | SPECIFIC, &vmo, pages)
    });
    let twice = twice.expect("room");
    std::thread::scope(|scope| {
        for cpu in 0..CPUS {
            let (world, vmar) = (&world, &vmar);
            scope.spawn(move || {
                for round in 0..60 {
                    let page = (round * 7 + cpu * 13) % pages;
                    let op = [Commit, Decommit, Zero, MapRange][(round + cpu) % 4];
                    let count = 16.min(pages - page);
                    let request = RangeRequest {
                        op,
                        address: page_of(vmar, page),
                        length: count * P,
                        children: Allowed,
                    };
                    let result = world
                        .machine
                        .run_on(cpu, || vmar.op_range(request, || Ok(())));
                    assert_eq!(result, Ok(()));
                    let address = page_of(vmar, page).checked_add(cpu).expect("small");
                    let stored = world.store_on(cpu, &world.space, address, cpu as u8 + 1);
                    assert_eq!(stored, Ok(()));
                    let seen = world.load_on(cpu, &world.space, address);
                    // Only a clearing by another processor may have come in between.
                    assert!(seen == Ok(cpu as u8 + 1) || seen == Ok(0), "{seen:?}");
                    let there = twice.checked_add(page * P + cpu).expect("mapped");
                    assert!(world.load_on(cpu, &world.space, there).is_ok());
                }
            });
        }
    });
    world.space.mmu().assert_nothing_is_stale();
    let (result, _) = on_pages(&vmar, Decommit, (0, pages), usize::MAX);
    assert_eq!(result, Ok(()));
    assert_eq!(shown(&world, &vmar), vec![Some(0); pages]);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_block_that_finds_no_table_is_not_entered_in_part() {
    let world = World::new();
    // One block of the VMO, in two tables.
    let (border, vmo) = (BLOCK / 2, world.vmo(2 * BLOCK));
    let vmar = world
        .root
        .allocate(CAN_ALL | SPECIFIC, border * P, BLOCK * P)
        .expect("free");
    vmar.map(request_at(0, &vmo, BLOCK, BLOCK)).expect("free");
    for page in [border - 1, border] {
        vmo.write(((BLOCK + page) * P) as u64, &[1])
            .expect("memory");
    }
    let tables = world.pages.counts();
    let mut failures = 0;
    while !enter_with(&world, &vmar, failures) {
        assert_eq!(world.pages.counts(), tables, "after {failures} tables");
        assert!(!world.is_entered(page_of(&vmar, border - 1)));
        failures += 1;
    }
    assert!(failures >= 2, "only {failures} allocations failed");
    assert!(world.is_entered(page_of(&vmar, border)));
    drop((vmar, vmo));
    finish(world);
}

/// Whether all of a region can be entered with this many frames for tables.
fn enter_with(world: &World, vmar: &Region, frames: usize) -> bool {
    let _plan = world.pages.fail_after(frames);
    let pages = vmar.range().pages().get();
    let (result, _) = on_pages(vmar, MapRange, (0, pages), usize::MAX);
    assert!(matches!(result, Ok(()) | Err(Status::NO_MEMORY)));
    result.is_ok()
}

#[test]
fn what_may_not_be_touched_needs_no_table() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(2), world.numbered_vmo(2));
    vmar.map(MapRequest {
        options: SPECIFIC,
        ..request_at(0, &vmo, 0, 2)
    })
    .expect("free");
    assert!(enter_with(&world, &vmar, 0));
    drop((vmar, vmo));
    finish(world);
}
