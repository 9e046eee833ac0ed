//! Printing, a line at a time.
//!
//! A print first gathers its text on its own stack and hands over pieces of it under the lock, so that
//! formatting code may itself print or panic.

use core::fmt;
use core::fmt::Write;

use spin::Mutex;

/// Text that waits for the end of its line.
static LINE: Mutex<Buffer> = Mutex::new(Buffer::new());

/// Bytes kept back until a line ends; longer lines go out in pieces.
const CAPACITY: usize = 256;

/// Prints formatted text; what [`print!`](crate::print) expands to.
pub fn print_fragment(text: fmt::Arguments<'_>) {
    let mut gathered = Gathered(Buffer::new());
    // Writing to a `Gathered` never fails; an error can only come from a value's own formatting, whose
    // text so far is still worth showing.
    let _ = gathered.write_fmt(text);
    gathered.hand_over();
}

/// Shows text whose line has not ended yet, such as a prompt.
pub fn flush() {
    LINE.lock().write_out();
}

struct Buffer {
    bytes: [u8; CAPACITY],
    filled: usize,
}

impl Buffer {
    const fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            filled: 0,
        }
    }

    /// Takes as much of `bytes` as fits; returns the rest.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = &mut self.bytes[self.filled..];
        let (taken, rest) = bytes.split_at(bytes.len().min(room.len()));
        room[..taken.len()].copy_from_slice(taken);
        self.filled += taken.len();
        rest
    }

    fn is_full(&self) -> bool {
        self.filled == CAPACITY
    }

    fn contents(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Writes the contents to the console.
    fn write_out(&mut self) {
        if self.filled > 0 {
            // There is nowhere to report that the console failed.
            let _ = zx::debug_write(self.contents());
            self.filled = 0;
        }
    }

    /// Takes all of `bytes` and writes out whatever completes a line or does not fit.
    fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = self.take(bytes);
            if self.is_full() || self.contents().ends_with(b"\n") {
                self.write_out();
            }
        }
    }
}

/// The text of one print.
struct Gathered(Buffer);

impl Gathered {
    fn hand_over(&mut self) {
        LINE.lock().append(self.0.contents());
        self.0.filled = 0;
    }
}

impl fmt::Write for Gathered {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            bytes = self.0.take(bytes);
            if self.0.is_full() {
                self.hand_over();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Buffer, CAPACITY};

    #[test]
    fn an_unfinished_line_waits() {
        let mut buffer = Buffer::new();
        buffer.append(b"one\ntwo");
        assert_eq!(buffer.contents(), b"one\ntwo");
        buffer.append(b"\n");
        assert_eq!(buffer.contents(), b"");
    }

    #[test]
    fn a_line_longer_than_the_buffer_goes_out_in_pieces() {
        let mut buffer = Buffer::new();
        buffer.append(&[b'x'; CAPACITY - 1]);
        assert_eq!(buffer.contents().len(), CAPACITY - 1);
        buffer.append(b"yz");
        assert_eq!(buffer.contents(), b"z");
    }
}
