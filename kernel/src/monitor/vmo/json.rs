//! `vmo` for programs: the document `jacinth-vmo`.
//!
//! There is one array, with rows of three kinds told apart by their first column: members of the family, each
//! followed by its runs of pages, and then mappings.

use alloc::sync::Arc;

use arch::paging::Tables;
use serde::{Serialize, Serializer};
use syscall::Result;
use vm::addr::PAGE_SIZE;
use vm::vmo::{SharedRun, Vmo};

use super::super::json::{Document, Hex, Rwx, Text};
use super::super::vmos::{Holder, Line, Properties};
use super::mappings::{Shown, for_each_mapping};
use super::pages::Pages;
use crate::records::Patience;

/// What the document begins with.
#[derive(Serialize)]
struct Header {
    vmo: u64,
    page_bytes: usize,
    columns: Columns,
}

/// What the columns of the rows of each kind are.
#[derive(Serialize)]
struct Columns {
    #[serde(rename = "V")]
    vmo: [&'static str; 12],
    #[serde(rename = "P")]
    pages: [&'static str; 5],
    #[serde(rename = "M")]
    mapping: [&'static str; 8],
}

const COLUMNS: Columns = Columns {
    vmo: [
        "kind",
        "koid",
        "parent",
        "name",
        "type",
        "properties",
        "pages",
        "position",
        "shows",
        "committed",
        "private",
        "scaled",
    ],
    pages: ["kind", "first", "pages", "sharers", "koids"],
    mapping: [
        "kind",
        "vmo",
        "process",
        "name",
        "base",
        "size",
        "permissions",
        "offset",
    ],
};

/// A member of the family.
#[derive(Serialize)]
struct VmoRow(
    &'static str,
    u64,
    Option<u64>,
    Text,
    &'static str,
    Properties,
    u64,
    u64,
    u64,
    u64,
    u64,
    u64,
);

/// Pages of the member before.
#[derive(Serialize)]
struct PagesRow<'a>(&'static str, u64, u64, usize, Koids<'a>);

/// A mapping of the VMO that was asked for.
#[derive(Serialize)]
struct MappingRow(&'static str, u64, Option<u64>, Text, Hex, usize, Rwx, Hex);

/// The sharers of a run.
struct Koids<'a>(&'a SharedRun);

/// What the document ends with.
#[derive(Serialize)]
struct Trailer {
    count: u64,
    complete: bool,
}

/// Writes the document about the family of `vmo`.
///
/// # Errors
/// `CANCELED`: the current thread is to end. The document says that it is not complete.
pub fn print(
    vmo: &Arc<Vmo<Tables>>,
    holders: &[Holder],
    sink: &mut dyn FnMut(&[u8]),
) -> Result<()> {
    let header = Header {
        vmo: vmo.koid().raw_koid(),
        page_bytes: PAGE_SIZE,
        columns: COLUMNS,
    };
    let mut document = Document::open(sink, "jacinth-vmo", &header)?;
    document.array("rows")?;
    let mut rows = Rows {
        document: &mut document,
        count: 0,
    };
    let shown = rows.add_all(vmo, holders);
    let count = rows.count;
    document.end_array()?;
    document.close(&Trailer {
        count,
        complete: shown.is_ok(),
    })?;
    shown
}

/// The rows of a document.
struct Rows<'a, 'b> {
    document: &'a mut Document<'b>,
    count: u64,
}

impl Rows<'_, '_> {
    fn add(&mut self, row: &impl Serialize) -> Result<()> {
        self.document.row(row)?;
        self.count += 1;
        Ok(())
    }

    fn add_all(&mut self, vmo: &Arc<Vmo<Tables>>, holders: &[Holder]) -> Result<()> {
        for (_, member) in vmo.family_tree() {
            self.add(&VmoRow::from(&member))?;
            for run in Pages::of(&member) {
                let (first, pages) = (run.first.number(), run.pages);
                self.add(&PagesRow("P", first, pages, run.sharers, Koids(&run)))?;
                Patience::UntilKilled.pause()?;
            }
        }
        for_each_mapping(holders, vmo.koid(), |shown| {
            self.add(&MappingRow::from(shown))
        })
    }
}

impl From<&Arc<Vmo<Tables>>> for VmoRow {
    fn from(member: &Arc<Vmo<Tables>>) -> Self {
        let line = Line::of(member);
        let record = line.record();
        Self(
            "V",
            record.koid,
            line.parent(),
            Text(record.name),
            line.kind(),
            line.properties(),
            record.size_bytes / PAGE_SIZE as u64,
            member.family_position(),
            member.owner().koid().raw_koid(),
            record.committed_bytes,
            record.committed_private_bytes,
            record.committed_scaled_bytes,
        )
    }
}

impl From<&Shown<'_>> for MappingRow {
    fn from(shown: &Shown<'_>) -> Self {
        let map = shown.map;
        Self(
            "M",
            map.mapping.vmo_koid,
            shown.koid,
            Text(shown.name),
            Hex(map.base as u64),
            map.size,
            Rwx(shown.permissions.0),
            Hex(map.mapping.vmo_offset),
        )
    }
}

impl Serialize for Koids<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.named.iter().map(|koid| koid.raw_koid()))
    }
}
