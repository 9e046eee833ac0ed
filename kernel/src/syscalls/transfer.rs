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

/// Which way bytes go.
trait Direction {
    /// What the buffer is accessed for.
    const ACCESS: Access;

    /// Copies one part between its page, with the VMO locked, and `buffer`, as far as that is there.
    fn copy_part(
        vmo: &Vmo<Tables>,
        part: CopyStep,
        buffer: UserRange,
    ) -> syscall::Result<Result<(), Obstacle>>;
}

/// From the VMO to the buffer.
struct ToUser;

/// From the buffer to the VMO.
struct FromUser;

impl Direction for ToUser {
    const ACCESS: Access = Access::WRITE;

    #[inline(always)]
    fn copy_part(
        vmo: &Vmo<Tables>,
        part: CopyStep,
        buffer: UserRange,
    ) -> syscall::Result<Result<(), Obstacle>> {
        vmo.with_page_for_read(part.index, |page| {
            page_copy::to_user(page, part.offset, buffer)
        })
    }
}

impl Direction for FromUser {
    const ACCESS: Access = Access::READ;

    #[inline(always)]
    fn copy_part(
        vmo: &Vmo<Tables>,
        part: CopyStep,
        buffer: UserRange,
    ) -> syscall::Result<Result<(), Obstacle>> {
        vmo.with_page_for_write(part.index, |page| {
            page_copy::from_user(page, part.offset, buffer)
        })
    }
}

impl Transfer<'_> {
    /// Copies bytes of the VMO to the buffer.
    ///
    /// # Errors
    /// [`Stopped`], with what was copied before.
    pub fn read(self) -> Result<(), Stopped> {
        self.copy::<ToUser>()
    }

    /// Copies bytes of the buffer to the VMO, which makes the pages that are absent.
    ///
    /// # Errors
    /// [`Stopped`], with what was copied before.
    pub fn write(self) -> Result<(), Stopped> {
        self.copy::<FromUser>()
    }

    #[inline]
    fn copy<D: Direction>(self) -> Result<(), Stopped> {
        let mut done = 0;
        let stopped = |done, reason| Stopped { done, reason };
        let steps = self.vmo.copy_steps(self.offset, self.size);
        let steps = steps.map_err(|status| stopped(0, Reason::Vmo(status)))?;
        let buffer = user_memory::range(self.buffer, self.size);
        let buffer = buffer.map_err(|_| stopped(0, Reason::Buffer))?;
        for mut part in steps {
            // Each round copies something, unless somebody takes the buffer away again at the same time.
            while part.len != 0 {
                if done != 0 {
                    sched::pause().map_err(|_| stopped(done, Reason::Killed))?;
                }
                let copied = self.copy_once::<D>(part, buffer.part(done, part.len));
                let copied = copied.map_err(|reason| stopped(done, reason))?;
                part = part.after(copied);
                done += copied;
            }
        }
        Ok(())
    }

    /// Copies what can be copied now between `part` and `buffer`, which are as long, and answers how much
    /// that was. If it was not all, the next page of the buffer has been brought in.
    #[inline(always)]
    fn copy_once<D: Direction>(self, part: CopyStep, buffer: UserRange) -> Result<usize, Reason> {
        let copied = match D::copy_part(self.vmo, part, buffer) {
            Err(Status::NO_MEMORY) => self.copy_after_reclaiming::<D>(part, buffer),
            copied => copied,
        };
        match copied.map_err(Reason::Vmo)? {
            Ok(()) => Ok(part.len),
            Err(Obstacle::Fault { address, done }) => {
                fault::bring_in(address, D::ACCESS).map_err(Reason::of_fault)?;
                Ok(done)
            }
            Err(Obstacle::Refused) => Err(Reason::Buffer),
        }
    }

    /// Copies when there was no frame for the page of the VMO, which has changed nothing.
    #[cold]
    #[inline(never)]
    fn copy_after_reclaiming<D: Direction>(
        self,
        part: CopyStep,
        buffer: UserRange,
    ) -> syscall::Result<Result<(), Obstacle>> {
        retrying(|| D::copy_part(self.vmo, part, buffer))
    }
}
