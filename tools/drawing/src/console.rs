//! Finding the document in what a machine prints.
//!
//! The monitor writes a document line by line, and other output may come before, after and between the lines,
//! but never into one. So the lines of a document are known by their first characters.

use std::io::{self, BufRead};

use crate::format::Format;

/// What the rows of a document begin with, and its last line.
const ROW: &[u8] = b"[\"";
const END: &[u8] = b"],\"count\":";

/// After how many rows it is said how far it is.
const REPORT_EVERY: usize = 5_000;

/// Where lines go that belong to no document, and how far it is.
pub trait Watcher {
    /// Takes a line that belongs to no document.
    fn line(&mut self, line: &[u8]);

    /// Takes how many rows and bytes of the document have arrived.
    fn progress(&mut self, rows: usize, bytes: usize);
}

/// Reads to the end of `input`; answers the last document of this format in it, whole or not, if there is one.
///
/// # Errors
/// Those of `input`.
pub fn find_document(
    mut input: impl BufRead,
    format: &Format,
    watcher: &mut impl Watcher,
) -> io::Result<Option<Vec<u8>>> {
    let beginning = format!("{{\"format\":\"{}\"", format.name);
    let mut document: Option<Vec<u8>> = None;
    let mut is_open = false;
    let mut rows = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(document);
        }
        if line.starts_with(beginning.as_bytes()) {
            document = Some(line.clone());
            (is_open, rows) = (true, 0);
            continue;
        }
        match &mut document {
            Some(document) if is_open && (line.starts_with(ROW) || line.starts_with(END)) => {
                document.extend_from_slice(&line);
                is_open = !line.starts_with(END);
                rows += usize::from(is_open);
                if !is_open || rows.is_multiple_of(REPORT_EVERY) {
                    watcher.progress(rows, document.len());
                }
            }
            _ => watcher.line(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Notes {
        lines: Vec<u8>,
        rows: usize,
    }

    impl Watcher for Notes {
        fn line(&mut self, line: &[u8]) {
            self.lines.extend_from_slice(line);
        }

        fn progress(&mut self, rows: usize, _bytes: usize) {
            self.rows = rows;
        }
    }

    fn find(console: &str) -> (Option<String>, Notes) {
        let mut notes = Notes::default();
        let found =
            find_document(console.as_bytes(), &FORMAT, &mut notes).expect("memory can be read");
        (
            found.map(|bytes| String::from_utf8(bytes).expect("text")),
            notes,
        )
    }

    const FORMAT: Format = Format {
        name: "jacinth-vmaps",
        version: 1,
        command: "vmaps --json",
        subject: "the address space",
    };
    const HEAD: &str = "{\"format\":\"jacinth-vmaps\",\"rows\":[\r\n";
    const ROWS: &str = "[\"A\",0],\r\n[\"R\",1]\r\n";
    const TAIL: &str = "],\"count\":2}\r\n";

    #[test]
    fn a_document_is_found_between_and_around_other_lines() {
        let console =
            format!("Jacinth\n{HEAD}[\"A\",0],\r\nfault: x\n[\"R\",1]\r\n{TAIL}the end\n[\"\n");
        let (document, notes) = find(&console);
        assert_eq!(document, Some(format!("{HEAD}{ROWS}{TAIL}")));
        assert_eq!(notes.lines, b"Jacinth\nfault: x\nthe end\n[\"\n");
        assert_eq!(notes.rows, 2);
    }

    #[test]
    fn the_last_of_several_documents_counts() {
        let (document, _) = find(&format!("{HEAD}{TAIL}{HEAD}{ROWS}{TAIL}"));
        assert_eq!(document, Some(format!("{HEAD}{ROWS}{TAIL}")));
    }

    #[test]
    fn a_console_without_a_document_has_none() {
        let (document, notes) = find("Jacinth\n[\"A\"]\n");
        assert_eq!(document, None);
        assert_eq!(notes.lines, b"Jacinth\n[\"A\"]\n");
    }

    #[test]
    fn a_document_that_breaks_off_is_answered_as_it_is() {
        let (document, _) = find(&format!("{HEAD}[\"A\",0],\r\n"));
        assert_eq!(document, Some(format!("{HEAD}[\"A\",0],\r\n")));
    }
}
