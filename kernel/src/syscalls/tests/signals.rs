//! Waiting for signals while other threads of the process change them, close the handle or end.
//!
//! Programs have one thread so far, so only the kernel can see a wait from two sides.

use alloc::sync::Arc;

use ktest::ktest;
use spin::Mutex;
use syscall::kernel::{SystemCalls, UserOut};
use syscall::{HandleValue, Name, Result, Rights, Signals, Status, VmoOptions};
use vm::cpu::CpuId;

use super::{Sandbox, in_process};
use crate::handle::Handle;
use crate::object::{Start, Thread, ThreadState};
use crate::sched::{self, current, now, yield_now};
use crate::syscalls::{Calls, caller};

/// A deadline that does not come.
const NEVER: i64 = i64::MAX;

/// Where a helper, which has no memory to write to, has its answers go.
const NOWHERE: UserOut<Signals> = UserOut::new(0);

/// The signals of a VMO without children.
const FRESH: Signals = Signals::VMO_ZERO_CHILDREN;

/// The thread of the sandbox, for helpers to look at.
static WAITER: Mutex<Option<Arc<Thread>>> = Mutex::new(None);

/// The first and the last CPU, which may be the same.
fn ends() -> [CpuId; 2] {
    let last = CpuId::new(arch::cpu::count() - 1).expect("a CPU that runs");
    [CpuId::BOOT, last]
}

/// Starts another thread of the calling process, which gets a handle.
fn help(home: CpuId, entry: fn(usize), handle: HandleValue) -> Arc<Thread> {
    let process = current().process().cloned();
    let process = process.expect("the thread of the sandbox");
    let start = Start::Kernel {
        entry,
        argument: handle.into_raw() as usize,
    };
    let name = Name::new_lossy("helper");
    let thread = Thread::new(name, Some(Arc::clone(&process)), home, start).expect("memory");
    assert_eq!(process.add_thread(Arc::clone(&thread)), Ok(()));
    sched::start_thread(&thread);
    thread
}

/// Waits for `wanted` of a new VMO while `helper` runs on `home` with the same handle.
///
/// Returns how the wait ended and what was observed.
fn wait_beside(
    sandbox: &Sandbox,
    home: CpuId,
    helper: fn(usize),
    wanted: Signals,
) -> (Result<()>, Signals) {
    let vmo = sandbox.vmo(0, VmoOptions::empty());
    *WAITER.lock() = Some(current().share());
    let helper = help(home, helper, vmo);
    let result = Calls.object_wait_one(vmo, wanted, NEVER, sandbox.out(2));
    sched::join(helper);
    let waiter = WAITER.lock().take();
    drop(waiter);
    (result, Signals::from_bits_retain(sandbox.get(2)))
}

/// Returns when the thread of the sandbox sleeps.
fn let_it_wait() {
    let waiter = WAITER.lock().clone().expect("the waiter is known");
    while waiter.state() != ThreadState::Blocked {
        yield_now();
    }
}

fn handle(argument: usize) -> HandleValue {
    HandleValue::from_raw(argument as u32)
}

fn set(handle: HandleValue, signals: Signals) {
    assert_eq!(Calls.object_signal(handle, Signals::NONE, signals), Ok(()));
}

fn clear(handle: HandleValue, signals: Signals) {
    assert_eq!(Calls.object_signal(handle, signals, Signals::NONE), Ok(()));
}

#[ktest]
fn a_signal_ends_the_wait_and_others_do_not() {
    in_process(|sandbox| {
        let helper = |argument: usize| {
            let_it_wait();
            set(handle(argument), Signals::USER_1);
            clear(handle(argument), Signals::USER_7);
            let_it_wait();
            set(handle(argument), Signals::USER_3);
        };
        for home in ends() {
            let wanted = Signals::USER_2 | Signals::USER_3;
            let ended = wait_beside(sandbox, home, helper, wanted);
            let active = FRESH | Signals::USER_1 | Signals::USER_3;
            assert_eq!(ended, (Ok(()), active));
        }
    });
}

#[ktest]
fn signals_that_go_again_at_once_were_seen() {
    in_process(|sandbox| {
        let helper = |argument: usize| {
            let_it_wait();
            set(handle(argument), Signals::USER_0);
            clear(handle(argument), Signals::USER_0);
        };
        for home in ends() {
            let ended = wait_beside(sandbox, home, helper, Signals::USER_0);
            assert_eq!(ended, (Ok(()), FRESH | Signals::USER_0));
        }
    });
}

