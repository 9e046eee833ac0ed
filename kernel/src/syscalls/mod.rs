//! What each system call does, once its arguments are decoded.
//!
//! [`Calls`] implements the trait that comes from the table of calls, in `table`; what its methods do lives in
//! one module per family. They all follow the same order: handles, then arguments, then the work in `vm` or in
//! the objects, then results out. What a call cannot deliver it takes back.
//!
//! Whatever a program passes is a claim; [`user_memory`] is the only way to the bytes behind it.

mod again;
mod debug;
mod device;
mod handle;
mod info;
mod object;
mod process;
mod signal;
mod system;
mod table;
mod transfer;
mod user_memory;
mod vmar;
mod vmo;

#[cfg(test)]
mod tests;

use syscall::kernel::{MAX_ARGUMENTS, UserOut, dispatch};
use syscall::{HandleValue, Result};

use crate::handle::Handle;
use crate::sched::{self, CurrentProcess};

/// Makes system call `number` for the current thread; called by trap code.
///
/// A call for which no frame was free is made again after discardable VMOs have given theirs back.
pub fn system_call(number: usize, arguments: &[usize; MAX_ARGUMENTS]) -> usize {
    let mut result = dispatch(&Calls, number, arguments);
    if result == again::NO_MEMORY {
        result = again::make(number, arguments);
    }
    sched::before_user();
    result
}

/// The system calls of the thread that runs.
pub struct Calls;

/// The process of the thread that runs.
///
/// # Panics
/// If that is a thread of the kernel's own: those make no system calls.
#[inline]
fn caller() -> CurrentProcess {
    sched::current_process().expect("only threads of processes make system calls")
}

/// Gives the caller a handle and tells it the value; takes the handle back if it cannot be told.
fn deliver(handle: Handle, out: UserOut<HandleValue>) -> Result<()> {
    let process = caller();
    let value = process.add_handle(handle)?;
    // Another thread of the program may have guessed the value and closed the handle meanwhile.
    user_memory::write(out, &value).inspect_err(|_| drop(process.remove_handle(value)))
}
