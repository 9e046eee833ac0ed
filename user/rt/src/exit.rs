//! How a program ends.

use core::fmt;

use zx::Process;

/// What `main` may return, as an exit code; 0 means that all went well.
pub trait Termination {
    /// The exit code; prints what an error has to say.
    fn exit_code(self) -> i64;
}

impl Termination for () {
    fn exit_code(self) -> i64 {
        0
    }
}

impl Termination for i64 {
    fn exit_code(self) -> i64 {
        self
    }
}

impl<T: Termination, E: fmt::Display> Termination for Result<T, E> {
    fn exit_code(self) -> i64 {
        match self {
            Ok(value) => value.exit_code(),
            Err(error) => {
                crate::eprintln!("error: {error}");
                FAILURE
            }
        }
    }
}

/// The exit code of a program whose `main` returned an error.
const FAILURE: i64 = 1;

/// Ends the program; text that waits for the end of its line is shown first.
pub fn exit(code: i64) -> ! {
    crate::flush();
    Process::exit(code)
}

#[cfg(test)]
mod tests {
    use super::Termination;

    #[test]
    fn exit_codes_come_from_what_main_returns() {
        assert_eq!(().exit_code(), 0);
        assert_eq!(Ok::<_, zx::Status>(7).exit_code(), 7);
        assert_eq!(Err::<(), _>(zx::Status::NO_MEMORY).exit_code(), 1);
    }
}