#[ktest]
fn closing_the_handle_ends_the_wait() {
    in_process(|sandbox| {
        let helper = |argument: usize| {
            let_it_wait();
            set(handle(argument), Signals::USER_5);
            assert_eq!(Calls.handle_close(handle(argument)), Ok(()));
        };
        for home in ends() {
            let ended = wait_beside(sandbox, home, helper, Signals::NONE);
            let seen = FRESH | Signals::USER_5 | Signals::HANDLE_CLOSED;
            assert_eq!(ended, (Err(Status::CANCELED), seen));
        }
    });
}

#[ktest]
fn replacing_the_handle_ends_the_wait() {
    in_process(|sandbox| {
        let helper = |argument: usize| {
            let_it_wait();
            // The new value cannot be told; the old handle is gone all the same.
            let replaced =
                Calls.handle_replace(handle(argument), Rights::SAME_RIGHTS, UserOut::new(0));
            assert_eq!(replaced, Err(Status::INVALID_ARGS));
        };
        for home in ends() {
            let ended = wait_beside(sandbox, home, helper, Signals::USER_0);
            assert_eq!(
                ended,
                (Err(Status::CANCELED), FRESH | Signals::HANDLE_CLOSED)
            );
        }
    });
}

#[ktest]
fn closing_another_handle_ends_nothing() {
    in_process(|sandbox| {
        let helper = |argument: usize| {
            let (object, rights) = caller().any_object(handle(argument)).expect("a handle");
            let other = caller().add_handle(Handle::new(object, rights));
            let other = other.expect("room for a handle");
            let_it_wait();
            assert_eq!(Calls.handle_close(other), Ok(()));
            let_it_wait();
            set(handle(argument), Signals::USER_0);
        };
        for home in ends() {
            let ended = wait_beside(sandbox, home, helper, Signals::USER_0);
            assert_eq!(ended, (Ok(()), FRESH | Signals::USER_0));
        }
    });
}

#[ktest]
fn a_wait_ends_with_its_process() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(0, VmoOptions::empty());
        *WAITER.lock() = Some(current().share());
        let helper = |_: usize| {
            let_it_wait();
            Calls.process_exit(0);
        };
        let helper = help(ends()[1], helper, vmo);
        let ended = Calls.object_wait_one(vmo, Signals::NONE, NEVER, NOWHERE);
        assert_eq!(ended, Err(Status::TIMED_OUT));
        assert!(current().is_killed());
        // A thread that is to end cannot wait for another one.
        while Arc::strong_count(&helper) > 1 {
            sched::give_way();
            yield_now();
        }
        let waiter = WAITER.lock().take();
        drop(waiter);
    });
}

/// Turns that two threads take; each one wakes the other, which may be about to sleep just then.
const TURNS: usize = 500;

#[ktest]
fn threads_that_wake_each_other_lose_no_wake_up() {
    fn take_turns(vmo: HandleValue, mine: Signals, yours: Signals) {
        for _ in 0..TURNS {
            assert_eq!(Calls.object_wait_one(vmo, mine, NEVER, NOWHERE), Ok(()));
            assert_eq!(Calls.object_signal(vmo, mine, yours), Ok(()));
        }
    }
    in_process(|sandbox| {
        for home in ends() {
            let vmo = sandbox.vmo(0, VmoOptions::empty());
            let helper = |argument: usize| {
                take_turns(handle(argument), Signals::USER_1, Signals::USER_0);
            };
            let helper = help(home, helper, vmo);
            set(vmo, Signals::USER_0);
            take_turns(vmo, Signals::USER_0, Signals::USER_1);
            sched::join(helper);
        }
    });
}

#[ktest]
fn a_wait_ends_at_its_deadline_and_not_before() {
    in_process(|sandbox| {
        let vmo = sandbox.vmo(0, VmoOptions::empty());
        let deadline = now() + 1_000_000;
        let wait = |deadline: u64| {
            let deadline = i64::try_from(deadline).expect("a machine that started lately");
            sandbox.set(2, 0u64);
            Calls.object_wait_one(vmo, Signals::USER_0, deadline, sandbox.out(2))
        };
        for deadline in [deadline, deadline, 0] {
            assert_eq!(wait(deadline), Err(Status::TIMED_OUT));
            assert!(now() >= deadline);
            assert_eq!(Signals::from_bits_retain(sandbox.get(2)), FRESH);
        }
    });
}

#[ktest]
fn regions_have_no_signals() {
    in_process(|_| {
        let root = Arc::clone(caller().root());
        let root = caller().add_handle(Handle::new(root, Rights::WAIT | Rights::SIGNAL));
        let root = root.expect("room for a handle");
        let none = Signals::NONE;
        let unsupported = Err(Status::NOT_SUPPORTED);
        assert_eq!(Calls.object_signal(root, none, none), unsupported);
        assert_eq!(
            Calls.object_wait_one(root, none, NEVER, NOWHERE),
            unsupported
        );
    });
}
