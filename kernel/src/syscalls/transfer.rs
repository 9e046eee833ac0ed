//! Copies between a VMO and a buffer of the caller, page by page.
//!
//! The VMO is locked while the bytes of a page are copied. Faults on the buffer are not resolved then: it
//! may lie in a mapping of the same VMO. The copy ends there, the lock is opened, the page of the buffer is
//! brought in, and the copy goes on. Between two pages, and after each fault, others have their turns.
//!
//! Who takes the buffer away again and again keeps the copy from its end, but nobody from ending the thread.

use arch::paging::Tables;
use arch::user_memory::{Obstacle, UserRange};
use syscall::Status;
use vm::mmu::Access;
use vm::vmo::{CopyStep, Vmo};

use super::user_memory;
use crate::fault;
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
    /// The bytes that were copied.
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
    /// There is no memory for a page of the buffer.
    NoMemory,
    /// The caller is to end.
    Killed,
}

impl Reason {
    /// Why a page of the buffer could not be brought in.
    const fn of_fault(status: Status) -> Self {
        match status {
            Status::NO_MEMORY => Self::NoMemory,
            _ => Self::Buffer,
        }
    }

    /// The status of a call that stops for this reason, if `buffer` is what it answers for a bad buffer.
    pub const fn status(self, buffer: Status) -> Status {
        match self {
            Self::Vmo(status) => status,
            Self::Buffer => buffer,
            Self::NoMemory => Status::NO_MEMORY,
            Self::Killed => Status::CANCELED,
        }
    }
}

/// How one direction copies.
#[derive(Clone, Copy)]
struct Direction<C> {
    /// What the buffer is accessed for.
    access: Access,
    /// Copies one part between its page, with the VMO locked, and the buffer, as far as that is there.
    copy_part: C,
}

impl Transfer<'_> {
    /// Copies bytes of the VMO to the buffer.
    ///
    /// # Errors
    /// [`Stopped`], with what was copied before.
    pub fn read(self) -> Result<(), Stopped> {
        self.copy(Direction {
            access: Access::WRITE,
            copy_part: |part: CopyStep, buffer| {
                self.vmo.with_page_for_read(part.index, |page| {
                    page_copy::to_user(page, part.offset, buffer)
                })
            },
        })
    }

    /// Copies bytes of the buffer to the VMO, which makes the pages that are absent.
    ///
    /// # Errors
    /// [`Stopped`], with what was copied before.
    pub fn write(self) -> Result<(), Stopped> {
        self.copy(Direction {
            access: Access::READ,
            copy_part: |part: CopyStep, buffer| {
                self.vmo.with_page_for_write(part.index, |page| {
                    page_copy::from_user(page, part.offset, buffer)
                })
            },
        })
    }

    #[inline]
    fn copy<C>(self, direction: Direction<C>) -> Result<(), Stopped>
    where
        C: Fn(CopyStep, UserRange) -> syscall::Result<Result<(), Obstacle>>,
    {
        let mut done = 0;
        let stopped = |done, reason| Stopped { done, reason };
        let steps = self.vmo.copy_steps(self.offset, self.size);
        let steps = steps.map_err(|status| stopped(0, Reason::Vmo(status)))?;
        user_memory::range(self.buffer, self.size).map_err(|_| stopped(0, Reason::Buffer))?;
        for mut part in steps {
            // Each round copies something, unless somebody takes the buffer away again at the same time.
            while part.len != 0 {
                let copied = self.copy_once(part, done, &direction);
                let copied = copied.map_err(|reason| stopped(done, reason))?;
                part = part.after(copied);
                done += copied;
                sched::pause().map_err(|_| stopped(done, Reason::Killed))?;
            }
        }
        Ok(())
    }

    /// Copies of `part` what can be copied now, which begins `done` bytes after the beginning of the buffer,
    /// and answers how much that was. If it was not all, the next page of the buffer has been brought in.
    #[inline]
    fn copy_once<C>(
        self,
        part: CopyStep,
        done: usize,
        direction: &Direction<C>,
    ) -> Result<usize, Reason>
    where
        C: Fn(CopyStep, UserRange) -> syscall::Result<Result<(), Obstacle>>,
    {
        // The whole buffer is in the user half, so its parts are.
        let buffer = user_memory::range(self.buffer + done, part.len);
        let buffer = buffer.map_err(|_| Reason::Buffer)?;
        let copied = retrying(|| (direction.copy_part)(part, buffer));
        match copied.map_err(Reason::Vmo)? {
            Ok(()) => Ok(part.len),
            Err(Obstacle::Fault { address, done }) => {
                fault::bring_in(address, direction.access).map_err(Reason::of_fault)?;
                Ok(done)
            }
            Err(Obstacle::Refused) => Err(Reason::Buffer),
        }
    }
}
