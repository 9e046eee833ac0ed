//! Running out of memory at every allocation: the call fails, and nothing has changed.

use syscall::{Result, Status, VmOptions, VmoOptions};

use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, VirtAddr, VirtRange};
use crate::mmu::{Access, Mmu, MmuCursor};
use crate::pages::FrameCounts;
use crate::testing::*;
use crate::try_alloc::fault::fail_after;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::{MapEntry, MapRequest, RangeOp, RangeRequest};
use crate::vmo::{Vmo, VmoInfo};

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

/// Everything that a call can change and that can be seen without touching a page.
#[derive(Debug, PartialEq)]
struct Sight {
    records_and_frames: (Vec<MapEntry>, FrameCounts),
    vmos: [VmoInfo; 2],
    /// Where each page of the region, and the far one, is in the page table, and what it allows.
    entered: Vec<Option<(PhysAddr, Access)>>,
}

fn sight(stage: &Stage) -> Sight {
    stage.world.space.mmu().assert_nothing_is_stale();
    let places = (0..20).map(|page| page_of(&stage.vmar, page));
    let entered = places.chain([stage.far.1]).map(|place| {
        let page = VirtRange::new(place, PageCount::new(1)).expect("a page");
        let found = stage.world.space.mmu().cursor(page).query()?;
        Some((found.address, found.flags.access))
    });
    Sight {
        records_and_frames: stage.world.snapshot(),
        vmos: [stage.vmo.info(), stage.far.0.info()],
        entered: entered.collect(),
    }
}

/// Tries `call` with each allocation failing in turn: first from the heap, then frames.
///
/// Answers how often it failed.
fn fails_cleanly(call: fn(&Stage) -> Result<()>, name: &str) -> usize {
    let heap = tries(name, |stage, successes| {
        let plan = fail_after(successes);
        let result = call(stage);
        assert!(result.is_ok() || plan.has_struck());
        result
    });
    let frames = tries(name, |stage, successes| {
        let _plan = stage.world.pages.fail_after(successes);
        call(stage)
    });
    heap + frames
}

fn tries(name: &str, attempt: impl Fn(&Stage, usize) -> Result<()>) -> usize {
    for successes in 0.. {
        let mut has_failed = false;
        // Once with pages that are in the page table and remembered, once with none.
        for is_touched in [false, true] {
            let (stage, untouched) = (stage(), self::stage());
            if is_touched {
                assert_eq!(contents(&stage), contents(&untouched));
            }
            let before = sight(&stage);
            let result = attempt(&stage, successes);
            if let Err(status) = result {
                assert_eq!(
                    status,
                    Status::NO_MEMORY,
                    "{name} after {successes} allocations"
                );
                assert_eq!(
                    sight(&stage),
                    before,
                    "{name} after {successes} allocations"
                );
                assert_eq!(contents(&stage), contents(&untouched));
            }
            has_failed |= result.is_err();
            strike(stage);
            strike(untouched);
        }
        if !has_failed {
            return successes;
        }
    }
    unreachable!("the loop ends when nothing fails any more")
}

/// Ends a stage; what has leaked is found out.
fn strike(stage: Stage) {
    let Stage {
        world,
        vmar,
        vmo,
        far,
    } = stage;
    drop((vmar, vmo, far));
    finish(world);
}

/// A call, on a stage.
struct Call {
    name: &'static str,
    /// How many allocations there are at least that can fail.
    least: usize,
    perform: fn(&Stage) -> Result<()>,
}

