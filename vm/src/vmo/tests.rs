//! VMOs by themselves: `spec/vmo.md` §2 to §4 and §15.

mod families;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use syscall::{Name, Result, Status, VmoOptions};

use super::{CopyStep, MAX_SIZE, PageIndex, PageView, Vmo};
use crate::addr::{PAGE_SIZE, PhysAddr};
use crate::mmu::MemoryType;
use crate::sim::SimMmu;
use crate::testing::*;
use crate::try_alloc::fault::{fail_after, fail_each_in_turn};

const P: u64 = PAGE_SIZE as u64;

fn create(world: &World, size: u64, options: VmoOptions) -> Result<Memory> {
    Vmo::<SimMmu>::create(world.pages, new_koid(), size, options)
}

fn index(number: u64) -> PageIndex {
    PageIndex::new(number).expect("a page number")
}

fn committed_pages(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P
}

#[test]
fn creation_checks_options_and_size_in_the_documented_order() {
    let world = World::new();
    let both = VmoOptions::RESIZABLE | VmoOptions::UNBOUNDED;
    let unknown = VmoOptions::from_bits_retain(1 << 7);
    for (size, options, status) in [
        (u64::MAX, both, Status::INVALID_ARGS),
        (u64::MAX, unknown, Status::OUT_OF_RANGE),
        (P, unknown, Status::INVALID_ARGS),
        (P, VmoOptions::TRAP_DIRTY, Status::INVALID_ARGS),
        (MAX_SIZE + 1, unknown, Status::INVALID_ARGS),
        (u64::MAX - P + 1, VmoOptions::empty(), Status::OUT_OF_RANGE),
        (MAX_SIZE + 1, VmoOptions::empty(), Status::OUT_OF_RANGE),
    ] {
        assert_eq!(
            create(&world, size, options).err(),
            Some(status),
            "{size:#x} {options:?}"
        );
    }
    assert_eq!(MAX_SIZE, 0_u64.wrapping_sub(64 * P));
    let largest = create(&world, MAX_SIZE, VmoOptions::empty()).expect("memory");
    assert_eq!(largest.size(), MAX_SIZE);
    drop(largest);
    finish(world);
}

#[test]
fn a_new_vmo_is_rounded_up_and_costs_nothing() {
    let world = World::new();
    for (size, rounded) in [(0, 0), (1, P), (P, P), (P + 1, 2 * P)] {
        let vmo = create(&world, size, VmoOptions::empty()).expect("memory");
        assert_eq!((vmo.size(), vmo.stream_size()), (rounded, size));
        let info = vmo.info();
        assert_eq!(
            (info.num_mappings, info.share_count, info.metadata_bytes),
            (0, 0, 0)
        );
        assert_eq!(info.memory_use.committed_bytes, 0);
        assert_eq!(info.memory, MemoryType::Cached);
    }
    let unbounded = create(&world, 5, VmoOptions::UNBOUNDED).expect("memory");
    assert_eq!((unbounded.size(), unbounded.stream_size()), (MAX_SIZE, 5));
    assert_eq!(unbounded.set_size(P), Err(Status::UNAVAILABLE));
    drop(unbounded);
    finish(world);
}

#[test]
fn creation_without_memory_fails() {
    let world = World::new();
    let plan = fail_after(0);
    assert_eq!(
        create(&world, P, VmoOptions::empty()).err(),
        Some(Status::NO_MEMORY)
    );
    drop(plan);
    finish(world);
}

#[test]
fn a_name_can_be_changed() {
    let world = World::new();
    let vmo = world.vmo(1);
    assert!(vmo.name().is_empty());
    vmo.set_name(Name::new_lossy("stack"));
    assert_eq!(vmo.name(), "stack");
    drop(vmo);
    finish(world);
}

#[test]
fn copies_must_lie_inside() {
    let world = World::new();
    let vmo = world.vmo(2);
    let read = |offset, len: usize| vmo.read(offset, &mut vec![1; len]);
    assert_eq!(read(u64::MAX, 1), Err(Status::OUT_OF_RANGE));
    assert_eq!(read(2 * P, 1), Err(Status::OUT_OF_RANGE));
    assert_eq!(read(2 * P - 1, 2), Err(Status::OUT_OF_RANGE));
    assert_eq!(read(2 * P, 0), Ok(()));
    assert_eq!(read(2 * P + 1, 0), Err(Status::OUT_OF_RANGE));
    assert_eq!(vmo.write(P + 1, &[0; PAGE_SIZE]), Err(Status::OUT_OF_RANGE));
    assert_eq!(committed_pages(&vmo), 0);
    drop(vmo);
    finish(world);
}

