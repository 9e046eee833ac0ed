//! Processes: an address space, a handle table and threads.
//!
//! ```text
//! New ──add_thread──► Running ──begin_exit──► Ending ──last thread out──► Ended
//!  └──abandon, last handle closed, kill──────► Ending ──at once──────────►
//! ```
//!
//! A process that is `Ended` has no threads, no handles and no mappings; what is left is its koid,
//! its name and its return code, for those who still have a handle.

mod handle_walk;
mod handles;

use alloc::sync::Arc;
use alloc::vec::Vec;

use arch::paging::Tables;
use intrusive_collections::RBTreeAtomicLink;
use spin::Mutex;
use syscall::{Name, ProcessInfoFlags, Result, Signals, Status, TaskRetcode, info};
use vm::aspace::AddressSpace;

use super::{Header, Job, Thread, VmarObject, process_list};
use crate::handle::{Handle, HandleTable};
use crate::memory::try_arc;
use crate::sched::{self, Deadline, Interrupted, WaitQueue};
use crate::{random, user_space};

/// An address space, a handle table and threads.
pub struct Process {
    header: Header,
    name: Mutex<Name>,
    job: Arc<Job>,
    space: Arc<AddressSpace<Tables>>,
    root: Arc<VmarObject>,
    handles: Mutex<HandleTable<Handle>>,
    life: Mutex<Life>,
    ended: WaitQueue,
    /// Called when the last thread is out, before anything of the process goes.
    last_words: Option<LastWords>,
    /// In the list of processes that have not ended.
    pub(super) link: RBTreeAtomicLink,
}

/// Something to be shown of a process that ends.
pub type LastWords = fn(&Process);

/// The return code of a process that did what it must not.
pub const EXCEPTION_KILL: i64 = TaskRetcode::ExceptionKill as i64;

/// How far a process has come, and who is in it.
struct Life {
    phase: Phase,
    threads: Vec<Arc<Thread>>,
    /// When the first thread was added, in nanoseconds since the start of the machine.
    started: Option<u64>,
}

/// How far a process has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// No thread has been started.
    New,
    /// Has threads.
    Running,
    /// Its threads are on their way out; the number is the return code.
    Ending(i64),
    /// Nothing is left but the return code.
    Ended(i64),
}

/// What the next process that is made has as its last words.
static NEXT_LAST_WORDS: Mutex<Option<LastWords>> = Mutex::new(None);

/// Has the next process that is made, and no other, be shown by `show` when its last thread is out.
pub fn set_last_words(show: LastWords) {
    *NEXT_LAST_WORDS.lock() = Some(show);
}

impl Process {
    /// A process of `job` with an empty address space and no thread.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the process or its page tables.
    /// - `BAD_STATE`: the job was killed.
    pub fn new(job: &Arc<Job>, name: Name) -> Result<Arc<Self>> {
        let space = user_space::create(name)?;
        // An address space goes only when it is destroyed: nobody else would do it.
        Self::around(job, name, &space).inspect_err(|_| space.destroy())
    }

    /// A process with this address space.
    fn around(job: &Arc<Job>, name: Name, space: &Arc<AddressSpace<Tables>>) -> Result<Arc<Self>> {
        let process = try_arc(Self {
            header: Header::new(Signals::NONE),
            name: Mutex::new(name),
            job: Arc::clone(job),
            space: Arc::clone(space),
            root: VmarObject::new(space.root()?)?,
            handles: Mutex::new(HandleTable::new(random::next())),
            life: Mutex::new(Life {
                phase: Phase::New,
                threads: Vec::new(),
                started: None,
            }),
            ended: WaitQueue::new(),
            last_words: NEXT_LAST_WORDS.lock().take(),
            link: RBTreeAtomicLink::new(),
        })?;
        process_list::add(&process)?;
        Ok(process)
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The process's name.
    pub fn name(&self) -> Name {
        *self.name.lock()
    }

    /// Renames the process.
    pub fn set_name(&self, name: Name) {
        *self.name.lock() = name;
    }

    /// The job that the process belongs to.
    pub const fn job(&self) -> &Arc<Job> {
        &self.job
    }

    /// The address space.
    pub const fn space(&self) -> &Arc<AddressSpace<Tables>> {
        &self.space
    }

    /// The root region of the address space.
    pub const fn root(&self) -> &Arc<VmarObject> {
        &self.root
    }

    /// How far the process has come.
    pub fn phase(&self) -> Phase {
        self.life.lock().phase
    }

    /// What the process tells about itself; it counts as exited from the moment that it has to end.
    pub fn info(&self) -> info::Process {
        let life = self.life.lock();
        let (flags, return_code) = match life.phase {
            Phase::New => (ProcessInfoFlags::empty(), 0),
            Phase::Running => (ProcessInfoFlags::STARTED, 0),
            Phase::Ending(code) | Phase::Ended(code) => {
                (ProcessInfoFlags::STARTED | ProcessInfoFlags::EXITED, code)
            }
        };
        let started = life.started.unwrap_or(0);
        info::Process {
            return_code,
            start_time: i64::try_from(started).unwrap_or(i64::MAX),
            flags: flags.bits(),
            padding: 0,
        }
    }

    /// The number of threads that have not ended.
    pub fn thread_count(&self) -> usize {
        self.life.lock().threads.len()
    }
}

/// Life and death.
impl Process {
    /// Makes `thread`, which belongs to this process, one of its living ones.
    ///
    /// The first one makes the process run. The caller starts the thread afterwards.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory to remember the thread.
    /// - `BAD_STATE`: the process is ending or has ended.
    pub fn add_thread(&self, thread: Arc<Thread>) -> Result<()> {
        let mut life = self.life.lock();
        match life.phase {
            Phase::New | Phase::Running => (),
            Phase::Ending(_) | Phase::Ended(_) => return Err(Status::BAD_STATE),
        }
        life.threads.try_reserve(1).map_err(|_| Status::NO_MEMORY)?;
        life.threads.push(thread);
        life.phase = Phase::Running;
        life.started.get_or_insert_with(sched::now);
        Ok(())
    }

