//! `vmaps`: an address space, region by region.

use core::str::SplitWhitespace;

use serde::Serialize;
use syscall::info::{Map, MapKind};
use syscall::vmaps::MapLine;
use syscall::{Result, VmOptions};
use vm::addr::PAGE_SIZE;

use super::json::{Document, Hex, Rwx, Text, Who, to_console};
use super::words::{Format, Subject, Words};
use crate::records;

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
        Format::Json => print_json(&subject, &mut to_console),
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
/// `BAD_STATE`: the address space has ended. The document, if it was begun, says that it is not complete.
pub fn print_json(subject: &Subject, sink: &mut dyn FnMut(&[u8])) -> Result<()> {
    let header = Header {
        process: Who::from(subject),
        page_bytes: PAGE_SIZE,
        columns: COLUMN_NAMES,
    };
    let mut document = Document::open(sink, "jacinth-vmaps", &header)?;
    document.array("rows")?;
    let mut count = 0;
    let walked = records::for_each_in_space(&subject.space, |record| {
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
    use alloc::vec::Vec;
    use core::str;

    use ktest::ktest;

    use super::*;

    #[ktest]
    fn the_document_has_a_row_for_each_record_and_says_how_many() {
        let mut lines = Vec::<String>::new();
        let mut sink =
            |line: &[u8]| lines.push(String::from(str::from_utf8(line).expect("text").trim_end()));
        let subject = Subject::kernel();
        assert_eq!(print_json(&subject, &mut sink), Ok(()));
        let mut records = 0;
        let counted = records::for_each_in_space(&subject.space, |_| {
            records += 1;
            Ok(())
        });
        assert_eq!(counted, Ok(()));
        assert!(lines[0].starts_with("{\"format\":\"jacinth-vmaps\",\"version\":1,"));
        assert!(lines[0].contains("\"process\":{\"koid\":null,\"name\":\"kernel\"}"));
        let rows = lines.iter().filter(|line| line.starts_with("[\"")).count();
        assert_eq!(rows, records);
        let end = alloc::format!("],\"count\":{records},\"complete\":true}}");
        assert_eq!(lines.last(), Some(&end));
        let root = arch::paging::KERNEL_VMAR;
        let (base, size) = (root.base().raw(), root.bytes());
        assert_eq!(
            lines[1],
            alloc::format!("[\"A\",0,\"{base:#x}\",{size},\"kernel\"],")
        );
    }
}
