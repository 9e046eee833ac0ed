//! What programs see when they touch memory: `spec/vmar.md` §11, on several processors.

use syscall::{Status, VmOptions, VmoOptions};

use crate::addr::{PAGE_SIZE, VirtAddr};
use crate::explain::{Refusal, RegionReportKind};
use crate::mmu::{Access, Domain};
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;

const P: usize = PAGE_SIZE;

fn page(base: VirtAddr, number: usize) -> VirtAddr {
    base.checked_add(number * P).expect("in the mapping")
}

fn committed_pages(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P as u64
}

#[test]
fn faults_say_why_they_cannot_be_resolved() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(8), world.vmo(2));
    vmar.map(request_at(1, &vmo, 0, 3)).expect("free");
    vmar.protect(R, page_of(&vmar, 3), P, Allowed)
        .expect("mapped");
    let outside = VirtAddr::new(0x1000);
    for hole in [page_of(&vmar, 0), page_of(&vmar, 4), outside] {
        assert_eq!(world.load(hole), Err(Status::NOT_FOUND));
    }
    assert_eq!(world.fetch(page_of(&vmar, 1)), Err(Status::ACCESS_DENIED));
    // The permission is looked at before the size.
    assert_eq!(
        world.store(page_of(&vmar, 3), 1),
        Err(Status::ACCESS_DENIED)
    );
    assert_eq!(world.load(page_of(&vmar, 3)), Err(Status::OUT_OF_RANGE));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn reading_commits_nothing_and_writing_one_page() {
    let world = World::new();
    let vmo = world.vmo(4);
    let base = world.root.map(request(RW, &vmo, 4)).expect("room");
    for number in 0..4 {
        assert_eq!(world.load(page(base, number)), Ok(0));
    }
    assert_eq!(committed_pages(&vmo), 0);
    for cpu in 0..CPUS {
        assert_eq!(world.load_on(cpu, &world.space, page(base, 2)), Ok(0));
    }
    assert_eq!(world.store(page(base, 2), 5), Ok(()));
    assert_eq!(committed_pages(&vmo), 1);
    for cpu in 0..CPUS {
        assert_eq!(world.load_on(cpu, &world.space, page(base, 2)), Ok(5));
    }
    drop(vmo);
    finish(world);
}

#[test]
fn present_neighbours_in_the_window_are_entered_along() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(64), world.numbered_vmo(40));
    vmar.map(request_at(0, &vmo, 0, 40)).expect("free");
    let unaligned = (vmar.range().base().raw() / P) % 16;
    let touched = 20;
    vmar.protect(R, page_of(&vmar, touched + 1), P, Allowed)
        .expect("mapped");
    assert_eq!(world.load(page_of(&vmar, touched)), Ok(touched as u8 + 1));
    let window = (touched + unaligned) / 16;
    for number in 0..40 {
        // Beyond a page of other permissions, nothing is entered along.
        let expected = (number + unaligned) / 16 == window && number <= touched;
        assert_eq!(
            world.is_entered(page_of(&vmar, number)),
            expected,
            "page {number}"
        );
    }
    assert_eq!(world.store(page_of(&vmar, touched), 9), Ok(()));
    drop((vmar, vmo));
    finish(world);
}

#[test]
fn two_mappings_of_one_vmo_show_the_same() {
    let mut world = World::new();
    let vmo = world.vmo(2);
    let other = world.another_space(Domain::User);
    let here = world.root.map(request(RW, &vmo, 2)).expect("room");
    let there = other
        .root()
        .expect("alive")
        .map(request(RW, &vmo, 2))
        .expect("room");
    assert_eq!(world.load_on(1, &other, page(there, 1)), Ok(0));
    assert_eq!(world.store_on(0, &world.space, page(here, 1), 7), Ok(()));
    // The other address space has entered the page of zeros.
    assert_eq!(world.store_on(1, &other, there, 8), Ok(()));
    assert_eq!(world.load_on(2, &other, page(there, 1)), Ok(7));
    assert_eq!(world.load_on(3, &world.space, here), Ok(8));
    drop((vmo, other));
    finish(world);
}

#[test]
fn a_write_elsewhere_replaces_the_page_of_zeros_everywhere() {
    let mut world = World::new();
    let vmo = world.vmo(1);
    let other = world.another_space(Domain::User);
    let here = world.root.map(request(RW, &vmo, 1)).expect("room");
    let twice = world.root.map(request(R, &vmo, 1)).expect("room");
    let there = other
        .root()
        .expect("alive")
        .map(request(R, &vmo, 1))
        .expect("room");
    for cpu in 0..CPUS {
        assert_eq!(world.load_on(cpu, &world.space, twice), Ok(0));
        assert_eq!(world.load_on(cpu, &other, there), Ok(0));
    }
    assert_eq!(world.store(here, 6), Ok(()));
    for cpu in 0..CPUS {
        assert_eq!(world.load_on(cpu, &world.space, twice), Ok(6));
        assert_eq!(world.load_on(cpu, &other, there), Ok(6));
    }
    vmo.write(0, &[7]).expect("memory");
    assert_eq!(world.load(twice), Ok(7));
    drop((vmo, other));
    finish(world);
}

