//! Several simulated processors with one memory.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};
use std::boxed::Box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use syscall::{Result, Status};

use super::memory::{self, database};
use super::tlb::{Remembered, Space, Tlb, look_up};
use crate::addr::{PAGE_SIZE, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::counters::{Counters, Event};
use crate::cpu::{AtomicCpuSet, CpuId, MAX_CPUS};
use crate::mmu::{Access, Domain, Mmu, Stale, TlbBatch};
use crate::pages::PageDatabase;
use crate::paging::{Cursor, EntryFormat, PageTables, Path, TopLevel};
use crate::sim::SimFormat;
use crate::sync::step;

/// The addresses that programs may use on the simulated machine.
pub const USER_BASE: VirtAddr = VirtAddr::new(0x20_0000);
/// The address after the last one that programs may use.
pub const USER_END: VirtAddr = VirtAddr::new(0x7fff_ffff_f000);

/// How often an instruction is tried again after its fault was resolved.
const ATTEMPTS: usize = 4;

std::thread_local! {
    /// What the thread runs on.
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Current {
    machine: &'static Machine,
    cpu: CpuId,
}

/// The processor that the calling thread plays; the first one unless it is inside [`Machine::run_on`].
pub fn current_cpu() -> CpuId {
    CURRENT.get().map_or(CpuId::BOOT, |current| current.cpu)
}

/// Does `work`, which may let the thread play other processors; after that it plays the same one as before.
#[cfg(test)]
pub(crate) fn stay<R>(work: impl FnOnce() -> R) -> R {
    let before = CURRENT.get();
    let result = work();
    CURRENT.set(before);
    result
}

/// A machine with memory and processors. Threads play the processors, by [`run_on`](Self::run_on).
#[derive(Debug)]
pub struct Machine {
    pages: &'static PageDatabase,
    cpus: Vec<Mutex<Cpu>>,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct Cpu {
    active: Option<Space>,
    tlb: Tlb,
    /// How often it was asked to forget something.
    asked: usize,
}

impl Machine {
    /// A machine with `cpus` processors and memory at `ranges`, for good.
    ///
    /// # Panics
    /// If there are no processors, or too many, or no memory.
    pub fn new(cpus: usize, ranges: &[PhysRange]) -> &'static Self {
        assert!((1..=MAX_CPUS).contains(&cpus), "{cpus} processors");
        Box::leak(Box::new(Self {
            pages: database(ranges, current_cpu),
            cpus: (0..cpus).map(|_| Mutex::default()).collect(),
            next_id: AtomicU64::new(1),
        }))
    }

    /// The frames of the machine.
    pub const fn pages(&self) -> &'static PageDatabase {
        self.pages
    }

    /// Runs `work` on processor number `cpu`. One thread at a time may play a processor.
    ///
    /// # Panics
    /// If there is no such processor.
    pub fn run_on<R>(&'static self, cpu: usize, work: impl FnOnce() -> R) -> R {
        assert!(cpu < self.cpus.len(), "there is no processor {cpu}");
        let cpu = CpuId::new(cpu).expect("machines have at most as many");
        let before = CURRENT.replace(Some(Current { machine: self, cpu }));
        let result = work();
        CURRENT.set(before);
        result
    }

    /// Loads bytes as an instruction of a program would on this processor, page by page.
    ///
    /// `fault` is called where the processor would trap; if it answers `Ok`, the load goes on.
    ///
    /// # Errors
    /// What `fault` answers. What was loaded before stays in `buffer`.
    ///
    /// # Panics
    /// If the kernel let the processor use a stale translation.
    pub fn load(
        &self,
        address: VirtAddr,
        buffer: &mut [u8],
        fault: impl FnMut(VirtAddr, Access) -> Result<()>,
    ) -> Result<()> {
        let len = buffer.len();
        let mut visit = |at, offset: usize, len| {
            memory::load(self.pages, at, &mut buffer[offset..offset + len]);
        };
        self.access(address, len, Access::READ, fault, &mut visit)
    }

    /// Stores bytes as an instruction of a program would on this processor; see [`load`](Self::load).
    ///
    /// # Errors
    /// What `fault` answers. What was stored before stays.
    ///
    /// # Panics
    /// If the kernel let the processor use a stale translation.
    pub fn store(
        &self,
        address: VirtAddr,
        bytes: &[u8],
        fault: impl FnMut(VirtAddr, Access) -> Result<()>,
    ) -> Result<()> {
        let mut visit = |at, offset: usize, len| {
            memory::store(self.pages, at, &bytes[offset..offset + len]);
        };
        self.access(address, bytes.len(), Access::WRITE, fault, &mut visit)
    }

    /// Fetches a byte of an instruction on this processor; see [`load`](Self::load).
    ///
    /// # Errors
    /// What `fault` answers.
    ///
    /// # Panics
    /// If the kernel let the processor use a stale translation.
    pub fn fetch(
        &self,
        address: VirtAddr,
        fault: impl FnMut(VirtAddr, Access) -> Result<()>,
    ) -> Result<u8> {
        let mut byte = [0];
        let mut visit = |at, _, _| memory::load(self.pages, at, &mut byte);
        self.access(address, 1, Access::EXECUTE, fault, &mut visit)?;
        Ok(byte[0])
    }

    /// How often processor number `cpu` was asked to forget something.
    ///
    /// # Panics
    /// If there is no such processor.
    pub fn times_asked_to_forget(&self, cpu: usize) -> usize {
        let cpu = CpuId::new(cpu).expect("machines have at most as many");
        self.cpu(cpu).asked
    }

    /// Makes this processor translate nothing, as the kernel's own tables would.
    pub fn deactivate(&self) {
        self.cpu(current_cpu()).active = None;
    }

    fn access(
        &self,
        address: VirtAddr,
        len: usize,
        access: Access,
        mut fault: impl FnMut(VirtAddr, Access) -> Result<()>,
        visit: &mut dyn FnMut(PhysAddr, usize, usize),
    ) -> Result<()> {
        let mut done = 0;
        while done < len {
            let at = address.checked_add(done).ok_or(Status::OUT_OF_RANGE)?;
            let part = (PAGE_SIZE - at.page_offset()).min(len - done);
            let mut attempts = 0;
            step();
            while !self.try_access(at, access, |to| visit(to, done, part)) {
                attempts += 1;
                assert!(
                    attempts < ATTEMPTS,
                    "{access:?} at {at:?} faults although it was resolved"
                );
                fault(at, access)?;
                step();
            }
            done += part;
        }
        Ok(())
    }

    /// Calls `visit` with the physical address if `access` is allowed. The processor answers no request
    /// to forget meanwhile, as within one instruction.
    fn try_access(&self, at: VirtAddr, access: Access, visit: impl FnOnce(PhysAddr)) -> bool {
        let mut guard = self.cpu(current_cpu());
        let cpu = &mut *guard;
        let Some(space) = cpu.active else {
            return false;
        };
        let Some(found) = cpu.tlb.translate(self.pages, space, at) else {
            return false;
        };
        let is_allowed = found.flags.domain == Domain::User && found.flags.access.contains(access);
        if is_allowed {
            visit(PhysAddr::new(found.frame.raw() + at.page_offset()));
        }
        is_allowed
    }

    fn cpu(&self, cpu: CpuId) -> MutexGuard<'_, Cpu> {
        // A processor that panicked in a test is still in order: what it remembers is what it found.
        self.cpus[cpu.index()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Page tables of the simulated machine. They are made and changed inside [`Machine::run_on`].
#[derive(Debug)]
pub struct SimMmu {
    tables: PageTables<SimFormat>,
    machine: &'static Machine,
    space: Space,
    /// The processors that may remember something.
    users: AtomicCpuSet,
}

impl SimMmu {
    /// Compares what all processors remember with the tables.
    ///
    /// # Panics
    /// If a processor remembers a page that is not mapped there any more, or more access than it has.
    pub fn assert_nothing_is_stale(&self) {
        for cpu in self.users.load().iter() {
            for (address, found) in self.machine.cpu(cpu).tlb.remembered(self.space) {
                let now = look_up(self.machine.pages, self.space, address);
                assert!(
                    now.is_some_and(|now| allows(now, found)),
                    "processor {cpu} remembers {found:?} at {address:?}, but it is {now:?}"
                );
            }
        }
    }

    /// The way through the tables to the page at `address`.
    pub fn walk(&self, address: VirtAddr) -> Path {
        self.tables.walk(address)
    }

    /// Makes all processors forget.
    pub(super) fn forget(&self, stale: Stale<'_>) {
        Self::counters().count(match stale.ranges {
            Some(_) => Event::FlushPages,
            None => Event::FlushSpace,
        });
        self.users
            .load()
            .iter()
            .for_each(|cpu| self.forget_on(cpu, stale));
    }

    /// Makes one processor forget.
    pub(super) fn forget_on(&self, cpu: CpuId, stale: Stale<'_>) {
        step();
        let mut cpu = self.machine.cpu(cpu);
        cpu.asked += 1;
        cpu.tlb.forget(self.space, stale);
    }
}

/// Whether what is remembered grants nothing that the tables do not.
fn allows(now: Remembered, found: Remembered) -> bool {
    now.frame == found.frame
        && now.flags.domain == found.flags.domain
        && now.flags.memory == found.flags.memory
        && now.flags.access.contains(found.flags.access)
}

impl Mmu for SimMmu {
    type Cursor<'a> = Cursor<'a, SimFormat>;

    /// # Panics
    /// If the thread plays no processor, or `pages` are not its machine's.
    fn create(pages: &'static PageDatabase) -> Result<Self> {
        let machine = CURRENT.get().expect("the thread plays a processor").machine;
        assert!(
            core::ptr::eq(machine.pages, pages),
            "the frames are another machine's"
        );
        let range = VirtRange::between(USER_BASE, USER_END).ok_or(Status::INTERNAL)?;
        let tables = PageTables::new(pages, range, TopLevel::Own, SimFormat)?;
        let id = machine.next_id.fetch_add(1, Ordering::Relaxed);
        let space = Space {
            id,
            root: tables.root(),
        };
        Ok(Self {
            tables,
            machine,
            space,
            users: AtomicCpuSet::new(),
        })
    }

    fn cursor(&self, range: VirtRange) -> Self::Cursor<'_> {
        self.tables.cursor(range)
    }

    fn flush(&self, batch: TlbBatch) {
        batch.finish(self.machine.pages, |stale| self.forget(stale));
    }

    fn counters() -> &'static Counters {
        SimFormat::counters()
    }

    fn activate(&self) {
        let cpu = current_cpu();
        self.users.insert(cpu);
        self.machine.cpu(cpu).active = Some(self.space);
    }
}

impl Drop for SimMmu {
    /// Takes the tables away from processors that still have them active.
    fn drop(&mut self) {
        for cpu in self.users.load().iter() {
            let mut cpu = self.machine.cpu(cpu);
            cpu.active = cpu.active.filter(|active| *active != self.space);
            cpu.tlb.forget(
                self.space,
                Stale {
                    ranges: None,
                    has_tables: true,
                },
            );
        }
    }
}
