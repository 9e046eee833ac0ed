//! Copies between a VMO and a buffer that is not there yet, is going away, or is in the VMO itself.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arch::user_memory::Obstacle;
use ktest::ktest;
use syscall::kernel::{SystemCalls, UserIn, UserOut};
use syscall::{HandleValue, Name, Rights, Status, VmOptions, VmarOp, VmoOptions};
use vm::addr::{PAGE_SIZE, VirtAddr};
use vm::cpu::CpuId;
use vm::vmo::PageIndex;

use super::{Sandbox, in_process};
use crate::object::{Start, Thread, VmoObject};
use crate::page_copy;
use crate::sched;
use crate::syscalls::user_memory::{self, range};
use crate::syscalls::{Calls, caller};

const P: usize = PAGE_SIZE;

/// A VMO and where all of it is mapped; no page of it is in the page tables.
struct Shown {
    vmo: HandleValue,
    base: usize,
}

impl Shown {
    fn new(sandbox: &Sandbox, pages: usize) -> Self {
        let vmo = sandbox.vmo((pages * P) as u64, VmoOptions::empty());
        let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE;
        let mapped = Calls.vmar_map(sandbox.root, flags, 0, vmo, 0, pages * P, sandbox.out(1));
        assert_eq!(mapped, Ok(()));
        let base = sandbox.get(1);
        Self { vmo, base }
    }

    /// Lets page `page` of the VMO consist of `byte`.
    fn fill(&self, page: usize, byte: u8) {
        object(self.vmo)
            .vmo()
            .write((page * P) as u64, &[byte; P])
            .expect("memory");
    }

    /// The byte at `offset` in the VMO.
    fn byte(&self, offset: usize) -> u8 {
        let mut byte = [0];
        let vmo = object(self.vmo);
        vmo.vmo().read(offset as u64, &mut byte).expect("inside");
        byte[0]
    }

    fn committed_pages(&self) -> usize {
        let info = object(self.vmo).vmo().info();
        info.memory_use.committed_bytes as usize / P
    }

    /// Whether page `page` is in the page tables of the process.
    fn is_entered(&self, page: usize) -> bool {
        let process = caller();
        let address = VirtAddr::new(self.base + page * P);
        process.space().mmu().query(address).is_some()
    }

    fn read(&self, buffer: usize, offset: usize, bytes: usize) -> syscall::Result<()> {
        Calls.vmo_read(self.vmo, UserOut::new(buffer), offset as u64, bytes)
    }

    fn write(&self, buffer: usize, offset: usize, bytes: usize) -> syscall::Result<()> {
        Calls.vmo_write(self.vmo, UserIn::new(buffer), offset as u64, bytes)
    }
}

fn object(vmo: HandleValue) -> Arc<VmoObject> {
    let found = caller().object::<VmoObject>(vmo, Rights::NONE);
    found.expect("a handle of the test's own").0
}

fn touch(address: usize) {
    assert_eq!(user_memory::write_bytes(address, &[0]), Ok(()));
}

#[ktest]
fn a_copy_under_a_lock_tells_where_it_stopped_and_brings_in_nothing() {
    in_process(|sandbox| {
        let (source, buffer) = (Shown::new(sandbox, 1), Shown::new(sandbox, 2));
        source.fill(0, 7);
        touch(buffer.base);
        let second = buffer.base + P;
        let user = range(second - 16, 32).expect("a user address");
        let vmo = object(source.vmo);
        let stopped = Err(Obstacle::Fault {
            address: VirtAddr::new(second),
            done: 16,
        });
        let copied = vmo
            .vmo()
            .with_page_for_read(PageIndex::ZERO, |page| page_copy::to_user(page, 0, user));
        assert_eq!(copied, Ok(stopped));
        assert_eq!((buffer.byte(P - 17), buffer.byte(P - 16)), (0, 7));
        let copied = vmo
            .vmo()
            .with_page_for_write(PageIndex::ZERO, |page| page_copy::from_user(page, 0, user));
        assert_eq!(copied, Ok(stopped));
        assert!(buffer.is_entered(0) && !buffer.is_entered(1));
        assert_eq!(buffer.committed_pages(), 1);
    });
}

