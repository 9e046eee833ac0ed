//! Tests of the scheduler.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrayvec::ArrayVec;
use ktest::ktest;
use spin::Mutex;
use vm::cpu::CpuId;

use super::{Deadline, Interrupted, WaitQueue, block, current, join, now, spawn, wake, yield_now};

/// What threads of a test did, in the order in which they did it.
static LOG: Mutex<ArrayVec<usize, 16>> = Mutex::new(ArrayVec::new_const());

const MILLISECOND: u64 = 1_000_000;

fn log(entry: usize) {
    LOG.lock().push(entry);
}

fn take_log() -> ArrayVec<usize, 16> {
    core::mem::take(&mut LOG.lock())
}

fn spawn_here(entry: fn(usize), argument: usize) -> alloc::sync::Arc<crate::object::Thread> {
    spawn("helper", arch::cpu::current(), entry, argument).expect("memory for a thread")
}

/// Lets three threads sleep until `start` plus 3, 1 and 2 times `spacing`, and returns who woke when;
/// nothing if one of them was late for its own deadline, as on a machine that is very busy.
fn sleep_three(spacing: u64) -> Option<ArrayVec<usize, 16>> {
    static START: AtomicU64 = AtomicU64::new(0);
    static SPACING: AtomicU64 = AtomicU64::new(0);
    static ON_TIME: AtomicUsize = AtomicUsize::new(0);
    let sleep = |place: usize| {
        let spacing = SPACING.load(Ordering::Relaxed);
        let deadline = START.load(Ordering::Relaxed) + place as u64 * spacing;
        if now() < deadline {
            ON_TIME.fetch_add(1, Ordering::Relaxed);
        }
        block(Deadline::at(deadline));
        assert!(now() >= deadline, "nobody wakes before the deadline");
        log(place);
    };
    let threads = [3, 1, 2].map(|place| spawn_here(sleep, place));
    // None of them has run: this thread has the CPU until it waits.
    SPACING.store(spacing, Ordering::Relaxed);
    START.store(now(), Ordering::Relaxed);
    threads.into_iter().for_each(join);
    let order = take_log();
    (ON_TIME.swap(0, Ordering::Relaxed) == order.len()).then_some(order)
}

#[ktest]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    let order = (0..).find_map(|attempt| sleep_three(MILLISECOND << attempt));
    assert_eq!(order.as_deref(), Some(&[1, 2, 3][..]));
}

#[ktest]
fn threads_that_yield_take_turns() {
    let work = |argument: usize| {
        for _ in 0..3 {
            log(argument);
            yield_now();
        }
    };
    let threads = [1, 2].map(|argument| spawn_here(work, argument));
    threads.into_iter().for_each(join);
    assert_eq!(take_log().as_slice(), [1, 2, 1, 2, 1, 2]);
}

#[ktest]
fn a_wake_that_comes_first_is_not_lost() {
    wake(&current());
    block(Deadline::NEVER);
}

#[ktest]
fn a_deadline_that_has_passed_does_not_block() {
    block(Deadline::at(0));
    block(Deadline::from_monotonic(-1));
    block(Deadline::from_monotonic(i64::MIN));
    assert_eq!(Deadline::from_monotonic(i64::MAX), Deadline::NEVER);
}

#[ktest]
fn a_wait_without_a_wake_times_out() {
    let queue = WaitQueue::new();
    let deadline = now() + MILLISECOND;
    let outcome = queue.wait(Deadline::at(deadline), || None::<()>);
    assert_eq!(outcome, Err(Interrupted::TimedOut));
    assert!(now() >= deadline);
}

#[ktest]
fn waiters_are_woken_first_come_first_served() {
    static QUEUE: WaitQueue = WaitQueue::new();
    static TICKETS: AtomicUsize = AtomicUsize::new(0);
    let wait = |argument: usize| {
        let take = || {
            let take = |tickets: usize| tickets.checked_sub(1);
            TICKETS
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .ok()
        };
        assert!(QUEUE.wait(Deadline::NEVER, take).is_ok());
        log(argument);
    };
    let threads = [1, 2, 3].map(|argument| spawn_here(wait, argument));
    yield_now();
    TICKETS.store(threads.len(), Ordering::Relaxed);
    QUEUE.wake_all();
    threads.into_iter().for_each(join);
    assert_eq!(take_log().as_slice(), [1, 2, 3]);
}

#[ktest]
fn every_cpu_knows_its_own_number_and_thread() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    for cpu in (0..arch::cpu::count()).filter_map(CpuId::new) {
        let look = |argument: usize| {
            assert_eq!(arch::cpu::current().index(), argument);
            assert_eq!(current().home().index(), argument);
            SEEN.fetch_add(1, Ordering::Relaxed);
        };
        join(spawn("helper", cpu, look, cpu.index()).expect("memory for a thread"));
    }
    assert_eq!(SEEN.swap(0, Ordering::Relaxed), arch::cpu::count());
}

#[ktest]
fn a_thread_on_another_cpu_is_woken_from_here() {
    static QUEUE: WaitQueue = WaitQueue::new();
    static GO: AtomicUsize = AtomicUsize::new(0);
    let last = CpuId::new(arch::cpu::count() - 1).expect("a CPU that runs");
    let wait = |_: usize| {
        let ready = || (GO.load(Ordering::Acquire) == 1).then_some(());
        assert_eq!(QUEUE.wait(Deadline::NEVER, ready), Ok(()));
    };
    let thread = spawn("helper", last, wait, 0).expect("memory for a thread");
    GO.store(1, Ordering::Release);
    QUEUE.wake_all();
    join(thread);
    GO.store(0, Ordering::Release);
}
