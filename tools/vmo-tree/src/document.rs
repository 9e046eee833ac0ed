//! Reading the document `jacinth-vmo`; `docs/monitor-json.md` describes it.

use std::fmt::{self, Formatter};

use drawing::format::{Ending, Format, ReadError};
use drawing::json::{Hex, Name, column, skip_rest};
use drawing::text::visible;
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// The format that is read.
pub const FORMAT: &Format = &Format {
    name: "jacinth-vmo",
    version: 1,
    command: "vmo KOID --json",
    subject: "the family",
};

/// What a family looks like, as the kernel told it.
#[derive(Debug)]
pub struct Document {
    /// `x86_64` or `aarch64`.
    pub architecture: String,
    /// The VMO that was asked for.
    pub vmo: u64,
    /// Members, each followed by its runs of pages; then mappings.
    pub rows: Vec<Row>,
}

/// A row of a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Row {
    /// A member.
    Vmo(VmoRow),
    /// Pages of the member before.
    Pages(Run),
    /// A mapping.
    Mapping(Mapping),
}

/// A member of the family.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VmoRow {
    /// Its number.
    pub koid: u64,
    /// The number of the VMO whose child it is.
    pub parent: Option<u64>,
    /// Its name.
    pub name: Name,
    /// Where its contents come from, in a word.
    pub kind: Name,
    /// What else there is to say.
    pub properties: Vec<Name>,
    /// How many pages it has.
    pub pages: u64,
    /// Where its first page is in the family's numbering.
    pub position: u64,
    /// Whose pages it shows; its own number if they are its own.
    pub shows: u64,
    /// Bytes of pages that it sees.
    pub committed: u64,
    /// Of those, what no other member sees.
    pub private: u64,
}

/// Pages that are there, side by side, and seen by the same members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// The first page.
    pub first: u64,
    /// How many pages.
    pub pages: u64,
    /// How many members see them.
    pub sharers: usize,
    /// Some of these, or all.
    pub koids: Vec<u64>,
}

/// A mapping of a member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// The member.
    pub vmo: u64,
    /// The number of the process; the kernel has none.
    pub process: Option<u64>,
    /// The name of the process.
    pub name: Name,
    /// The first address.
    pub base: u64,
    /// The size in bytes.
    pub size: u64,
    /// What it allows, such as `rw-`.
    pub permissions: Name,
    /// The first byte of the VMO that it shows.
    pub offset: u64,
}

/// What the columns of the rows of each kind are, in this version of the format.
#[derive(Debug, Deserialize, Eq, PartialEq)]
struct Columns {
    #[serde(rename = "V")]
    vmo: Vec<String>,
    #[serde(rename = "P")]
    pages: Vec<String>,
    #[serde(rename = "M")]
    mapping: Vec<String>,
}

const VMO: [&str; 12] = [
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
];
const PAGES: [&str; 5] = ["kind", "first", "pages", "sharers", "koids"];
const MAPPING: [&str; 8] = [
    "kind",
    "vmo",
    "process",
    "name",
    "base",
    "size",
    "permissions",
    "offset",
];

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`ReadError`] says what is wrong with it. Whether members and pages fit together is not looked at.
    pub fn parse(json: &[u8]) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Raw {
            format: Option<String>,
            version: Option<u32>,
            architecture: Option<String>,
            vmo: Option<u64>,
            columns: Option<Columns>,
            rows: Option<Vec<Row>>,
            count: Option<usize>,
            complete: Option<bool>,
        }
        let raw: Raw = serde_json::from_slice(json).map_err(|error| FORMAT.malformed(error))?;
        FORMAT.check(raw.format.as_deref(), raw.version)?;
        let columns = FORMAT.needed(raw.columns, "columns")?;
        if columns.vmo != VMO || columns.pages != PAGES || columns.mapping != MAPPING {
            return Err(FORMAT.other("a document with other columns".into()));
        }
        let rows = FORMAT.needed(raw.rows, "rows")?;
        let ending = Ending {
            count: raw.count,
            complete: raw.complete,
        };
        FORMAT.check_ending(rows.len(), ending)?;
        Ok(Self {
            architecture: raw.architecture.unwrap_or_default(),
            vmo: FORMAT.needed(raw.vmo, "vmo")?,
            rows,
        })
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row: [kind, …]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Row, A::Error> {
        let letter: String = column(&mut seq, VMO[0])?;
        let row = match letter.as_str() {
            "V" => Row::Vmo(vmo(&mut seq)?),
            "P" => Row::Pages(Run {
                first: column(&mut seq, PAGES[1])?,
                pages: column(&mut seq, PAGES[2])?,
                sharers: column(&mut seq, PAGES[3])?,
                koids: column(&mut seq, PAGES[4])?,
            }),
            "M" => Row::Mapping(Mapping {
                vmo: column(&mut seq, MAPPING[1])?,
                process: column(&mut seq, MAPPING[2])?,
                name: column(&mut seq, MAPPING[3])?,
                base: column::<Hex, _>(&mut seq, MAPPING[4])?.0,
                size: column(&mut seq, MAPPING[5])?,
                permissions: column(&mut seq, MAPPING[6])?,
                offset: column::<Hex, _>(&mut seq, MAPPING[7])?.0,
            }),
            _ => {
                return Err(de::Error::custom(format_args!(
                    "`{}` is no kind of row; expected V, P or M",
                    visible(letter.as_bytes())
                )));
            }
        };
        skip_rest(&mut seq)?;
        Ok(row)
    }
}

fn vmo<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<VmoRow, A::Error> {
    Ok(VmoRow {
        koid: column(seq, VMO[1])?,
        parent: column(seq, VMO[2])?,
        name: column(seq, VMO[3])?,
        kind: column(seq, VMO[4])?,
        properties: column(seq, VMO[5])?,
        pages: column(seq, VMO[6])?,
        position: column(seq, VMO[7])?,
        shows: column(seq, VMO[8])?,
        committed: column(seq, VMO[9])?,
        private: column(seq, VMO[10])?,
    })
}
