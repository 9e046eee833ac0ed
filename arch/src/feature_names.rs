//! How the features of a CPU are printed.

use core::fmt::{self, Write};

/// Writes `names`, which are those of constants, in lower case with dashes and with spaces between them.
pub(crate) fn write(
    names: impl Iterator<Item = &'static str>,
    formatter: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    for (index, name) in names.enumerate() {
        if index != 0 {
            formatter.write_char(' ')?;
        }
        for letter in name.chars() {
            formatter.write_char(if letter == '_' {
                '-'
            } else {
                letter.to_ascii_lowercase()
            })?;
        }
    }
    Ok(())
}
