//! The page database: who owns which frame, and what happens when there are none.

use std::cell::Cell;
use std::vec::Vec;

use syscall::Status;

use super::*;
use crate::addr::{PAGE_SIZE, PageCount};
use crate::sim;

mod model;

std::thread_local! {
    static CPU: Cell<CpuId> = const { Cell::new(CpuId::BOOT) };
}

fn on_cpu(index: usize) {
    CPU.set(CpuId::new(index).expect("a possible processor"));
}

fn frames(first: usize, count: usize) -> PhysRange {
    PhysRange::new(PhysAddr::new(first * PAGE_SIZE), PageCount::new(count)).expect("a valid range")
}

fn database(ranges: &[PhysRange]) -> &'static PageDatabase {
    sim::database(ranges, || CPU.get())
}

#[track_caller]
fn audit(pages: &PageDatabase) -> FrameCounts {
    pages.audit().expect("the books agree with the frames")
}

/// Allocates until nothing is left.
fn exhaust(pages: &PageDatabase) -> Vec<Frame<owner::Vmo>> {
    let mut all = Vec::new();
    loop {
        match pages.allocate() {
            Ok(frame) => all.push(frame),
            Err(status) => {
                assert_eq!(status, Status::NO_MEMORY);
                return all;
            }
        }
    }
}

#[test]
fn a_frame_is_its_owners_until_it_is_freed() {
    let pages = database(&[frames(1024, 256)]);
    let before = audit(pages);
    let frame = pages.allocate::<owner::Heap>().expect("there is memory");
    let during = audit(pages);
    assert_eq!(during.owned_by(OwnerKind::Heap), PageCount::new(1));
    assert_eq!(during.free.get(), before.free.get() - 1);
    pages.free(frame);
    assert_eq!(audit(pages), before);
}

#[test]
fn free_frames_are_at_hand_in_the_depot_or_in_the_buddy() {
    let pages = database(&[frames(1024, 256)]);
    let check = || {
        let (counts, places) = pages.counts_with_places();
        assert_eq!(counts, audit(pages));
        let sum = places.caches.get() + places.depot.get() + places.buddy.get();
        assert_eq!(sum, counts.free.get());
        assert_eq!(places.buddy.get() % 64, 0, "whole blocks: {places:?}");
        places
    };
    check();
    let frame = pages.allocate::<owner::Vmo>().expect("there is memory");
    let during = check();
    pages.free(frame);
    let after = check();
    assert_eq!(after.caches.get(), during.caches.get() + 1);
    let all = exhaust(pages);
    let none = check();
    assert_eq!(
        (none.caches.get(), none.depot.get(), none.buddy.get()),
        (0, 0, 0)
    );
    all.into_iter().for_each(|frame| pages.free(frame));
    check();
}

#[test]
fn every_frame_can_be_had_once_and_no_more() {
    let ranges = [frames(1000, 100), frames(1200, 3), frames(1280, 200)];
    let pages = database(&ranges);
    let all = exhaust(pages);
    // One is the page of zeros.
    assert_eq!(all.len(), 100 + 3 + 200 - 1);
    let mut addresses: Vec<_> = all.iter().map(Frame::address).collect();
    addresses.push(pages.zero_page());
    addresses.sort();
    let expected: Vec<_> = ranges
        .iter()
        .flat_map(|range| {
            (0..range.pages().get()).map(|page| range.base().raw() + page * PAGE_SIZE)
        })
        .map(PhysAddr::new)
        .collect();
    assert_eq!(addresses, expected);
    assert_eq!(audit(pages).free, PageCount::ZERO);
    all.into_iter().for_each(|frame| pages.free(frame));
    assert_eq!(audit(pages).free, PageCount::new(302));
}

#[test]
fn frame_zero_is_never_handed_out() {
    let pages = database(&[frames(0, 70)]);
    assert_eq!(audit(pages).total, PageCount::new(69));
    let all = exhaust(pages);
    assert!(all.iter().all(|frame| frame.address() != PhysAddr::new(0)));
}

