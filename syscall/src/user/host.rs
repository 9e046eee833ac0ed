//! The call on a machine whose kernel is not Jacinth.

use crate::Status;

/// Answers `BAD_SYSCALL` for whatever call is made.
///
/// # Safety
/// None is needed; the function is unsafe to look like the real ones.
pub(super) unsafe fn refuse(_number: usize, _arguments: &[usize]) -> usize {
    Status::BAD_SYSCALL.into_raw() as isize as usize
}

/// Takes the arguments of a call and refuses it.
macro_rules! raw_call {
    ($number:expr $(, $argument:expr)*) => {
        host::refuse($number, &[$($argument),*])
    };
}
