//! The one place where a CPU changes from one thread to another.
//!
//! What is unsafe about it is fenced here: the saved registers of a thread, and the pointer to the
//! current thread in the CPU's record.

#![allow(
    unsafe_code,
    reason = "saved registers and the current thread are reached by raw pointers"
)]

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::Ordering;

use arch::context::{self, Context};
use arch::irq_lock::InterruptsOff;

use super::{activate, exit_current, raise_flag};
use crate::kernel_stack::KernelStack;
use crate::object::{Process, Start, Thread};

/// The registers of a thread that does not run.
///
/// Only [`to`] touches what is inside: when the thread's own CPU leaves the thread, and when it
/// comes back to it.
pub struct ContextCell(UnsafeCell<Context>);

// SAFETY:
// 1. Only `to` reaches the contents, on the CPU that the thread is bound to, so never from two CPUs
//    at once.
unsafe impl Sync for ContextCell {}

// SAFETY:
// 1. A context is plain register values; the stack they point into belongs to the same thread.
unsafe impl Send for ContextCell {}

impl ContextCell {
    /// A thread that begins on `stack`, with state for user mode if it is to go there.
    pub fn starting_on(stack: &KernelStack, start: Start) -> Self {
        let top = stack.top();
        // SAFETY:
        // 1. The stack is mapped and page-aligned, and belongs to the thread that is made here.
        let context = unsafe {
            match start {
                Start::User(_) => Context::new_user(top, begin, 0),
                Start::Kernel { .. } | Start::Boot => Context::new(top, begin, 0),
            }
        };
        Self(UnsafeCell::new(context))
    }

    /// A thread that runs already: the first switch away from it saves its registers.
    pub fn running() -> Self {
        Self(UnsafeCell::new(Context::running()))
    }
}

/// The thread that runs on this CPU, as seen by itself.
///
/// Cannot leave the thread, so what it refers to stays alive: the scheduler keeps every thread at
/// least until it has switched away from it for the last time.
#[derive(Clone, Copy)]
pub struct Current {
    thread: &'static Thread,
    _stays_here: PhantomData<*const ()>,
}

impl Deref for Current {
    type Target = Thread;

    #[inline]
    fn deref(&self) -> &Thread {
        self.thread
    }
}

impl Current {
    /// The thread, shared with the caller.
    pub fn share(self) -> Arc<Thread> {
        let pointer: *const Thread = self.thread;
        // SAFETY:
        // 1. Every current thread lives in an `Arc` (`Queue::current`), from which `note_current`
        //    got the pointer.
        // 2. That `Arc` is still there: `Current` exists only while its thread runs.
        unsafe {
            Arc::increment_strong_count(pointer);
            Arc::from_raw(pointer)
        }
    }
}

/// The thread that runs on this CPU.
///
/// # Panics
/// If this CPU has not joined the scheduler yet.
#[inline]
pub fn current() -> Current {
    let pointer = arch::cpu::local().kernel_slot.load(Ordering::Relaxed) as *const Thread;
    assert!(!pointer.is_null(), "this CPU has no current thread yet");
    // SAFETY:
    // 1. `note_current` stored a pointer to a thread that `Queue::current` keeps alive as long as
    //    that thread runs on this CPU; `Current` does not outlive that (see there).
    // 2. Threads are only ever used through shared references.
    let thread = unsafe { &*pointer };
    Current {
        thread,
        _stays_here: PhantomData,
    }
}

/// The process of the thread that runs on this CPU, as seen by that thread.
///
/// Like [`Current`], it cannot leave the thread, which keeps its process alive.
#[derive(Clone, Copy)]
pub struct CurrentProcess {
    process: &'static Process,
    _stays_here: PhantomData<*const ()>,
}

impl Deref for CurrentProcess {
    type Target = Process;

    #[inline]
    fn deref(&self) -> &Process {
        self.process
    }
}

/// The process of the thread that runs on this CPU; `None` for the kernel's own threads.
#[inline]
pub fn current_process() -> Option<CurrentProcess> {
    let process = current().thread.process()?;
    Some(CurrentProcess {
        process,
        _stays_here: PhantomData,
    })
}

/// Whether this CPU has joined the scheduler, so that [`current`] has an answer.
pub fn has_current() -> bool {
    arch::cpu::local().kernel_slot.load(Ordering::Relaxed) != 0
}

/// Makes `thread` the answer of [`current`] on this CPU.
pub fn note_current(thread: *const Thread) {
    arch::cpu::local()
        .kernel_slot
        .store(thread as usize, Ordering::Relaxed);
}

/// Goes on with the thread `to`; returns when somebody switches back to `from`.
///
/// Both are alive as [`super::queue::Decision::Switch`] says, and `from` is the current one.
pub fn to(from: *const Thread, to: *const Thread) {
    // SAFETY:
    // 1. The queue of this CPU keeps both alive: `to` as its current thread, `from` among the ready,
    //    blocked or dead ones, which only this CPU takes out, at a safe point after this switch.
    let (leaving, coming) = unsafe { (&*from, &*to) };
    let (old_space, new_space) = (leaving.process(), coming.process());
    if old_space.map(Arc::as_ptr) != new_space.map(Arc::as_ptr) {
        activate(new_space);
    }
    if let Some(top) = coming.stack_top() {
        arch::cpu::set_kernel_stack(top);
    }
    note_current(to);
    if coming.is_killed() {
        // Whoever ran before may have taken the request that came with the killing.
        raise_flag(arch::cpu::current());
    }
    let _off = InterruptsOff::enter();
    // SAFETY:
    // 1. Interrupts are off since the line above.
    // 2. Both contexts belong to threads of this CPU, so no other CPU uses them. `coming` does not run:
    //    its context is what the last switch away from it saved, or a new one.
    // 3. Both threads, and with them their stacks, stay alive: see above.
    unsafe { context::switch(leaving.context.0.get(), coming.context.0.get()) }
}

/// The first thing that a thread does.
extern "C" fn begin(_: usize) -> ! {
    arch::cpu::enable_interrupts();
    match current().start() {
        Start::Kernel { entry, argument } => entry(argument),
        Start::User(entry) => {
            super::before_user();
            arch::user::enter(entry)
        }
        Start::Boot => unreachable!("the flow that booted a CPU does not begin again"),
    }
    exit_current()
}
