//! How a run inside QEMU ends.

/// What the process that started QEMU shall see as its exit status.
///
/// Zero is neither: a reset and an ordinary power-off end QEMU with zero, and must not look like
/// success.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// All went well: status [`Verdict::PASSED_STATUS`].
    Passed,
    /// Something failed: status [`Verdict::FAILED_STATUS`].
    Failed,
}

impl Verdict {
    /// QEMU's exit status for [`Verdict::Passed`].
    pub const PASSED_STATUS: u32 = 33;
    /// QEMU's exit status for [`Verdict::Failed`].
    pub const FAILED_STATUS: u32 = 35;

    /// QEMU's exit status.
    pub const fn status(self) -> u32 {
        match self {
            Self::Passed => Self::PASSED_STATUS,
            Self::Failed => Self::FAILED_STATUS,
        }
    }
}
