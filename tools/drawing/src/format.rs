//! The formats of documents, and what is said about a document that cannot be drawn.

use std::fmt::{self, Display, Formatter};

use serde::de;

/// A format, and how people call what it is about.
#[derive(Debug)]
pub struct Format {
    /// Its name in the document, such as `jacinth-vmaps`.
    pub name: &'static str,
    /// The version that is read.
    pub version: u32,
    /// The command of the monitor that prints such documents.
    pub command: &'static str,
    /// What a document is about, with its article.
    pub subject: &'static str,
}

/// Why a document cannot be drawn.
#[derive(Debug)]
pub struct ReadError {
    format: &'static Format,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    /// It is no JSON, or not of the right shape.
    Json(serde_json::Error),
    /// It is something else, or a version that the program does not know.
    Other(String),
    /// It ends too early: so many rows are there, so many should be. `None` if it says itself that it is not
    /// complete.
    Incomplete {
        found: usize,
        promised: Option<usize>,
    },
    /// A row, counted from 1 on, does not fit to the others.
    Row { row: usize, what: &'static str },
}

/// What a document says of itself at its end.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// How many rows it counts.
    pub count: Option<usize>,
    /// Whether it says that it is whole.
    pub complete: Option<bool>,
}

impl Format {
    /// Checks the name and the version that a document says it has.
    ///
    /// # Errors
    /// It is another document, or says nothing.
    pub fn check(&'static self, name: Option<&str>, version: Option<u32>) -> Result<(), ReadError> {
        match (name, version) {
            (Some(name), Some(version)) if name == self.name && version == self.version => Ok(()),
            (Some(name), Some(version)) => {
                Err(self.other(format!("a document `{name}`, version {version}")))
            }
            _ => Err(self.other("JSON without a format and a version".into())),
        }
    }

    /// Checks that `found` rows are all.
    ///
    /// # Errors
    /// They are not, or the document does not say so.
    pub fn check_ending(&'static self, found: usize, ending: Ending) -> Result<(), ReadError> {
        let promised = self.needed(ending.count, "count")?;
        let is_whole = ending.complete == Some(true);
        if is_whole && promised == found {
            return Ok(());
        }
        Err(self.error(Problem::Incomplete {
            found,
            promised: is_whole.then_some(promised),
        }))
    }

    /// A member that must be there.
    ///
    /// # Errors
    /// It is not there.
    pub fn needed<T>(&'static self, member: Option<T>, name: &'static str) -> Result<T, ReadError> {
        member.ok_or_else(|| self.malformed(de::Error::missing_field(name)))
    }

    /// No JSON, or not of the right shape.
    pub const fn malformed(&'static self, error: serde_json::Error) -> ReadError {
        self.error(Problem::Json(error))
    }

    /// `found` is something else.
    pub const fn other(&'static self, found: String) -> ReadError {
        self.error(Problem::Other(found))
    }

    /// Row `row`, counted from 1 on, does not fit to the others.
    pub const fn misfit(&'static self, row: usize, what: &'static str) -> ReadError {
        self.error(Problem::Row { row, what })
    }

    const fn error(&'static self, problem: Problem) -> ReadError {
        ReadError {
            format: self,
            problem,
        }
    }
}

impl Display for ReadError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Format {
            name,
            version,
            command,
            subject,
        } = self.format;
        match &self.problem {
            Problem::Json(error) if error.is_eof() => write!(
                formatter,
                "the document breaks off: {error}; was the run stopped?"
            ),
            Problem::Json(error) => {
                write!(formatter, "this is not what `{command}` prints: {error}")
            }
            Problem::Other(found) => write!(
                formatter,
                "this is {found}; expected a document `{name}`, version {version}: see docs/monitor-json.md"
            ),
            Problem::Incomplete {
                found,
                promised: Some(promised),
            } => write!(
                formatter,
                "there are {found} rows, and the document counts {promised}"
            ),
            Problem::Incomplete {
                found,
                promised: None,
            } => write!(
                formatter,
                "{subject} ended while it was shown, after {found} rows"
            ),
            Problem::Row { row, what } => write!(
                formatter,
                "row {row} {what}; if {subject} changed while it was shown, ask for it again"
            ),
        }
    }
}

impl std::error::Error for ReadError {}
