//! Jobs: groups of processes.

use alloc::vec::Vec;

use crate::handle::handle_type;
use crate::info::queries;
use crate::{
    AsHandleRef, Handle, Koid, Process, ProcessOptions, Status, Vmar, object_get_info_vec, ok, sys,
};

handle_type! {
    /// A group of processes that end together.
    pub struct Job;
}

queries! {
    /// The processes of a job.
    JobProcesses: JOB_PROCESSES -> Koid;
}

impl Job {
    /// Creates a process without threads in this job; returns it and its root region.
    ///
    /// The process ends when its last handle is closed, as long as it has not been started.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: options that mean nothing.
    /// - `ACCESS_DENIED`: no `MANAGE_PROCESS` right.
    /// - `BAD_STATE`: the job was killed.
    /// - `NO_MEMORY`: there is none for a process, or no room for a handle.
    ///
    /// Source: `docs/spec/objects.md` §8.
    pub fn create_child_process(
        &self,
        options: ProcessOptions,
        name: &[u8],
    ) -> Result<(Process, Vmar), Status> {
        let mut process = sys::ZX_HANDLE_INVALID;
        let mut vmar = sys::ZX_HANDLE_INVALID;
        // SAFETY:
        // 1. `name` is borrowed for reading and the length is its own.
        // 2. `process` and `vmar` are live locals that the call may write.
        ok(unsafe {
            sys::zx_process_create(
                self.raw_handle(),
                name.as_ptr(),
                name.len(),
                options.bits(),
                &mut process,
                &mut vmar,
            )
        })?;
        // SAFETY: the kernel made both handles for this call, so nothing else owns them.
        let handles = unsafe { (Handle::from_raw(process), Handle::from_raw(vmar)) };
        Ok((Process::from(handles.0), Vmar::from(handles.1)))
    }

    /// The processes of this job that have not ended.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `ENUMERATE` right.
    /// - `NO_MEMORY`: no room for them.
    pub fn processes(&self) -> Result<Vec<Koid>, Status> {
        object_get_info_vec::<JobProcesses>(self.as_handle_ref())
    }
}
