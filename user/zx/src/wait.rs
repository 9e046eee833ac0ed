//! How waits end.

use core::fmt::Debug;

use crate::{Signals, Status};

/// How a wait for the signals of an object has ended, and what was active then.
///
/// Has the methods of a `Result<Signals, Status>`, which it is but for the signals that also an unsuccessful
/// wait has seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a wait may have ended without the signals it was for"]
pub enum WaitResult {
    /// One of the signals was active.
    Ok(Signals),
    /// The deadline has passed.
    TimedOut(Signals),
    /// The handle was closed; `HANDLE_CLOSED` is among the signals.
    Canceled(Signals),
    /// There was no wait.
    Err(Status),
}

impl WaitResult {
    /// What was active if the wait was successful, else the status.
    ///
    /// # Errors
    /// `TIMED_OUT`, `CANCELED`, or why there was no wait.
    pub const fn to_result(self) -> Result<Signals, Status> {
        match self {
            Self::Ok(signals) => Ok(signals),
            Self::TimedOut(_) => Err(Status::TIMED_OUT),
            Self::Canceled(_) => Err(Status::CANCELED),
            Self::Err(status) => Err(status),
        }
    }

    /// Whether one of the signals was active.
    pub const fn is_ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }

    /// Whether none of the signals was active.
    pub const fn is_err(&self) -> bool {
        !self.is_ok()
    }

    /// As [`Result::ok`].
    pub fn ok(self) -> Option<Signals> {
        self.to_result().ok()
    }

    /// As [`Result::err`].
    pub fn err(self) -> Option<Status> {
        self.to_result().err()
    }

    /// As [`Result::map`].
    ///
    /// # Errors
    /// As [`to_result`](Self::to_result).
    pub fn map<T>(self, change: impl FnOnce(Signals) -> T) -> Result<T, Status> {
        self.to_result().map(change)
    }

    /// As [`Result::map_err`].
    ///
    /// # Errors
    /// What `change` makes of that of [`to_result`](Self::to_result).
    pub fn map_err<E>(self, change: impl FnOnce(Status) -> E) -> Result<Signals, E> {
        self.to_result().map_err(change)
    }

    /// As [`Result::expect`].
    ///
    /// # Panics
    /// If none of the signals was active.
    pub fn expect(self, message: &str) -> Signals {
        self.to_result().expect(message)
    }

    /// As [`Result::expect_err`].
    ///
    /// # Panics
    /// If one of the signals was active.
    pub fn expect_err(self, message: &str) -> Status {
        self.to_result().expect_err(message)
    }

    /// As [`Result::unwrap`].
    ///
    /// # Panics
    /// If none of the signals was active.
    pub fn unwrap(self) -> Signals {
        self.to_result().unwrap()
    }

    /// As [`Result::unwrap_err`].
    ///
    /// # Panics
    /// If one of the signals was active.
    pub fn unwrap_err(self) -> Status {
        self.to_result().unwrap_err()
    }
}

impl From<WaitResult> for Result<Signals, Status> {
    fn from(result: WaitResult) -> Self {
        result.to_result()
    }
}

#[cfg(test)]
mod tests {
    use super::WaitResult;
    use crate::{Signals, Status};

    #[test]
    fn a_wait_that_saw_something_else_is_an_error_that_keeps_it() {
        let seen = Signals::USER_0;
        for (result, expected) in [
            (WaitResult::Ok(seen), Ok(seen)),
            (WaitResult::TimedOut(seen), Err(Status::TIMED_OUT)),
            (WaitResult::Canceled(seen), Err(Status::CANCELED)),
            (WaitResult::Err(Status::BAD_HANDLE), Err(Status::BAD_HANDLE)),
        ] {
            assert_eq!(result.to_result(), expected);
            assert_eq!(Result::from(result), expected);
            assert_eq!(result.is_ok(), expected.is_ok());
            assert_eq!(result.is_err(), expected.is_err());
            assert_eq!((result.ok(), result.err()), (expected.ok(), expected.err()));
            assert_eq!(
                result.map(|signals| signals.bits()).is_ok(),
                expected.is_ok()
            );
            assert_eq!(result.map_err(|_| ()), expected.map_err(|_| ()));
        }
    }
}