#[ktest]
fn a_page_can_be_copied_to_itself() {
    in_process(|sandbox| {
        for copy in [Shown::read, Shown::write] {
            let shown = Shown::new(sandbox, 2);
            shown.fill(1, 5);
            // Neither page is in the page tables, and the first is not in the VMO.
            assert_eq!(copy(&shown, shown.base, 0, 2 * P), Ok(()));
            assert_eq!(
                (shown.byte(0), shown.byte(P), shown.byte(2 * P - 1)),
                (0, 5, 5)
            );
            assert_eq!(shown.committed_pages(), 2);
        }
    });
}

#[ktest]
fn a_buffer_across_pages_is_brought_in_as_the_copy_reaches_them() {
    in_process(|sandbox| {
        let (source, buffer) = (Shown::new(sandbox, 2), Shown::new(sandbox, 4));
        source.fill(0, 1);
        source.fill(1, 2);
        // A part of one page of the VMO lies in two of the buffer, at distances that fit no register.
        for distance in [1, 7, 8, 255, 256, P - 1] {
            let start = buffer.base + P - distance;
            assert_eq!(operate(sandbox, VmarOp::DECOMMIT, &buffer), Ok(()));
            assert_eq!(source.read(start, 0, 2 * P), Ok(()));
            let edges =
                [0, 1, P, P + 1, 2 * P, 2 * P + 1].map(|at| buffer.byte(P - distance - 1 + at));
            assert_eq!(edges, [0, 1, 1, 2, 2, 0], "{distance}");
            assert_eq!(source.write(start, 0, 2 * P), Ok(()));
            assert_eq!((source.byte(P - 1), source.byte(P)), (1, 2));
        }
    });
}

#[ktest]
fn every_byte_arrives_wherever_the_buffer_lies() {
    in_process(|sandbox| {
        let (buffer, vmo) = (Shown::new(sandbox, 3), Shown::new(sandbox, 2));
        let pattern = |at: usize| (at * 7 + at / 256 + 1) as u8;
        let bytes: Vec<u8> = (0..3 * P).map(pattern).collect();
        for offset in [0, 1, 8, 100, 255, 256, P - 257, P - 256, P - 255, P - 1] {
            for len in [1, 63, 64, 255, 256, 257, 600, P - 1, P] {
                object(buffer.vmo).vmo().write(0, &bytes).expect("memory");
                object(vmo.vmo).vmo().write(0, &[0; 2 * P]).expect("memory");
                assert_eq!(vmo.write(buffer.base + offset, 3, len), Ok(()));
                let mut arrived = vec![0; len + 4];
                let target = object(vmo.vmo);
                target.vmo().read(0, &mut arrived).expect("inside");
                assert!(arrived[3..3 + len] == bytes[offset..offset + len]);
                assert_eq!((arrived[2], arrived[len + 3]), (0, 0), "{offset} {len}");
                // And back, to another place.
                assert_eq!(vmo.read(buffer.base + P + offset, 3, len), Ok(()));
                let mut back = vec![0; 3 * P];
                object(buffer.vmo).vmo().read(0, &mut back).expect("inside");
                let (from, to) = (P + offset, P + offset + len);
                assert!(back[from..to] == bytes[offset..offset + len]);
                assert!(back[..from] == bytes[..from] && back[to..] == bytes[to..]);
            }
        }
    });
}

#[ktest]
fn what_came_before_a_hole_in_the_buffer_has_been_copied() {
    in_process(|sandbox| {
        let (source, buffer) = (Shown::new(sandbox, 3), Shown::new(sandbox, 3));
        for page in 0..3 {
            source.fill(page, 9);
        }
        let hole = buffer.base + P;
        assert_eq!(Calls.vmar_unmap(sandbox.root, hole, P), Ok(()));
        assert_eq!(
            source.read(buffer.base + 1, 0, 3 * P - 1),
            Err(Status::NOT_FOUND)
        );
        let copied = [0, 1, P / 2, P, 2 * P].map(|at| buffer.byte(at));
        assert_eq!(copied, [0, 9, 9, 0, 0]);
        assert_eq!(source.read(hole - 1, 3 * P - 1, 1), Ok(()));
        assert_eq!(buffer.byte(P - 1), 9);
        assert_eq!(source.write(hole - 1, 2 * P - 1, 2), Err(Status::NOT_FOUND));
        assert_eq!(source.write(hole, 0, 1), Err(Status::NOT_FOUND));
        assert_eq!(source.byte(0), 9);
    });
}

