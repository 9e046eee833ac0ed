//! Large pages: when they are entered, and what is left when a part of one goes.

mod entering;
mod flushes;
mod frames;
mod parts;
mod places;

use syscall::{Result, Status, VmOptions, VmoChildOptions};

use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::aspace::{Aslr, Entropy};
use crate::counters::{Event, Totals};
use crate::mmu::{Access, Domain, Mmu, MmuCursor, PageSize};
use crate::pages::{OwnerKind, owner};
use crate::paging::EntryFormat;
use crate::sim::SimFormat;
use crate::testing::*;
use crate::vmar::OpChildren::Allowed;
use crate::vmar::{MapRequest, RangeOp, RangeRequest};
use crate::vmo::{ChildRequest, Vmo};

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
