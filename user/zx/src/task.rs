//! Threads, and what all tasks have in common.

use crate::handle::handle_type;
use crate::{AsHandleRef, Job, Process, Status, ok, sys};

handle_type! {
    /// A thread.
    pub struct Thread;
}

/// A process, a thread or a job.
pub trait Task: AsHandleRef {
    /// Ends the task; of a job, all its processes.
    ///
    /// A task with threads may end a little later. One that has ended already stays as it is.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `DESTROY` right.
    /// - `WRONG_TYPE`: a thread does not end alone.
    fn kill(&self) -> Result<(), Status> {
        // SAFETY: nothing of this process is freed while it still runs; its own end frees all at once.
        ok(unsafe { sys::zx_task_kill(self.raw_handle()) })
    }
}

impl Task for Process {}
impl Task for Job {}
impl Task for Thread {}
