//! Instants and lengths of time.
//!
//! All arithmetic saturates: what lies beyond the ends of time is `INFINITE` or `INFINITE_PAST`.

use core::marker::PhantomData;
use core::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};

use crate::{Status, ok, sys};

/// A clock that instants are read from.
pub trait Timeline: Copy + Ord {}

/// The clock that counts from the start of the machine and never goes back.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MonotonicTimeline;

impl Timeline for MonotonicTimeline {}

/// Nanoseconds, the unit of all clocks.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NsUnit;

/// A point in time on a clock.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Instant<T, U = NsUnit>(sys::zx_time_t, PhantomData<(T, U)>);

/// A length of time on a clock; may be negative.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Duration<T, U = NsUnit>(sys::zx_duration_t, PhantomData<(T, U)>);

/// A point in time on the monotonic clock.
pub type MonotonicInstant = Instant<MonotonicTimeline, NsUnit>;

/// A length of time on the monotonic clock.
pub type MonotonicDuration = Duration<MonotonicTimeline, NsUnit>;

impl<T: Timeline> Instant<T> {
    /// Later than all others; as a deadline, never.
    pub const INFINITE: Self = Self::from_nanos(sys::ZX_TIME_INFINITE);
    /// Earlier than all others; as a deadline, at once.
    pub const INFINITE_PAST: Self = Self::from_nanos(sys::ZX_TIME_INFINITE_PAST);
    /// Where the clock started.
    pub const ZERO: Self = Self::from_nanos(0);

    /// The instant this many nanoseconds after the start of the clock.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos, PhantomData)
    }

    /// The nanoseconds since the start of the clock.
    pub const fn into_nanos(self) -> i64 {
        self.0
    }
}

impl MonotonicInstant {
    /// The present.
    pub fn get() -> Self {
        // SAFETY: the call takes no pointer and changes nothing.
        Self::from_nanos(unsafe { sys::zx_clock_get_monotonic() })
    }

    /// The instant `duration` from now.
    pub fn after(duration: MonotonicDuration) -> Self {
        Self::get() + duration
    }

    /// Sleeps until this instant; returns at once if it has passed.
    pub fn sleep(self) {
        // SAFETY: the call takes no pointer and changes nothing.
        let slept: Result<(), Status> = ok(unsafe { sys::zx_nanosleep(self.0) });
        debug_assert_eq!(slept, Ok(()), "sleeping cannot fail");
    }
}

/// Declares the conversions between a duration and whole units.
macro_rules! units {
    ($($from:ident $into:ident $plural:literal $nanos:expr;)*) => {
        impl<T: Timeline> Duration<T> {
            $(
                #[doc = concat!("This many ", $plural, "; saturates.")]
                pub const fn $from(count: i64) -> Self {
                    Self(count.saturating_mul($nanos), PhantomData)
                }

                #[doc = concat!("The whole ", $plural, ", rounded towards zero.")]
                pub const fn $into(self) -> i64 {
                    self.0 / $nanos
                }
            )*
        }
    };
}

units! {
    from_nanos into_nanos "nanoseconds" 1;
    from_micros into_micros "microseconds" 1_000;
    from_millis into_millis "milliseconds" 1_000_000;
    from_seconds into_seconds "seconds" 1_000_000_000;
    from_minutes into_minutes "minutes" 60 * 1_000_000_000;
    from_hours into_hours "hours" 60 * 60 * 1_000_000_000;
}

impl<T: Timeline> Duration<T> {
    /// Longer than all others.
    pub const INFINITE: Self = Self::from_nanos(i64::MAX);
    /// Further back than all others.
    pub const INFINITE_PAST: Self = Self::from_nanos(i64::MIN);
    /// No time at all.
    pub const ZERO: Self = Self::from_nanos(0);
}

impl MonotonicDuration {
    /// Sleeps this long; returns at once if it is negative.
    pub fn sleep(self) {
        MonotonicInstant::after(self).sleep();
    }
}

