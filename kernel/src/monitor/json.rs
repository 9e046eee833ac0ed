//! Answers for programs: JSON, a line at a time.
//!
//! A [`Document`] is an object: a few members, then arrays of any length, then a few members more. It goes
//! out while it grows, and each line of it at once, so that a million rows need no more room than one and no
//! other output gets into the middle of a line. `docs/monitor-json.md` describes the documents.
//!
//! ```text
//!   {"format":"jacinth-vmaps","version":1,"rows":[      open, array
//!   ["R",1,"0x200000",4096,"root"],                     row
//!   ["M",2,"0x201000",4096,"heap","rw-",1031,"0x0",0]   row
//!   ],"count":2,"complete":true}                        end_array, close
//! ```

use core::str;

use serde::{Serialize, Serializer};
use syscall::vmaps::Permissions;
use syscall::{Name, Result, Status, VmOptions};

use super::words::Subject;
use crate::console;

/// The longest line. The longest that there is shows the counters of a CPU with twenty digits each.
const LINE_BYTES: usize = 1536;

/// The version of all formats. It changes when readers of the one before would go wrong.
const VERSION: u32 = 1;

/// A document that is being written.
pub struct Document<'a> {
    sink: &'a mut dyn FnMut(&[u8]),
    line: [u8; LINE_BYTES],
    filled: usize,
    /// Whether the array that is open has no row yet.
    is_first: bool,
}

impl<'a> Document<'a> {
    /// A document of this format that begins with the members of `header`, an object that has some. Its
    /// lines go to `sink`.
    ///
    /// # Errors
    /// `INTERNAL`: a line is longer than any can be. So it is for all calls.
    pub fn open(
        sink: &'a mut dyn FnMut(&[u8]),
        format: &'static str,
        header: &impl Serialize,
    ) -> Result<Self> {
        let mut document = Self {
            sink,
            line: [0; LINE_BYTES],
            filled: 0,
            is_first: true,
        };
        document.push_value(&Head {
            format,
            version: VERSION,
            architecture: arch::cpu::ARCHITECTURE,
            kernel: env!("CARGO_PKG_VERSION"),
        })?;
        document.open_again();
        document.push_members(header)?;
        document.open_again();
        Ok(document)
    }

    /// Begins an array as the member `name`, which needs no escapes.
    pub fn array(&mut self, name: &str) -> Result<()> {
        for part in [",\"", name, "\":["] {
            self.push(part.as_bytes())?;
        }
        self.is_first = true;
        self.end_line()
    }

    /// Adds a row to the array that is open.
    pub fn row(&mut self, value: &impl Serialize) -> Result<()> {
        if !self.is_first {
            self.push(b",")?;
            self.end_line()?;
        }
        self.is_first = false;
        self.push_value(value)
    }

    /// Ends the array that is open.
    pub fn end_array(&mut self) -> Result<()> {
        if !self.is_first {
            self.end_line()?;
        }
        self.push(b"]")
    }

    /// Ends the document with the members of `trailer`, an object that has some.
    pub fn close(mut self, trailer: &impl Serialize) -> Result<()> {
        self.push_members(trailer)?;
        self.end_line()
    }

    /// Adds the members of an object that has some to the object that is open, and closes it.
    fn push_members(&mut self, value: &impl Serialize) -> Result<()> {
        let brace = self.filled;
        self.push_value(value)?;
        self.line[brace] = b',';
        Ok(())
    }

    /// Takes the brace back that ended an object.
    fn open_again(&mut self) {
        self.filled -= 1;
    }

    fn push_value(&mut self, value: &impl Serialize) -> Result<()> {
        // Less one for the line feed.
        let room = &mut self.line[self.filled..LINE_BYTES - 1];
        let bytes = serde_json_core::to_slice(value, room).map_err(|_| Status::INTERNAL)?;
        self.filled += bytes;
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let place = self.line.get_mut(self.filled..self.filled + bytes.len());
        place.ok_or(Status::INTERNAL)?.copy_from_slice(bytes);
        self.filled += bytes.len();
        Ok(())
    }

    fn end_line(&mut self) -> Result<()> {
        self.push(b"\n")?;
        (self.sink)(&self.line[..self.filled]);
        self.filled = 0;
        Ok(())
    }
}

/// Sends lines to the console.
pub fn to_console(line: &[u8]) {
    console::write(line);
}

/// What every document begins with.
#[derive(Serialize)]
struct Head {
    format: &'static str,
    version: u32,
    architecture: &'static str,
    kernel: &'static str,
}

/// A process, or the kernel.
#[derive(Serialize)]
pub struct Who {
    koid: Option<u64>,
    name: Text,
}

impl From<&Subject> for Who {
    fn from(subject: &Subject) -> Self {
        Self {
            koid: subject.koid,
            name: Text(subject.name),
        }
    }
}

