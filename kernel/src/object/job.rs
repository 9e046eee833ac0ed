//! Jobs: groups of processes that end together.
//!
//! There is one job, the root, to which all processes belong. Jobs in jobs and policies have no calls yet.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use spin::{Mutex, Once};
use syscall::{Koid, Name, Result, Signals, Status};

use super::{Header, Process, process_list};
use crate::memory::try_arc;

/// The job of all processes that the kernel starts by itself.
static ROOT: Once<Arc<Job>> = Once::new();

/// A group of processes that end together.
pub struct Job {
    header: Header,
    name: Mutex<Name>,
    /// Changes, and is read for a decision, only under the lock of the list of processes.
    is_dead: AtomicBool,
    /// How many processes have not ended; changes under the lock of the list of processes.
    processes: AtomicUsize,
}

/// The signals of a job in which nothing is.
const EMPTY: Signals = Signals::JOB_NO_JOBS.union(Signals::JOB_NO_PROCESSES);

impl Job {
    /// A job without processes.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the job.
    pub fn new(name: Name) -> Result<Arc<Self>> {
        try_arc(Self {
            header: Header::new(EMPTY),
            name: Mutex::new(name),
            is_dead: AtomicBool::new(false),
            processes: AtomicUsize::new(0),
        })
    }

    /// Makes the root job, from which on [`root`](Self::root) has an answer.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for it.
    pub fn create_root() -> Result<()> {
        ROOT.try_call_once(|| Self::new(Name::new_lossy("root")))
            .map(drop)
    }

    /// The root job.
    ///
    /// # Panics
    /// If the start has not made it yet.
    pub fn root() -> &'static Arc<Self> {
        ROOT.get()
            .expect("the start makes the root job before the first process")
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The job's name.
    pub fn name(&self) -> Name {
        *self.name.lock()
    }

    /// Renames the job.
    pub fn set_name(&self, name: Name) {
        *self.name.lock() = name;
    }

    /// Asks whether the job takes new processes; for the list of processes, under its lock.
    ///
    /// # Errors
    /// - `BAD_STATE`: it was killed.
    pub fn check_alive(&self) -> Result<()> {
        if self.is_dead.load(Ordering::Relaxed) {
            Err(Status::BAD_STATE)
        } else {
            Ok(())
        }
    }

    /// Ends all processes of the job; it never takes another one.
    pub fn kill(self: &Arc<Self>) {
        process_list::locked(|| self.is_dead.store(true, Ordering::Relaxed));
        self.for_each_process(|process| process.kill());
        self.update_signals();
    }

    /// Counts a process that joins; for the list of processes, under its lock.
    pub fn count_in(&self) {
        self.processes.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a process that has ended; for the list of processes, under its lock.
    pub fn count_out(&self) {
        self.processes.fetch_sub(1, Ordering::Relaxed);
    }

    /// Makes the signals tell what is in the job now; called after each change of that, without a lock.
    pub fn update_signals(&self) {
        self.header.signals().update(|active| {
            let is_empty = self.processes.load(Ordering::Relaxed) == 0;
            let is_over = is_empty && self.is_dead.load(Ordering::Relaxed);
            let mut signals = active;
            signals.set(Signals::JOB_NO_PROCESSES, is_empty);
            signals.set(Signals::JOB_TERMINATED, is_over);
            signals
        });
    }

    /// Visits the processes of the job that have not ended, by ascending koid.
    ///
    /// No lock is held during a visit. A process that joins or ends meanwhile is visited or not.
    pub fn for_each_process(self: &Arc<Self>, mut visit: impl FnMut(&Arc<Process>)) {
        let mut last = Koid::INVALID;
        while let Some(process) = process_list::next_in(self, last) {
            last = process.header().koid();
            visit(&process);
        }
    }
}
