//! Running out of memory at every allocation: the call fails, and nothing has changed.

use syscall::{Result, Status, VmOptions};

use crate::addr::{PAGE_SIZE, VirtAddr};
use crate::testing::*;
use crate::try_alloc::fault::fail_after;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::{MapRequest, RangeOp, RangeRequest};

const P: usize = PAGE_SIZE;

/// What a call is tried on.
struct Stage {
    world: World,
    vmar: Region,
    vmo: Memory,
    /// A VMO whose sixth page nobody has touched, and where that is mapped, far from everything else.
    far: (Memory, VirtAddr),
}

/// A region with a six-page mapping, whose third page is read-only, and a sub-VMAR with a mapping.
fn stage() -> Stage {
    let world = World::new();
    let vmo = world.numbered_vmo(12);
    let vmar = world
        .root
        .allocate(CAN_ALL | SPECIFIC, 0, 20 * P)
        .expect("free");
    vmar.map(request_at(1, &vmo, 1, 6)).expect("free");
    vmar.protect(R, page_of(&vmar, 3), P, Allowed)
        .expect("mapped");
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 7 * P, 4 * P)
        .expect("free");
    child.map(request_at(0, &vmo, 0, 4)).expect("free");
    let far = world.vmo(1 << 19);
    let base = world
        .root
        .map(request_at(1 << 19, &far, 5, 1))
        .expect("free");
    Stage {
        world,
        vmar,
        vmo,
        far: (far, base),
    }
}

/// What every page of the region shows, or why it shows nothing, and whether it can be written.
fn contents(stage: &Stage) -> Vec<(Result<u8>, bool)> {
    let see = |at| {
        let page = page_of(&stage.vmar, at);
        let byte = stage.world.load(page);
        (
            byte,
            byte.and_then(|byte| stage.world.store(page, byte)).is_ok(),
        )
    };
    (0..20).map(see).collect()
}

/// Tries `call` with each allocation failing in turn: first from the heap, then frames.
///
/// Answers how often it failed.
fn fails_cleanly<T>(call: impl Fn(&Stage) -> Result<T>) -> usize {
    let heap = tries(&call, |_, successes, call| {
        let plan = fail_after(successes);
        let result = call();
        assert!(result.is_ok() || plan.has_struck());
        result
    });
    let frames = tries(&call, |stage, successes, call| {
        let _plan = stage.world.pages.fail_after(successes);
        call()
    });
    heap + frames
}

fn tries<T>(
    call: &impl Fn(&Stage) -> Result<T>,
    under_plan: impl Fn(&Stage, usize, &dyn Fn() -> Result<()>) -> Result<()>,
) -> usize {
    for successes in 0.. {
        let stage = stage();
        let before = (stage.world.snapshot(), stage.vmo.info(), stage.far.0.info());
        let result = under_plan(&stage, successes, &|| call(&stage).map(|_| ()));
        if let Err(status) = result {
            assert_eq!(status, Status::NO_MEMORY, "after {successes} allocations");
            let after = (stage.world.snapshot(), stage.vmo.info(), stage.far.0.info());
            assert_eq!(after, before, "after {successes} allocations");
        }
        let untouched = self::stage();
        if result.is_err() {
            assert_eq!(contents(&stage), contents(&untouched));
        }
        for Stage {
            world,
            vmar,
            vmo,
            far,
        } in [stage, untouched]
        {
            drop((vmar, vmo, far));
            finish(world);
        }
        if result.is_ok() {
            return successes;
        }
    }
    unreachable!("the loop ends when nothing fails any more")
}

#[test]
fn allocate_fails_cleanly() {
    let failures = fails_cleanly(|stage| stage.vmar.allocate(CAN_ALL | SPECIFIC, 12 * P, P));
    assert!(failures >= 2, "only {failures} allocations failed");
}

#[test]
fn map_fails_cleanly() {
    let failures = fails_cleanly(|stage| stage.vmar.map(request_at(12, &stage.vmo, 0, 2)));
    assert!(failures >= 1, "only {failures} allocations failed");
}

#[test]
fn map_with_range_fails_cleanly() {
    let options = RW | SPECIFIC | VmOptions::MAP_RANGE;
    let failures = fails_cleanly(|stage| {
        stage.vmar.map(MapRequest {
            options,
            ..request_at(12, &stage.vmo, 0, 6)
        })
    });
    // The region, and three levels of page tables below the root.
    assert!(failures >= 4, "only {failures} allocations failed");
}

