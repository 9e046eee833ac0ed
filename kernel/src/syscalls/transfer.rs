//! Copies between a VMO and a buffer of the caller, page by page.
//!
//! No lock is held while bytes are copied: the buffer may lie in a mapping of the same VMO, and a fault on
//! it finds all locks open. Between two pages others have their turns.

use arch::paging::Tables;
use arch::user_memory::{UserFault, UserRange};
use syscall::Status;
use vm::vmo::{PageIndex, PageRef, Vmo};

use super::user_memory;
use crate::page_copy;
use crate::reclaim::retrying;
use crate::sched;

/// Bytes of a VMO and as many bytes of the caller's buffer.
#[derive(Clone, Copy)]
pub struct Transfer<'a> {
    /// The VMO.
    pub vmo: &'a Vmo<Tables>,
    /// The first byte in the VMO.
    pub offset: u64,
    /// The address of the buffer.
    pub buffer: usize,
    /// How many bytes.
    pub size: usize,
}

/// A transfer that ended early. What was copied before stays.
#[derive(Clone, Copy)]
pub struct Stopped {
    /// The bytes that were copied, in whole pages but for the first.
    pub done: usize,
    /// What stopped it.
    pub reason: Reason,
}

/// What stops a transfer.
#[derive(Clone, Copy)]
pub enum Reason {
    /// The VMO cannot give or take the bytes, for this reason.
    Vmo(Status),
    /// The buffer is not all the caller's to read or write.
    Buffer,
    /// The caller is to end.
    Killed,
}

impl Reason {
    /// The status of a call that stops for this reason, if `buffer` is what it answers for a bad buffer.
    pub const fn status(self, buffer: Status) -> Status {
        match self {
            Self::Vmo(status) => status,
            Self::Buffer => buffer,
            Self::Killed => Status::CANCELED,
        }
    }
}

impl Transfer<'_> {
    /// Copies bytes of the VMO to the buffer.
    ///
    /// # Errors
    /// [`Stopped`], with what was copied before.
    pub fn read(self) -> Result<(), Stopped> {
        self.copy(Vmo::page_for_read, page_copy::to_user)
    }

    /// Copies bytes of the buffer to the VMO, which makes the pages that are absent.
    ///
    /// # Errors
    /// [`Stopped`], with what was copied before.
    pub fn write(self) -> Result<(), Stopped> {
        self.copy(Vmo::page_for_write, page_copy::from_user)
    }

    #[inline]
    fn copy(
        self,
        page_at: impl Fn(&Vmo<Tables>, PageIndex) -> syscall::Result<PageRef>,
        copy_part: impl Fn(&PageRef, usize, UserRange) -> Result<(), UserFault>,
    ) -> Result<(), Stopped> {
        let mut done = 0;
        let stopped = |done, reason| Stopped { done, reason };
        let steps = self.vmo.copy_steps(self.offset, self.size);
        let steps = steps.map_err(|status| stopped(0, Reason::Vmo(status)))?;
        user_memory::range(self.buffer, self.size).map_err(|_| stopped(0, Reason::Buffer))?;
        for step in steps {
            let page = retrying(|| page_at(self.vmo, step.index));
            let page = page.map_err(|status| stopped(done, Reason::Vmo(status)))?;
            // The whole buffer is in the user half, so its parts are.
            let part = user_memory::range(self.buffer + done, step.len);
            part.map_err(|_| UserFault)
                .and_then(|part| copy_part(&page, step.offset, part))
                .map_err(|UserFault| stopped(done, Reason::Buffer))?;
            drop(page);
            done += step.len;
            sched::pause().map_err(|_| stopped(done, Reason::Killed))?;
        }
        Ok(())
    }
}
