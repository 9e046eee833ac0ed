//! `spec/vmar.md` §8: the checks of an operation on a range, in order, and what each operation does.

use syscall::{Result, Status, VmOptions, VmarOp};

use crate::addr::{PAGE_SIZE, VirtAddr};
use crate::mmu::{Access, Domain, MemoryType};
use crate::testing::*;
use crate::vmar::OpChildren::{self, Allowed, Forbidden};
use crate::vmar::{MapRequest, RangeOp, RangeRequest};
use crate::vmo::Vmo;

use RangeOp::{AlwaysNeed, Commit, Decommit, DontNeed, MapRange, Prefetch, Zero};

const P: usize = PAGE_SIZE;

const ALL: [RangeOp; 7] = [
    Commit, Decommit, MapRange, Zero, DontNeed, AlwaysNeed, Prefetch,
];

/// Performs `op` on any bytes.
fn on_bytes(
    vmar: &Region,
    op: RangeOp,
    (address, length): (VirtAddr, usize),
    children: OpChildren,
) -> Result<()> {
    let request = RangeRequest {
        op,
        address,
        length,
        children,
    };
    vmar.op_range(request, || Ok(()))
}

/// Performs `op` on `pages` pages of a region from page `first` on.
fn on_pages(vmar: &Region, op: RangeOp, first: usize, pages: usize) -> Result<()> {
    on_bytes(vmar, op, (page_of(vmar, first), pages * P), Allowed)
}

fn committed_pages(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P as u64
}

fn entered(world: &World, vmar: &Region) -> Vec<usize> {
    let pages = 0..vmar.range().pages().get();
    pages
        .filter(|page| world.is_entered(page_of(vmar, *page)))
        .collect()
}

#[test]
fn every_number_is_its_operation_or_refused() {
    let known: Vec<_> = (0..20)
        .filter_map(|raw| RangeOp::try_from(VmarOp::from_raw(raw)).ok())
        .collect();
    assert_eq!(
        known,
        [
            Commit, Decommit, MapRange, Zero, DontNeed, AlwaysNeed, Prefetch
        ]
    );
    for raw in [0, 4, 5, 9, 11, 15, u32::MAX] {
        let refused = RangeOp::try_from(VmarOp::from_raw(raw));
        assert_eq!(refused, Err(Status::INVALID_ARGS));
    }
}

#[test]
fn ranges_must_be_pages_inside_and_alive() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    let base = page_of(&vmar, 0);
    let below = VirtAddr::new(base.raw() - P);
    let end = vmar.range().end();
    for op in ALL {
        for (address, length, status) in [
            (base, 0, Status::INVALID_ARGS),
            (base, usize::MAX, Status::INVALID_ARGS),
            (base.checked_add(1).expect("small"), P, Status::INVALID_ARGS),
            (VirtAddr::new(1), usize::MAX / 2, Status::INVALID_ARGS),
            (below, P, Status::OUT_OF_RANGE),
            (below, 2 * P, Status::OUT_OF_RANGE),
            (base, 4 * P + 1, Status::OUT_OF_RANGE),
            (end, P, Status::OUT_OF_RANGE),
            (base, usize::MAX - P, Status::OUT_OF_RANGE),
            (base, usize::MAX - P + 1, Status::OUT_OF_RANGE),
        ] {
            world.refuses(status, || on_bytes(&vmar, op, (address, length), Allowed));
        }
        assert_eq!(on_bytes(&vmar, op, (base, 4 * P - 1), Forbidden), Ok(()));
    }
    vmar.destroy().expect("alive");
    for op in ALL {
        assert_eq!(on_pages(&vmar, op, 0, 1), Err(Status::BAD_STATE));
        // Where it is comes before whether it is alive.
        assert_eq!(on_pages(&vmar, op, 3, 2), Err(Status::OUT_OF_RANGE));
        assert_eq!(on_pages(&vmar, op, 0, 0), Err(Status::INVALID_ARGS));
    }
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn holes_are_refused_where_they_are_met() {
    let world = World::new();
    let (vmar, low, high) = (world.vmar(12), world.vmo(3), world.vmo(3));
    for op in ALL {
        assert_eq!(on_pages(&vmar, op, 0, 12), Err(Status::BAD_STATE));
    }
    vmar.map(request_at(1, &low, 0, 3)).expect("free");
    vmar.map(request_at(8, &high, 0, 3)).expect("free");
    let empty = vmar
        .allocate(CAN_ALL | SPECIFIC, 4 * P, 4 * P)
        .expect("free");
    for op in ALL {
        for (first, pages) in [(0, 2), (0, 1), (3, 2), (1, 10), (4, 5), (10, 2), (11, 1)] {
            assert_eq!(on_pages(&vmar, op, first, pages), Err(Status::BAD_STATE));
        }
    }
    assert_eq!(on_pages(&vmar, Commit, 10, 2), Err(Status::BAD_STATE));
    assert_eq!(committed_pages(&high), 1, "page 10 comes before the hole");
    assert_eq!(on_pages(&vmar, Commit, 1, 11), Err(Status::BAD_STATE));
    assert_eq!(committed_pages(&low), 3);
    drop((vmar, low, high, empty));
    finish(world);
}

