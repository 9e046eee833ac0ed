//! Threads: flows of execution, in the kernel or in a process.
//!
//! What a thread *is* stands here; how it comes to run and to wait is the scheduler's
//! ([`crate::sched`]), which alone changes the links, the state and the saved registers.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use arch::user::UserEntry;
use intrusive_collections::{LinkedListAtomicLink, RBTreeAtomicLink};
use spin::Mutex;
use syscall::{Name, Result, Signals};
use vm::addr::VirtAddr;
use vm::cpu::CpuId;

use super::{Header, Process};
use crate::kernel_stack::KernelStack;
use crate::memory::try_arc;
use crate::sched::ContextCell;

/// What a thread does first.
#[derive(Clone, Copy)]
pub enum Start {
    /// Calls a function of the kernel and ends when it returns.
    Kernel {
        /// The function.
        entry: fn(usize),
        /// Its argument.
        argument: usize,
    },
    /// Goes to user mode.
    User(UserEntry),
    /// Runs already: the flow that booted this CPU.
    Boot,
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum ThreadState {
    /// Not started yet.
    New,
    /// Could run and waits for its turn.
    Ready,
    /// Has the CPU.
    Running,
    /// Waits for something.
    Blocked,
    /// Has ended.
    Dead,
}

/// A flow of execution.
pub struct Thread {
    header: Header,
    name: Mutex<Name>,
    process: Option<Arc<Process>>,
    home: CpuId,
    start: Start,
    state: AtomicU8,
    killed: AtomicBool,
    #[cfg(test)]
    buried: AtomicBool,
    /// `None` for the flow that booted a CPU: its stack belongs to the image.
    stack: Option<KernelStack>,
    /// The registers while the thread does not run.
    pub context: ContextCell,
    /// In the list of ready or dead threads of its CPU.
    pub ready_link: LinkedListAtomicLink,
    /// Among the blocked threads of its CPU, by `deadline`.
    pub sleep_link: RBTreeAtomicLink,
    /// In one wait queue, by `ticket`.
    pub wait_link: RBTreeAtomicLink,
    /// When the current sleep ends; the key of `sleep_link`.
    pub deadline: AtomicU64,
    /// The place in a wait queue; the key of `wait_link`.
    pub ticket: AtomicU64,
    /// Somebody woke the thread while it was not blocked; the next sleep ends at once.
    pub wake_pending: AtomicBool,
}

/// What a thread is made for.
struct Origin {
    name: Name,
    process: Option<Arc<Process>>,
    home: CpuId,
    start: Start,
}

impl Thread {
    /// A thread that does not run yet, bound to `home`.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the thread or its kernel stack.
    pub fn new(
        name: Name,
        process: Option<Arc<Process>>,
        home: CpuId,
        start: Start,
    ) -> Result<Arc<Self>> {
        let stack = KernelStack::new()?;
        let context = ContextCell::starting_on(&stack, start);
        let origin = Origin {
            name,
            process,
            home,
            start,
        };
        try_arc(Self::with(origin, Some(stack), context))
    }

    /// The flow that booted CPU `home`, as a thread.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the thread.
    pub fn boot(home: CpuId) -> Result<Arc<Self>> {
        let origin = Origin {
            name: Name::new_lossy("idle"),
            process: None,
            home,
            start: Start::Boot,
        };
        try_arc(Self::with(origin, None, ContextCell::running()))
    }

    fn with(origin: Origin, stack: Option<KernelStack>, context: ContextCell) -> Self {
        let Origin {
            name,
            process,
            home,
            start,
        } = origin;
        Self {
            header: Header::new(Signals::NONE),
            name: Mutex::new(name),
            process,
            home,
            start,
            state: AtomicU8::new(ThreadState::New as u8),
            killed: AtomicBool::new(false),
            #[cfg(test)]
            buried: AtomicBool::new(false),
            stack,
            context,
            ready_link: LinkedListAtomicLink::new(),
            sleep_link: RBTreeAtomicLink::new(),
            wait_link: RBTreeAtomicLink::new(),
            deadline: AtomicU64::new(0),
            ticket: AtomicU64::new(0),
            wake_pending: AtomicBool::new(false),
        }
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The thread's name.
    pub fn name(&self) -> Name {
        *self.name.lock()
    }

    /// Renames the thread.
    pub fn set_name(&self, name: Name) {
        *self.name.lock() = name;
    }

    /// The process the thread belongs to; `None` for the kernel's own threads.
    pub const fn process(&self) -> Option<&Arc<Process>> {
        self.process.as_ref()
    }

    /// The CPU that the thread runs on.
    pub const fn home(&self) -> CpuId {
        self.home
    }

    /// What the thread does first.
    pub const fn start(&self) -> Start {
        self.start
    }

    /// Where the thread's kernel stack ends; `None` for the flow that booted a CPU.
    pub fn stack_top(&self) -> Option<VirtAddr> {
        self.stack.as_ref().map(KernelStack::top)
    }

    /// What the thread is doing.
    pub fn state(&self) -> ThreadState {
        match self.state.load(Ordering::Acquire) {
            0 => ThreadState::New,
            1 => ThreadState::Ready,
            2 => ThreadState::Running,
            3 => ThreadState::Blocked,
            _ => ThreadState::Dead,
        }
    }

    /// Notes what the thread is doing; for the scheduler, under the lock of the thread's CPU.
    pub fn set_state(&self, state: ThreadState) {
        self.state.store(state as u8, Ordering::Release);
    }

    /// Whether the thread must end instead of going back to user mode.
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Makes the thread end before it runs another instruction in user mode.
    ///
    /// The caller wakes it afterwards, and asks its CPU to come to a safe point.
    pub fn mark_killed(&self) {
        self.killed.store(true, Ordering::Release);
    }

    /// Whether the thread has ended and no CPU stands on its stack any more.
    #[cfg(test)]
    pub fn is_buried(&self) -> bool {
        self.buried.load(Ordering::Acquire)
    }

    /// Notes that no CPU stands on the thread's stack any more; for the scheduler.
    #[cfg(test)]
    pub fn mark_buried(&self) {
        self.buried.store(true, Ordering::Release);
    }
}
