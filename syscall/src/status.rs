//! Status codes.

/// What a system call answers: zero for success, a negative number for an error.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Status(i32);

/// A value, or the reason why there is none.
pub type Result<T, E = Status> = core::result::Result<T, E>;

impl Status {
    /// Success.
    pub const OK: Self = Self(0);
    /// Memory ran out.
    pub const NO_MEMORY: Self = Self(-4);
    /// An argument is not valid.
    pub const INVALID_ARGS: Self = Self(-10);
}
