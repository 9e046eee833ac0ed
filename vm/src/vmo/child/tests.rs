//! Children of VMOs, through calls and through mappings.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::vec::Vec;

use syscall::{Result, Status, VmOptions, VmoChildOptions, VmoOptions};

use super::*;
use crate::testing::*;
use crate::vmar::{MapRequest, OpChildren, RangeOp, RangeRequest};
use crate::vmo::ChildObserver;

const P: u64 = PAGE_SIZE as u64;
const SNAPSHOT: VmoChildOptions = VmoChildOptions::SNAPSHOT;
const SLICE: VmoChildOptions = VmoChildOptions::SLICE;
const REFERENCE: VmoChildOptions = VmoChildOptions::REFERENCE;

fn child(parent: &Memory, options: VmoChildOptions, first: u64, pages: u64) -> Result<Memory> {
    parent.create_child(ChildRequest {
        koid: new_koid(),
        options,
        offset: first * P,
        size: pages * P,
        may_resize: false,
    })
}

fn snapshot(parent: &Memory, pages: u64) -> Memory {
    child(parent, SNAPSHOT, 0, pages).expect("memory")
}

fn byte(vmo: &Memory, page: u64) -> u8 {
    let mut byte = [0];
    vmo.read(page * P, &mut byte).expect("inside");
    byte[0]
}

fn bytes(vmo: &Memory) -> Vec<u8> {
    (0..vmo.size() / P).map(|page| byte(vmo, page)).collect()
}

fn set(vmo: &Memory, page: u64, value: u8) {
    vmo.write(page * P, &[value]).expect("memory");
}

#[test]
fn a_snapshot_and_its_parent_go_their_own_ways() {
    let world = World::new();
    let parent = world.numbered_vmo(4);
    let frames = world.pages.counts();
    let first = snapshot(&parent, 4);
    assert_eq!(
        world.pages.counts(),
        frames,
        "a snapshot has no pages of its own"
    );
    set(&parent, 0, 90);
    let second = snapshot(&parent, 4);
    set(&first, 1, 91);
    set(&second, 0, 92);
    set(&parent, 3, 93);
    assert_eq!(bytes(&parent), [90, 2, 3, 93]);
    assert_eq!(bytes(&first), [1, 91, 3, 4]);
    assert_eq!(bytes(&second), [92, 2, 3, 4]);
    drop(parent);
    assert_eq!(bytes(&first), [1, 91, 3, 4]);
    drop(first);
    assert_eq!(bytes(&second), [92, 2, 3, 4]);
    drop(second);
    finish(world);
}

#[test]
fn mappings_of_both_see_only_their_own_writes() {
    let world = World::new();
    let parent = world.numbered_vmo(3);
    let vmar = world.vmar(12);
    vmar.map(request_at(0, &parent, 0, 3)).expect("free");
    // Written through the mapping before, so that the page table allows it.
    world.store(page_of(&vmar, 0), 50).expect("mapped");
    let clone = snapshot(&parent, 3);
    vmar.map(request_at(4, &clone, 0, 3)).expect("free");
    vmar.map(request_at(8, &clone, 0, 3)).expect("free");
    let at = |page| page_of(&vmar, page);
    for cpu in 0..CPUS {
        for page in 0..11 {
            let _ = world.load_on(cpu, &world.space, at(page));
        }
    }
    world.store(at(0), 60).expect("mapped");
    world.store(at(5), 61).expect("mapped");
    let places = [0, 4, 8, 1, 5, 9].map(|page| (&world.space, at(page)));
    for seen in world.load_everywhere(&places).chunks(places.len()) {
        let seen: Vec<u8> = seen.iter().map(|byte| byte.expect("mapped")).collect();
        assert_eq!(seen, [60, 50, 50, 2, 61, 61]);
    }
    drop(parent);
    set(&clone, 2, 62);
    assert_eq!(world.load(at(10)), Ok(62));
    assert_eq!(world.load(at(2)), Ok(3));
    drop((vmar, clone));
    finish(world);
}

