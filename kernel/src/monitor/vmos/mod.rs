//! `vmos`: all VMOs, or those of a process, one a line.
//!
//! A VMO has a line if a process has a handle to it, it is mapped, or one of those shows its pages;
//! [`mod@find`] finds them.
//!
//! ```text
//!   koid parent children    size committed private  scaled handles maps spaces name
//!   1040      -        0      8k        8k      8k      8k       1    2      1 'heap' anonymous, resizable
//! ```

mod find;
mod kind;
#[cfg(test)]
mod tests;

use core::fmt::{self, Display, Formatter};
use core::str::SplitWhitespace;

use arch::paging::Tables;
use serde::Serialize;
use syscall::vmaps::HumanBytes;
use syscall::{Result, info};
use vm::addr::PAGE_SIZE;
use vm::vmo::Vmo;

use super::json::{Document, Hex, Text, Who, to_console};
use super::words::{Format, Subject, Words};
use crate::records;
use find::{Found, Search};
pub use find::{Holder, find};
pub use kind::Properties;
use kind::kind;

/// `vmos [PROCESS] [--json]`: by default those of all processes and of the kernel.
pub fn vmos(words: SplitWhitespace<'_>) -> Result<()> {
    let words = Words::parse("vmos", words)?;
    let subject = match words.at_most_one()? {
        Some(word) => Some(Subject::find("vmos", word)?),
        None => None,
    };
    let search = Search::new(Holder::list(subject.as_ref())?)?;
    match words.format {
        Format::Text => print(search),
        Format::Json => print_json(subject.as_ref(), search, &mut to_console),
    }
}

/// Shows each VMO of `search` to `visit`, with how many handles and mappings there are.
fn for_each(mut search: Search, mut visit: impl FnMut(&Line) -> Result<()>) -> Result<()> {
    loop {
        let pass = search.next_pass()?;
        if pass.is_empty() {
            return Ok(());
        }
        pass.iter()
            .try_for_each(|found| visit(&Line::from(found)))?;
    }
}

/// What is told about a VMO.
pub struct Line {
    record: info::Vmo,
    kind: &'static str,
    handles: usize,
    mappings: usize,
}

impl Line {
    /// What is told about `vmo` whoever has it.
    pub fn of(vmo: &Vmo<Tables>) -> Self {
        Self {
            record: records::vmo_record(vmo, &vmo.info()),
            kind: kind(vmo),
            handles: 0,
            mappings: 0,
        }
    }

    /// Numbers about it.
    pub const fn record(&self) -> &info::Vmo {
        &self.record
    }

    /// Where its contents come from.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// What else there is to say.
    pub fn properties(&self) -> Properties {
        Properties::from(&self.record)
    }

    /// The koid of its parent, if it has one.
    pub fn parent(&self) -> Option<u64> {
        Some(self.record.parent_koid).filter(|parent| *parent != 0)
    }
}

impl From<&Found> for Line {
    fn from(found: &Found) -> Self {
        Self {
            handles: found.handles,
            mappings: found.mappings,
            ..Self::of(&found.vmo)
        }
    }
}

fn print(search: Search) -> Result<()> {
    println!(
        "  {:>6} {:>6} {:>8} {:>7} {:>9} {:>7} {:>7} {:>7} {:>5} {:>6} name",
        "koid",
        "parent",
        "children",
        "size",
        "committed",
        "private",
        "scaled",
        "handles",
        "maps",
        "spaces"
    );
    for_each(search, |line| {
        println!("  {line}");
        Ok(())
    })
}

impl Display for Line {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        match self.parent() {
            None => write!(formatter, "{:>6} {:>6}", record.koid, "-")?,
            Some(parent) => write!(formatter, "{:>6} {parent:>6}", record.koid)?,
        }
        let [size, committed, private, scaled] = [
            record.size_bytes,
            record.committed_bytes,
            record.committed_private_bytes,
            record.committed_scaled_bytes,
        ]
        .map(HumanBytes);
        write!(
            formatter,
            " {:>8} {size:>7} {committed:>9} {private:>7} {scaled:>7} {:>7} {:>5} {:>6} '{}' {}{}",
            record.num_children,
            self.handles,
            self.mappings,
            record.share_count,
            record.name,
            self.kind,
            self.properties(),
        )
    }
}

/// What the document begins with.
#[derive(Serialize)]
struct Header {
    process: Option<Who>,
    page_bytes: usize,
    columns: [&'static str; COLUMNS],
}

/// How many columns a row has.
const COLUMNS: usize = 14;

/// What the columns of a row are.
const COLUMN_NAMES: [&str; COLUMNS] = [
    "koid",
    "parent",
    "children",
    "name",
    "size",
    "committed",
    "private",
    "scaled",
    "metadata",
    "handles",
    "mappings",
    "spaces",
    "kind",
    "properties",
];

/// What every VMO has.
#[derive(Serialize)]
struct Row(
    u64,
    Option<u64>,
    usize,
    Text,
    Hex,
    u64,
    u64,
    u64,
    u64,
    usize,
    usize,
    usize,
    &'static str,
    Properties,
);

impl From<&Line> for Row {
    fn from(line: &Line) -> Self {
        let record = &line.record;
        Self(
            record.koid,
            line.parent(),
            record.num_children,
            Text(record.name),
            Hex(record.size_bytes),
            record.committed_bytes,
            record.committed_private_bytes,
            record.committed_scaled_bytes,
            record.metadata_bytes,
            line.handles,
            line.mappings,
            record.share_count,
            line.kind,
            line.properties(),
        )
    }
}

/// What the document ends with.
#[derive(Serialize)]
struct Trailer {
    count: u64,
    complete: bool,
}

/// Writes the document `jacinth-vmos`.
///
/// # Errors
/// `CANCELED`: the current thread is to end. The document says that it is not complete.
fn print_json(
    subject: Option<&Subject>,
    search: Search,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<()> {
    let header = Header {
        process: subject.map(Who::from),
        page_bytes: PAGE_SIZE,
        columns: COLUMN_NAMES,
    };
    let mut document = Document::open(sink, "jacinth-vmos", &header)?;
    document.array("rows")?;
    let mut count = 0;
    let shown = for_each(search, |line| {
        count += 1;
        document.row(&Row::from(line))
    });
    document.end_array()?;
    document.close(&Trailer {
        count,
        complete: shown.is_ok(),
    })?;
    shown
}
