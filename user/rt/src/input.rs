//! Typing: from the bytes of a terminal to lines.

use core::str;

use zx::{Resource, Status};

/// The most bytes a line can have; what is typed beyond them is ignored.
const LINE_CAPACITY: usize = 256;

const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;
const END_OF_INPUT: u8 = 0x04;
const CANCEL: u8 = 0x03;
const ESCAPE: u8 = 0x1b;

/// What a terminal is to be told after a byte was typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Edit {
    /// Nothing.
    None,
    /// Show the character.
    Echo(char),
    /// Take the last character away.
    Erase,
    /// The line is complete.
    Line,
    /// The line is thrown away.
    Cancelled,
    /// No more input will come.
    End,
}

/// A line being typed: printable ASCII, with the last character taken back by backspace.
///
/// The bytes up to `length` are always printable ASCII; only `feed` writes them.
pub struct LineEditor {
    bytes: [u8; LINE_CAPACITY],
    length: usize,
    escape: Escape,
}

/// How far a control sequence of the terminal, such as an arrow key, has come.
#[derive(Clone, Copy)]
enum Escape {
    Outside,
    Started,
    Parameters,
}

impl LineEditor {
    /// An empty line.
    pub const fn new() -> Self {
        Self {
            bytes: [0; LINE_CAPACITY],
            length: 0,
            escape: Escape::Outside,
        }
    }

    /// The line as typed so far.
    pub fn line(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).expect("`feed` keeps only ASCII")
    }

    /// Starts a new line.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Takes one typed byte; carriage return and line feed both end the line.
    pub fn feed(&mut self, byte: u8) -> Edit {
        if self.is_in_escape(byte) {
            return Edit::None;
        }
        match byte {
            b'\r' | b'\n' => Edit::Line,
            BACKSPACE | DELETE if self.length > 0 => {
                self.length -= 1;
                Edit::Erase
            }
            CANCEL => {
                self.clear();
                Edit::Cancelled
            }
            END_OF_INPUT if self.length == 0 => Edit::End,
            b' '..=b'~' if self.length < LINE_CAPACITY => {
                self.bytes[self.length] = byte;
                self.length += 1;
                Edit::Echo(char::from(byte))
            }
            _ => Edit::None,
        }
    }

    /// Follows control sequences (`ESC [ … letter`) and says whether `byte` belongs to one.
    fn is_in_escape(&mut self, byte: u8) -> bool {
        let (belongs, next) = match (self.escape, byte) {
            (Escape::Outside, ESCAPE) => (true, Escape::Started),
            (Escape::Outside, _) => (false, Escape::Outside),
            (Escape::Started, b'[' | b'O') => (true, Escape::Parameters),
            (Escape::Parameters, b'0'..=b'?') => (true, Escape::Parameters),
            (Escape::Started | Escape::Parameters, _) => (true, Escape::Outside),
        };
        self.escape = next;
        belongs
    }
}

impl Default for LineEditor {
    fn default() -> Self {
        Self::new()
    }
}

/// The console as something to read lines from.
pub struct LineReader<'a> {
    resource: &'a Resource,
    editor: LineEditor,
    typed: [u8; 32],
    waiting: core::ops::Range<usize>,
}

impl<'a> LineReader<'a> {
    /// Reads from the console through `resource`, which covers DEBUG.
    pub const fn new(resource: &'a Resource) -> Self {
        Self {
            resource,
            editor: LineEditor::new(),
            typed: [0; 32],
            waiting: 0..0,
        }
    }

    /// Shows `prompt`, lets a line be typed with echo, and returns it; `None` at the end of input.
    ///
    /// # Errors
    /// What the console answers, such as `WRONG_TYPE` for a resource that does not cover it.
    pub fn read_line(&mut self, prompt: &str) -> Result<Option<&str>, Status> {
        crate::print!("{prompt}");
        self.editor.clear();
        loop {
            crate::flush();
            match self.next_edit()? {
                Edit::None => {}
                Edit::Echo(character) => crate::print!("{character}"),
                Edit::Erase => crate::print!("\u{8} \u{8}"),
                Edit::Cancelled => crate::print!("^C\n{prompt}"),
                Edit::Line => {
                    crate::println!();
                    return Ok(Some(self.editor.line()));
                }
                Edit::End => {
                    crate::println!();
                    return Ok(None);
                }
            }
        }
    }

    fn next_edit(&mut self) -> Result<Edit, Status> {
        loop {
            if let Some(index) = self.waiting.next() {
                return Ok(self.editor.feed(self.typed[index]));
            }
            match self.resource.debug_read(&mut self.typed)? {
                0 => return Ok(Edit::End),
                count => self.waiting = 0..count,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edit, LINE_CAPACITY, LineEditor};

    fn type_text(editor: &mut LineEditor, text: &str) -> Edit {
        text.bytes()
            .map(|byte| editor.feed(byte))
            .last()
            .expect("some text was typed")
    }

    #[test]
    fn a_line_ends_with_either_line_ending() {
        for ending in ["\r", "\n"] {
            let mut editor = LineEditor::new();
            assert_eq!(type_text(&mut editor, "ps"), Edit::Echo('s'));
            assert_eq!(type_text(&mut editor, ending), Edit::Line);
            assert_eq!(editor.line(), "ps");
        }
    }

    #[test]
    fn backspace_takes_back_and_stops_at_the_beginning() {
        let mut editor = LineEditor::new();
        type_text(&mut editor, "ab");
        assert_eq!(editor.feed(0x7f), Edit::Erase);
        assert_eq!(editor.line(), "a");
        assert_eq!(editor.feed(0x08), Edit::Erase);
        assert_eq!(editor.feed(0x08), Edit::None);
        assert_eq!(editor.line(), "");
    }

    #[test]
    fn arrow_keys_and_other_control_bytes_leave_no_trace() {
        let mut editor = LineEditor::new();
        type_text(&mut editor, "a\x1b[Ab\x1b[1;5Dc\x1bOPd\te\u{e9}");
        assert_eq!(editor.line(), "abcde");
    }

    #[test]
    fn cancel_clears_and_end_of_input_needs_an_empty_line() {
        let mut editor = LineEditor::new();
        assert_eq!(type_text(&mut editor, "a\x04"), Edit::None);
        assert_eq!(editor.feed(3), Edit::Cancelled);
        assert_eq!(editor.line(), "");
        assert_eq!(editor.feed(4), Edit::End);
    }

    #[test]
    fn a_full_line_takes_no_more() {
        let mut editor = LineEditor::new();
        for _ in 0..LINE_CAPACITY {
            assert_eq!(editor.feed(b'x'), Edit::Echo('x'));
        }
        assert_eq!(editor.feed(b'y'), Edit::None);
        assert_eq!(editor.line().len(), LINE_CAPACITY);
    }
}