#[test]
fn frames_in_the_cache_of_one_cpu_are_not_lost_to_another() {
    let pages = database(&[frames(512, 128)]);
    on_cpu(1);
    let first = pages.allocate::<owner::Stack>().expect("there is memory");
    on_cpu(2);
    // The rest of the batch is in the first processor's cache, and one frame is the page of zeros.
    assert_eq!(exhaust(pages).len(), 126);
    pages.free(first);
    assert_eq!(audit(pages).owned_by(OwnerKind::Stack), PageCount::ZERO);
    on_cpu(0);
}

#[test]
fn whole_blocks_return_to_the_buddy() {
    let pages = database(&[frames(1 << 18, 4096)]);
    let all = exhaust(pages);
    assert_eq!(
        pages
            .allocate_contiguous::<owner::Heap>(PageCount::new(1024), 22)
            .err(),
        Some(Status::NO_MEMORY)
    );
    all.into_iter().for_each(|frame| pages.free(frame));
    assert!(
        pages.buddy_blocks() >= 4096 / 64 - 8,
        "{} blocks",
        pages.buddy_blocks()
    );
    let run = pages
        .allocate_contiguous::<owner::Heap>(PageCount::new(1024), 22)
        .expect("it is free again");
    assert!(run.range().base().is_aligned_to(22));
    pages.free_run(run);
    audit(pages);
}

#[test]
fn a_run_is_aligned_and_its_tail_stays_free() {
    let pages = database(&[frames(100, 1000)]);
    let before = audit(pages);
    for (count, align) in [
        (1, 12),
        (1, 16),
        (3, 12),
        (5, 15),
        (64, 18),
        (65, 12),
        (100, 20),
        (2, 19),
    ] {
        let run = pages
            .allocate_contiguous::<owner::Stack>(PageCount::new(count), align)
            .expect("there is room");
        assert_eq!(run.pages(), PageCount::new(count));
        assert!(
            run.range().base().is_aligned_to(align),
            "{run:?} at 2^{align}"
        );
        assert_eq!(audit(pages).free.get(), before.free.get() - count);
        pages.free_run(run);
        assert_eq!(audit(pages), before);
    }
}

#[test]
fn impossible_runs_are_refused() {
    let pages = database(&[frames(1024, 512)]);
    let ask = |count, align| {
        pages
            .allocate_contiguous::<owner::Heap>(PageCount::new(count), align)
            .err()
    };
    assert_eq!(ask(0, 12), Some(Status::INVALID_ARGS));
    assert_eq!(ask(513, 12), Some(Status::NO_MEMORY));
    assert_eq!(ask(usize::MAX, 12), Some(Status::NO_MEMORY));
    assert_eq!(ask(u32::MAX as usize, 12), Some(Status::NO_MEMORY));
    assert_eq!(ask(1, 63), Some(Status::NO_MEMORY));
    assert_eq!(ask(1, u32::MAX), Some(Status::NO_MEMORY));
    audit(pages);
}

#[test]
fn the_caches_are_emptied_for_a_run() {
    let pages = database(&[frames(1024, 128)]);
    let all = exhaust(pages);
    let (low, high): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|frame| frame.address() < PhysAddr::new(1088 * PAGE_SIZE));
    on_cpu(3);
    high.into_iter().for_each(|frame| pages.free(frame));
    on_cpu(0);
    let run = pages.allocate_contiguous::<owner::Heap>(PageCount::new(64), 18);
    assert_eq!(run.expect("a block is free").range(), frames(1088, 64));
    low.into_iter().for_each(|frame| pages.free(frame));
    audit(pages);
}

#[test]
fn a_shared_frame_is_free_after_its_last_share() {
    let pages = database(&[frames(64, 64)]);
    let frame = pages.allocate::<owner::Vmo>().expect("there is memory");
    assert!(!pages.is_shared(&frame));
    let share = pages.share(&frame);
    assert_eq!(share.address(), frame.address());
    assert!(pages.is_shared(&frame));
    pages.free(frame);
    assert!(!pages.is_shared(&share));
    assert_eq!(audit(pages).owned_by(OwnerKind::Vmo), PageCount::new(1));
    pages.free(share);
    assert_eq!(audit(pages).owned_by(OwnerKind::Vmo), PageCount::ZERO);
}

