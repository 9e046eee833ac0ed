//! Signals: what an object tells those who wait for it.
//!
//! Every object's header has a [`SignalState`]: the signals that are active, and an [`Observer`] for each
//! wait that goes on. An observer belongs to the handle through which is waited, so that closing this
//! handle ends the wait, and other handles to the object end nothing.
//!
//! ```text
//!   change, update ──► active signals ──► observers that want one ──┐
//!   handle_closed ──────────────► observers through that handle ────┴──► ended, taken out, woken
//! ```
//!
//! **No wake-up is lost**, on however many CPUs:
//! 1. A wait looks at the signals and joins the observers under the same lock under which signals change and
//!    observers end. So each change either comes before the look, which sees it, or finds the observer.
//! 2. A wait begins under the lock of the handle table in which it found its handle ([`Wait::begin`]), and a
//!    handle is taken out under that lock before it is closed. So each close either comes before, and the
//!    wait finds no handle, or finds the observer.
//! 3. An observer ends before its thread is woken, and the thread looks at it before each sleep. A wake that
//!    comes between this look and the sleep is remembered by the scheduler.
//!
//! An observer keeps what was active when it ended: signals that go again before its thread has its turn
//! were seen all the same.
//!
//! Lock order: a handle table, then signals, then a CPU's queue of threads or what decides about the signals
//! (see [`SignalState::update`]). Nobody is woken, and no observer freed, under the lock of the signals.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use intrusive_collections::{Bound, KeyAdapter, RBTree, RBTreeAtomicLink, intrusive_adapter};
use spin::Mutex;
use syscall::{Result, Signals};

use super::{KernelObject, Thread};
use crate::handle::{Handle, HandleId};
use crate::memory::try_arc;
use crate::sched::{self, Deadline};

/// The signals of an object, and who waits for them.
pub struct SignalState {
    state: Mutex<State>,
}

/// Under the lock of the signals:
///
/// 1. No observer in the tree wants a signal that is active.
/// 2. An observer in the tree has not ended; one that has ended is not in it.
struct State {
    active: Signals,
    observers: RBTree<ObserverAdapter>,
}

/// One wait of a thread for signals of an object, through a handle.
pub struct Observer {
    link: RBTreeAtomicLink,
    handle: HandleId,
    /// Tells waits through one handle apart.
    ticket: u64,
    wanted: Signals,
    waiter: Arc<Thread>,
    /// What was active when the wait ended; no signal as long as it goes on.
    ///
    /// Changes under the lock of the signals alone. What ends a wait is a signal, so it is never none.
    seen: AtomicU32,
}

intrusive_adapter!(ObserverAdapter = Arc<Observer>: Observer { link => RBTreeAtomicLink });

impl KeyAdapter<'_> for ObserverAdapter {
    type Key = (HandleId, u64);

    fn get_key(&self, observer: &Observer) -> Self::Key {
        observer.key()
    }
}

impl SignalState {
    /// The signals of an object for which nobody waits yet.
    pub const fn new(active: Signals) -> Self {
        Self {
            state: Mutex::new(State {
                active,
                observers: RBTree::new(ObserverAdapter::NEW),
            }),
        }
    }

    /// The signals that are active.
    pub fn active(&self) -> Signals {
        self.state.lock().active
    }

    /// Takes the signals in `clear` away, then adds those in `set`.
    pub fn change(&self, clear: Signals, set: Signals) {
        self.update(|active| active.difference(clear) | set);
    }

    /// Makes of the active signals what `decide` says.
    ///
    /// `decide` is called under the lock of the signals. So if it looks at what the signals are about, and is
    /// called after each change of that, the signals are right in the end, whoever comes first.
    pub fn update(&self, decide: impl FnOnce(Signals) -> Signals) {
        let mut state = self.state.lock();
        let before = state.active;
        state.active = decide(before);
        // Whoever is in the tree wanted none of those before.
        let is_new = !before.contains(state.active);
        let ended = if is_new {
            state.end_satisfied()
        } else {
            RBTree::new(ObserverAdapter::NEW)
        };
        drop(state);
        wake_all(ended);
    }

    /// Ends the waits through a handle that is being closed.
    ///
    /// The handle is in no table any more, so that no other wait begins.
    pub fn handle_closed(&self, handle: HandleId) {
        let mut state = self.state.lock();
        let ended = state.end_through(handle);
        drop(state);
        wake_all(ended);
    }

    /// Makes `observer` one of those that wait; it ends at once if what it wants is active.
    fn join(&self, observer: &Arc<Observer>) {
        let mut state = self.state.lock();
        if state.active.intersects(observer.wanted) {
            observer.end(state.active);
        } else {
            state.observers.insert(Arc::clone(observer));
        }
    }

