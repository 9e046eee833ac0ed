//! Reading the document `jacinth-vmaps`; `docs/monitor-json.md` describes it.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::rc::Rc;

use drawing::format::{Ending, Format, ReadError};
use drawing::json::{Hex, Name, Process, column, skip_rest};
use drawing::text::visible;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};

/// The format that is read.
pub const FORMAT: &Format = &Format {
    name: "jacinth-vmaps",
    version: 1,
    command: "vmaps --json",
    subject: "the address space",
};

/// What an address space looks like, as the kernel told it.
#[derive(Debug)]
pub struct Document {
    /// `x86_64` or `aarch64`.
    pub architecture: String,
    /// Whose address space it is.
    pub process: Process,
    /// The regions, each before what is in it.
    pub rows: Vec<Row>,
}

/// A region, or a run of equal permissions in a mapping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// How many regions it is in.
    pub depth: usize,
    /// Its first address.
    pub base: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: Kind,
}

/// What a row is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The address space.
    Space,
    /// A VMAR.
    Vmar,
    /// A run of equal permissions in a mapping.
    Mapping(Mapping),
}

/// What only mappings have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// What it allows.
    pub permissions: Permissions,
    /// The number of the VMO.
    pub vmo: u64,
    /// The first byte of the VMO that it shows.
    pub offset: u64,
    /// Bytes in pages that exist.
    pub committed: u64,
}

/// Read, write, execute: three bits.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Permissions(u8);

impl Permissions {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// Their number, below [`COUNT`](Self::COUNT).
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The permissions with this number.
    pub const fn from_index(index: usize) -> Self {
        Self((index % Self::COUNT) as u8)
    }

    /// Whether code can run there.
    pub const fn can_execute(self) -> bool {
        self.0 & 1 != 0
    }

    fn parse(text: &str) -> Option<Self> {
        let letters = text.as_bytes();
        if letters.len() != 3 {
            return None;
        }
        letters
            .iter()
            .zip(b"rwx")
            .try_fold(Self(0), |all, (letter, expected)| match letter {
                b'-' => Some(Self(all.0 << 1)),
                _ if letter == expected => Some(Self(all.0 << 1 | 1)),
                _ => None,
            })
    }
}

impl Display for Permissions {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            let shown = if self.0 & bit != 0 { letter } else { '-' };
            fmt::Write::write_char(formatter, shown)?;
        }
        Ok(())
    }
}

/// What the columns of a row are, in this version of the format.
const COLUMNS: [&str; 9] = [
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

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`ReadError`] says what is wrong with it. Whether the regions fit into each other is not looked at.
    pub fn parse(json: &[u8]) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Raw {
            format: Option<String>,
            version: Option<u32>,
            architecture: Option<String>,
            process: Option<Process>,
            columns: Option<Vec<String>>,
            rows: Option<Rows>,
            count: Option<usize>,
            complete: Option<bool>,
        }
        let raw: Raw = serde_json::from_slice(json).map_err(|error| FORMAT.malformed(error))?;
        FORMAT.check(raw.format.as_deref(), raw.version)?;
        if FORMAT.needed(raw.columns, "columns")? != COLUMNS {
            return Err(FORMAT.other("a document with other columns".into()));
        }
        let rows = FORMAT.needed(raw.rows, "rows")?.0;
        let ending = Ending {
            count: raw.count,
            complete: raw.complete,
        };
        FORMAT.check_ending(rows.len(), ending)?;
        Ok(Self {
            architecture: raw.architecture.unwrap_or_default(),
            process: FORMAT.needed(raw.process, "process")?,
            rows,
        })
    }
}

/// All rows; those that have the same name share it.
struct Rows(Vec<Row>);

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowsVisitor)
    }
}

struct RowsVisitor;

impl<'de> Visitor<'de> for RowsVisitor {
    type Value = Rows;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Rows, A::Error> {
        let mut names = Names::default();
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(RowSeed(&mut names))? {
            rows.push(row);
        }
        Ok(Rows(rows))
    }
}

/// Names that were seen.
#[derive(Default)]
struct Names(HashMap<String, Rc<str>>);

impl Names {
    fn share(&mut self, name: Name) -> Name {
        if let Some(known) = self.0.get(&*name.0) {
            return Name(known.clone());
        }
        self.0.insert(String::from(&*name.0), name.0.clone());
        name
    }
}

struct RowSeed<'a>(&'a mut Names);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Row;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row: [kind, depth, base, size, name, …]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Row, A::Error> {
        let letter: String = column(&mut seq, COLUMNS[0])?;
        let depth = column(&mut seq, COLUMNS[1])?;
        let base = column::<Hex, _>(&mut seq, COLUMNS[2])?.0;
        let size = column(&mut seq, COLUMNS[3])?;
        let name = self.0.share(column(&mut seq, COLUMNS[4])?);
        let kind = match letter.as_str() {
            "A" => Kind::Space,
            "R" => Kind::Vmar,
            "M" => Kind::Mapping(Mapping {
                permissions: column(&mut seq, COLUMNS[5])?,
                vmo: column(&mut seq, COLUMNS[6])?,
                offset: column::<Hex, _>(&mut seq, COLUMNS[7])?.0,
                committed: column(&mut seq, COLUMNS[8])?,
            }),
            _ => {
                return Err(de::Error::custom(format_args!(
                    "`{}` is no kind of row; expected A, R or M",
                    visible(letter.as_bytes())
                )));
            }
        };
        skip_rest(&mut seq)?;
        Ok(Row {
            depth,
            base,
            size,
            name,
            kind,
        })
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format_args!(
                "`{}` are no permissions like rw-",
                visible(text.as_bytes())
            ))
        })
    }
}