#[test]
fn overwriting_the_middle_fails_cleanly() {
    let options = R | VmOptions::SPECIFIC_OVERWRITE;
    let failures = fails_cleanly(|stage| {
        stage.vmar.map(MapRequest {
            options,
            ..request_at(2, &stage.vmo, 0, 1)
        })
    });
    // The new region, the upper part of the old one, and its two runs.
    assert!(failures >= 4, "only {failures} allocations failed");
}

#[test]
fn unmapping_the_middle_fails_cleanly() {
    let failures = fails_cleanly(|stage| stage.vmar.unmap(page_of(&stage.vmar, 2), P, Allowed));
    assert!(failures >= 3, "only {failures} allocations failed");
}

#[test]
fn protecting_parts_of_two_mappings_fails_cleanly() {
    let failures = fails_cleanly(|stage| {
        stage
            .vmar
            .protect(R, page_of(&stage.vmar, 5), 4 * P, Allowed)
    });
    // The first mapping has a list with room; the second one needs a list.
    assert!(failures >= 2, "only {failures} allocations failed");
}

/// Performs an operation on the page that is far from everything else.
fn on_far_page(stage: &Stage, op: RangeOp) -> Result<()> {
    let request = RangeRequest {
        op,
        address: stage.far.1,
        length: P,
        children: Allowed,
    };
    stage.world.root.op_range(request, || Ok(()))
}

#[test]
fn commit_fails_cleanly() {
    let failures = fails_cleanly(|stage| on_far_page(stage, RangeOp::Commit));
    // The node for the page, the page, and two levels of page tables.
    assert!(failures >= 4, "only {failures} allocations failed");
}

#[test]
fn entering_a_range_fails_cleanly() {
    let failures = fails_cleanly(|stage| {
        let request = RangeRequest {
            op: RangeOp::MapRange,
            address: page_of(&stage.vmar, 1),
            length: 6 * P,
            children: Allowed,
        };
        stage.vmar.op_range(request, || Ok(()))
    });
    assert!(failures >= 2, "only {failures} allocations failed");
}

#[test]
fn taking_pages_away_needs_no_memory() {
    for op in [RangeOp::Decommit, RangeOp::Zero] {
        assert_eq!(fails_cleanly(|stage| on_far_page(stage, op)), 0);
    }
}

#[test]
fn a_write_fault_fails_cleanly() {
    let failures = fails_cleanly(|stage| stage.world.store(stage.far.1, 1));
    // The node for the page, the page, and two levels of page tables.
    assert!(failures >= 4, "only {failures} allocations failed");
}

#[test]
fn a_read_fault_fails_cleanly() {
    let failures = fails_cleanly(|stage| stage.world.load(stage.far.1));
    assert!(failures >= 2, "only {failures} allocations failed");
}

#[test]
fn a_merge_without_memory_does_not_happen() {
    for successes in 0..4 {
        let Stage {
            world,
            vmar,
            vmo,
            far,
        } = stage();
        let plan = fail_after(successes);
        // It continues the mapping that has runs of permissions.
        vmar.unmap(page_of(&vmar, 7), 4 * P, Allowed)
            .expect("no memory is needed");
        let result = vmar.map(MapRequest {
            options: R | SPECIFIC,
            ..request_at(7, &vmo, 7, 2)
        });
        drop(plan);
        assert_eq!(result.is_err(), successes == 0);
        if result.is_ok() {
            assert_eq!(world.load(page_of(&vmar, 8)), Ok(9));
            assert_eq!(
                world.store(page_of(&vmar, 8), 1),
                Err(Status::ACCESS_DENIED)
            );
        }
        drop((vmar, vmo, far));
        finish(world);
    }
}

#[test]
fn what_a_failed_protect_has_reserved_is_given_back() {
    let world = World::new();
    let (vmar, low, high) = (world.vmar(8), world.vmo(4), world.vmo(4));
    vmar.map(request_at(0, &low, 0, 4)).expect("free");
    vmar.map(request_at(4, &high, 0, 4)).expect("free");
    // Two allocations are for the list of the lower mapping, and then the upper one gets none.
    let plan = fail_after(2);
    let both = vmar.protect(R, page_of(&vmar, 2), 4 * P, Allowed);
    assert_eq!(both, Err(Status::NO_MEMORY));
    drop(plan);
    let _plan = fail_after(0);
    let lower = vmar.protect(R, page_of(&vmar, 2), P, Allowed);
    assert_eq!(lower, Err(Status::NO_MEMORY));
    drop((vmar, low, high));
    finish(world);
}
