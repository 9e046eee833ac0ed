//! Which thread runs on which CPU, and how threads wait.
//!
//! Every CPU has a [`Queue`] of its own: the thread that runs, those that are ready, those that are
//! blocked, sorted by when they give up waiting. A thread is bound to one CPU for its life, so that
//! only that CPU ever switches to it or away from it. Threads take turns; a turn lasts
//! [`TIME_SLICE`] if others are ready, and for ever if not.
//!
//! **Where switches happen.** Kernel code is not preempted. The timer and the other CPUs only raise
//! a flag in the CPU's record ([`request`]); the thread that runs looks at it at its next *safe point*,
//! where it holds no lock: before it goes back to user mode ([`before_user`]), when it blocks, when it
//! is idle. So the locks here are plain spin locks: no interrupt handler takes them. The flag is also
//! raised whenever a thread that was killed gets the CPU, so that the way back to user mode has one
//! thing to look at.
//!
//! **Waiting** is built from two functions: [`block`] ends when somebody calls [`wake`] for the
//! thread or the deadline passes. A wake that comes first is remembered, so none is lost.
//! [`WaitQueue`] puts a condition on top.
//!
//! **Ending.** A thread cannot free the stack it stands on. It joins the list of the dead of its
//! CPU, and the next thread at a safe point there buries it ([`bury_dead`]).
//!
//! Lock order: a wait queue's lock, then a CPU's queue; nothing is taken under the latter.

mod idle;
mod queue;
mod switch;
mod time;
mod wait;

#[cfg(test)]
mod tests;

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use spin::Mutex;
use syscall::{Name, Result};
use vm::cpu::{CpuId, CpuSet, MAX_CPUS};
use vm::mmu::Mmu;

use crate::object::{Process, Start, Thread};

pub use idle::{idle, join_as_idle};
pub use switch::{ContextCell, CurrentProcess, current, current_process, has_current};
pub use time::{Deadline, now};
pub use wait::{Interrupted, WaitQueue};

use queue::{Decision, Fate, Queue};

/// How long a thread runs while others of its CPU are ready, in nanoseconds.
const TIME_SLICE: u64 = 10_000_000;

static QUEUES: [Mutex<Queue>; MAX_CPUS] = [const { Mutex::new(Queue::new()) }; MAX_CPUS];

/// Threads that wait for the end of another one.
#[cfg(test)]
static BURIALS: WaitQueue = WaitQueue::new();

/// A thread of the kernel's own on CPU `home`, which calls `entry(argument)` and ends.
///
/// # Errors
/// - `NO_MEMORY`: no memory for the thread or its stack.
pub fn spawn(name: &str, home: CpuId, entry: fn(usize), argument: usize) -> Result<Arc<Thread>> {
    let start = Start::Kernel { entry, argument };
    let thread = Thread::new(Name::new_lossy(name), None, home, start)?;
    start_thread(&thread);
    Ok(thread)
}

/// Makes a new thread ready to run.
pub fn start_thread(thread: &Arc<Thread>) {
    queue_of(thread.home()).lock().add_ready(Arc::clone(thread));
    request(thread.home());
}

/// Lets the others of this CPU have their turns.
pub fn yield_now() {
    switch_as(Fate::Ready);
}

/// Gives the CPU away until somebody wakes the current thread or `deadline` passes.
///
/// Returns at once if somebody has woken the thread since it last blocked. May return early without
/// a reason, so callers look again at what they wait for.
pub fn block(deadline: Deadline) {
    switch_as(Fate::Blocked(deadline));
}

/// Ends the current sleep of `thread`, or its next one if it does not sleep now.
pub fn wake(thread: &Thread) {
    let woken = queue_of(thread.home()).lock().wake(thread);
    if woken {
        request(thread.home());
    }
}

/// Asks the thread that runs on `cpu` to come to a safe point soon.
pub fn request(cpu: CpuId) {
    raise_flag(cpu);
    if cpu != arch::cpu::current() {
        arch::smp::request(CpuSet::only(cpu), arch::requests::Request::Reschedule);
    }
}

/// The safe point on the way back to user mode; returns with interrupts off.
///
/// Buries the dead, lets others run if it is their turn, and ends the thread if it was killed. Every
/// way out of the kernel leads through here: system call, fault, interrupt. Interrupts stay off from
/// the last look on, so that whatever comes after it interrupts the user thread, not the kernel.
#[inline]
pub fn before_user() {
    arch::cpu::disable_interrupts();
    if arch::cpu::local().kernel_flag.load(Ordering::Acquire) {
        serve_requests();
    }
}

