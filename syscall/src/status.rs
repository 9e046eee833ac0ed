//! Status codes.

use core::fmt;

/// What a system call answers: zero for success, a negative number for an error.
///
/// Source: `docs/spec/abi.md` §2.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Status(i32);

/// A value, or the reason why there is none.
pub type Result<T, E = Status> = core::result::Result<T, E>;

/// Writes each code once: the associated constant, its name, and Zircon's constant of the same value.
macro_rules! status_codes {
    ($($(#[$doc:meta])* $name:ident = $raw_name:ident = $value:literal;)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The name of a code that `docs/spec/abi.md` §2 lists.
            const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }

        /// The codes under Zircon's names.
        pub mod constants {
            $($(#[$doc])* pub const $raw_name: i32 = super::Status::$name.0;)*
        }

        #[cfg(test)]
        const ALL: &[Status] = &[$(Status::$name),*];
    };
}

status_codes! {
    /// Success.
    OK = ZX_OK = 0;
    /// The system failed in a way that is no fault of the caller.
    INTERNAL = ZX_ERR_INTERNAL = -1;
    /// The operation does not exist for this object or machine.
    NOT_SUPPORTED = ZX_ERR_NOT_SUPPORTED = -2;
    /// Something other than memory ran out, such as address space.
    NO_RESOURCES = ZX_ERR_NO_RESOURCES = -3;
    /// Memory ran out.
    NO_MEMORY = ZX_ERR_NO_MEMORY = -4;
    /// The call was interrupted and is to be repeated.
    INTERRUPTED_RETRY = ZX_ERR_INTERRUPTED_RETRY = -6;
    /// An argument is not valid.
    INVALID_ARGS = ZX_ERR_INVALID_ARGS = -10;
    /// The value names no handle of the caller.
    BAD_HANDLE = ZX_ERR_BAD_HANDLE = -11;
    /// The handle names an object of another type.
    WRONG_TYPE = ZX_ERR_WRONG_TYPE = -12;
    /// The number names no system call.
    BAD_SYSCALL = ZX_ERR_BAD_SYSCALL = -13;
    /// An argument lies outside its range.
    OUT_OF_RANGE = ZX_ERR_OUT_OF_RANGE = -14;
    /// The caller's buffer is too small for the answer.
    BUFFER_TOO_SMALL = ZX_ERR_BUFFER_TOO_SMALL = -15;
    /// The object's state does not allow the operation.
    BAD_STATE = ZX_ERR_BAD_STATE = -20;
    /// The deadline passed first.
    TIMED_OUT = ZX_ERR_TIMED_OUT = -21;
    /// Nothing is there yet; waiting may help.
    SHOULD_WAIT = ZX_ERR_SHOULD_WAIT = -22;
    /// The operation was called off, for instance because its handle was closed.
    CANCELED = ZX_ERR_CANCELED = -23;
    /// The other end is closed.
    PEER_CLOSED = ZX_ERR_PEER_CLOSED = -24;
    /// The thing named does not exist.
    NOT_FOUND = ZX_ERR_NOT_FOUND = -25;
    /// The place is taken.
    ALREADY_EXISTS = ZX_ERR_ALREADY_EXISTS = -26;
    /// Somebody else is bound already.
    ALREADY_BOUND = ZX_ERR_ALREADY_BOUND = -27;
    /// The thing exists but cannot be used now.
    UNAVAILABLE = ZX_ERR_UNAVAILABLE = -28;
    /// A right or permission is missing.
    ACCESS_DENIED = ZX_ERR_ACCESS_DENIED = -30;
    /// Input or output failed.
    IO = ZX_ERR_IO = -40;
    /// A device refused the transfer.
    IO_REFUSED = ZX_ERR_IO_REFUSED = -41;
    /// The data read is damaged.
    IO_DATA_INTEGRITY = ZX_ERR_IO_DATA_INTEGRITY = -42;
    /// The data is lost.
    IO_DATA_LOSS = ZX_ERR_IO_DATA_LOSS = -43;
    /// The device is gone.
    IO_NOT_PRESENT = ZX_ERR_IO_NOT_PRESENT = -44;
    /// More data arrived than was asked for.
    IO_OVERRUN = ZX_ERR_IO_OVERRUN = -45;
    /// The transfer missed its deadline.
    IO_MISSED_DEADLINE = ZX_ERR_IO_MISSED_DEADLINE = -46;
    /// The device does not know the request.
    IO_INVALID = ZX_ERR_IO_INVALID = -47;
    /// The path is malformed.
    BAD_PATH = ZX_ERR_BAD_PATH = -50;
    /// The path does not name a directory.
    NOT_DIR = ZX_ERR_NOT_DIR = -51;
    /// The path does not name a file.
    NOT_FILE = ZX_ERR_NOT_FILE = -52;
    /// The file would grow beyond its limit.
    FILE_BIG = ZX_ERR_FILE_BIG = -53;
    /// The storage is full.
    NO_SPACE = ZX_ERR_NO_SPACE = -54;
    /// The directory has entries.
    NOT_EMPTY = ZX_ERR_NOT_EMPTY = -55;
    /// Stop iterating.
    STOP = ZX_ERR_STOP = -60;
    /// Go on with the next one.
    NEXT = ZX_ERR_NEXT = -61;
    /// The work continues in the background.
    ASYNC = ZX_ERR_ASYNC = -62;
    /// The network protocol is not supported.
    PROTOCOL_NOT_SUPPORTED = ZX_ERR_PROTOCOL_NOT_SUPPORTED = -70;
    /// The network address cannot be reached.
    ADDRESS_UNREACHABLE = ZX_ERR_ADDRESS_UNREACHABLE = -71;
    /// The network address is in use.
    ADDRESS_IN_USE = ZX_ERR_ADDRESS_IN_USE = -72;
    /// There is no connection.
    NOT_CONNECTED = ZX_ERR_NOT_CONNECTED = -73;
    /// The connection was refused.
    CONNECTION_REFUSED = ZX_ERR_CONNECTION_REFUSED = -74;
    /// The connection was reset.
    CONNECTION_RESET = ZX_ERR_CONNECTION_RESET = -75;
    /// The connection was given up.
    CONNECTION_ABORTED = ZX_ERR_CONNECTION_ABORTED = -76;
}

impl Status {
    /// The status with this number; every number is one, though most have no name.
    pub const fn from_raw(raw: i32) -> Self {
        Self(raw)
    }

    /// The number of this status.
    pub const fn into_raw(self) -> i32 {
        self.0
    }

    /// Turns a raw status into a result: zero and positive numbers are success.
    ///
    /// # Errors
    /// The status itself, if it is negative.
    pub const fn ok(raw: i32) -> Result<()> {
        if raw >= 0 { Ok(()) } else { Err(Self(raw)) }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Status {
    /// Prints the name, or the number of a status that has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "Status({})", self.0),
        }
    }
}

impl core::error::Error for Status {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::format;

    use super::{ALL, Status};

    #[test]
    fn codes_and_names_are_unique() {
        let codes: BTreeSet<_> = ALL.iter().collect();
        let names: BTreeSet<_> = ALL.iter().map(|status| format!("{status}")).collect();
        assert_eq!(codes.len(), ALL.len());
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn display_prints_the_name_and_honours_width() {
        assert_eq!(format!("{}", Status::ALREADY_EXISTS), "ALREADY_EXISTS");
        assert_eq!(format!("{:?}", Status::OK), "OK");
        assert_eq!(
            format!("{:>5}|{:<4}|", Status::OK, Status::IO),
            "   OK|IO  |"
        );
    }

    #[test]
    fn a_status_without_a_name_prints_its_number() {
        assert_eq!(format!("{}", Status::from_raw(-999)), "Status(-999)");
    }

    #[test]
    fn only_negative_numbers_are_errors() {
        assert_eq!(Status::ok(0), Ok(()));
        assert_eq!(Status::ok(i32::MAX), Ok(()));
        assert_eq!(Status::ok(-1), Err(Status::INTERNAL));
        assert_eq!(Status::ok(i32::MIN), Err(Status::from_raw(i32::MIN)));
    }
}
