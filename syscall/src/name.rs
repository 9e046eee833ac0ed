//! The names of objects.

use core::fmt;

use bstr::BStr;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Result, Status};

/// The name of an object: at most 31 bytes, NUL-padded to 32.
///
/// Only the bytes before the first NUL count. The constructors and the kernel fill the rest with zeros,
/// so that equal names are equal bytes.
#[derive(
    Clone,
    Copy,
    Default,
    Eq,
    Hash,
    Immutable,
    IntoBytes,
    KnownLayout,
    Ord,
    PartialEq,
    FromBytes,
    PartialOrd,
)]
#[repr(transparent)]
pub struct Name([u8; Name::CAPACITY]);

impl Name {
    /// The size of the record in bytes, including the terminating NUL.
    pub const CAPACITY: usize = 32;

    /// The most bytes that a name can have.
    pub const MAX_LEN: usize = Self::CAPACITY - 1;

    /// A name from text.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: longer than 31 bytes, or a NUL inside.
    pub const fn new(text: &str) -> Result<Self> {
        Self::from_bytes(text.as_bytes())
    }

    /// A name from text, cut at the first NUL or after 31 bytes.
    pub const fn new_lossy(text: &str) -> Self {
        Self::from_bytes_lossy(text.as_bytes())
    }

    /// A name from bytes, which need not be UTF-8.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: longer than 31 bytes, or a NUL inside.
    pub const fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let name = Self::from_bytes_lossy(bytes);
        if name.len() == bytes.len() {
            Ok(name)
        } else {
            Err(Status::INVALID_ARGS)
        }
    }

    /// A name from bytes, cut at the first NUL or after 31 bytes.
    pub const fn from_bytes_lossy(bytes: &[u8]) -> Self {
        let mut name = [0; Self::CAPACITY];
        let mut index = 0;
        while index < Self::MAX_LEN && index < bytes.len() && bytes[index] != 0 {
            name[index] = bytes[index];
            index += 1;
        }
        Self(name)
    }

    /// A name from a record, cut at the first NUL or after 31 bytes.
    pub const fn from_raw(raw: [u8; Self::CAPACITY]) -> Self {
        Self::from_bytes_lossy(&raw)
    }

    /// The record: the name and its padding.
    pub const fn into_raw(self) -> [u8; Self::CAPACITY] {
        self.0
    }

    /// The bytes of the name, without padding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..self.len()]
    }

    /// The name as text that may not be UTF-8.
    pub fn as_bstr(&self) -> &BStr {
        BStr::new(self.as_bytes())
    }

    /// The length in bytes.
    pub const fn len(&self) -> usize {
        let mut length = 0;
        while length < Self::MAX_LEN && self.0[length] != 0 {
            length += 1;
        }
        length
    }

    /// Whether the name has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_bstr(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_bstr(), f)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<[u8]> for Name {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_bytes() == other
    }
}

impl PartialEq<&[u8]> for Name {
    fn eq(&self, other: &&[u8]) -> bool {
        self.as_bytes() == *other
    }
}

impl PartialEq<Name> for str {
    fn eq(&self, other: &Name) -> bool {
        other == self
    }
}

impl PartialEq<Name> for &str {
    fn eq(&self, other: &Name) -> bool {
        other == self
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::Name;
    use crate::Status;

    const LONGEST: &str = "0123456789abcdef0123456789abcde";

    #[test]
    fn new_accepts_31_bytes_and_refuses_32() {
        assert_eq!(Name::new(LONGEST).map(|name| name.len()), Ok(31));
        let longer = format!("{LONGEST}f");
        assert_eq!(Name::new(&longer), Err(Status::INVALID_ARGS));
    }

    #[test]
    fn new_refuses_a_nul_anywhere() {
        assert_eq!(Name::new("a\0b"), Err(Status::INVALID_ARGS));
        assert_eq!(Name::new("a\0"), Err(Status::INVALID_ARGS));
    }

    #[test]
    fn lossy_forms_cut() {
        assert_eq!(Name::new_lossy("a\0b"), "a");
        assert_eq!(Name::new_lossy(&format!("{LONGEST}f")), LONGEST);
        assert_eq!(Name::from_bytes_lossy(b""), Name::default());
    }

    #[test]
    fn from_raw_drops_what_follows_the_nul() {
        let mut raw = [b'x'; Name::CAPACITY];
        raw[1] = 0;
        assert_eq!(Name::from_raw(raw), Name::new_lossy("x"));
        assert_eq!(Name::from_raw([b'x'; Name::CAPACITY]).len(), 31);
    }

    #[test]
    fn display_and_debug_show_only_the_name() {
        let name = Name::new_lossy("stack");
        assert_eq!(
            format!("{name}|{name:?}|{name:>7}|"),
            "stack|\"stack\"|  stack|"
        );
    }
}