#[test]
fn the_last_of_several_sharers_writes_without_a_copy() {
    let world = World::new();
    let parent = world.numbered_vmo(2);
    let clone = snapshot(&parent, 2);
    set(&parent, 0, 9);
    drop(parent);
    let frames = world.pages.counts();
    set(&clone, 0, 8);
    set(&clone, 1, 7);
    assert_eq!(world.pages.counts(), frames);
    drop(clone);
    finish(world);
}

#[test]
fn a_snapshot_of_a_part_keeps_nothing_else_alive() {
    let world = World::new();
    let parent = world.numbered_vmo(200);
    let before = world.pages.counts();
    let clone = child(&parent, SNAPSHOT, 60, 10).expect("memory");
    drop(parent);
    let freed = world.pages.counts().free.get() - before.free.get();
    assert_eq!(freed, 190);
    assert_eq!(bytes(&clone), (61..71).collect::<Vec<u8>>());
    drop(clone);
    finish(world);
}

#[test]
fn what_lies_beyond_the_parent_reads_as_zero_for_ever() {
    let world = World::new();
    let parent = world.numbered_vmo(2);
    let clone = child(&parent, SNAPSHOT | VmoChildOptions::RESIZABLE, 1, 3).expect("memory");
    parent.set_size(8 * P).expect("resizable");
    set(&parent, 2, 77);
    assert_eq!(bytes(&clone), [2, 0, 0]);
    clone.set_size(0).expect("resizable");
    clone.set_size(5 * P).expect("resizable");
    assert_eq!(bytes(&clone), [0; 5]);
    drop((parent, clone));
    finish(world);
}

#[test]
fn a_snapshot_of_a_slice_ends_with_the_slice() {
    let world = World::new();
    let parent = world.vmo(6);
    for page in 0..6 {
        set(&parent, page, page as u8 + 1);
    }
    let slice = child(&parent, SLICE, 2, 3).expect("memory");
    let clone = child(&slice, SNAPSHOT, 1, 4).expect("memory");
    assert_eq!(bytes(&clone), [4, 5, 0, 0]);
    drop((parent, slice));
    assert_eq!(bytes(&clone), [4, 5, 0, 0]);
    drop(clone);
    finish(world);
}

#[test]
fn slices_and_references_show_their_parents_pages() {
    let world = World::new();
    let parent = world.vmo(6);
    let slice = child(&parent, SLICE, 1, 4).expect("memory");
    let narrow = child(&slice, SLICE, 2, 1).expect("memory");
    let reference = child(&parent, REFERENCE, 0, 0).expect("memory");
    set(&slice, 2, 5);
    assert_eq!(
        (byte(&parent, 3), byte(&narrow, 0), byte(&reference, 3)),
        (5, 5, 5)
    );
    assert_eq!(
        (slice.size(), narrow.size(), reference.size()),
        (4 * P, P, 6 * P)
    );
    // Nothing is copied if not all can be.
    assert_eq!(narrow.write(P - 1, &[1, 1]), Err(Status::OUT_OF_RANGE));
    assert_eq!(narrow.read(P - 1, &mut [0, 0]), Err(Status::OUT_OF_RANGE));
    assert_eq!(bytes(&parent), [0, 0, 0, 5, 0, 0]);
    assert_eq!(parent.info().memory_use.committed_bytes, P);
    let vmar = world.vmar(8);
    vmar.map(MapRequest {
        options: RW | SPECIFIC | VmOptions::ALLOW_FAULTS,
        ..request_at(0, &narrow, 0, 2)
    })
    .expect("free");
    assert_eq!(world.load(page_of(&vmar, 0)), Ok(5));
    assert_eq!(world.load(page_of(&vmar, 1)), Err(Status::OUT_OF_RANGE));
    set(&reference, 3, 6);
    assert_eq!(world.load(page_of(&vmar, 0)), Ok(6));
    assert_eq!(slice.info().num_mappings, 0);
    assert_eq!(narrow.info().num_mappings, 1);
    drop(parent);
    assert_eq!(byte(&narrow, 0), 6);
    drop((vmar, slice, narrow, reference));
    finish(world);
}

