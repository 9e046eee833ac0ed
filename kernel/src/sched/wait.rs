//! Waiting until something holds.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use intrusive_collections::{KeyAdapter, RBTree, RBTreeAtomicLink, intrusive_adapter};
use spin::Mutex;

use super::{Deadline, block, current, now, wake};
use crate::object::Thread;

intrusive_adapter!(WaitAdapter = Arc<Thread>: Thread { wait_link => RBTreeAtomicLink });

impl<'a> KeyAdapter<'a> for WaitAdapter {
    type Key = u64;

    fn get_key(&self, thread: &'a Thread) -> u64 {
        thread.ticket.load(Ordering::Relaxed)
    }
}

/// Why a wait ended although what it waited for does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interrupted {
    /// The deadline passed.
    TimedOut,
    /// The thread is to end.
    Killed,
}

/// The threads that wait until something holds, first come, first served.
pub struct WaitQueue {
    waiters: Mutex<RBTree<WaitAdapter>>,
}

impl WaitQueue {
    /// A queue in which nobody waits.
    pub const fn new() -> Self {
        Self {
            waiters: Mutex::new(RBTree::new(WaitAdapter::NEW)),
        }
    }

    /// Waits until `condition` gives a value.
    ///
    /// Whoever makes it hold wakes the queue afterwards. The condition is looked at while the thread
    /// already counts as waiting, so no wake can fall between looking and sleeping; it must not
    /// block.
    ///
    /// # Errors
    /// [`Interrupted`], with the condition last seen not to hold.
    pub fn wait<T>(
        &self,
        deadline: Deadline,
        mut condition: impl FnMut() -> Option<T>,
    ) -> Result<T, Interrupted> {
        loop {
            self.join();
            let outcome = match condition() {
                Some(value) => Some(Ok(value)),
                None if current().is_killed() => Some(Err(Interrupted::Killed)),
                None if deadline.has_passed(now()) => Some(Err(Interrupted::TimedOut)),
                None => None,
            };
            if let Some(outcome) = outcome {
                self.leave();
                return outcome;
            }
            block(deadline);
        }
    }

    /// Wakes every thread that waits.
    pub fn wake_all(&self) {
        while let Some(thread) = self.take_first() {
            wake(&thread);
        }
    }

    fn take_first(&self) -> Option<Arc<Thread>> {
        self.waiters.lock().front_mut().remove()
    }

    /// Makes the current thread the last one of the queue, unless it is in it already.
    fn join(&self) {
        static NEXT_TICKET: AtomicU64 = AtomicU64::new(0);
        let thread = current().share();
        let mut waiters = self.waiters.lock();
        if !thread.wait_link.is_linked() {
            thread.ticket.store(
                NEXT_TICKET.fetch_add(1, Ordering::Relaxed),
                Ordering::Relaxed,
            );
            waiters.insert(thread);
        }
    }

    /// Takes the current thread out of the queue, if it is in it.
    fn leave(&self) {
        let mut waiters = self.waiters.lock();
        let ticket = current().ticket.load(Ordering::Relaxed);
        let left = waiters.find_mut(&ticket).remove();
        drop(waiters);
        drop(left);
    }
}
