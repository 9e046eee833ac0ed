//! `vmaps`: an address space, region by region.

use core::str::SplitWhitespace;

use serde::Serialize;
use syscall::info::{Map, MapKind};
use syscall::vmaps::MapLine;
use syscall::{Result, VmOptions};
use vm::addr::PAGE_SIZE;

use super::json::{Document, Hex, Rwx, Text, Who, to_console};
use super::words::{Format, Subject, Words};
#[cfg(not(test))]
use crate::object::Process;
use crate::records::{self, Patience};

/// `vmaps [PROCESS] [--json]`: an address space, by default the kernel's.
pub fn vmaps(words: SplitWhitespace<'_>) -> Result<()> {
    let words = Words::parse("vmaps", words)?;
    let subject = match words.at_most_one()? {
        Some(word) => Subject::find("vmaps", word)?,
        None => Subject::kernel(),
    };
    match words.format {
        Format::Text => records::for_each_in_space(&subject.space, |record| {
            println!("{}", MapLine(record));
            Ok(())
        }),
        Format::Json => print_json(&subject, Patience::UntilKilled, &mut to_console),
    }
}

/// What the document begins with.
#[derive(Serialize)]
struct Header {
    process: Who,
    page_bytes: usize,
    columns: [&'static str; COLUMNS],
}

/// How many columns a row can have.
const COLUMNS: usize = 9;

/// What the columns of a row are. Only mappings have the last four.
const COLUMN_NAMES: [&str; COLUMNS] = [
    "kind",
    "depth",
    "base",
    "size",
    "name",
    "permissions",
    "vmo",
    "offset",
    "committed",
];

/// A row for an address space or a VMAR.
#[derive(Serialize)]
struct RegionRow(&'static str, usize, Hex, usize, Text);

/// A row for a run of equal permissions in a mapping.
#[derive(Serialize)]
struct MappingRow(&'static str, usize, Hex, usize, Text, Rwx, u64, Hex, usize);

/// What the document ends with.
#[derive(Serialize)]
struct Trailer {
    count: u64,
    complete: bool,
}

/// Writes the document `jacinth-vmaps` about `subject`.
///
/// # Errors
/// - `BAD_STATE`: the address space has ended. The document says that it is not complete.
/// - `CANCELED`: so it does if the current thread is to end.
pub fn print_json(
    subject: &Subject,
    patience: Patience,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<()> {
    let header = Header {
        process: Who::from(subject),
        page_bytes: PAGE_SIZE,
        columns: COLUMN_NAMES,
    };
    let mut document = Document::open(sink, "jacinth-vmaps", &header)?;
    document.array("rows")?;
    let mut count = 0;
    let walked = records::walk_space(&subject.space, patience, |record| {
        count += 1;
        add_row(&mut document, record)
    });
    document.end_array()?;
    document.close(&Trailer {
        count,
        complete: walked.is_ok(),
    })?;
    walked
}

/// Shows the address space of a process that ends, as `vmaps --json` does.
#[cfg(not(test))]
pub fn show_at_end(process: &Process) {
    // Should the address space have ended already, the document says so.
    let _ = print_json(&Subject::from(process), Patience::ToTheEnd, &mut to_console);
}

fn add_row(document: &mut Document<'_>, record: &Map) -> Result<()> {
    let kind = MapKind::from_raw(record.kind);
    let (depth, base, size) = (record.depth, Hex(record.base as u64), record.size);
    let name = Text(record.name);
    let letter = match kind {
        Some(MapKind::AddressSpace) => "A",
        Some(MapKind::Vmar) => "R",
        Some(MapKind::Mapping) => {
            let mapping = &record.mapping;
            return document.row(&MappingRow(
                "M",
                depth,
                base,
                size,
                name,
                Rwx(VmOptions::from_raw(mapping.mmu_flags)),
                mapping.vmo_koid,
                Hex(mapping.vmo_offset),
                mapping.committed_bytes,
            ));
        }
        Some(MapKind::None) | None => "?",
    };
    document.row(&RegionRow(letter, depth, base, size, name))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use core::str;

    use ktest::ktest;
    use serde_json::Value;

    use super::*;

    #[ktest]
    fn the_document_has_a_row_for_each_record_and_says_how_many() {
        let mut text = String::new();
        let mut sink = |line: &[u8]| text.push_str(str::from_utf8(line).expect("text"));
        let subject = Subject::kernel();
        assert_eq!(
            print_json(&subject, Patience::UntilKilled, &mut sink),
            Ok(())
        );
        let json: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["format"], "jacinth-vmaps");
        assert_eq!(json["version"], 1);
        assert_eq!(json["process"]["koid"], Value::Null);
        assert_eq!(json["process"]["name"], "kernel");
        assert_eq!(json["complete"], true);
        let rows = json["rows"].as_array().expect("rows");
        assert_eq!(json["count"], rows.len());
        let columns = json["columns"].as_array().expect("columns");
        let mut rows = rows.iter();
        let walked = records::for_each_in_space(&subject.space, |record| {
            let row = rows.next().and_then(Value::as_array).expect("a row");
            assert_eq!(row[1], record.depth);
            assert_eq!(row[2], alloc::format!("{:#x}", record.base));
            assert_eq!(row[3], record.size);
            let is_mapping = record.kind == MapKind::Mapping as u32;
            assert_eq!(row.len() == columns.len(), is_mapping);
            if is_mapping {
                assert_eq!(row[6], record.mapping.vmo_koid);
                assert_eq!(row[8], record.mapping.committed_bytes);
            }
            Ok(())
        });
        assert_eq!(walked, Ok(()));
        assert_eq!(rows.next(), None);
        // A row a line, and nothing else in it.
        let lines = text.lines().filter(|line| line.starts_with("[\""));
        assert_eq!(json["count"], lines.count());
    }

    #[ktest]
    fn an_address_space_that_has_ended_gives_an_error_and_no_document() {
        let space = crate::user_space::create(syscall::Name::new_lossy("ended")).expect("memory");
        space.destroy();
        let mut lines = 0;
        let mut sink = |_: &[u8]| lines += 1;
        let printed = print_json(&Subject::space(&space), Patience::UntilKilled, &mut sink);
        assert_eq!(printed, Err(syscall::Status::BAD_STATE));
        assert_eq!(lines, 2, "the document says that it is not complete");
    }
}
