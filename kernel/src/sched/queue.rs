//! The threads of one CPU.
//!
//! Invariants, under the lock of the queue:
//! 1. A started thread that has not been buried is in exactly one place of its CPU's queue:
//!    `current`, `ready`, `blocked`, `dead`, or it is the idle thread. So the queue keeps it alive.
//! 2. A thread's state says which of these it is.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use intrusive_collections::{
    KeyAdapter, LinkedList, LinkedListAtomicLink, RBTree, RBTreeAtomicLink, intrusive_adapter,
};
use syscall::Koid;

use super::TIME_SLICE;
use super::time::Deadline;
use crate::object::{Thread, ThreadState};

intrusive_adapter!(ReadyAdapter = Arc<Thread>: Thread { ready_link => LinkedListAtomicLink });
intrusive_adapter!(SleepAdapter = Arc<Thread>: Thread { sleep_link => RBTreeAtomicLink });

impl<'a> KeyAdapter<'a> for SleepAdapter {
    type Key = (u64, Koid);

    fn get_key(&self, thread: &'a Thread) -> Self::Key {
        sleep_key(thread)
    }
}

/// The place of a blocked thread: by deadline, and different for every thread.
fn sleep_key(thread: &Thread) -> (u64, Koid) {
    (
        thread.deadline.load(Ordering::Relaxed),
        thread.header().koid(),
    )
}

/// What becomes of the thread that runs.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It goes on when it is its turn again.
    Ready,
    /// It goes on when somebody wakes it, or at the deadline.
    Blocked(Deadline),
    /// It does not go on.
    Dead,
}

/// Who runs next.
pub enum Decision {
    /// The same thread.
    Stay,
    /// Another one. Both are kept alive by the queue (invariant 1), `from` even if it is dead.
    Switch {
        /// The thread that ran.
        from: *const Thread,
        /// The thread that is current from now on.
        to: *const Thread,
    },
}

/// The threads of one CPU.
pub struct Queue {
    current: Option<Arc<Thread>>,
    idle: Option<Arc<Thread>>,
    ready: LinkedList<ReadyAdapter>,
    blocked: RBTree<SleepAdapter>,
    dead: LinkedList<ReadyAdapter>,
}

impl Queue {
    /// No threads at all.
    pub const fn new() -> Self {
        Self {
            current: None,
            idle: None,
            ready: LinkedList::new(ReadyAdapter::NEW),
            blocked: RBTree::new(SleepAdapter::NEW),
            dead: LinkedList::new(ReadyAdapter::NEW),
        }
    }

    /// Makes the flow that booted the CPU its idle thread, which runs now.
    pub fn set_idle(&mut self, thread: Arc<Thread>) {
        thread.set_state(ThreadState::Running);
        self.idle = Some(Arc::clone(&thread));
        self.current = Some(thread);
    }

    /// Adds a thread that can run, at the end.
    pub fn add_ready(&mut self, thread: Arc<Thread>) {
        thread.set_state(ThreadState::Ready);
        self.ready.push_back(thread);
    }

    /// Makes `thread` ready if it is blocked, and otherwise notes that its next sleep is over.
    ///
    /// Returns whether it became ready.
    pub fn wake(&mut self, thread: &Thread) -> bool {
        match thread.state() {
            ThreadState::Blocked => {
                let sleeper = self.blocked.find_mut(&sleep_key(thread)).remove();
                let Some(sleeper) = sleeper else { return false };
                self.add_ready(sleeper);
                true
            }
            ThreadState::New | ThreadState::Ready | ThreadState::Running => {
                thread.wake_pending.store(true, Ordering::Relaxed);
                false
            }
            ThreadState::Dead => false,
        }
    }

    /// Takes a thread that has ended, and that no CPU stands on any more.
    pub fn take_dead(&mut self) -> Option<Arc<Thread>> {
        self.dead.pop_front()
    }

    /// Decides who runs next, given what becomes of the thread that runs.
    ///
    /// Sets the timer for the next decision.
    ///
    /// # Panics
    /// If the CPU has no idle thread yet.
    pub fn choose(&mut self, fate: Fate, now: u64) -> Decision {
        self.wake_sleepers(now);
        let current = self
            .current
            .take()
            .expect("a CPU that schedules has a current thread");
        let from: *const Thread = Arc::as_ptr(&current);
        if self.may_go_on(&current, fate, now) {
            self.current = Some(current);
            self.set_timer(now);
            return Decision::Stay;
        }
        self.put_away(current, fate);
        let next = self.ready.pop_front().or_else(|| self.idle.clone());
        let next = next.expect("a CPU that schedules has an idle thread");
        next.set_state(ThreadState::Running);
        let to: *const Thread = Arc::as_ptr(&next);
        self.current = Some(next);
        self.set_timer(now);
        if core::ptr::eq(from, to) {
            Decision::Stay
        } else {
            Decision::Switch { from, to }
        }
    }

    /// Whether the thread that runs does not have to give way at all.
    fn may_go_on(&self, current: &Thread, fate: Fate, now: u64) -> bool {
        match fate {
            Fate::Ready => self.ready.is_empty(),
            Fate::Blocked(deadline) => {
                current.wake_pending.swap(false, Ordering::Relaxed) || deadline.has_passed(now)
            }
            Fate::Dead => false,
        }
    }

    /// Puts the thread that ran where its fate wants it.
    fn put_away(&mut self, thread: Arc<Thread>, fate: Fate) {
        let is_idle = self
            .idle
            .as_ref()
            .is_some_and(|idle| Arc::ptr_eq(idle, &thread));
        match fate {
            // The idle thread is kept apart: it runs only when nobody else can.
            Fate::Ready | Fate::Blocked(_) if is_idle => thread.set_state(ThreadState::Ready),
            Fate::Ready => self.add_ready(thread),
            Fate::Blocked(deadline) => {
                thread.set_state(ThreadState::Blocked);
                thread
                    .deadline
                    .store(deadline.nanoseconds(), Ordering::Relaxed);
                self.blocked.insert(thread);
            }
            Fate::Dead => {
                thread.set_state(ThreadState::Dead);
                self.dead.push_back(thread);
            }
        }
    }

    /// Makes every thread ready whose deadline has passed.
    fn wake_sleepers(&mut self, now: u64) {
        loop {
            let mut first = self.blocked.front_mut();
            match first.get() {
                Some(thread) if thread.deadline.load(Ordering::Relaxed) <= now => (),
                _ => return,
            }
            if let Some(thread) = first.remove() {
                self.add_ready(thread);
            }
        }
    }

    /// Sets the CPU's timer for the moment when a decision is due without anybody asking for it.
    fn set_timer(&self, now: u64) {
        let wake_up = self
            .blocked
            .front()
            .get()
            .map(|thread| thread.deadline.load(Ordering::Relaxed));
        let turn = (!self.ready.is_empty()).then(|| now.saturating_add(TIME_SLICE));
        let next = wake_up.into_iter().chain(turn).min();
        arch::timer::set_deadline(next.filter(|next| *next != u64::MAX));
    }
}
