//! The document `jacinth-walk`.

use serde::{Serialize, Serializer};
use syscall::Result;
use vm::explain::{RegionReport, RegionReportKind};
use vm::mmu::{Access, Translation};
use vm::paging::{Entry, Step};

use super::reason::{Because, Reason, kind_letter};
use super::{Report, domain_name, flag_names, memory_name};
use crate::monitor::json::{Document, Hex, Rwx, Text, Who};
use crate::records::permissions;

#[derive(Serialize)]
struct Header {
    process: Who,
    address: Hex,
}

/// A table on the way.
#[derive(Serialize)]
struct TableRow<'a> {
    level: u8,
    bits: [u32; 2],
    index: usize,
    table: Hex,
    entry: Hex,
    kind: &'static str,
    flags: &'a [&'static str],
}

/// A region around the address. What only mappings have is null for VMARs.
#[derive(Serialize)]
struct RegionRow {
    kind: &'static str,
    base: Hex,
    size: usize,
    name: Text,
    permissions: Option<Rwx>,
    maximal: Option<Rwx>,
    vmo: Option<u64>,
    offset: Option<Hex>,
    committed: Option<u64>,
}

/// What one kind of access would come to.
#[derive(Serialize)]
struct AccessRow<'a> {
    access: &'static str,
    outcome: &'static str,
    by: &'static str,
    status: Option<StatusName>,
    reason: Words<'a>,
}

#[derive(Serialize)]
struct Trailer {
    translatable: bool,
    page: Option<Page>,
}

/// What the page table maps there.
#[derive(Serialize)]
struct Page {
    address: Hex,
    size: usize,
    permissions: Rwx,
    memory: &'static str,
    domain: &'static str,
}

struct Words<'a>(Because<'a>);

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct StatusName(syscall::Status);

impl Serialize for StatusName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Report {
    /// Writes the document `jacinth-walk`.
    pub fn print_json(&self, sink: &mut dyn FnMut(&[u8])) -> Result<()> {
        let header = Header {
            process: Who::from(&self.subject),
            address: Hex(self.address.raw() as u64),
        };
        let mut document = Document::open(sink, "jacinth-walk", &header)?;
        document.array("tables")?;
        for step in self.path.iter().flatten() {
            document.row(&table_row(step, &flag_names(step)))?;
        }
        document.end_array()?;
        document.array("regions")?;
        for region in &self.explanation.chain {
            document.row(&region_row(region))?;
        }
        document.end_array()?;
        document.array("accesses")?;
        for (access, name) in super::KINDS {
            document.row(&access_row(name, &self.reason(access)))?;
        }
        document.end_array()?;
        document.close(&Trailer {
            translatable: self.path.is_some(),
            page: self.leaf().map(Page::from),
        })
    }
}

fn table_row<'a>(step: &Step, flags: &'a [&'static str]) -> TableRow<'a> {
    let (high, low) = step.level.bits();
    TableRow {
        level: step.level.number(),
        bits: [high, low],
        index: step.index,
        table: Hex(step.table.raw() as u64),
        entry: Hex(step.raw),
        kind: match step.entry {
            Entry::Empty => "empty",
            Entry::Table(_) => "table",
            Entry::Leaf(_) => "page",
        },
        flags,
    }
}

fn region_row(region: &RegionReport) -> RegionRow {
    let row = RegionRow {
        kind: kind_letter(&region.kind),
        base: Hex(region.range.base().raw() as u64),
        size: region.range.bytes(),
        name: Text(region.name),
        permissions: None,
        maximal: None,
        vmo: None,
        offset: None,
        committed: None,
    };
    match region.kind {
        RegionReportKind::Vmar { .. } => row,
        RegionReportKind::Mapping {
            access,
            maximal,
            vmo,
            vmo_offset,
            committed_bytes,
            ..
        } => RegionRow {
            permissions: Some(rwx(access)),
            maximal: Some(rwx(maximal)),
            vmo: Some(vmo.raw_koid()),
            offset: Some(Hex(vmo_offset)),
            committed: Some(committed_bytes),
            ..row
        },
    }
}

fn access_row<'a>(access: &'static str, reason: &'a Reason<'a>) -> AccessRow<'a> {
    AccessRow {
        access,
        outcome: reason.outcome(),
        by: reason.decided_by(),
        status: reason.status().map(StatusName),
        reason: Words(reason.because()),
    }
}

impl From<Translation> for Page {
    fn from(leaf: Translation) -> Self {
        Self {
            address: Hex(leaf.address.raw() as u64),
            size: leaf.size.bytes(),
            permissions: rwx(leaf.flags.access),
            memory: memory_name(leaf.flags.memory),
            domain: domain_name(leaf.flags.domain),
        }
    }
}

fn rwx(access: Access) -> Rwx {
    Rwx(permissions(access))
}