#[test]
fn lists_keep_frames_but_refuse_shared_ones() {
    let pages = database(&[frames(64, 256)]);
    let mut list = FrameList::new();
    let mut other = FrameList::new();
    for index in 0..7 {
        let frame = pages.allocate::<owner::Vmo>().expect("there is memory");
        let list = if index < 2 { &mut list } else { &mut other };
        assert!(list.push(pages, frame).is_ok());
    }
    list.append(&mut other);
    assert_eq!((list.len(), other.len()), (7, 0));
    let shared = list.pop(pages).expect("seven are in it");
    let share = pages.share(&shared);
    let refused = list.push(pages, shared).expect_err("it is shared");
    pages.free(refused);
    assert!(list.push(pages, share).is_ok());
    pages.free_list(list);
    assert_eq!(audit(pages).owned_by(OwnerKind::Vmo), PageCount::ZERO);
}

#[test]
fn memory_can_be_added_later() {
    let low = frames(1 << 18, 100);
    let span = frames(1 << 18, 1000);
    // The database knows the whole span, but only has the first part.
    let pages = database(&[low, frames((1 << 18) + 999, 1)]);
    let before = audit(pages).total;
    // SAFETY: This part of the span is memory that nobody uses (`sim::database`).
    unsafe { pages.add(frames((1 << 18) + 100, 899)) };
    assert_eq!(audit(pages).total.get(), before.get() + 899);
    assert_eq!(exhaust(pages).len(), span.pages().get() - 1);
}

#[test]
fn contents_are_what_was_written() {
    let pages = database(&[frames(64, 64)]);
    let mut one = pages
        .allocate_zeroed::<owner::Vmo>()
        .expect("there is memory");
    let mut two = pages.allocate::<owner::Vmo>().expect("there is memory");
    let mut whole = [1; PAGE_SIZE];
    pages.read(&one, 0, &mut whole);
    assert_eq!(whole, [0; PAGE_SIZE]);
    pages.write(&mut one, PAGE_SIZE - 3, &[7, 8, 9]);
    pages.write(&mut one, 0, &[5]);
    pages.copy(&one, &mut two);
    pages.zero_part(&mut two, PAGE_SIZE - 2..PAGE_SIZE);
    pages.read(&two, 0, &mut whole);
    assert_eq!(
        (whole[0], &whole[PAGE_SIZE - 3..]),
        (5, [7, 0, 0].as_slice())
    );
    assert_eq!(whole.iter().filter(|byte| **byte != 0).count(), 2);
    pages.free(one);
    pages.free(two);
}

#[test]
#[should_panic(expected = "are not in one frame")]
fn bytes_beyond_a_frame_are_refused() {
    let pages = database(&[frames(64, 64)]);
    let mut frame = pages.allocate::<owner::Vmo>().expect("there is memory");
    pages.write(&mut frame, PAGE_SIZE - 1, &[1, 2]);
}

#[test]
fn the_zero_page_is_zero_and_counted() {
    let pages = database(&[frames(64, 64)]);
    // SAFETY: The page of zeros is memory for good, and nobody writes to it.
    let bytes = unsafe {
        pages
            .pointer(pages.zero_page())
            .cast::<[u8; PAGE_SIZE]>()
            .read()
    };
    assert_eq!(bytes, [0; PAGE_SIZE]);
    assert_eq!(audit(pages).owned_by(OwnerKind::Wired), PageCount::new(1));
}

#[test]
fn failures_come_when_they_are_planned() {
    let pages = database(&[frames(64, 256)]);
    let guard = pages.fail_after(1);
    let frame = pages
        .allocate::<owner::Vmo>()
        .expect("the first one succeeds");
    assert_eq!(
        pages.allocate::<owner::Vmo>().err(),
        Some(Status::NO_MEMORY)
    );
    let run = pages.allocate_contiguous::<owner::Vmo>(PageCount::new(2), 12);
    assert_eq!(run.err(), Some(Status::NO_MEMORY));
    drop(guard);
    pages.free(frame);
    pages.free(pages.allocate::<owner::Vmo>().expect("there is memory"));
    audit(pages);
}

#[test]
fn the_books_are_kept_only_inside_the_buddy() {
    let pages = database(&[frames(1024, 1024)]);
    assert!(!pages.is_bookkeeping());
    pages.with_buddy(|_| {
        assert!(pages.is_bookkeeping());
        on_cpu(1);
        assert!(!pages.is_bookkeeping());
        on_cpu(0);
    });
    assert!(!pages.is_bookkeeping());
}
