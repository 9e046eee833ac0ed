//! Handles: what a process holds when it may use an object.
//!
//! A [`Handle`] is an object together with rights; a [`HandleTable`] gives handles the values that
//! programs know them by.

mod table;

use core::sync::atomic::{AtomicU64, Ordering};

use syscall::{Result, Rights, Status};

pub use table::HandleTable;

use crate::object::{KernelObject, Remaining};

/// The permission to use an object in certain ways.
///
/// Each one is counted in the object's header from creation to drop. Dropping the last one may end the
/// object, so no lock is held then.
pub struct Handle {
    object: KernelObject,
    rights: Rights,
    id: HandleId,
}

/// Which handle it is, of all that ever were, in whatever table.
///
/// What goes on through a handle, such as a wait, is found by it when the handle is closed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct HandleId(u64);

impl HandleId {
    /// Draws an identity; none is ever drawn twice.
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Handle {
    /// A handle to `object` with `rights`.
    pub fn new(object: impl Into<KernelObject>, rights: Rights) -> Self {
        let object = object.into();
        object.header().add_handle();
        Self {
            object,
            rights,
            id: HandleId::next(),
        }
    }

    /// What the handle refers to.
    pub const fn object(&self) -> &KernelObject {
        &self.object
    }

    /// What may be done through the handle.
    pub const fn rights(&self) -> Rights {
        self.rights
    }

    /// Which handle this is.
    pub const fn id(&self) -> HandleId {
        self.id
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.object.header().signals().handle_closed(self.id);
        if self.object.header().remove_handle() == Remaining::None {
            self.object.lose_last_handle();
        }
    }
}

/// Asks whether `held` has all of `needed`.
///
/// # Errors
/// - `ACCESS_DENIED`: it has not.
pub fn require(held: Rights, needed: Rights) -> Result<()> {
    if held.contains(needed) {
        Ok(())
    } else {
        Err(Status::ACCESS_DENIED)
    }
}

/// The rights of a new handle made from one with `held`: `wanted`, or all for `SAME_RIGHTS`.
///
/// # Errors
/// - `INVALID_ARGS`: `wanted` has more than `held`.
pub fn reduce(held: Rights, wanted: Rights) -> Result<Rights> {
    if wanted == Rights::SAME_RIGHTS {
        return Ok(held);
    }
    if held.contains(wanted) {
        Ok(wanted)
    } else {
        Err(Status::INVALID_ARGS)
    }
}