    /// Gives up the wait of `observer`, if it has not ended; returns what was active at its end.
    fn leave(&self, observer: &Observer) -> Signals {
        let mut state = self.state.lock();
        let left = state.observers.find_mut(&observer.key()).remove();
        let seen = if left.is_some() {
            state.active
        } else {
            observer.seen()
        };
        drop(state);
        drop(left);
        seen
    }
}

impl State {
    /// Ends and takes out the observers that want an active signal.
    fn end_satisfied(&mut self) -> RBTree<ObserverAdapter> {
        let mut ended = RBTree::new(ObserverAdapter::NEW);
        let mut cursor = self.observers.front_mut();
        while let Some(observer) = cursor.get() {
            if !self.active.intersects(observer.wanted) {
                cursor.move_next();
            } else if let Some(observer) = cursor.remove() {
                observer.end(self.active);
                ended.insert(observer);
            }
        }
        ended
    }

    /// Ends and takes out the observers that wait through `handle`.
    fn end_through(&mut self, handle: HandleId) -> RBTree<ObserverAdapter> {
        let mut ended = RBTree::new(ObserverAdapter::NEW);
        let first = (handle, 0);
        let mut cursor = self.observers.lower_bound_mut(Bound::Included(&first));
        while cursor.get().is_some_and(|next| next.handle == handle)
            && let Some(observer) = cursor.remove()
        {
            observer.end(self.active | Signals::HANDLE_CLOSED);
            ended.insert(observer);
        }
        ended
    }
}

/// Wakes the threads of observers that have ended; called without a lock.
fn wake_all(mut ended: RBTree<ObserverAdapter>) {
    while let Some(observer) = ended.front_mut().remove() {
        sched::wake(&observer.waiter);
    }
}

impl Observer {
    /// A wait of the current thread that goes on.
    fn new(handle: HandleId, wanted: Signals) -> Result<Arc<Self>> {
        static NEXT_TICKET: AtomicU64 = AtomicU64::new(0);
        try_arc(Self {
            link: RBTreeAtomicLink::new(),
            handle,
            ticket: NEXT_TICKET.fetch_add(1, Ordering::Relaxed),
            wanted,
            waiter: sched::current().share(),
            seen: AtomicU32::new(Signals::NONE.bits()),
        })
    }

    fn key(&self) -> (HandleId, u64) {
        (self.handle, self.ticket)
    }

    /// Notes that the wait has ended with `seen` active; under the lock of the signals.
    fn end(&self, seen: Signals) {
        debug_assert!(!seen.is_empty(), "a wait ends with a signal");
        self.seen.store(seen.bits(), Ordering::Release);
    }

    fn seen(&self) -> Signals {
        Signals::from_bits_retain(self.seen.load(Ordering::Acquire))
    }

    fn has_ended(&self) -> bool {
        !self.seen().is_empty()
    }
}

/// A wait of the current thread for signals of an object.
#[must_use = "the object keeps an observer until the wait is finished"]
pub enum Wait {
    /// It was over when it began, with these signals active.
    Over(Signals),
    /// The object has an observer for it, or it has ended meanwhile.
    Pending(KernelObject, Arc<Observer>),
}

impl Wait {
    /// Begins to wait until one of the signals in `wanted` is active, until `handle` is closed or until
    /// `deadline`. The caller holds the lock of the table that `handle` is in.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for a wait that is not over at once.
    pub fn begin(handle: &Handle, wanted: Signals, deadline: Deadline) -> Result<Self> {
        let signals = handle.object().header().signals();
        let active = signals.active();
        if active.intersects(wanted) || deadline.has_passed(sched::now()) {
            return Ok(Self::Over(active));
        }
        let observer = Observer::new(handle.id(), wanted)?;
        signals.join(&observer);
        Ok(Self::Pending(handle.object().clone(), observer))
    }

    /// Waits, and returns all signals that were active at the end, with `HANDLE_CLOSED` if that was it.
    ///
    /// If none of them was waited for, `deadline` has passed, or the thread is to end.
    pub fn finish(self, deadline: Deadline) -> Signals {
        let (object, observer) = match self {
            Self::Over(active) => return active,
            Self::Pending(object, observer) => (object, observer),
        };
        while !observer.has_ended()
            && !sched::current().is_killed()
            && !deadline.has_passed(sched::now())
        {
            sched::block(deadline);
        }
        object.header().signals().leave(&observer)
    }
}