#[test]
fn mappings_of_vmars_below_are_for_some_operations_only() {
    let world = World::new();
    let (vmar, own, other) = (world.vmar(8), world.vmo(2), world.numbered_vmo(2));
    vmar.map(request_at(0, &own, 0, 2)).expect("free");
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 2 * P, 2 * P)
        .expect("free");
    child.map(request_at(0, &other, 0, 2)).expect("free");
    let below = (page_of(&vmar, 2), 2 * P);
    for op in ALL {
        let refused = Err(Status::INVALID_ARGS);
        assert_eq!(on_bytes(&vmar, op, below, Forbidden), refused);
        assert_eq!(on_bytes(&child, op, below, Forbidden), Ok(()));
        vmo_is_numbered_again(&other);
        let expected = match op {
            Commit | Decommit | Prefetch => refused,
            MapRange | Zero | DontNeed | AlwaysNeed => Ok(()),
        };
        assert_eq!(on_bytes(&vmar, op, below, Allowed), expected, "{op:?}");
        vmo_is_numbered_again(&other);
    }
    // Its own mapping comes first, and stays committed.
    assert_eq!(on_pages(&vmar, Commit, 0, 4), Err(Status::INVALID_ARGS));
    assert_eq!(committed_pages(&own), 2);
    drop((vmar, child, own, other));
    finish(world);
}

fn vmo_is_numbered_again(vmo: &Memory) {
    for page in 0..vmo.size() / P as u64 {
        vmo.write(page * P as u64, &[page as u8 + 1])
            .expect("memory");
    }
}

#[test]
fn an_operation_needs_what_the_mapping_may_become() {
    let world = World::new();
    for (permitted, options) in [
        (Access::READ, R),
        (Access::READ | Access::WRITE, R),
        (Access::READ | Access::WRITE, VmOptions::empty()),
        (Access::EXECUTE, VmOptions::empty()),
    ] {
        let (vmar, vmo) = (world.vmar(1), world.vmo(1));
        let request = MapRequest {
            permitted,
            ..request(options, &vmo, 1)
        };
        vmar.map(request).expect("free");
        for op in ALL {
            let needed = match op {
                Commit | Decommit | Zero => Access::WRITE,
                Prefetch => Access::READ,
                MapRange | DontNeed | AlwaysNeed => Access::empty(),
            };
            let expected = if permitted.contains(needed) {
                Ok(())
            } else {
                Err(Status::ACCESS_DENIED)
            };
            assert_eq!(on_pages(&vmar, op, 0, 1), expected, "{op:?} {permitted:?}");
        }
        vmar.destroy().expect("alive");
    }
    finish(world);
}

