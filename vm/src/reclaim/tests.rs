//! Discarding, and giving back pages that are all zeros, on the simulated machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::vec::Vec;

use syscall::{Result, Status, VmOptions, VmoOptions};

use super::Scan;
use crate::addr::{PAGE_SIZE, PageCount};
use crate::mmu::Domain;
use crate::testing::*;
use crate::vmar::OpChildren;

mod concurrent;

const P: u64 = PAGE_SIZE as u64;
const DISCARDABLE: VmoOptions = VmoOptions::DISCARDABLE;

/// More than any of the worlds here has.
const ALL: PageCount = PageCount::new(1 << 20);

/// A discardable VMO of `pages` pages, all of them present.
fn full(world: &World, pages: usize) -> Memory {
    let vmo = world.vmo_with(pages, DISCARDABLE);
    fill(&vmo, 1).expect("memory");
    vmo
}

/// Writes `byte` to the beginning of every page.
fn fill(vmo: &Memory, byte: u8) -> Result<()> {
    (0..vmo.size() / P).try_for_each(|page| vmo.write(page * P, &[byte]))
}

fn present(vmo: &Memory) -> u64 {
    vmo.info().memory_use.committed_bytes / P
}

fn is_discarded(vmo: &Memory) -> bool {
    vmo.try_lock_pages(0, vmo.size()) == Err(Status::UNAVAILABLE)
}

fn lock(vmo: &Memory) {
    assert_eq!(vmo.try_lock_pages(0, vmo.size()), Ok(()));
}

fn unlock(vmo: &Memory) {
    assert_eq!(vmo.unlock_pages(0, vmo.size()), Ok(()));
}

fn pages(count: usize) -> PageCount {
    PageCount::new(count)
}

fn scan(world: &World, budget: usize) -> Scan {
    world.pages.reclaimer().scan(pages(budget))
}

#[test]
fn the_one_unlocked_first_goes_first_and_no_more_than_needed() {
    let world = World::new();
    let vmos: Vec<Memory> = (0..4).map(|_| full(&world, 3)).collect();
    // The order of unlocking is 2, 0, 3, 1.
    vmos.iter().for_each(lock);
    [2, 0, 3, 1].iter().for_each(|&which| unlock(&vmos[which]));
    let reclaimer = world.pages.reclaimer();
    let free = world.pages.counts().free.get();
    assert_eq!(reclaimer.reclaim(pages(4)), pages(6));
    assert_eq!(world.pages.counts().free.get(), free + 6);
    let left: Vec<u64> = vmos.iter().map(present).collect();
    assert_eq!(left, [0, 3, 0, 3]);
    assert_eq!(reclaimer.reclaim(pages(1)), pages(3));
    assert_eq!(present(&vmos[3]), 0);
    assert_eq!(present(&vmos[1]), 3);
    assert_eq!(reclaimer.reclaim(ALL), pages(3));
    assert_eq!(reclaimer.reclaim(ALL), PageCount::ZERO);
    assert!(vmos.iter().all(is_discarded));
    drop(vmos);
    finish(world);
}

#[test]
fn what_is_locked_or_not_discardable_stays() {
    let world = World::new();
    let (locked, free) = (full(&world, 2), full(&world, 2));
    let ordinary = world.numbered_vmo(2);
    lock(&locked);
    lock(&locked);
    unlock(&locked);
    assert_eq!(world.pages.reclaimer().reclaim(ALL), pages(2));
    assert!(is_discarded(&free));
    assert_eq!((present(&locked), present(&ordinary)), (2, 2));
    unlock(&locked);
    assert_eq!(world.pages.reclaimer().reclaim(ALL), pages(2));
    assert!(is_discarded(&locked));
    drop((locked, free, ordinary));
    finish(world);
}

#[test]
fn a_locked_vmo_keeps_its_new_pages_after_a_discard() {
    let world = World::new();
    let vmo = full(&world, 2);
    assert_eq!(world.pages.reclaimer().reclaim(ALL), pages(2));
    let found = vmo.lock_pages(0, 2 * P).expect("a lock");
    assert_eq!(found.discarded_size, 2 * P);
    fill(&vmo, 5).expect("memory");
    assert_eq!(world.pages.reclaimer().reclaim(ALL), PageCount::ZERO);
    assert_eq!(present(&vmo), 2);
    // Pages that were made while it was not locked go as well.
    unlock(&vmo);
    assert_eq!(world.pages.reclaimer().reclaim(ALL), pages(2));
    fill(&vmo, 6).expect("memory");
    assert_eq!(world.pages.reclaimer().reclaim(ALL), pages(2));
    drop(vmo);
    finish(world);
}

