//! Signals, and waiting for them. Source: `docs/spec/objects.md` §3 and §4.

use syscall::kernel::UserOut;
use syscall::{HandleValue, Result, Rights, Signals, Status};

use super::caller;
use super::user_memory::write_if_wanted;
use crate::handle::require;
use crate::object::Wait;
use crate::sched::Deadline;

/// Clears, then sets signals that belong to programs.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §3, in its order.
pub fn signal(value: HandleValue, clear: Signals, set: Signals) -> Result<()> {
    let (object, held) = caller().any_object(value)?;
    require(held, Rights::SIGNAL)?;
    let allowed = object.user_signals().ok_or(Status::NOT_SUPPORTED)?;
    if !allowed.contains(clear | set) {
        return Err(Status::INVALID_ARGS);
    }
    object.header().signals().change(clear, set);
    Ok(())
}

/// Waits until one of the signals in `wanted` is active, and tells all that are active then.
///
/// They are told also when the deadline has passed or the handle was closed.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §4, in its order; then `INVALID_ARGS`: the signals cannot be told;
/// `CANCELED`: the handle was closed; `TIMED_OUT`: the deadline has passed, or the thread is to end.
pub fn wait_one(
    value: HandleValue,
    wanted: Signals,
    deadline: i64,
    observed: UserOut<Signals>,
) -> Result<()> {
    let deadline = Deadline::from_monotonic(deadline);
    let wait = caller().with_handle(value, |handle| {
        require(handle.rights(), Rights::WAIT)?;
        if !handle.object().is_waitable() {
            return Err(Status::NOT_SUPPORTED);
        }
        Wait::begin(handle, wanted, deadline)
    })?;
    let seen = wait.finish(deadline);
    write_if_wanted(UserOut::new(observed.address()), &seen.bits())?;
    if seen.contains(Signals::HANDLE_CLOSED) {
        Err(Status::CANCELED)
    } else if seen.intersects(wanted) {
        Ok(())
    } else {
        Err(Status::TIMED_OUT)
    }
}
