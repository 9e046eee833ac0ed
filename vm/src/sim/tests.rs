//! The machine notices what a real one would let pass until it is too late.

use std::boxed::Box;
use std::vec::Vec;

use syscall::{Result, Status};

use super::*;
use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::mmu::{Access, Domain, MapFlags, MemoryType, Mmu, MmuCursor, TlbBatch};
use crate::pages::{Frame, PageDatabase, owner};

const BASE: VirtAddr = VirtAddr::new(0x1234_5000);

fn machine() -> &'static Machine {
    let memory = PhysRange::new(PhysAddr::new(1 << 30), PageCount::new(512));
    Machine::new(2, &[memory.expect("a valid range")])
}

fn page() -> VirtRange {
    VirtRange::new(BASE, PageCount::new(1)).expect("a valid range")
}

fn flags(access: Access) -> MapFlags {
    MapFlags {
        access,
        memory: MemoryType::Cached,
        domain: Domain::User,
    }
}

fn no_fault(_: VirtAddr, _: Access) -> Result<()> {
    Err(Status::ACCESS_DENIED)
}

/// An `Mmu` whose flush is up to a test.
struct Careless {
    inner: SimMmu,
    pages: &'static PageDatabase,
    flush: fn(&SimMmu, TlbBatch, &'static PageDatabase),
}

/// Forgets on this processor what is stale, but not on the others.
fn flush_here(inner: &SimMmu, batch: TlbBatch, pages: &'static PageDatabase) {
    batch.finish(pages, |stale| inner.forget_on(current_cpu(), stale));
}

/// Tells nobody.
fn flush_nowhere(_: &SimMmu, batch: TlbBatch, pages: &'static PageDatabase) {
    batch.finish(pages, |_| ());
}

/// Forgets translations, but not the tables that were used on the way.
fn flush_pages_only(inner: &SimMmu, batch: TlbBatch, pages: &'static PageDatabase) {
    batch.finish(pages, |stale| {
        inner.forget(crate::mmu::Stale {
            has_tables: false,
            ..stale
        });
    });
}

fn flush_well(inner: &SimMmu, batch: TlbBatch, _: &'static PageDatabase) {
    inner.flush(batch);
}

impl Careless {
    fn new(
        machine: &'static Machine,
        flush: fn(&SimMmu, TlbBatch, &'static PageDatabase),
    ) -> &'static Self {
        let pages = machine.pages();
        let inner = machine
            .run_on(0, || SimMmu::create(pages))
            .expect("there is memory");
        Box::leak(Box::new(Self {
            inner,
            pages,
            flush,
        }))
    }

    fn map(&self, frame: &Frame<owner::Vmo>, access: Access) {
        let run = PhysRange::new(frame.address(), PageCount::new(1)).expect("a valid range");
        self.inner
            .cursor(page())
            .map(run, flags(access))
            .expect("nothing is mapped");
    }