    /// Makes every thread of the process end, and the process with the last of them.
    ///
    /// The first return code counts. Threads end before they run another instruction in user mode,
    /// the calling one included.
    pub fn begin_exit(&self, return_code: i64) {
        let mut life = self.life.lock();
        if life.phase != Phase::Running {
            return;
        }
        life.phase = Phase::Ending(return_code);
        for thread in &life.threads {
            thread.mark_killed();
            sched::wake(thread);
            sched::request(thread.home());
        }
    }

    /// Notes that `thread` has left user mode for good; the last one takes the process with it.
    pub fn thread_ended(&self, thread: &Thread) {
        let mut life = self.life.lock();
        life.threads
            .retain(|other| !core::ptr::eq(&raw const **other, thread));
        if !life.threads.is_empty() {
            return;
        }
        let return_code = match life.phase {
            Phase::Ending(return_code) => return_code,
            Phase::New | Phase::Running | Phase::Ended(_) => 0,
        };
        // From here on nobody else ends it.
        life.phase = Phase::Ending(return_code);
        drop(life);
        if let Some(show) = self.last_words {
            show(self);
        }
        self.finish(return_code);
    }

    /// Ends a process in which no thread was started; does nothing to any other.
    pub fn abandon(&self) {
        self.end_unstarted(0);
    }

    /// Ends a process that its maker could not fill and start.
    ///
    /// Somebody may have killed it meanwhile. What it was given since then, perhaps a handle to itself, goes
    /// now: nobody else would take it away.
    pub fn give_up(&self) {
        self.end_unstarted(0);
        self.close_handles();
    }

    /// Ends the process because somebody asks for it: at once if no thread was started, else soon.
    pub fn kill(&self) {
        let return_code = TaskRetcode::SyscallKill as i64;
        self.end_unstarted(return_code);
        self.begin_exit(return_code);
    }

    /// Ends a process in which no thread was started, with this return code.
    fn end_unstarted(&self, return_code: i64) {
        let mut life = self.life.lock();
        if life.phase != Phase::New {
            return;
        }
        // Its own handles to itself may be the last ones, and come back here when they are closed.
        life.phase = Phase::Ending(return_code);
        drop(life);
        self.finish(return_code);
    }

    /// Waits until the process has ended and returns its return code.
    ///
    /// # Errors
    /// - [`Interrupted`]: the deadline passed, or the waiting thread is to end.
    pub fn wait_ended(&self, deadline: Deadline) -> Result<i64, Interrupted> {
        self.ended.wait(deadline, || match self.phase() {
            Phase::Ended(return_code) => Some(return_code),
            Phase::New | Phase::Running | Phase::Ending(_) => None,
        })
    }

    /// Gives everything back that the process had.
    fn finish(&self, return_code: i64) {
        self.close_handles();
        self.space.destroy();
        process_list::remove(self);
        self.life.lock().phase = Phase::Ended(return_code);
        self.header
            .signals()
            .change(Signals::NONE, Signals::PROCESS_TERMINATED);
        self.ended.wake_all();
    }

    fn close_handles(&self) {
        // Closing a handle may end other objects, so it happens without the table's lock.
        let handles = self.handles.lock().take_all();
        for handle in handles {
            drop(handle);
            sched::give_way();
        }
    }
}
