//! Claims about user memory, and copies that survive when a claim is wrong.
//!
//! User memory is never a reference in the kernel. A [`UserRange`] says only that the addresses
//! are user addresses; whether anything is there shows when [`read`] or [`write()`] try.
//!
//! The loops that copy are the same for all copies; what differs is what a page fault in them does:
//!
//! | copies | a fault | the caller may hold |
//! |---|---|---|
//! | `copy_in`, `copy_out`, `zero` | is resolved like the program's own, and the loop goes on | no lock |
//! | `try_copy_in`, `try_copy_out` | is captured: the loop ends, and the caller is told where | locks |
//!
//! Trap code knows the loops by their addresses, and what to do by a register that they leave alone. For a
//! copy that captures, it touches nothing but the saved registers.

use syscall::Status;
use vm::addr::VirtAddr;

use crate::paging;
use crate::user;

/// Bytes that lie in the user half; perhaps none, perhaps not mapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UserRange {
    base: VirtAddr,
    bytes: usize,
}

/// The copy met an address that user code may not access in that way.
///
/// How far the copy came is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UserFault;

/// Why a copy that resolves no page fault ended before its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// The page at `address` is not there, or not for this access; the address space may know better.
    Fault {
        /// The first address that could not be accessed.
        address: VirtAddr,
        /// How many bytes before have been copied for sure, perhaps not all of them.
        done: usize,
    },
    /// The bytes cannot be copied, whatever is brought in.
    Refused,
}

/// What a page fault in a loop does; the number is what the loop is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(usize)]
pub(crate) enum OnFault {
    /// It is resolved, and the loop goes on.
    Resolve = 0,
    /// It ends the loop.
    Capture = 1,
}

/// How a loop ended; the number is what it answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(usize)]
pub(crate) enum End {
    /// With the last byte. The loops answer that themselves, with a zero.
    Done = 0,
    /// At an address that cannot be accessed.
    Refused = 1,
    /// At a fault that was captured.
    Captured = 2,
}

/// What a loop leaves in registers.
#[derive(Clone, Copy)]
pub(crate) struct Answer {
    /// A number of [`End`].
    pub end: usize,
    /// How many bytes have been written.
    pub done: usize,
    /// Where a captured fault was.
    pub address: usize,
}

/// With what a thread starts in user mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UserEntry {
    /// The first instruction.
    pub program_counter: VirtAddr,
    /// The stack pointer, aligned as the architecture's ABI wants it.
    pub stack_pointer: VirtAddr,
    /// The first argument register.
    pub arg1: usize,
    /// The second argument register.
    pub arg2: usize,
}

impl UserRange {
    /// The `bytes` bytes from `base` on; `None` unless all of them are user addresses.
    ///
    /// An empty range may begin anywhere.
    #[inline]
    pub fn new(base: VirtAddr, bytes: usize) -> Option<Self> {
        if bytes != 0 {
            let end = base.checked_add(bytes)?;
            if base < paging::USER.base() || end > paging::USER.end() {
                return None;
            }
        }
        Some(Self { base, bytes })
    }

    /// The `bytes` bytes that begin `offset` bytes after the first one.
    ///
    /// # Panics
    /// If they are not all in the range.
    #[inline]
    pub fn part(self, offset: usize, bytes: usize) -> Self {
        let fits = offset <= self.bytes && bytes <= self.bytes - offset;
        assert!(fits, "{bytes} bytes from {offset} on are not in the range");
        let base = VirtAddr::new(self.base.raw() + offset);
        Self { base, bytes }
    }

    /// The first address.
    pub const fn base(self) -> VirtAddr {
        self.base
    }

    /// The length in bytes.
    pub const fn bytes(self) -> usize {
        self.bytes
    }
}

/// Copies from the user's `source` into `destination`.
///
/// # Errors
/// [`UserFault`] if not all of `source` can be read; `destination` may be partly changed.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn read(source: UserRange, destination: &mut [u8]) -> Result<(), UserFault> {
    assert_eq!(source.bytes, destination.len(), "a copy has one length");
    // SAFETY:
    // 1. `destination` is exclusively ours and as long as `source`.
    unsafe { user::copy_in(destination.as_mut_ptr(), source) }
}

/// Copies `source` to the user's `destination`.
///
/// # Errors
/// [`UserFault`] if not all of `destination` can be written; it may be partly changed.
///
/// # Panics
/// If the lengths differ.
#[inline]
pub fn write(destination: UserRange, source: &[u8]) -> Result<(), UserFault> {
    assert_eq!(destination.bytes, source.len(), "a copy has one length");
    // SAFETY:
    // 1. `source` is valid for reads and as long as `destination`.
    unsafe { user::copy_out(destination, source.as_ptr()) }
}

impl Answer {
    /// The outcome of a copy whose faults are resolved.
    #[inline]
    pub(crate) fn resolved(self) -> Result<(), UserFault> {
        if self.end == End::Done as usize {
            Ok(())
        } else {
            Err(UserFault)
        }
    }

    /// The outcome of a copy whose faults are captured.
    #[inline]
    pub(crate) fn captured(self) -> Result<(), Obstacle> {
        if self.end == End::Done as usize {
            Ok(())
        } else if self.end == End::Captured as usize {
            Err(Obstacle::Fault {
                address: VirtAddr::new(self.address),
                done: self.done,
            })
        } else {
            Err(Obstacle::Refused)
        }
    }
}

impl From<UserFault> for Status {
    /// A bad pointer is a bad argument.
    fn from(_: UserFault) -> Self {
        Self::INVALID_ARGS
    }
}