#[test]
fn mappings_see_zeros_after_a_discard_and_new_pages_later() {
    let mut world = World::new();
    let other = world.another_space(Domain::User);
    let vmo = full(&world, 3);
    let options = RW | VmOptions::ALLOW_FAULTS;
    let base = world.root.map(request(options, &vmo, 3)).expect("room");
    let elsewhere = other.root().expect("alive").map(request(options, &vmo, 3));
    let elsewhere = elsewhere.expect("room");
    let places = [(&world.space, base), (&other, elsewhere)];
    for cpu in 0..CPUS {
        assert_eq!(world.store_on(cpu, &world.space, base, 8), Ok(()));
    }
    assert_eq!(world.load_everywhere(&places), [Ok(8); 2 * CPUS]);
    assert_eq!(world.pages.reclaimer().reclaim(ALL), pages(3));
    world.space.mmu().assert_nothing_is_stale();
    other.mmu().assert_nothing_is_stale();
    assert!(!world.is_entered(base));
    assert_eq!(world.load_everywhere(&places), [Ok(0); 2 * CPUS]);
    assert_eq!(world.store_on(1, &other, elsewhere, 9), Ok(()));
    assert_eq!(world.load_everywhere(&places), [Ok(9); 2 * CPUS]);
    let root = other.root().expect("alive");
    assert_eq!(
        root.unmap(elsewhere, 3 * PAGE_SIZE, OpChildren::Forbidden),
        Ok(())
    );
    assert_eq!(
        world.root.unmap(base, 3 * PAGE_SIZE, OpChildren::Forbidden),
        Ok(())
    );
    drop((vmo, root, other));
    finish(world);
}

#[test]
fn a_call_without_memory_succeeds_after_a_discard() {
    let world = World::with_frames(crate::aspace::Aslr::Off, 256);
    let vmo = full(&world, 40);
    let hungry = world.vmo(1000);
    let missed = world.pages.missed_frames();
    assert_eq!(fill(&hungry, 1), Err(Status::NO_MEMORY));
    assert_eq!(world.pages.missed_frames(), missed + 1);
    let stopped = present(&hungry);
    let next = |byte| hungry.write(stopped * P, &[byte]);
    assert_eq!(next(2), Err(Status::NO_MEMORY));
    assert_eq!(world.pages.missed_frames(), missed + 2);
    assert_eq!(world.pages.reclaimer().reclaim(pages(1)), pages(40));
    assert_eq!(next(2), Ok(()));
    assert_eq!(world.pages.missed_frames(), missed + 2);
    drop((vmo, hungry));
    finish(world);
}

#[test]
fn only_frames_that_are_not_there_count_as_missed() {
    let world = World::with_frames(crate::aspace::Aslr::Off, 256);
    let missed = world.pages.missed_frames();
    let vmo = world.vmo(1);
    let guard = world.pages.fail_after(0);
    assert_eq!(vmo.write(0, &[1]), Err(Status::NO_MEMORY));
    drop(guard);
    let free = world.pages.counts().free.get() as u64;
    assert_eq!(world.pages.check_free(free), Ok(()));
    assert_eq!(world.pages.check_free(1 << 40), Err(Status::NO_MEMORY));
    assert_eq!(world.pages.missed_frames(), missed);
    assert_eq!(world.pages.check_free(free + 1), Err(Status::NO_MEMORY));
    assert_eq!(world.pages.missed_frames(), missed + 1);
    drop(vmo);
    finish(world);
}

#[test]
fn somebody_is_told_when_memory_gets_low_and_not_before() {
    static TOLD: AtomicUsize = AtomicUsize::new(0);
    let world = World::with_frames(crate::aspace::Aslr::Off, 4096);
    let told = || {
        TOLD.fetch_add(1, Ordering::Relaxed);
    };
    world.pages.tell_when_low(told);
    let vmo = world.vmo(4096);
    let free = world.pages.counts().free.get() as u64;
    let write = |page: u64| vmo.write(page * P, &[1]);
    assert_eq!((0..free - 512).try_for_each(write), Ok(()));
    assert!(!world.pages.is_low());
    assert_eq!(TOLD.load(Ordering::Relaxed), 0);
    assert_eq!((free - 512..free - 128).try_for_each(write), Ok(()));
    assert!(world.pages.is_low());
    assert!(TOLD.load(Ordering::Relaxed) > 0);
    drop(vmo);
    assert!(!world.pages.is_low());
    finish(world);
}

