//! Calls that take long: others have their turns, and nobody waits for a call that is for nobody.

use core::sync::atomic::{AtomicBool, Ordering};

use ktest::ktest;
use syscall::kernel::{SystemCalls, UserIn, UserOut};
use syscall::{HandleValue, Result, Rights, Status, VmOptions, VmarOp, VmoOptions};
use vm::addr::PAGE_SIZE;

use super::{Sandbox, in_process};
use crate::object::VmoObject;
use crate::sched;
use crate::syscalls::{Calls, caller, user_memory};

/// More than an operation does at a time.
const PAGES: usize = 2048;

/// Whether somebody else had a turn.
static HAD_A_TURN: AtomicBool = AtomicBool::new(false);

/// A VMO, all of which is mapped; the address is in place 1.
fn mapped(sandbox: &Sandbox) -> HandleValue {
    let vmo = sandbox.vmo((PAGES * PAGE_SIZE) as u64, VmoOptions::empty());
    let flags = VmOptions::PERM_READ | VmOptions::PERM_WRITE;
    let (bytes, place) = (PAGES * PAGE_SIZE, sandbox.out(1));
    let result = Calls.vmar_map(sandbox.root, flags, 0, vmo, 0, bytes, place);
    assert_eq!(result, Ok(()));
    vmo
}

fn operate(sandbox: &Sandbox, op: VmarOp) -> Result<()> {
    let (base, bytes, none) = (sandbox.get(1), PAGES * PAGE_SIZE, UserOut::new(0));
    Calls.vmar_op_range(sandbox.root, op, base, bytes, none, 0)
}

fn committed_pages(vmo: HandleValue) -> usize {
    let (vmo, _) = caller()
        .object::<VmoObject>(vmo, Rights::NONE)
        .expect("a handle of the test's own");
    vmo.vmo().info().memory_use.committed_bytes as usize / PAGE_SIZE
}

/// Lets a thread wait for its turn while `call` runs, which must give it one.
fn gives_a_turn(call: impl FnOnce() -> Result<()>) {
    HAD_A_TURN.store(false, Ordering::Relaxed);
    let take = |_| HAD_A_TURN.store(true, Ordering::Relaxed);
    let here = arch::cpu::current();
    let other = sched::spawn("other", here, take, 0).expect("memory for a thread");
    assert_eq!(call(), Ok(()));
    assert!(HAD_A_TURN.load(Ordering::Relaxed), "nobody else had a turn");
    sched::join(other);
}

#[ktest]
fn others_have_their_turns_during_operations_on_many_pages() {
    in_process(|sandbox| {
        let vmo = mapped(sandbox);
        gives_a_turn(|| operate(sandbox, VmarOp::COMMIT));
        assert_eq!(committed_pages(vmo), PAGES);
        gives_a_turn(|| operate(sandbox, VmarOp::MAP_RANGE));
        gives_a_turn(|| Calls.vmo_set_stream_size(vmo, PAGE_SIZE as u64));
        assert_eq!(committed_pages(vmo), 1);
        gives_a_turn(|| operate(sandbox, VmarOp::DECOMMIT));
        assert_eq!(committed_pages(vmo), 0);
    });
}

#[ktest]
fn an_operation_ends_with_the_thread_that_asked_for_it() {
    in_process(|sandbox| {
        let vmo = mapped(sandbox);
        caller().begin_exit(0);
        assert_eq!(operate(sandbox, VmarOp::COMMIT), Err(Status::CANCELED));
        assert!(committed_pages(vmo) < PAGES);
    });
}

#[ktest]
fn writing_to_the_console_ends_with_the_thread_that_writes() {
    in_process(|sandbox| {
        mapped(sandbox);
        // The first part is written all the same, and should not disturb the log of the tests.
        let mut blank = [b' '; 256];
        blank[255] = b'\n';
        let start = sandbox.get::<usize>(1);
        assert_eq!(user_memory::write_bytes(start, &blank), Ok(()));
        let text = UserIn::new(start);
        caller().begin_exit(0);
        let written = Calls.debug_write(text, PAGES * PAGE_SIZE);
        assert_eq!(written, Err(Status::CANCELED));
    });
}

#[ktest]
fn drawing_random_bytes_ends_with_the_thread_that_wants_them() {
    in_process(|sandbox| {
        let vmo = mapped(sandbox);
        caller().begin_exit(0);
        Calls.cprng_draw(UserOut::new(sandbox.get(1)), PAGES * PAGE_SIZE);
        assert!(committed_pages(vmo) < PAGES);
    });
}

#[ktest]
fn copying_to_and_from_a_vmo_ends_with_the_thread_that_copies() {
    in_process(|sandbox| {
        let shown = mapped(sandbox);
        let (address, bytes) = (sandbox.get(1), PAGES * PAGE_SIZE);
        let vmo = sandbox.vmo(bytes as u64, VmoOptions::empty());
        caller().begin_exit(0);
        let written = Calls.vmo_write(vmo, UserIn::new(address), 0, bytes);
        assert_eq!(written, Err(Status::CANCELED));
        assert!(committed_pages(vmo) < PAGES);
        let read = Calls.vmo_read(vmo, UserOut::new(address), 0, bytes);
        assert_eq!(read, Err(Status::CANCELED));
        assert!(committed_pages(shown) < PAGES);
    });
}