fn operate(sandbox: &Sandbox, op: VmarOp, shown: &Shown) -> syscall::Result<()> {
    let bytes = object(shown.vmo).vmo().size() as usize;
    Calls.vmar_op_range(sandbox.root, op, shown.base, bytes, UserOut::new(0), 0)
}

/// The pages that somebody takes away while they are being copied to.
const CONTESTED_PAGES: usize = 4;

/// What another thread of the process is to take away.
static CONTESTED: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// How often it has.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Whether it has done so often enough.
static ENOUGH: AtomicBool = AtomicBool::new(false);

/// Takes the pages away until it is enough.
fn take_away(_: usize) {
    let [root, base] = [0, 1].map(|place: usize| CONTESTED[place].load(Ordering::Acquire));
    let root = HandleValue::from_raw(root as u32);
    while !ENOUGH.load(Ordering::Acquire) {
        let bytes = CONTESTED_PAGES * P;
        let taken = Calls.vmar_op_range(root, VmarOp::DECOMMIT, base, bytes, UserOut::new(0), 0);
        assert_eq!(taken, Ok(()));
        TAKEN.fetch_add(1, Ordering::Relaxed);
        sched::yield_now();
    }
}

/// Runs `body` while another thread, on the last CPU, takes the pages of `buffer` away.
fn while_taken_away(sandbox: &Sandbox, buffer: &Shown, body: impl Fn()) {
    CONTESTED[0].store(sandbox.root.into_raw() as usize, Ordering::Relaxed);
    CONTESTED[1].store(buffer.base, Ordering::Relaxed);
    TAKEN.store(0, Ordering::Relaxed);
    ENOUGH.store(false, Ordering::Release);
    let current = sched::current();
    let process = current.process().expect("the test runs in a process");
    let start = Start::Kernel {
        entry: take_away,
        argument: 0,
    };
    let last = CpuId::new(arch::cpu::count() - 1).expect("a CPU that runs");
    let name = Name::new_lossy("taker");
    let taker = Thread::new(name, Some(Arc::clone(process)), last, start);
    let taker = taker.expect("memory for a thread");
    assert_eq!(process.add_thread(Arc::clone(&taker)), Ok(()));
    sched::start_thread(&taker);
    while TAKEN.load(Ordering::Relaxed) < 100 {
        body();
        sched::yield_now();
    }
    ENOUGH.store(true, Ordering::Release);
    sched::join(taker);
}

#[ktest]
fn a_copy_gets_to_its_end_while_the_buffer_is_taken_away() {
    in_process(|sandbox| {
        let buffer = Shown::new(sandbox, CONTESTED_PAGES);
        let source = Shown::new(sandbox, CONTESTED_PAGES);
        let bytes = CONTESTED_PAGES * P - 5;
        source.fill(0, 3);
        while_taken_away(sandbox, &buffer, || {
            assert_eq!(source.read(buffer.base + 5, 0, bytes), Ok(()));
            assert_eq!(source.write(buffer.base + 5, P, bytes - P), Ok(()));
            assert_eq!(source.byte(7), 3);
        });
    });
}

#[ktest]
fn a_copy_gets_to_its_end_while_the_pages_of_the_vmo_are_taken_away() {
    in_process(|sandbox| {
        let shown = Shown::new(sandbox, CONTESTED_PAGES);
        let buffer = Shown::new(sandbox, CONTESTED_PAGES);
        while_taken_away(sandbox, &shown, || {
            let bytes = CONTESTED_PAGES * P;
            assert_eq!(shown.write(buffer.base, 0, bytes), Ok(()));
            assert_eq!(shown.read(buffer.base, 0, bytes), Ok(()));
            // Buffer and pages at once.
            assert_eq!(shown.write(shown.base + 3, 0, bytes - 3), Ok(()));
        });
    });
}