#[test]
fn pages_that_are_all_zeros_go_and_others_stay() {
    let world = World::new();
    let vmo = world.vmo(600);
    // Every third page has something in it: its first byte, its last, or one in the middle.
    for page in 0..600 {
        let offset = page * P + [0, P - 1, 1234][page as usize / 3 % 3];
        let byte = u8::from(page % 3 == 0);
        vmo.write(offset, &[byte]).expect("memory");
    }
    assert_eq!(scan(&world, 2000).freed, pages(400));
    assert_eq!(present(&vmo), 200);
    for page in 0..600 {
        let offset = page * P + [0, P - 1, 1234][page as usize / 3 % 3];
        let mut byte = [9];
        vmo.read(offset, &mut byte).expect("inside");
        assert_eq!(byte, [u8::from(page % 3 == 0)], "page {page}");
    }
    assert_eq!(scan(&world, 2000).freed, PageCount::ZERO);
    drop(vmo);
    finish(world);
}

#[test]
fn a_few_pages_are_looked_at_where_the_last_look_ended() {
    let world = World::new();
    let vmos: Vec<Memory> = (0..3).map(|_| world.vmo(10)).collect();
    vmos.iter().for_each(|vmo| fill(vmo, 0).expect("memory"));
    let reclaimer = world.pages.reclaimer();
    assert_eq!(reclaimer.scanned_vmos(), 3);
    let first = scan(&world, 4);
    assert_eq!(
        (first.looked, first.freed, first.ended),
        (pages(4), pages(4), 0)
    );
    let mut ended = 0;
    for _ in 0..8 {
        let next = scan(&world, 4);
        assert!(next.looked <= pages(5), "{next:?}");
        ended += next.ended;
    }
    assert!(vmos.iter().all(|vmo| present(vmo) == 0));
    assert!(ended >= 3);
    drop(vmos);
    assert_eq!(reclaimer.scanned_vmos(), 0);
    finish(world);
}

#[test]
fn a_mapped_page_of_zeros_goes_and_is_made_anew_when_it_is_written() {
    let world = World::new();
    let vmo = world.vmo(4);
    let base = world.root.map(request(RW, &vmo, 4)).expect("room");
    let second = page_of_base(base, 1);
    assert_eq!(world.store(base, 7), Ok(()));
    for cpu in 0..CPUS {
        assert_eq!(world.store_on(cpu, &world.space, second, 0), Ok(()));
    }
    assert_eq!(scan(&world, 100).freed, pages(1));
    world.space.mmu().assert_nothing_is_stale();
    assert!(!world.is_entered(second));
    assert_eq!(world.load(second), Ok(0));
    assert_eq!(world.load(base), Ok(7));
    assert_eq!(world.store(second, 3), Ok(()));
    let everywhere = world.load_everywhere(&[(&world.space, second)]);
    assert_eq!(everywhere, [Ok(3); CPUS]);
    assert_eq!(scan(&world, 100).freed, PageCount::ZERO);
    assert_eq!(
        world.root.unmap(base, 4 * PAGE_SIZE, OpChildren::Forbidden),
        Ok(())
    );
    drop(vmo);
    finish(world);
}

#[test]
fn what_the_kernel_itself_shows_stays() {
    let mut world = World::new();
    let kernel = world.another_space(Domain::Kernel);
    let vmo = world.vmo(4);
    let root = kernel.root().expect("alive");
    let base = root.map(request(RW, &vmo, 4)).expect("room");
    assert_eq!(present(&vmo), 4);
    let looked = scan(&world, 100);
    assert_eq!((looked.looked, looked.freed), (pages(4), PageCount::ZERO));
    assert_eq!(present(&vmo), 4);
    assert_eq!(
        root.unmap(base, 4 * PAGE_SIZE, OpChildren::Forbidden),
        Ok(())
    );
    assert_eq!(scan(&world, 100).freed, pages(4));
    drop((vmo, root, kernel));
    finish(world);
}

fn page_of_base(base: crate::addr::VirtAddr, page: usize) -> crate::addr::VirtAddr {
    base.checked_add(page * PAGE_SIZE).expect("an address")
}

#[test]
fn the_pages_of_discardable_vmos_are_counted_as_they_stand() {
    let world = World::new();
    let counted = || {
        let all = world.pages.reclaimer().discardable().expect("memory");
        (all.locked.get(), all.unlocked.get(), all.unlocked_vmos)
    };
    let plain = world.vmo_with(5, VmoOptions::empty());
    fill(&plain, 1).expect("memory");
    assert_eq!(counted(), (0, 0, 0));
    let (first, second) = (full(&world, 3), full(&world, 2));
    assert_eq!(counted(), (0, 5, 2));
    lock(&first);
    assert_eq!(counted(), (3, 2, 1));
    lock(&second);
    unlock(&first);
    assert_eq!(counted(), (2, 3, 1));
    assert_eq!(world.pages.reclaimer().reclaim(ALL), pages(3));
    assert_eq!(counted(), (2, 0, 0));
    drop((first, second));
    assert_eq!(counted(), (0, 0, 0));
    drop(plain);
    finish(world);
}
