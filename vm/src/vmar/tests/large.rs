//! Large pages: when they are entered, and what is left when a part of one goes.

use syscall::{Result, Status, VmOptions};

use crate::addr::{PAGE_SIZE, PageCount, PhysRange, VirtAddr, VirtRange};
use crate::counters::{Event, Totals};
use crate::mmu::{Access, Mmu, MmuCursor, PageSize};
use crate::pages::OwnerKind;
use crate::paging::EntryFormat;
use crate::sim::SimFormat;
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::{MapRequest, RangeOp, RangeRequest};
use crate::vmo::Vmo;

const P: usize = PAGE_SIZE;
/// The pages of a large page.
const L: usize = PageSize::Large.pages().get();

fn op(vmar: &Region, op: RangeOp, page: usize, pages: usize) -> Result<()> {
    let request = RangeRequest {
        op,
        address: page_of(vmar, page),
        length: pages * P,
        children: Allowed,
    };
    vmar.op_range(request, || Ok(()))
}

/// Maps `pages` pages of a new VMO at page `at` of the root, and commits them all.
fn committed(world: &World, at: usize, pages: usize) -> Memory {
    let vmo = world.resizable(pages);
    world
        .root
        .map(request_at(at, &vmo, 0, pages))
        .expect("room");
    op(&world.root, RangeOp::Commit, at, pages).expect("memory");
    vmo
}

/// How the page at `address` is entered.
fn size_at(space: &Space, address: VirtAddr) -> Option<PageSize> {
    let page = VirtRange::new(address, PageCount::new(1)).expect("a page");
    space.mmu().cursor(page).query().map(|found| found.size)
}

/// How page `page` of the root is entered.
fn size(world: &World, page: usize) -> Option<PageSize> {
    size_at(&world.space, page_of(&world.root, page))
}

fn tables(world: &World) -> usize {
    world.pages.counts().owned_by(OwnerKind::PageTable).get()
}

/// How often `event` is counted while `work` is done.
fn count(event: Event, work: impl FnOnce()) -> u64 {
    let before = Totals::from(SimFormat::counters());
    work();
    Totals::from(SimFormat::counters()).since(&before).of(event)
}

fn flushes(work: impl Fn()) -> u64 {
    let before = Totals::from(SimFormat::counters());
    work();
    let since = Totals::from(SimFormat::counters()).since(&before);
    since.of(Event::FlushPages) + since.of(Event::FlushSpace)
}

/// Writes `page % 251` to each of the pages on some processor, so that all of them remember some.
fn number(world: &World, at: usize, pages: usize) {
    for page in 0..pages {
        let address = page_of(&world.root, at + page);
        let stored = world.store_on(page % CPUS, &world.space, address, (page % 251) as u8);
        stored.expect("it is mapped");
    }
    for cpu in 0..CPUS {
        world
            .load_on(cpu, &world.space, page_of(&world.root, at))
            .expect("it is mapped");
    }
}

/// Checks on every processor what each of the pages that [`number`] wrote shows.
#[track_caller]
fn check(world: &World, at: usize, pages: usize, expected: impl Fn(usize) -> Result<u8>) {
    for page in 0..pages {
        let address = page_of(&world.root, at + page);
        let found = world.load_on(page % CPUS, &world.space, address);
        assert_eq!(found, expected(page), "page {page}");
    }
    world.space.mmu().assert_nothing_is_stale();
}

const fn numbered(page: usize) -> Result<u8> {
    Ok((page % 251) as u8)
}

#[test]
fn a_committed_large_page_needs_no_table_of_its_own() {
    let world = World::new();
    let before = tables(&world);
    let vmo = world.resizable(2 * L);
    world.root.map(request_at(L, &vmo, 0, 2 * L)).expect("room");
    let entered = count(Event::LargePage, || {
        op(&world.root, RangeOp::Commit, L, 2 * L).expect("memory");
    });
    assert_eq!(entered, 2);
    assert_eq!(tables(&world), before + 2);
    for page in [L, 2 * L - 1, 2 * L, 3 * L - 1] {
        assert_eq!(size(&world, page), Some(PageSize::Large));
        assert_eq!(world.load(page_of(&world.root, page)), Ok(0));
    }
    drop(vmo);
    finish(world);
}

