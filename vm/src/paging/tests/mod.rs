//! The walker, with the simulated machine's format unless a test says otherwise.

use std::cell::RefCell;
use std::vec::Vec;

use syscall::Status;

use super::*;
use crate::addr::{PAGE_SIZE, PageCount, VirtAddr};
use crate::counters::{Counters, Totals};
use crate::cpu::CpuId;
use crate::mmu::{
    Access, Domain, MemoryType, MmuCursor, PageSize, StaleRange, TlbBatch, Translation,
};
use crate::pages::OwnerKind;
use crate::sim::{self, SimFormat};

mod editing;
mod fixed;
mod formats;
mod mapping;
mod model;
mod walking;

const LARGE: usize = PageSize::Large.bytes();
const HUGE: usize = PageSize::Huge.bytes();
/// Somewhere in the middle of user space, at the beginning of a root entry.
const BASE: usize = 5 << 39;

fn pages_at(address: usize, count: usize) -> VirtRange {
    VirtRange::new(VirtAddr::new(address), PageCount::new(count)).expect("a valid range")
}

/// Memory that is only pointed to.
fn run(address: usize, count: usize) -> PhysRange {
    PhysRange::new(PhysAddr::new(address), PageCount::new(count)).expect("a valid range")
}

fn user(access: Access) -> MapFlags {
    MapFlags {
        access,
        memory: MemoryType::Cached,
        domain: Domain::User,
    }
}

fn writable() -> MapFlags {
    user(Access::READ | Access::WRITE)
}

fn database() -> &'static PageDatabase {
    sim::database(&[run(1 << 30, 2048)], || CpuId::BOOT)
}

fn whole() -> VirtRange {
    VirtRange::between(sim::USER_BASE, sim::USER_END).expect("a valid range")
}

fn tables_in(pages: &'static PageDatabase) -> PageTables<SimFormat> {
    PageTables::new(pages, whole(), TopLevel::Own, SimFormat).expect("there is memory")
}

fn tables() -> PageTables<SimFormat> {
    tables_in(database())
}

/// How many frames are tables.
fn table_frames<F: EntryFormat>(tables: &PageTables<F>) -> usize {
    let counts = tables
        .pages()
        .audit()
        .expect("the books agree with the frames");
    counts.owned_by(OwnerKind::PageTable).get()
}

fn map<F: EntryFormat>(
    tables: &PageTables<F>,
    range: VirtRange,
    to: usize,
    flags: MapFlags,
) -> Result<(), MapError> {
    tables
        .cursor(range)
        .map(run(to, range.pages().get()), flags)
}

fn query<F: EntryFormat>(tables: &PageTables<F>, address: usize) -> Option<Translation> {
    tables.cursor(pages_at(address, 1)).query()
}

/// The stale ranges, `None` for everything, and whether tables went.
type Told = (Option<Vec<VirtRange>>, bool);

/// Unmaps and answers what is stale.
fn unmap<F: EntryFormat>(tables: &PageTables<F>, range: VirtRange) -> Option<Told> {
    let mut batch = TlbBatch::new();
    tables.cursor(range).unmap(range.pages(), &mut batch);
    finish(tables, batch)
}

fn protect<F: EntryFormat>(
    tables: &PageTables<F>,
    range: VirtRange,
    access: Access,
) -> Option<Told> {
    let mut batch = TlbBatch::new();
    tables
        .cursor(range)
        .protect(range.pages(), access, &mut batch);
    finish(tables, batch)
}

fn finish<F: EntryFormat>(tables: &PageTables<F>, batch: TlbBatch) -> Option<Told> {
    let mut told = None;
    batch.finish(tables.pages(), |stale| {
        let ranges = |ranges: &[StaleRange]| ranges.iter().map(|stale| stale.range).collect();
        told = Some((stale.ranges.map(ranges), stale.has_tables));
    });
    told
}
