//! Names for addresses in the kernel's own code.
//!
//! The image carries its symbol table as text, sorted by address: a line holds sixteen hexadecimal
//! digits, a space and a name, and zero bytes fill the rest of the section. [`Symbols`] searches it
//! in place, so that it works before there is a heap and after everything has gone wrong.

use core::str;

/// A line's digits and the space after them.
const NAME_OFFSET: usize = 17;

/// The names of functions, sorted by where they begin.
#[derive(Clone, Copy)]
pub struct Symbols<'a> {
    text: &'a [u8],
}

/// A function and a place in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Symbol<'a> {
    /// The function's name.
    pub name: &'a str,
    /// The distance in bytes from the function's first instruction.
    pub offset: usize,
}

impl<'a> Symbols<'a> {
    /// The symbols in `section`, which ends at its first zero byte.
    pub fn new(section: &'a [u8]) -> Self {
        let end = section
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(section.len());
        Self {
            text: &section[..end],
        }
    }

    /// The last symbol that begins at or before `address`.
    pub fn find(&self, address: usize) -> Option<Symbol<'a>> {
        let (mut low, mut high) = (0, self.text.len());
        let mut best = None;
        while low < high {
            let line_start = self.line_start(low + (high - low) / 2);
            let line_end = self.line_end(line_start);
            let (start, name) = parse(self.text.get(line_start..line_end)?)?;
            if start <= address {
                best = Some(Symbol {
                    name,
                    offset: address - start,
                });
                low = line_end + 1;
            } else {
                high = line_start;
            }
        }
        best
    }

    /// Where the line that contains `position` begins.
    fn line_start(&self, position: usize) -> usize {
        let before = &self.text[..position];
        before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1)
    }

    /// Where the line that begins at `start` ends.
    fn line_end(&self, start: usize) -> usize {
        let rest = &self.text[start..];
        rest.iter()
            .position(|byte| *byte == b'\n')
            .map_or(self.text.len(), |length| start + length)
    }
}

/// Takes a line apart into address and name.
fn parse(line: &[u8]) -> Option<(usize, &str)> {
    let line = str::from_utf8(line).ok()?;
    let address = line.get(..NAME_OFFSET)?.trim_end();
    Some((
        usize::from_str_radix(address, 16).ok()?,
        line.get(NAME_OFFSET..)?,
    ))
}

#[cfg(test)]
mod tests {
    use ktest::ktest;

    use super::{Symbol, Symbols};

    const TEXT: &[u8] = b"0000000000001000 first\n0000000000001040 second::part\n\
        ffffffff80000000 third\n\0\0\0";

    fn find(address: usize) -> Option<Symbol<'static>> {
        Symbols::new(TEXT).find(address)
    }

    #[ktest]
    fn an_address_belongs_to_the_last_symbol_before_it() {
        assert_eq!(
            find(0x1000),
            Some(Symbol {
                name: "first",
                offset: 0
            })
        );
        assert_eq!(
            find(0x103f),
            Some(Symbol {
                name: "first",
                offset: 0x3f
            })
        );
        assert_eq!(
            find(0x1040),
            Some(Symbol {
                name: "second::part",
                offset: 0
            })
        );
        assert_eq!(
            find(usize::MAX),
            Some(Symbol {
                name: "third",
                offset: 0x7fff_ffff
            })
        );
    }

    #[ktest]
    fn an_address_before_the_first_symbol_has_none() {
        assert_eq!(find(0xfff), None);
    }

    #[ktest]
    fn empty_and_broken_tables_have_no_symbols() {
        assert_eq!(Symbols::new(b"").find(1), None);
        assert_eq!(Symbols::new(b"\0\0").find(1), None);
        assert_eq!(Symbols::new(b"xyz\n").find(1), None);
        assert_eq!(Symbols::new(b"00000000000000zz name\n").find(1), None);
    }
}