#[test]
fn a_copy_is_cut_at_page_boundaries() {
    let world = World::new();
    let vmo = world.vmo(4);
    let steps: Vec<_> = vmo
        .copy_steps(P - 1, PAGE_SIZE + 3)
        .expect("inside")
        .collect();
    let step = |number, offset, len| CopyStep {
        index: index(number),
        offset,
        len,
    };
    let last = PAGE_SIZE - 1;
    assert_eq!(
        steps,
        [step(0, last, 1), step(1, 0, PAGE_SIZE), step(2, 0, 2)]
    );
    drop(vmo);
    finish(world);
}

#[test]
fn a_step_goes_on_where_it_stopped() {
    let step = CopyStep {
        index: index(3),
        offset: 8,
        len: 20,
    };
    let rest = CopyStep {
        index: index(3),
        offset: 13,
        len: 15,
    };
    assert_eq!((step.after(0), step.after(5)), (step, rest));
    assert_eq!(step.after(20).len, 0);
}

#[test]
fn reading_commits_nothing_and_writing_what_it_touches() {
    let world = World::new();
    let vmo = world.vmo(4);
    let mut buffer = [7; 3];
    vmo.read(P - 1, &mut buffer).expect("inside");
    assert_eq!((buffer, committed_pages(&vmo)), ([0; 3], 0));
    vmo.write(P - 1, b"abc").expect("memory");
    assert_eq!(committed_pages(&vmo), 2);
    assert_ne!(vmo.info().metadata_bytes, 0);
    vmo.read(P - 2, &mut buffer).expect("inside");
    assert_eq!(&buffer, b"\0ab");
    drop(vmo);
    finish(world);
}

#[test]
fn memory_that_is_not_cached_is_not_copied() {
    let world = World::new();
    let vmo = Vmo::<SimMmu>::physical(world.pages, new_koid(), device(1), MemoryType::Uncached);
    let vmo = vmo.expect("memory");
    assert_eq!(vmo.read(0, &mut [0]), Err(Status::BAD_STATE));
    assert_eq!(vmo.write(0, &[0]), Err(Status::BAD_STATE));
    // An end that does not fit comes first.
    assert_eq!(vmo.read(u64::MAX, &mut [0]), Err(Status::OUT_OF_RANGE));
    assert_eq!(
        vmo.with_page_for_read(index(0), |_| ()),
        Err(Status::BAD_STATE)
    );
    assert_eq!((vmo.size(), vmo.stream_size()), (P, 0));
    drop(vmo);
    finish(world);
}

#[test]
fn a_page_is_shown_while_the_vmo_is_locked() {
    let world = World::new();
    let vmo = world.numbered_vmo(2);
    let is_locked = || vmo.state().is_locked();
    assert_eq!(vmo.with_page_for_read(index(1), |_| is_locked()), Ok(true));
    assert_eq!(vmo.with_page_for_write(index(1), |_| is_locked()), Ok(true));
    assert!(!is_locked());
    drop(vmo);
    finish(world);
}

#[test]
fn copying_makes_pages_only_to_write_to_them() {
    let world = World::new();
    let vmo = world.vmo(2);
    let read = |number| vmo.with_page_for_read(index(number), |page| page.address());
    let write = |number| vmo.with_page_for_write(index(number), |mut page| page.bytes(0, 1).addr());
    let zeros = world.pages.zero_page();
    assert_eq!((read(0), committed_pages(&vmo)), (Ok(zeros), 0));
    let written = write(0).expect("memory");
    assert_eq!(committed_pages(&vmo), 1);
    let page = read(0).expect("present");
    assert_ne!(page, zeros);
    assert_eq!(world.pages.pointer(page).addr().get(), written);
    assert_eq!(write(0), Ok(written));
    let beyond = Err(Status::OUT_OF_RANGE);
    assert_eq!((read(2), write(2)), (beyond, beyond.map(|_: PhysAddr| 0)));
    assert_eq!(committed_pages(&vmo), 1);
    let _plan = world.pages.fail_after(0);
    assert_eq!(write(1), Err(Status::NO_MEMORY));
    assert_eq!(committed_pages(&vmo), 1);
    drop(vmo);
    finish(world);
}

#[test]
fn what_is_copied_lies_in_the_page() {
    let world = World::new();
    let vmo = world.numbered_vmo(1);
    let distance = |offset, len| {
        let show = |page: PageView<'_>| page.bytes(offset, len).addr() - page.bytes(0, 0).addr();
        vmo.with_page_for_read(index(0), show)
    };
    assert_eq!(distance(PAGE_SIZE - 3, 3), Ok(PAGE_SIZE - 3));
    for (offset, len) in [(PAGE_SIZE - 3, 4), (PAGE_SIZE + 1, 0), (1, usize::MAX)] {
        let copied = catch_unwind(AssertUnwindSafe(|| distance(offset, len)));
        assert!(copied.is_err(), "{len} bytes from {offset} on");
    }
    drop(vmo);
    finish(world);
}

