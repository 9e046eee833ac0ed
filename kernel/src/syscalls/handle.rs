//! Calls about handles themselves. Source: `docs/spec/objects.md` §2.

use syscall::kernel::UserOut;
use syscall::{HandleValue, Result, Rights};

use super::{caller, deliver};
use crate::handle::{Handle, reduce, require};

/// Closes a handle. The value that names nothing may be closed.
///
/// # Errors
/// - `BAD_HANDLE`: any other value that names nothing.
pub fn close(value: HandleValue) -> Result<()> {
    if value.is_invalid() {
        return Ok(());
    }
    // The table's lock is open again when the handle is dropped.
    caller().remove_handle(value).map(drop)
}

/// Makes another handle with the same or fewer rights.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §2, in its order.
pub fn duplicate(value: HandleValue, rights: Rights, out: UserOut<HandleValue>) -> Result<()> {
    let (object, held) = caller().any_object(value)?;
    require(held, Rights::DUPLICATE)?;
    deliver(Handle::new(object, reduce(held, rights)?), out)
}

/// Replaces a handle by one with the same or fewer rights; the old one is gone also on failure.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §2, in its order.
pub fn replace(value: HandleValue, rights: Rights, out: UserOut<HandleValue>) -> Result<()> {
    let handle = caller().remove_handle(value)?;
    let rights = reduce(handle.rights(), rights)?;
    deliver(Handle::new(handle.object().clone(), rights), out)
}