#[test]
fn what_is_not_congruent_or_not_whole_is_entered_in_base_pages() {
    let world = World::new();
    let vmo = committed(&world, L + 1, L);
    assert_eq!(size(&world, L + 1), Some(PageSize::Base));
    assert_eq!(size(&world, 2 * L), Some(PageSize::Base));
    // The same pages, all but one of them, at a place where they would fit.
    world
        .root
        .map(request_at(3 * L, &vmo, 0, L - 1))
        .expect("room");
    op(&world.root, RangeOp::MapRange, 3 * L, L - 1).expect("memory");
    assert_eq!(size(&world, 3 * L), Some(PageSize::Base));
    drop(vmo);
    finish(world);
}

#[test]
fn mapping_a_range_of_present_pages_enters_large_pages() {
    let world = World::new();
    let vmo = committed(&world, 0, 2 * L);
    let there = MapRequest {
        options: RW | SPECIFIC | VmOptions::MAP_RANGE,
        ..request_at(4 * L - 7, &vmo, L - 7, L + 7)
    };
    world.root.map(there).expect("room");
    assert_eq!(size(&world, 4 * L - 1), Some(PageSize::Base));
    assert_eq!(size(&world, 4 * L), Some(PageSize::Large));
    drop(vmo);
    finish(world);
}

#[test]
fn a_fault_enters_the_large_page_that_another_space_has_filled() {
    let mut world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let other = world.another_space(crate::mmu::Domain::User);
    let root = other.root().expect("alive");
    let mut there = request_at(2 * L, &vmo, 0, L);
    there.options = R | SPECIFIC;
    root.map(there).expect("room");
    let address = page_of(&root, 2 * L + 9);
    assert_eq!(world.load_on(1, &other, address), Ok(9));
    assert_eq!(
        size_at(&other, page_of(&root, 3 * L - 1)),
        Some(PageSize::Large)
    );
    let last = page_of(&root, 3 * L - 1);
    let faults = count(Event::PresentPage, || {
        assert_eq!(world.load_on(1, &other, last), numbered(L - 1));
    });
    assert_eq!(faults, 0);
    assert_eq!(
        world.store_on(1, &other, last, 1),
        Err(Status::ACCESS_DENIED)
    );
    drop((root, other, vmo));
    finish(world);
}

#[test]
fn a_large_page_takes_the_place_of_a_table() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let before = tables(&world);
    // One page allows less: all come back as base pages, on all processors.
    let odd = page_of(&world.root, L + 100);
    world.root.protect(R, odd, P, Allowed).expect("memory");
    check(&world, L, L, numbered);
    assert_eq!(size(&world, L), Some(PageSize::Base));
    assert_eq!(tables(&world), before + 1);
    // It allows the same again. The next fault is a write to it.
    world.root.protect(RW, odd, P, Allowed).expect("memory");
    assert_eq!(world.store(odd, 100), Ok(()));
    assert_eq!(size(&world, L), Some(PageSize::Large));
    assert_eq!(tables(&world), before);
    check(&world, L, L, numbered);
    drop(vmo);
    finish(world);
}

#[test]
fn an_operation_puts_a_large_page_in_the_place_of_a_table() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let odd = page_of(&world.root, L + 100);
    world.root.protect(R, odd, P, Allowed).expect("memory");
    check(&world, L, L, numbered);
    world.root.protect(RW, odd, P, Allowed).expect("memory");
    op(&world.root, RangeOp::MapRange, L, L).expect("memory");
    assert_eq!(size(&world, L), Some(PageSize::Large));
    check(&world, L, L, numbered);
    drop(vmo);
    finish(world);
}

#[test]
fn a_whole_large_page_stays_one_when_it_is_protected() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let (base, last) = (page_of(&world.root, L), page_of(&world.root, 2 * L - 1));
    world.root.protect(R, base, L * P, Allowed).expect("memory");
    assert_eq!(size(&world, L), Some(PageSize::Large));
    assert_eq!(world.store(last, 1), Err(Status::ACCESS_DENIED));
    world
        .root
        .protect(RW, base, L * P, Allowed)
        .expect("memory");
    let upgrades = count(Event::Upgrade, || {
        assert_eq!(world.store(last, 5), Ok(()));
        assert_eq!(world.store(base, 6), Ok(()));
    });
    assert_eq!(upgrades, 1);
    assert_eq!(size(&world, L), Some(PageSize::Large));
    drop(vmo);
    finish(world);
}