/// Everything that allocates, or that one might expect to.
const CALLS: &[Call] = &[
    // The VMAR, and the region for it.
    call("allocate", 2, |stage| {
        stage.vmar.allocate(CAN_ALL | SPECIFIC, 12 * P, P).map(drop)
    }),
    call("map", 1, |stage| map(stage, 12, 2, SPECIFIC)),
    // The region, and three levels of page tables below the root.
    call("map with MAP_RANGE", 4, |stage| {
        map(stage, 12, 6, SPECIFIC | VmOptions::MAP_RANGE)
    }),
    call("map anywhere", 1, |stage| {
        map(stage, 0, 3, VmOptions::empty())
    }),
    // The new region, the upper part of the old one, and its two runs.
    call("overwrite the middle", 4, |stage| {
        map(stage, 2, 1, VmOptions::SPECIFIC_OVERWRITE)
    }),
    call("overwrite the end", 1, |stage| {
        map(stage, 5, 2, VmOptions::SPECIFIC_OVERWRITE)
    }),
    call("unmap the middle", 3, |stage| {
        stage.vmar.unmap(page_of(&stage.vmar, 2), P, Allowed)
    }),
    call("unmap an end", 0, |stage| {
        stage.vmar.unmap(page_of(&stage.vmar, 5), 2 * P, Allowed)
    }),
    call("unmap a VMAR", 0, |stage| {
        stage.vmar.unmap(page_of(&stage.vmar, 7), 4 * P, Allowed)
    }),
    // The first mapping has a list with room; the second one needs a list.
    call("protect parts of two mappings", 2, |stage| {
        stage
            .vmar
            .protect(R, page_of(&stage.vmar, 5), 4 * P, Allowed)
    }),
    call("protect a whole mapping", 0, |stage| {
        stage
            .vmar
            .protect(R, page_of(&stage.vmar, 1), 6 * P, Allowed)
    }),
    // The node for the page, the page, and two levels of page tables.
    call("COMMIT", 4, |stage| on_far_page(stage, RangeOp::Commit)),
    call("COMMIT of what is there", 2, |stage| {
        on_pages(stage, RangeOp::Commit)
    }),
    call("MAP_RANGE", 2, |stage| on_pages(stage, RangeOp::MapRange)),
    call("ALWAYS_NEED", 2, |stage| {
        on_pages(stage, RangeOp::AlwaysNeed)
    }),
    call("PREFETCH", 2, |stage| on_pages(stage, RangeOp::Prefetch)),
    call("DONT_NEED", 0, |stage| on_pages(stage, RangeOp::DontNeed)),
    call("DECOMMIT", 0, |stage| on_far_page(stage, RangeOp::Decommit)),
    call("ZERO", 0, |stage| on_far_page(stage, RangeOp::Zero)),
    call("ZERO of what is there", 0, |stage| {
        on_pages(stage, RangeOp::Zero)
    }),
    // The node for the page, the page, and two levels of page tables.
    call("write fault", 4, |stage| stage.world.store(stage.far.1, 1)),
    call("read fault", 2, |stage| {
        stage.world.load(stage.far.1).map(drop)
    }),
    call("vmo_write", 2, |stage| {
        stage.far.0.write(5 * P as u64, &[1])
    }),
    call("vmo_set_size", 0, |stage| stage.vmo.set_size(3 * P as u64)),
    call("vmo_create", 1, |stage| {
        Vmo::create(stage.world.pages, new_koid(), 1, VmoOptions::empty()).map(drop::<Memory>)
    }),
    call("records", 0, |stage| records(&stage.vmar).map(drop)),
    call("destroy", 0, |stage| stage.vmar.destroy()),
];

const fn call(name: &'static str, least: usize, perform: fn(&Stage) -> Result<()>) -> Call {
    Call {
        name,
        least,
        perform,
    }
}

/// Maps the first pages of the VMO.
fn map(stage: &Stage, at: usize, pages: usize, place: VmOptions) -> Result<()> {
    let options = R | place;
    let request = request_at(at, &stage.vmo, 0, pages);
    let mapped = stage.vmar.map(MapRequest { options, ..request });
    mapped.map(drop)
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

/// Performs an operation on the mapping of six pages, all of which are there.
fn on_pages(stage: &Stage, op: RangeOp) -> Result<()> {
    let request = RangeRequest {
        op,
        address: page_of(&stage.vmar, 1),
        length: 6 * P,
        children: Allowed,
    };
    stage.vmar.op_range(request, || Ok(()))
}

#[test]
fn every_call_that_finds_no_memory_changes_nothing() {
    for call in CALLS {
        let failures = fails_cleanly(call.perform, call.name);
        let name = call.name;
        assert!(
            failures >= call.least,
            "{name}: only {failures} allocations failed"
        );
        assert!(
            call.least > 0 || failures == 0,
            "{name} needs memory: {failures} allocations"
        );
    }
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