impl<T: Timeline> From<core::time::Duration> for Duration<T> {
    /// Saturates.
    fn from(duration: core::time::Duration) -> Self {
        Self::from_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl<T: Timeline> Add<Duration<T>> for Instant<T> {
    type Output = Self;

    fn add(self, duration: Duration<T>) -> Self {
        Self::from_nanos(self.0.saturating_add(duration.0))
    }
}

impl<T: Timeline> Add<Instant<T>> for Duration<T> {
    type Output = Instant<T>;

    fn add(self, instant: Instant<T>) -> Instant<T> {
        instant + self
    }
}

impl<T: Timeline> AddAssign<Duration<T>> for Instant<T> {
    fn add_assign(&mut self, duration: Duration<T>) {
        *self = *self + duration;
    }
}

impl<T: Timeline> Sub<Duration<T>> for Instant<T> {
    type Output = Self;

    fn sub(self, duration: Duration<T>) -> Self {
        Self::from_nanos(self.0.saturating_sub(duration.0))
    }
}

impl<T: Timeline> SubAssign<Duration<T>> for Instant<T> {
    fn sub_assign(&mut self, duration: Duration<T>) {
        *self = *self - duration;
    }
}

impl<T: Timeline> Sub for Instant<T> {
    type Output = Duration<T>;

    fn sub(self, earlier: Self) -> Duration<T> {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl<T: Timeline> Add for Duration<T> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from_nanos(self.0.saturating_add(other.0))
    }
}

impl<T: Timeline> AddAssign for Duration<T> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<T: Timeline> Sub for Duration<T> {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::from_nanos(self.0.saturating_sub(other.0))
    }
}

impl<T: Timeline> SubAssign for Duration<T> {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<T: Timeline> Mul<i64> for Duration<T> {
    type Output = Self;

    fn mul(self, factor: i64) -> Self {
        Self::from_nanos(self.0.saturating_mul(factor))
    }
}

impl<T: Timeline> Mul<Duration<T>> for i64 {
    type Output = Duration<T>;

    fn mul(self, duration: Duration<T>) -> Duration<T> {
        duration * self
    }
}

impl<T: Timeline> Div<i64> for Duration<T> {
    type Output = Self;

    /// Rounds towards zero.
    ///
    /// # Panics
    /// If `divisor` is zero.
    fn div(self, divisor: i64) -> Self {
        Self::from_nanos(self.0.saturating_div(divisor))
    }
}

#[cfg(test)]
mod tests {
    use super::{MonotonicDuration as Duration, MonotonicInstant as Instant};

    #[test]
    fn units_agree() {
        assert_eq!(Duration::from_hours(1), Duration::from_minutes(60));
        assert_eq!(Duration::from_minutes(1), Duration::from_seconds(60));
        assert_eq!(Duration::from_seconds(1), Duration::from_millis(1000));
        assert_eq!(Duration::from_millis(1), Duration::from_micros(1000));
        assert_eq!(Duration::from_micros(1), Duration::from_nanos(1000));
        assert_eq!(Duration::from_nanos(1_999_999_999).into_seconds(), 1);
        assert_eq!(Duration::from_nanos(-1_999_999_999).into_seconds(), -1);
    }

    #[test]
    fn arithmetic_stops_at_the_ends_of_time() {
        let second = Duration::from_seconds(1);
        assert_eq!(Instant::INFINITE + second, Instant::INFINITE);
        assert_eq!(Instant::INFINITE_PAST - second, Instant::INFINITE_PAST);
        assert_eq!(
            Instant::INFINITE - Instant::INFINITE_PAST,
            Duration::INFINITE
        );
        assert_eq!(
            Instant::INFINITE_PAST - Instant::INFINITE,
            Duration::INFINITE_PAST
        );
        assert_eq!(Duration::INFINITE + second, Duration::INFINITE);
        assert_eq!(Duration::INFINITE_PAST - second, Duration::INFINITE_PAST);
        assert_eq!(Duration::INFINITE * 2, Duration::INFINITE);
        assert_eq!(-2 * Duration::INFINITE, Duration::INFINITE_PAST);
        assert_eq!(Duration::INFINITE_PAST / -1, Duration::INFINITE);
        assert_eq!(Duration::from_hours(i64::MAX), Duration::INFINITE);
    }

    #[test]
    fn instants_and_durations_combine() {
        let start = Instant::from_nanos(100);
        let length = Duration::from_nanos(40);
        assert_eq!(start + length, Instant::from_nanos(140));
        assert_eq!(length + start, Instant::from_nanos(140));
        assert_eq!(start - length, Instant::from_nanos(60));
        assert_eq!((start + length) - start, length);
        assert_eq!(length * 3 / 2, Duration::from_nanos(60));
    }

    #[test]
    fn core_durations_saturate() {
        assert_eq!(
            Duration::from(core::time::Duration::MAX),
            Duration::INFINITE
        );
        assert_eq!(
            Duration::from(core::time::Duration::from_micros(7)),
            Duration::from_micros(7)
        );
    }
}