#[test]
fn children_of_a_child_that_goes_are_left_to_its_parent() {
    struct Listener(AtomicUsize);
    impl ChildObserver for Listener {
        fn children_changed(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let world = World::new();
    let parent = world.vmo(2);
    let listener = Arc::new(Listener(AtomicUsize::new(0)));
    let observer: Arc<dyn ChildObserver> = listener.clone();
    parent.set_child_observer(Arc::downgrade(&observer));
    let middle = snapshot(&parent, 2);
    let (left, right) = (
        snapshot(&middle, 2),
        child(&middle, SLICE, 0, 1).expect("memory"),
    );
    assert_eq!((parent.num_children(), middle.num_children()), (1, 2));
    assert_eq!(left.parent_koid(), middle.koid());
    let koid = middle.koid();
    drop(middle);
    // The slice needs its owner.
    assert_eq!((parent.num_children(), right.parent_koid()), (1, koid));
    drop(right);
    assert_eq!(
        (parent.num_children(), left.parent_koid()),
        (1, parent.koid())
    );
    // It heard of both, the slice and the owner.
    assert_eq!(listener.0.load(Ordering::Relaxed), 2);
    drop(left);
    assert_eq!(parent.num_children(), 0);
    assert_eq!(listener.0.load(Ordering::Relaxed), 3);
    drop((parent, observer, listener));
    finish(world);
}

#[test]
fn many_generations_neither_leak_nor_recurse() {
    let world = World::new();
    let mut generation = world.numbered_vmo(3);
    for round in 0..20_000 {
        let next = snapshot(&generation, 3);
        set(&next, 1, round as u8);
        if round % 3 == 0 {
            set(&generation, 2, 1);
        }
        generation = next;
    }
    assert_eq!(bytes(&generation), [1, (19_999 % 256) as u8, 3]);
    let slices = (0..5_000).fold(std::vec![world.vmo(1)], |mut slices, _| {
        let slice = child(slices.last().expect("one"), SLICE, 0, 1).expect("memory");
        slices.push(slice);
        slices
    });
    set(&slices[5_000], 0, 3);
    assert_eq!(byte(&slices[0], 0), 3);
    drop((generation, slices));
    finish(world);
}

#[test]
fn a_large_page_is_copied_page_by_page() {
    let world = World::with_frames(crate::aspace::Aslr::Off, 4096);
    let vmo = world.vmo(512);
    let vmar = world.root.clone();
    let base = vmar
        .map(MapRequest {
            options: RW,
            ..request_at(0, &vmo, 0, 512)
        })
        .expect("free");
    let commit = RangeRequest {
        op: RangeOp::Commit,
        address: base,
        length: 512 * PAGE_SIZE,
        children: OpChildren::Allowed,
    };
    vmar.op_range(commit, || Ok(())).expect("memory");
    let clone = snapshot(&vmo, 512);
    world.store(base, 1).expect("mapped");
    assert_eq!((byte(&clone, 0), world.load(base)), (0, Ok(1)));
    drop((vmar, clone, vmo));
    finish(world);
}

#[test]
fn operations_through_mappings_see_slices_and_copies() {
    let world = World::new();
    let parent = world.vmo(4);
    let slice = child(&parent, SLICE, 1, 2).expect("memory");
    let vmar = world.vmar(3);
    vmar.map(request_at(0, &slice, 0, 3)).expect("room");
    let on_pages = |op, pages: usize| {
        let request = RangeRequest {
            op,
            address: page_of(&vmar, 0),
            length: pages * PAGE_SIZE,
            children: OpChildren::Allowed,
        };
        vmar.op_range(request, || Ok(()))
    };
    // The third page would be the parent's.
    for op in [RangeOp::Commit, RangeOp::Zero, RangeOp::Decommit] {
        assert_eq!(on_pages(op, 3), Err(Status::OUT_OF_RANGE), "{op:?}");
    }
    assert_eq!(parent.info().memory_use.committed_bytes, 0);
    assert_eq!(on_pages(RangeOp::Commit, 2), Ok(()));
    let copy = snapshot(&parent, 4);
    assert_eq!(
        on_pages(RangeOp::Decommit, 2),
        Err(Status::NOT_SUPPORTED),
        "the pages have been copied"
    );
    assert_eq!(copy.info().memory_use.committed_bytes, 2 * P);
    drop(copy);
    assert_eq!(on_pages(RangeOp::Decommit, 2), Ok(()));
    assert_eq!(parent.info().memory_use.committed_bytes, 0);
    drop((parent, slice, vmar));
    finish(world);
}

#[test]
fn checks_come_in_their_order() {
    let world = World::new();
    let plain = world.vmo(4);
    let resizable = world.resizable(4);
    let discardable = world.vmo_with(4, VmoOptions::DISCARDABLE);
    let no_write = VmoChildOptions::NO_WRITE;
    let resize = VmoChildOptions::RESIZABLE;
    let ask = |parent: &Memory, options, offset, size| {
        let request = ChildRequest {
            koid: new_koid(),
            options,
            offset,
            size,
            may_resize: false,
        };
        parent.create_child(request).map(drop)
    };
    let invalid = Err(Status::INVALID_ARGS);
    assert_eq!(
        ask(&plain, SNAPSHOT, 0, u64::MAX),
        Err(Status::OUT_OF_RANGE)
    );
    for options in [
        VmoChildOptions::empty(),
        SNAPSHOT | SLICE,
        SLICE | REFERENCE,
        SLICE | resize,
        SNAPSHOT | VmoChildOptions::SNAPSHOT_MODIFIED,
        SNAPSHOT | resize | no_write,
        SNAPSHOT | VmoChildOptions::from_bits_retain(2),
    ] {
        assert_eq!(ask(&plain, options, 0, P), invalid, "{options:?}");
        assert_eq!(ask(&discardable, options, 0, P), invalid, "{options:?}");
    }
    for options in [SNAPSHOT, SLICE, REFERENCE] {
        assert_eq!(ask(&discardable, options, 1, P), Err(Status::NOT_SUPPORTED));
    }
    for options in [SNAPSHOT, SLICE] {
        assert_eq!(ask(&plain, options, 1, P), invalid);
        assert_eq!(
            ask(&plain, options, 0, MAX_SIZE + P),
            Err(Status::OUT_OF_RANGE)
        );
    }
    assert_eq!(ask(&plain, SNAPSHOT, u64::MAX - P + 1, MAX_SIZE), invalid);
    assert_eq!(ask(&plain, SNAPSHOT, u64::MAX - P + 1, P), invalid);
    assert_eq!(ask(&plain, SNAPSHOT, u64::MAX - P + 1, 0), Ok(()));
    assert_eq!(ask(&plain, SNAPSHOT, 1 << 62, P), Ok(()));
    assert_eq!(ask(&plain, SLICE, 3 * P, 2 * P), invalid);
    assert_eq!(ask(&resizable, SLICE, 3 * P, 2 * P), invalid);
    assert_eq!(ask(&resizable, SLICE, 0, P), Err(Status::NOT_SUPPORTED));
    assert_eq!(ask(&plain, SLICE, 4 * P, 0), Ok(()));
    assert_eq!(ask(&plain, REFERENCE, 0, P), invalid);
    assert_eq!(
        ask(&plain, REFERENCE | resize, 0, 0),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(ask(&plain, REFERENCE, 0, 0), Ok(()));
    drop((plain, resizable, discardable));
    finish(world);
}