#[test]
fn a_vmo_written_by_call_replaces_the_page_of_zeros() {
    let world = World::new();
    let vmo = world.vmo(1);
    let base = world.root.map(request(R, &vmo, 1)).expect("room");
    for cpu in 0..CPUS {
        assert_eq!(world.load_on(cpu, &world.space, base), Ok(0));
    }
    vmo.write(5, b"x").expect("memory");
    for cpu in 0..CPUS {
        assert_eq!(world.load_on(cpu, &world.space, page(base, 0)), Ok(0));
        assert_eq!(
            world.load_on(cpu, &world.space, base.checked_add(5).expect("small")),
            Ok(b'x')
        );
    }
    drop(vmo);
    finish(world);
}

#[test]
fn shrinking_takes_pages_away_on_every_processor_and_growing_gives_zeros() {
    let mut world = World::new();
    let vmo = world.numbered_vmo(4);
    let other = world.another_space(Domain::User);
    let here = world.root.map(request(RW, &vmo, 6)).expect("room");
    let there = other
        .root()
        .expect("alive")
        .map(request(RW, &vmo, 4))
        .expect("room");
    let see = |number| {
        world.load_everywhere(&[
            (&world.space, page(here, number)),
            (&other, page(there, number)),
        ])
    };
    assert_eq!(see(3), [Ok(4); 2 * CPUS]);
    vmo.set_size(P as u64 + 10).expect("resizable");
    assert_eq!(see(3), [Err(Status::OUT_OF_RANGE); 2 * CPUS]);
    assert_eq!(see(1), [Ok(2); 2 * CPUS]);
    let tail = |offset| world.load(page(here, 1).checked_add(offset).expect("small"));
    assert_eq!((tail(9), tail(10), tail(P - 1)), (Ok(2), Ok(0), Ok(0)));
    vmo.set_size(6 * P as u64).expect("resizable");
    assert_eq!(see(3), [Ok(0); 2 * CPUS]);
    assert_eq!(world.load(page(here, 5)), Ok(0));
    drop((vmo, other));
    finish(world);
}

#[test]
fn a_stream_can_end_before_its_vmo() {
    let world = World::new();
    let vmo = world.vmo_with(1, VmoOptions::UNBOUNDED);
    let options = RW | VmOptions::ALLOW_FAULTS | VmOptions::FAULT_BEYOND_STREAM_SIZE;
    let base = world.root.map(request(options, &vmo, 3)).expect("room");
    assert_eq!(world.store(base, 1), Ok(()));
    assert_eq!(world.load(page(base, 1)), Err(Status::OUT_OF_RANGE));
    let plain = world.root.map(request(RW, &vmo, 3)).expect("room");
    assert_eq!(world.store(page(plain, 1), 2), Ok(()));
    assert_eq!(world.load(page(base, 1)), Err(Status::OUT_OF_RANGE));
    drop(vmo);
    finish(world);
}

#[test]
fn processors_fault_in_parallel() {
    let world = World::new();
    let vmo = world.vmo(256);
    let base = world.root.map(request(RW, &vmo, 256)).expect("room");
    std::thread::scope(|scope| {
        for cpu in 0..CPUS {
            let world = &world;
            scope.spawn(move || {
                for number in 0..256 {
                    let address = page(base, number).checked_add(cpu).expect("small");
                    world
                        .store_on(cpu, &world.space, address, cpu as u8 + 1)
                        .expect("memory");
                }
            });
        }
    });
    for number in 0..256 {
        let bytes: Vec<_> = (0..CPUS)
            .map(|at| world.load(page(base, number).checked_add(at).expect("small")))
            .collect();
        assert_eq!(bytes, [Ok(1), Ok(2), Ok(3), Ok(4)]);
    }
    assert_eq!(committed_pages(&vmo), 256);
    drop(vmo);
    finish(world);
}

#[test]
fn an_address_is_explained_by_what_is_around_it() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(12), world.vmo(1));
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 4 * P, 4 * P)
        .expect("free");
    child.map(request_at(0, &vmo, 0, 2)).expect("free");
    vmar.map(request_at(9, &vmo, 0, 1)).expect("free");
    world.store(page_of(&vmar, 4), 1).expect("mapped");
    let hole = world.space.explain(page_of(&vmar, 7));
    let ranges: Vec<_> = hole.chain.iter().map(|region| region.range).collect();
    assert_eq!(ranges, [world.root.range(), vmar.range(), child.range()]);
    assert_eq!(hole.read, Some(Refusal::NotMapped));
    let below = hole.below.expect("a mapping below");
    assert_eq!(below.range.base(), page_of(&vmar, 4));
    assert_eq!(
        hole.above.expect("a mapping above").range.base(),
        page_of(&vmar, 9)
    );
    let first = world.space.explain(page_of(&vmar, 0));
    assert!(first.below.is_none());
    let mapped = world.space.explain(page_of(&vmar, 5));
    assert_eq!(mapped.chain.len(), 4);
    let size = P as u64;
    assert_eq!(
        mapped.read,
        Some(Refusal::BeyondVmo {
            offset: size,
            limit: size
        })
    );
    let read_write = Access::READ | Access::WRITE;
    let refused = Refusal::NotAllowed {
        access: read_write,
        maximal: Access::all(),
    };
    assert_eq!(mapped.execute, Some(refused));
    let last = mapped.chain.last().map(|region| &region.kind);
    let Some(RegionReportKind::Mapping {
        vmo_size,
        committed_bytes,
        ..
    }) = last
    else {
        panic!("{last:?} is no mapping");
    };
    assert_eq!((*vmo_size, *committed_bytes), (size, size));
    let fine = world.space.explain(page_of(&vmar, 4));
    assert_eq!((fine.read, fine.write), (None, None));
    drop((vmar, vmo, child));
    finish(world);
}