/// Does what is wanted at a safe point until nothing is; called and returns with interrupts off.
#[cold]
#[inline(never)]
fn serve_requests() {
    while take_request() {
        arch::cpu::enable_interrupts();
        if current().is_killed() {
            exit_current();
        }
        crate::console::deliver_input();
        bury_dead();
        yield_now();
        arch::cpu::disable_interrupts();
    }
}

/// A safe point in the middle of a long call, for a thread that holds no lock.
///
/// Lets others run if it is their turn, as [`before_user`] does.
///
/// # Errors
/// [`Interrupted::Killed`]: the thread is to end, so whatever it does is for nobody.
pub fn pause() -> Result<(), Interrupted> {
    give_way();
    if current().is_killed() {
        return Err(Interrupted::Killed);
    }
    Ok(())
}

/// A safe point in the middle of long work that has to be finished, for a thread that holds no lock.
pub fn give_way() {
    if take_request() {
        crate::console::deliver_input();
        bury_dead();
        yield_now();
        if current().is_killed() {
            // The flag may have been raised for that: the way back to user mode has to find it.
            raise_flag(arch::cpu::current());
        }
    }
}

/// Ends the current thread, and with the last thread of a process the process.
///
/// The caller's frames are never left: they must own nothing.
pub fn exit_current() -> ! {
    if let Some(process) = current().process() {
        process.thread_ended(&current());
    }
    // Whoever runs next, be it the idle thread, has somebody to bury before it sleeps.
    request(arch::cpu::current());
    switch_as(Fate::Dead);
    unreachable!("a dead thread was switched to")
}

/// Frees the threads that have ended on this CPU.
pub fn bury_dead() {
    loop {
        // The queue is open again while the thread is freed: that unmaps its stack.
        let dead = this_queue().lock().take_dead();
        let Some(thread) = dead else { return };
        #[cfg(test)]
        thread.mark_buried();
        drop(thread);
        #[cfg(test)]
        BURIALS.wake_all();
    }
}

/// Waits until `thread`, which only the caller keeps, has ended, and frees it.
#[cfg(test)]
pub fn join(thread: Arc<Thread>) {
    let is_buried = || thread.is_buried().then_some(());
    let waited = BURIALS.wait(Deadline::NEVER, is_buried);
    debug_assert_eq!(waited, Ok(()), "threads that join are the kernel's own");
    // Whoever woke or buried it may still hold it for the last few instructions.
    while Arc::strong_count(&thread) > 1 {
        core::hint::spin_loop();
    }
}

/// What the thread that runs on this CPU calls when the machine interrupts it.
///
/// Only raises the flag if the kernel was interrupted; a user thread goes through a safe point.
pub fn interrupted(origin: arch::handlers::Origin) {
    raise_flag(arch::cpu::current());
    match origin {
        arch::handlers::Origin::Kernel => (),
        arch::handlers::Origin::User => {
            // The user thread held no lock, so this is a safe point like any other.
            before_user();
        }
    }
}

/// Whether somebody wanted this CPU to come to a safe point; nobody wants it any more.
fn take_request() -> bool {
    let flag = &arch::cpu::local().kernel_flag;
    flag.load(Ordering::Acquire) && flag.swap(false, Ordering::AcqRel)
}

fn raise_flag(cpu: CpuId) {
    arch::cpu::record(cpu)
        .kernel_flag
        .store(true, Ordering::Release);
}

/// Stops running the current thread, which will be `fate`, and runs the next one.
///
/// Returns when the current thread has its turn again.
fn switch_as(fate: Fate) {
    let decision = this_queue().lock().choose(fate, now());
    match decision {
        Decision::Stay => (),
        Decision::Switch { from, to } => switch::to(from, to),
    }
}

fn queue_of(cpu: CpuId) -> &'static Mutex<Queue> {
    &QUEUES[cpu.index()]
}

fn this_queue() -> &'static Mutex<Queue> {
    queue_of(arch::cpu::current())
}

/// Makes the address space of `process`, or none, the one that user addresses mean on this CPU.
fn activate(process: Option<&Arc<Process>>) {
    match process {
        Some(process) => process.space().mmu().activate(),
        None => arch::paging::activate_kernel(),
    }
}
