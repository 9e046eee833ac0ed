//! Values that occur in documents of every format.

use std::fmt;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess};

use crate::text::visible;

/// A process, or the kernel.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Process {
    /// Its number; the kernel has none.
    pub koid: Option<u64>,
    /// Its name.
    pub name: Name,
}

/// A name as it can be shown: see [`visible`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Name(pub Rc<str>);

/// A number as a string in hexadecimal, with `0x` before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hex(pub u64);

/// The next column of a row; `name` says which one is missing if there is none.
///
/// # Errors
/// It is missing, or of the wrong shape.
pub fn column<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    seq: &mut A,
    name: &str,
) -> Result<T, A::Error> {
    seq.next_element()?
        .ok_or_else(|| de::Error::custom(format_args!("the row has no column `{name}`")))
}

/// Reads over the columns that later versions may have added.
///
/// # Errors
/// What follows is no row.
pub fn skip_rest<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<(), A::Error> {
    while seq.next_element::<de::IgnoredAny>()?.is_some() {}
    Ok(())
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").unwrap_or_default();
        let is_plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        match u64::from_str_radix(digits, 16) {
            Ok(value) if is_plain => Ok(Self(value)),
            _ => Err(de::Error::custom(format_args!(
                "`{}` is no number like 0x400000",
                visible(text.as_bytes())
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Text(String),
            Bytes { hex: String },
        }
        let bytes = match Raw::deserialize(deserializer)? {
            Raw::Text(text) => text.into_bytes(),
            Raw::Bytes { hex } => bytes_of(&hex).ok_or_else(|| {
                de::Error::custom(
                    "a name that is not text is hexadecimal digits, two for each byte",
                )
            })?,
        };
        Ok(Self(visible(&bytes).into()))
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}
