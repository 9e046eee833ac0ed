//! Resources: access to what belongs to the whole system.

use crate::handle::handle_type;
use crate::info::queries;
use crate::{AsHandleRef, Status, object_get_info_single, ok, sys};

handle_type! {
    /// Access to a range of one kind of system resource.
    pub struct Resource;
}

queries! {
    /// The memory of the system.
    KmemStats: KMEM_STATS -> sys::zx_info_kmem_stats_t;
}

/// What the memory of the system is used for, in bytes.
pub type MemStats = sys::zx_info_kmem_stats_t;

impl Resource {
    /// What the memory of the system is used for.
    ///
    /// # Errors
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover INFO.
    pub fn mem_stats(&self) -> Result<MemStats, Status> {
        object_get_info_single::<KmemStats>(self.as_handle_ref())
    }

    /// Waits for console input and reads what is there; returns the number of bytes.
    ///
    /// No bytes, though there was room, mean that the input has ended.
    ///
    /// # Errors
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover DEBUG.
    pub fn debug_read(&self, buffer: &mut [u8]) -> Result<usize, Status> {
        let mut actual = 0;
        // SAFETY:
        // 1. `buffer` is borrowed for writing and the length is its own.
        // 2. `actual` is a live local.
        ok(unsafe {
            sys::zx_debug_read(
                self.raw_handle(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &mut actual,
            )
        })?;
        Ok(actual)
    }

    /// Gives a line to the kernel's monitor, which prints its answer to the console.
    ///
    /// # Errors
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover DEBUG.
    /// - What the monitor answers, such as `NOT_FOUND` for a command it does not know.
    pub fn debug_send_command(&self, command: &str) -> Result<(), Status> {
        // SAFETY: `command` is borrowed for reading and the length is its own.
        ok(unsafe {
            sys::zx_debug_send_command(self.raw_handle(), command.as_ptr(), command.len())
        })
    }
}