#[test]
fn a_part_of_a_large_page_may_become_writable() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let base = page_of(&world.root, L);
    world.root.protect(R, base, L * P, Allowed).expect("memory");
    check(&world, L, L, numbered);
    let part = page_of(&world.root, L + 7);
    world.root.protect(RW, part, P, Allowed).expect("memory");
    assert_eq!(world.store_on(2, &world.space, part, 77), Ok(()));
    assert_eq!(world.store(base, 1), Err(Status::ACCESS_DENIED));
    check(&world, L, L, |page| {
        if page == 7 { Ok(77) } else { numbered(page) }
    });
    drop(vmo);
    finish(world);
}

/// Takes something away from pages 3 and 4 of a large page; the others must stay as they are.
fn take_away(take: impl FnOnce(&World, &Memory, VirtAddr), expected: impl Fn(usize) -> Result<u8>) {
    let world = World::new();
    let vmo = committed(&world, L, 2 * L);
    number(&world, L, 2 * L);
    assert_eq!(size(&world, L), Some(PageSize::Large));
    take(&world, &vmo, page_of(&world.root, L + 3));
    world.space.mmu().assert_nothing_is_stale();
    assert_eq!(size(&world, 2 * L), Some(PageSize::Large));
    check(&world, L, 2 * L, |page| match page {
        3 | 4 => expected(page),
        _ => numbered(page),
    });
    drop(vmo);
    finish(world);
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_unmapped() {
    take_away(
        |world, _, part| world.root.unmap(part, 2 * P, Allowed).expect("memory"),
        |_| Err(Status::NOT_FOUND),
    );
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_protected() {
    take_away(
        |world, _, part| {
            let none = VmOptions::empty();
            world
                .root
                .protect(none, part, 2 * P, Allowed)
                .expect("memory");
        },
        |_| Err(Status::ACCESS_DENIED),
    );
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_decommitted() {
    for range_op in [RangeOp::Decommit, RangeOp::Zero] {
        take_away(
            |world, _, _| op(&world.root, range_op, L + 3, 2).expect("mapped"),
            |_| Ok(0),
        );
    }
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_overwritten() {
    take_away(
        |world, _, part| {
            let over = MapRequest {
                options: RW | VmOptions::SPECIFIC_OVERWRITE,
                ..request_at(L + 3, &world.vmo(2), 0, 2)
            };
            assert_eq!(world.root.map(over), Ok(part));
        },
        |_| Ok(0),
    );
}

#[test]
fn the_rest_of_a_large_page_outlives_the_end_of_its_vmo() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    vmo.set_size((100 * P) as u64).expect("resizable");
    check(&world, L, L, |page| {
        if page < 100 {
            numbered(page)
        } else {
            Err(Status::OUT_OF_RANGE)
        }
    });
    vmo.set_size((L * P) as u64).expect("resizable");
    check(&world, L, L, |page| {
        if page < 100 { numbered(page) } else { Ok(0) }
    });
    drop(vmo);
    finish(world);
}

#[test]
fn parts_of_one_mapping_join_to_a_large_page_again() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    world
        .root
        .unmap(page_of(&world.root, L + 50), 2 * P, Allowed)
        .expect("memory");
    check(&world, L, 50, numbered);
    world
        .root
        .map(request_at(L + 50, &vmo, 50, 2))
        .expect("it is free");
    assert_eq!(world.load(page_of(&world.root, L + 50)), Ok(50));
    assert_eq!(size(&world, L), Some(PageSize::Large));
    check(&world, L, L, numbered);
    drop(vmo);
    finish(world);
}

#[test]
fn a_physical_vmo_is_entered_in_huge_and_large_pages() {
    let world = World::new();
    let range = PhysRange::new(
        crate::addr::PhysAddr::new(1 << 33),
        PageCount::new(L * L + L),
    )
    .expect("a valid range");
    let vmo = Vmo::physical(world.pages, new_koid(), range, Default::default()).expect("memory");
    // The root begins one large page above a multiple of a huge one.
    let at = L * L - L;
    world
        .root
        .map(request_at(at, &vmo, 0, L * L + L))
        .expect("room");
    assert!(
        world
            .space
            .fault(page_of(&world.root, at + 5), Access::READ)
            .is_ok()
    );
    assert_eq!(size(&world, at), Some(PageSize::Huge));
    assert!(
        world
            .space
            .fault(page_of(&world.root, at + L * L), Access::READ)
            .is_ok()
    );
    assert_eq!(size(&world, at + L * L + L - 1), Some(PageSize::Large));
    world
        .root
        .unmap(page_of(&world.root, at), P, Allowed)
        .expect("memory");
    assert_eq!(size(&world, at + 1), None);
    op(&world.root, RangeOp::MapRange, at + 1, L * L + L - 1).expect("memory");
    assert_eq!(size(&world, at + 1), Some(PageSize::Base));
    assert_eq!(size(&world, at + L), Some(PageSize::Large));
    drop(vmo);
    finish(world);
}

#[test]
fn a_commit_that_finds_no_frames_side_by_side_takes_single_ones() {
    let world = World::new();
    // Of every large page's worth of memory, one frame is taken.
    let mut held = Vec::new();
    while let Ok(run) = world
        .pages
        .allocate_contiguous::<crate::pages::owner::Wired>(
            PageCount::new(L),
            PageSize::Large.shift(),
        )
    {
        held.push(run);
    }
    let kept = held.pop().expect("there is a place");
    let kept = world.pages.take_apart(kept, |_| ());
    held.into_iter().for_each(|run| world.pages.free_run(run));
    let single: Vec<_> =
        std::iter::repeat_with(|| world.pages.allocate::<crate::pages::owner::Wired>())
            .map_while(Result::ok)
            .collect();
    let (odd, even): (Vec<_>, Vec<_>) = single
        .into_iter()
        .partition(|frame| frame.address().raw() / P % 2 == 1);
    even.into_iter().for_each(|frame| world.pages.free(frame));
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    assert_eq!(size(&world, L), Some(PageSize::Base));
    check(&world, L, L, numbered);
    drop(vmo);
    odd.into_iter().for_each(|frame| world.pages.free(frame));
    world.pages.free_list(kept);
    finish(world);
}

#[test]
fn frames_of_a_large_page_can_be_had_as_a_run_again() {
    let world = World::new();
    let vmo = committed(&world, L, 2 * L);
    let base = page_of(&world.root, L);
    // Page by page, in no particular order.
    for page in 0..2 * L {
        let page = page * 7 % (2 * L);
        op(&world.root, RangeOp::Decommit, L + page, 1).expect("mapped");
    }
    world.root.unmap(base, 2 * L * P, Allowed).expect("whole");
    drop(vmo);
    let run = world
        .pages
        .allocate_contiguous::<crate::pages::owner::Vmo>(PageCount::new(2 * L), 22);
    world.pages.free_run(run.expect("they have come together"));
    finish(world);
}

#[test]
fn each_call_flushes_once() {
    let world = World::new();
    let vmo = committed(&world, L, 2 * L);
    let region = world
        .root
        .allocate(CAN_ALL | SPECIFIC, 8 * L * P, 64 * P)
        .expect("room");
    for part in 0..8 {
        region
            .map(request_at(8 * part, &vmo, 8 * part, 3))
            .expect("room");
        world.store(page_of(&region, 8 * part), 1).expect("mapped");
    }
    let mapped = |page| page_of(&world.root, page);
    number(&world, L, 2 * L);
    assert_eq!(
        flushes(|| world
            .root
            .protect(R, mapped(L), 2 * L * P, Allowed)
            .expect("memory")),
        1
    );
    assert_eq!(
        flushes(|| world.root.unmap(mapped(L + 5), P, Allowed).expect("memory")),
        1
    );
    assert_eq!(flushes(|| region.destroy().expect("alive")), 1);
    let rest = 2 * L * P;
    assert_eq!(
        flushes(|| world.root.unmap(mapped(L), rest, Allowed).expect("memory")),
        1
    );
    drop((region, vmo));
    finish(world);
}
