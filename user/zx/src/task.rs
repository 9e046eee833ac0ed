//! Processes and threads.

use crate::handle::handle_type;
use crate::sys;

handle_type! {
    /// A process: an address space, a handle table and threads.
    pub struct Process;
}

handle_type! {
    /// A thread.
    pub struct Thread;
}

impl Process {
    /// Ends the calling process at once; nothing is dropped.
    pub fn exit(return_code: i64) -> ! {
        // SAFETY: nothing of this process runs afterwards, so nothing it relied on can be missed.
        unsafe { sys::zx_process_exit(return_code) }
    }
}