    /// Unmaps the page and frees the frame with the batch.
    fn unmap(&self, frame: Frame<owner::Vmo>) {
        let mut batch = TlbBatch::new();
        self.inner
            .cursor(page())
            .unmap(PageCount::new(1), &mut batch);
        batch
            .add_frame(self.pages, frame)
            .expect("it is not shared");
        (self.flush)(&self.inner, batch, self.pages);
    }
}

/// Both processors use a page; the first one unmaps and frees it; the second one uses it again.
fn use_after_unmap(flush: fn(&SimMmu, TlbBatch, &'static PageDatabase)) -> Result<()> {
    let machine = machine();
    let mmu = Careless::new(machine, flush);
    let frame = machine
        .pages()
        .allocate::<owner::Vmo>()
        .expect("there is memory");
    mmu.map(&frame, Access::READ | Access::WRITE);
    for cpu in 0..2 {
        machine.run_on(cpu, || {
            mmu.inner.activate();
            machine
                .store(BASE, &[cpu as u8], no_fault)
                .expect("it is mapped");
        });
    }
    machine.run_on(0, || mmu.unmap(frame));
    machine.run_on(1, || machine.load(BASE, &mut [0], no_fault))
}

#[test]
fn after_a_shootdown_an_unmapped_page_faults() {
    assert_eq!(use_after_unmap(flush_well), Err(Status::ACCESS_DENIED));
}

#[test]
#[should_panic(expected = "a stale translation of 0x12345000 is used")]
fn a_shootdown_that_leaves_out_a_processor_is_noticed() {
    let _ = use_after_unmap(flush_here);
}

#[test]
#[should_panic(expected = "a stale translation of 0x12345000 is used")]
fn a_missing_shootdown_is_noticed() {
    let _ = use_after_unmap(flush_nowhere);
}

#[test]
#[should_panic(expected = "a stale table for 0x1234")]
fn a_table_that_is_freed_while_it_is_remembered_is_noticed() {
    let machine = machine();
    let mmu = Careless::new(machine, flush_pages_only);
    let frame = machine
        .pages()
        .allocate::<owner::Vmo>()
        .expect("there is memory");
    mmu.map(&frame, Access::READ);
    machine.run_on(0, || {
        mmu.inner.activate();
        machine
            .load(BASE, &mut [0], no_fault)
            .expect("it is mapped");
        mmu.unmap(frame);
        let next = BASE.checked_add(PAGE_SIZE).expect("there is a next page");
        let _ = machine.load(next, &mut [0], no_fault);
    });
}

#[test]
#[should_panic(expected = "a stale translation of 0x12345000 is used")]
fn a_frame_that_is_freed_before_the_flush_is_noticed() {
    let machine = machine();
    let mmu = Careless::new(machine, flush_well);
    let frame = machine
        .pages()
        .allocate::<owner::Vmo>()
        .expect("there is memory");
    mmu.map(&frame, Access::READ);
    machine.run_on(1, || {
        mmu.inner.activate();
        machine
            .load(BASE, &mut [0], no_fault)
            .expect("it is mapped");
    });
    let mut batch = TlbBatch::new();
    mmu.inner
        .cursor(page())
        .unmap(PageCount::new(1), &mut batch);
    machine.pages().free(frame);
    // The frame has a new owner by now, but the processor has not been told to forget the old one.
    let _other = machine
        .pages()
        .allocate::<owner::Heap>()
        .expect("there is memory");
    let _ = machine.run_on(1, || machine.load(BASE, &mut [0], no_fault));
    mmu.inner.flush(batch);
}

#[test]
fn more_access_needs_no_more_than_the_flush() {
    let machine = machine();
    machine.run_on(0, || {
        let mmu = SimMmu::create(machine.pages()).expect("there is memory");
        let frame = machine
            .pages()
            .allocate::<owner::Vmo>()
            .expect("there is memory");
        let run = PhysRange::new(frame.address(), PageCount::new(1)).expect("a valid range");
        mmu.activate();
        let mut faults = Vec::new();
        let mut fault = |address: VirtAddr, access| {
            faults.push((address, access));
            let mut cursor = mmu.cursor(page());
            let mut batch = TlbBatch::new();
            if access == Access::WRITE && cursor.query().is_some() {
                cursor.replace(
                    frame.address(),
                    flags(Access::READ | Access::WRITE),
                    &mut batch,
                );
            } else {
                cursor.map(run, flags(Access::READ))?;
            }
            drop(cursor);
            mmu.flush(batch);
            Ok(())
        };
        assert_eq!(machine.load(BASE, &mut [0], &mut fault), Ok(()));
        assert_eq!(machine.store(BASE, &[9], &mut fault), Ok(()));
        let mut byte = [0];
        assert_eq!(machine.load(BASE, &mut byte, &mut fault), Ok(()));
        assert_eq!(byte, [9]);
        assert_eq!(machine.fetch(BASE, no_fault), Err(Status::ACCESS_DENIED));
        assert_eq!(faults, [(BASE, Access::READ), (BASE, Access::WRITE)]);
        mmu.assert_nothing_is_stale();
        machine.deactivate();
        assert_eq!(
            machine.load(BASE, &mut [0], no_fault),
            Err(Status::ACCESS_DENIED)
        );
    });
}

#[test]
#[should_panic(expected = "faults although it was resolved")]
fn a_permission_that_is_not_flushed_is_noticed() {
    let machine = machine();
    machine.run_on(0, || {
        let mmu = SimMmu::create(machine.pages()).expect("there is memory");
        let frame = machine
            .pages()
            .allocate::<owner::Vmo>()
            .expect("there is memory");
        let run = PhysRange::new(frame.address(), PageCount::new(1)).expect("a valid range");
        mmu.activate();
        mmu.cursor(page())
            .map(run, flags(Access::READ))
            .expect("nothing is mapped");
        machine
            .load(BASE, &mut [0], no_fault)
            .expect("it is mapped");
        let mut batch = TlbBatch::new();
        mmu.cursor(page())
            .replace(frame.address(), flags(Access::all()), &mut batch);
        let _ = machine.store(BASE, &[1], |_, _| Ok(()));
        mmu.flush(batch);
    });
}

#[test]
#[should_panic(expected = "processor 1 remembers")]
fn remembering_too_much_is_noticed_without_a_use() {
    let machine = machine();
    let mmu = Careless::new(machine, flush_here);
    let frame = machine
        .pages()
        .allocate::<owner::Vmo>()
        .expect("there is memory");
    mmu.map(&frame, Access::READ | Access::WRITE);
    for cpu in 0..2 {
        machine.run_on(cpu, || {
            mmu.inner.activate();
            machine
                .load(BASE, &mut [0], no_fault)
                .expect("it is mapped");
        });
    }
    mmu.inner.assert_nothing_is_stale();
    let mut batch = TlbBatch::new();
    mmu.inner
        .cursor(page())
        .protect(PageCount::new(1), Access::READ, &mut batch);
    machine.run_on(0, || (mmu.flush)(&mmu.inner, batch, mmu.pages));
    mmu.inner.assert_nothing_is_stale();
}

#[test]
fn bytes_cross_pages() {
    let machine = machine();
    machine.run_on(1, || {
        let mmu = SimMmu::create(machine.pages()).expect("there is memory");
        mmu.activate();
        let fault = |address: VirtAddr, _| {
            let frame = machine.pages().allocate::<owner::Vmo>()?;
            let page = VirtRange::new(address.page_base(), PageCount::new(1));
            let run = PhysRange::new(frame.into_address(), PageCount::new(1));
            let (page, run) = page.zip(run).ok_or(Status::INTERNAL)?;
            Ok(mmu
                .cursor(page)
                .map(run, flags(Access::READ | Access::WRITE))?)
        };
        let at = BASE.checked_add(PAGE_SIZE - 2).expect("it does not wrap");
        assert_eq!(machine.store(at, b"abcd", fault), Ok(()));
        let mut back = [0; 4];
        assert_eq!(machine.load(at, &mut back, no_fault), Ok(()));
        assert_eq!(&back, b"abcd");
    });
}

#[test]
fn tables_leave_no_trace() {
    let machine = machine();
    let before = machine.pages().counts();
    machine.run_on(0, || {
        let mmu = SimMmu::create(machine.pages()).expect("there is memory");
        let run = PhysRange::new(machine.pages().zero_page(), PageCount::new(1));
        let run = run.expect("a valid range");
        mmu.activate();
        mmu.cursor(page())
            .map(run, flags(Access::READ))
            .expect("nothing is mapped");
        let mut byte = [1];
        assert_eq!(machine.load(BASE, &mut byte, no_fault), Ok(()));
        assert_eq!(byte, [0]);
        drop(mmu);
        assert_eq!(
            machine.load(BASE, &mut byte, no_fault),
            Err(Status::ACCESS_DENIED)
        );
    });
    assert_eq!(machine.pages().audit(), Ok(before));
}