#[test]
fn only_a_resizable_vmo_changes_its_size() {
    let world = World::new();
    let vmo = world.vmo(1);
    assert_eq!(vmo.set_size(u64::MAX), Err(Status::UNAVAILABLE));
    let resizable = world.resizable(1);
    for size in [u64::MAX, MAX_SIZE + 1] {
        assert_eq!(resizable.set_size(size), Err(Status::OUT_OF_RANGE));
    }
    assert_eq!((resizable.size(), resizable.stream_size()), (P, P));
    assert_eq!(resizable.set_size(MAX_SIZE), Ok(()));
    drop((vmo, resizable));
    finish(world);
}

#[test]
fn shrinking_frees_pages_and_zeroes_the_tail() {
    let world = World::new();
    let vmo = world.numbered_vmo(3);
    let free_before = world.pages.counts();
    vmo.set_size(P + 10).expect("resizable");
    assert_eq!((vmo.size(), vmo.stream_size()), (2 * P, P + 10));
    assert_eq!(committed_pages(&vmo), 2);
    assert_ne!(world.pages.counts(), free_before);
    let mut bytes = [0; PAGE_SIZE];
    vmo.read(P, &mut bytes).expect("inside");
    assert_eq!(
        (&bytes[..10], bytes[10], bytes[PAGE_SIZE - 1]),
        (&[2; 10][..], 0, 0)
    );
    // Growing within the page clears what is beyond again.
    vmo.write(P + 10, &[9; 20]).expect("memory");
    vmo.set_size(P + 20).expect("resizable");
    vmo.read(P, &mut bytes).expect("inside");
    assert_eq!((&bytes[10..20], bytes[20]), (&[9; 10][..], 0));
    drop(vmo);
    finish(world);
}

#[test]
fn writing_without_memory_leaves_the_page_absent() {
    let world = World::new();
    let vmo = world.vmo(1 << 20);
    vmo.write(0, &[1]).expect("memory");
    let (info, frames) = (vmo.info(), world.pages.counts());
    fail_each_in_turn(|_| {
        let result = vmo.write((P << 19) + 5, &[1]);
        if result.is_err() {
            assert_eq!(result, Err(Status::NO_MEMORY));
            assert_eq!((vmo.info(), world.pages.counts()), (info, frames));
        }
    });
    assert_eq!(committed_pages(&vmo), 2);
    let _plan = world.pages.fail_after(0);
    assert_eq!(vmo.write(P, &[1]), Err(Status::NO_MEMORY));
    assert_eq!(vmo.write(0, &[2]), Ok(()));
    assert_eq!(committed_pages(&vmo), 2);
    drop(vmo);
    finish(world);
}

const MODEL_PAGES: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    Write { at: usize, len: usize, byte: u8 },
    Read { at: usize, len: usize },
    Resize { size: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = MODEL_PAGES * PAGE_SIZE;
    let extent = move || (0..bytes, 0..2 * PAGE_SIZE);
    prop_oneof![
        3 => (extent(), any::<u8>()).prop_map(|((at, len), byte)| Step::Write { at, len, byte }),
        3 => extent().prop_map(|(at, len)| Step::Read { at, len }),
        1 => (0..=bytes).prop_map(|size| Step::Resize { size }),
    ]
}

/// The bytes `at .. at + len` of an array, if they are all in it.
fn part(bytes: &mut [u8], at: usize, len: usize) -> Result<&mut [u8]> {
    bytes.get_mut(at..at + len).ok_or(Status::OUT_OF_RANGE)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn behaves_like_an_array_of_bytes(steps in prop::collection::vec(step(), 1..60)) {
        let world = World::new();
        let vmo = world.resizable(MODEL_PAGES);
        let mut model = vec![0; MODEL_PAGES * PAGE_SIZE];
        let mut touched = [false; MODEL_PAGES];
        for step in steps {
            match step {
                Step::Write { at, len, byte } => {
                    let expected = part(&mut model, at, len).map(|bytes| bytes.fill(byte));
                    prop_assert_eq!(vmo.write(at as u64, &vec![byte; len]), expected);
                    if expected.is_ok() && len > 0 {
                        touched[at / PAGE_SIZE..=(at + len - 1) / PAGE_SIZE].fill(true);
                    }
                }
                Step::Read { at, len } => {
                    let mut buffer = vec![0xee; len];
                    let result = vmo.read(at as u64, &mut buffer).map(|()| &buffer[..]);
                    let expected = part(&mut model, at, len).map(|bytes| &*bytes);
                    prop_assert_eq!(result, expected);
                }
                Step::Resize { size } => {
                    vmo.set_size(size as u64).expect("resizable");
                    model.truncate(size);
                    model.resize(size.next_multiple_of(PAGE_SIZE), 0);
                    touched[size.div_ceil(PAGE_SIZE)..].fill(false);
                }
            }
            let committed = touched.iter().filter(|is_touched| **is_touched).count();
            prop_assert_eq!(committed_pages(&vmo), committed as u64);
        }
        drop(vmo);
        finish(world);
    }
}