/// A number that readers of JSON may not be able to hold: as a string, in hexadecimal with `0x`.
#[derive(Clone, Copy)]
pub struct Hex(pub u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let count = self.0.checked_ilog2().unwrap_or(0) as usize / 4 + 1;
        let mut text = *b"0x0000000000000000";
        for (index, digit) in text[2..2 + count].iter_mut().enumerate() {
            *digit = DIGITS[(self.0 >> (4 * (count - 1 - index)) & 15) as usize];
        }
        serializer.serialize_str(str::from_utf8(&text[..2 + count]).unwrap_or_default())
    }
}

/// A name: a string or, because names are bytes, `{"hex": "…"}` if it is not UTF-8.
#[derive(Clone, Copy)]
pub struct Text(pub Name);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Bytes<'a> {
            hex: &'a str,
        }
        match str::from_utf8(self.0.as_bytes()) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let mut digits = [0; 2 * Name::CAPACITY];
                let pairs = digits.chunks_exact_mut(2).zip(self.0.as_bytes());
                for (pair, byte) in pairs {
                    pair[0] = hex_digit(byte >> 4);
                    pair[1] = hex_digit(byte & 15);
                }
                let hex = str::from_utf8(&digits[..2 * self.0.len()]).unwrap_or_default();
                Bytes { hex }.serialize(serializer)
            }
        }
    }
}

const fn hex_digit(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'a' + value - 10,
    }
}

/// Permissions, as in `"rw-"`.
#[derive(Clone, Copy)]
pub struct Rwx(pub VmOptions);

impl Serialize for Rwx {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Permissions(self.0))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use ktest::ktest;

    use super::*;

    #[derive(Serialize)]
    struct One<T> {
        a: T,
    }

    /// What a document with these rows looks like.
    fn document(rows: &[u32]) -> String {
        let mut text = String::new();
        let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
        let mut write = || -> Result<()> {
            let mut document = Document::open(&mut sink, "test", &One { a: 1 })?;
            document.array("rows")?;
            rows.iter().try_for_each(|row| document.row(row))?;
            document.end_array()?;
            document.close(&One { a: 2 })
        };
        assert_eq!(write(), Ok(()));
        without_head(&text)
    }

    /// Checks what every document begins with, and takes it away.
    fn without_head(text: &str) -> String {
        let architecture = arch::cpu::ARCHITECTURE;
        let kernel = env!("CARGO_PKG_VERSION");
        let head = alloc::format!(
            "{{\"format\":\"test\",\"version\":1,\"architecture\":\"{architecture}\",\"kernel\":\"{kernel}\","
        );
        String::from(text.strip_prefix(&*head).expect("the head"))
    }

    fn line(value: &impl Serialize) -> String {
        let mut text = String::new();
        let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
        let document = Document::open(&mut sink, "test", &One { a: value }).expect("it fits");
        document.close(&One { a: 0 }).expect("it fits");
        without_head(&text)
    }

    #[ktest]
    fn a_document_is_one_object_with_a_row_a_line() {
        assert_eq!(document(&[]), "\"a\":1,\"rows\":[\n],\"a\":2}\n");
        assert_eq!(document(&[7]), "\"a\":1,\"rows\":[\n7\n],\"a\":2}\n");
        assert_eq!(document(&[7, 8]), "\"a\":1,\"rows\":[\n7,\n8\n],\"a\":2}\n");
    }

    #[ktest]
    fn large_numbers_are_strings_in_hexadecimal() {
        for (number, expected) in [
            (0, "0x0"),
            (15, "0xf"),
            (16, "0x10"),
            (0x40_0000, "0x400000"),
            (u64::MAX, "0xffffffffffffffff"),
        ] {
            let wanted = alloc::format!("\"a\":\"{expected}\",\"a\":0}}\n");
            assert_eq!(line(&Hex(number)), wanted);
        }
    }

    #[ktest]
    fn names_are_escaped_and_those_that_are_not_text_are_bytes() {
        let name = |bytes: &[u8]| line(&Text(Name::from_bytes_lossy(bytes)));
        assert_eq!(
            name(b"a\"b\\c\n\x01"),
            "\"a\":\"a\\\"b\\\\c\\n\\u0001\",\"a\":0}\n"
        );
        assert_eq!(name("ünı".as_bytes()), "\"a\":\"ünı\",\"a\":0}\n");
        assert_eq!(name(b"\xff\x0a"), "\"a\":{\"hex\":\"ff0a\"},\"a\":0}\n");
        assert_eq!(name(b""), "\"a\":\"\",\"a\":0}\n");
    }

    #[ktest]
    fn a_line_that_cannot_be_is_refused() {
        let mut ignore = |_: &[u8]| {};
        let long = [u64::MAX; LINE_BYTES / 16];
        let document = Document::open(&mut ignore, "test", &One { a: long.as_slice() });
        assert_eq!(document.err(), Some(Status::INTERNAL));
    }
}