#[test]
fn the_vmo_must_have_the_pages() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.vmo(2));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    for op in ALL {
        let expected = match op {
            Commit | Decommit | Zero | Prefetch => Err(Status::OUT_OF_RANGE),
            MapRange | DontNeed | AlwaysNeed => Ok(()),
        };
        assert_eq!(on_pages(&vmar, op, 1, 2), expected);
        assert_eq!(on_pages(&vmar, op, 3, 1), expected);
        assert_eq!(on_pages(&vmar, op, 0, 2), Ok(()));
        assert_eq!(on_pages(&vmar, Decommit, 0, 2), Ok(()));
    }
    assert_eq!(committed_pages(&vmo), 0);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn a_mapping_that_faults_beyond_the_stream_ends_with_it() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.resizable(4));
    vmo.set_stream_size(P as u64 + 1, || ()).expect("smaller");
    let options = VmOptions::ALLOW_FAULTS | VmOptions::FAULT_BEYOND_STREAM_SIZE;
    let request = MapRequest {
        options: R | options | SPECIFIC,
        permitted: Access::READ,
        ..request_at(0, &vmo, 0, 4)
    };
    vmar.map(request).expect("free");
    for op in ALL {
        // The stream comes before the permission.
        assert_eq!(on_pages(&vmar, op, 1, 2), Err(Status::OUT_OF_RANGE));
        let expected = match op {
            Commit | Decommit | Zero => Err(Status::ACCESS_DENIED),
            MapRange | DontNeed | AlwaysNeed | Prefetch => Ok(()),
        };
        assert_eq!(on_pages(&vmar, op, 0, 2), expected);
    }
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn what_has_no_pages_of_its_own_can_only_be_entered() {
    let world = World::new();
    let vmar = world.vmar(4);
    let vmo = Vmo::physical(world.pages, new_koid(), device(2), MemoryType::Uncached);
    let vmo = vmo.expect("memory");
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    for op in ALL {
        let expected = match op {
            Commit | Decommit | Zero | Prefetch => Err(Status::NOT_SUPPORTED),
            MapRange | DontNeed | AlwaysNeed => Ok(()),
        };
        assert_eq!(on_pages(&vmar, op, 0, 4), expected, "{op:?}");
    }
    assert_eq!(entered(&world, &vmar), [0, 1]);
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn the_kernel_never_takes_pages_from_itself() {
    let mut world = World::new();
    let kernel = world.another_space(Domain::Kernel);
    let (root, vmo) = (kernel.root().expect("alive"), world.vmo(1));
    let base = root.map(request(RW, &vmo, 1)).expect("room");
    for op in ALL {
        let refused = on_bytes(&root, op, (base, P), Allowed);
        assert_eq!(refused, Err(Status::NOT_SUPPORTED));
    }
    drop((root, vmo, kernel));
    finish(world);
}

#[test]
fn commit_makes_and_enters_every_page() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(8), world.vmo(8));
    vmar.map(request_at(0, &vmo, 0, 8)).expect("free");
    vmar.protect(R, page_of(&vmar, 3), P, Allowed)
        .expect("mapped");
    vmar.protect(VmOptions::empty(), page_of(&vmar, 4), P, Allowed)
        .expect("mapped");
    assert_eq!(world.store(page_of(&vmar, 2), 7), Ok(()));
    // The page of zeros is in the way of this one.
    assert_eq!(world.load(page_of(&vmar, 5)), Ok(0));
    assert_eq!(on_pages(&vmar, Commit, 1, 5), Ok(()));
    assert_eq!(committed_pages(&vmo), 5);
    assert_eq!(entered(&world, &vmar), [1, 2, 3, 5]);
    assert_eq!(world.load(page_of(&vmar, 2)), Ok(7));
    vmo.write(5 * P as u64, &[9]).expect("present");
    assert_eq!(world.load(page_of(&vmar, 5)), Ok(9));
    assert_eq!(world.store(page_of(&vmar, 1), 3), Ok(()));
    assert_eq!(
        world.store(page_of(&vmar, 3), 3),
        Err(Status::ACCESS_DENIED)
    );
    let before = world.snapshot();
    assert_eq!(on_pages(&vmar, Commit, 1, 5), Ok(()));
    assert_eq!(world.snapshot(), before, "committing twice changes nothing");
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn pages_that_are_given_back_are_reached_by_nobody() {
    for op in [Decommit, Zero] {
        let mut world = World::new();
        let (vmar, vmo) = (world.vmar(6), world.numbered_vmo(6));
        vmar.map(request_at(0, &vmo, 0, 6)).expect("free");
        let other = world.another_space(Domain::User);
        let there = other.root().expect("alive").map(request(RW, &vmo, 6));
        let there = there.expect("room");
        let see = |page: usize| {
            let there = there.checked_add(page * P).expect("mapped");
            world.load_everywhere(&[(&world.space, page_of(&vmar, page)), (&other, there)])
        };
        assert_eq!(see(2), [Ok(3); 2 * CPUS]);
        let free_before = world.pages.counts().free;
        assert_eq!(on_pages(&vmar, op, 1, 3), Ok(()));
        assert!(world.pages.counts().free > free_before);
        assert_eq!(committed_pages(&vmo), 3);
        world.space.mmu().assert_nothing_is_stale();
        other.mmu().assert_nothing_is_stale();
        for (page, byte) in [(0, 1), (1, 0), (2, 0), (3, 0), (4, 5)] {
            assert_eq!(see(page), [Ok(byte); 2 * CPUS], "{op:?} page {page}");
        }
        assert_eq!(world.store(page_of(&vmar, 2), 8), Ok(()));
        assert_eq!(see(2), [Ok(8); 2 * CPUS]);
        drop((vmar, vmo, other));
        finish(world);
    }
}

#[test]
fn entering_skips_what_is_absent_or_forbidden() {
    for op in [MapRange, AlwaysNeed, Prefetch] {
        let world = World::new();
        let (vmar, vmo) = (world.vmar(8), world.vmo(6));
        for page in [1, 2, 4] {
            vmo.write(page * P as u64, &[page as u8]).expect("memory");
        }
        vmar.map(request_at(0, &vmo, 0, 6)).expect("free");
        vmar.protect(VmOptions::empty(), page_of(&vmar, 2), P, Allowed)
            .expect("mapped");
        assert_eq!(on_pages(&vmar, op, 1, 5), Ok(()));
        assert_eq!(entered(&world, &vmar), [1, 4], "{op:?}");
        assert_eq!(committed_pages(&vmo), 3);
        assert_eq!(world.load(page_of(&vmar, 4)), Ok(4));
        drop((vmar, vmo));
        finish(world);
    }
}

#[test]
fn a_hint_changes_nothing() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(2), world.numbered_vmo(1));
    vmar.map(request_at(0, &vmo, 0, 2)).expect("free");
    let before = world.snapshot();
    assert_eq!(on_pages(&vmar, DontNeed, 0, 2), Ok(()));
    assert_eq!(world.snapshot(), before);
    assert_eq!(entered(&world, &vmar), []);
    drop((vmar, vmo));
    finish(world);
}
