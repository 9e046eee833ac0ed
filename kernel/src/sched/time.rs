//! Points in time, as the scheduler counts them: nanoseconds since the machine started.

/// Nanoseconds since the machine started.
pub fn now() -> u64 {
    arch::timer::now()
}

/// When a wait ends at the latest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Deadline(u64);

impl Deadline {
    /// The wait does not end by itself.
    pub const NEVER: Self = Self(u64::MAX);

    /// `nanoseconds` after the machine started.
    pub const fn at(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// A deadline as programs give it: negative ones have passed, the largest is never.
    pub const fn from_monotonic(deadline: i64) -> Self {
        match deadline {
            i64::MAX => Self::NEVER,
            i64::MIN..0 => Self(0),
            _ => Self::at(deadline.unsigned_abs()),
        }
    }

    /// Whether it has passed at time `now`.
    pub const fn has_passed(self, now: u64) -> bool {
        self.0 <= now
    }

    /// The time in nanoseconds after the start of the machine; the largest number for never.
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }
}
