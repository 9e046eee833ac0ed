//! Claims about user memory, and copies that survive when a claim is wrong.
//!
//! User memory is never a reference in the kernel. A [`UserRange`] says only that the addresses
//! are user addresses; whether anything is there shows when [`read`] or [`write()`] try.

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

impl From<UserFault> for Status {
    /// A bad pointer is a bad argument.
    fn from(_: UserFault) -> Self {
        Self::INVALID_ARGS
    }
}
