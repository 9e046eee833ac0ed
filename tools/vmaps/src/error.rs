//! What is said about a document that cannot be drawn.

use std::fmt::{self, Display, Formatter};

/// The format that is read.
pub const FORMAT: &str = "jacinth-vmaps";
/// The version of it that is read.
pub const VERSION: u32 = 1;

/// Why a document cannot be drawn.
#[derive(Debug)]
pub enum ReadError {
    /// It is no JSON, or not of the right shape.
    Json(serde_json::Error),
    /// It is something else, or a version that this program does not know.
    Format(String),
    /// It ends too early: so many rows are there, so many should be.
    Incomplete {
        /// Rows that are there.
        found: usize,
        /// Rows that the document counts; `None` if it says itself that it is not complete.
        promised: Option<usize>,
    },
    /// The regions do not fit into each other.
    Regions {
        /// The number of the row, from 1 on.
        row: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Display for ReadError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) if error.is_eof() => {
                write!(
                    formatter,
                    "the document breaks off: {error}; was the run stopped?"
                )
            }
            Self::Json(error) => {
                write!(formatter, "this is not what `vmaps --json` prints: {error}")
            }
            Self::Format(found) => write!(
                formatter,
                "this is {found}; expected a document `{FORMAT}`, version {VERSION}: see docs/monitor-json.md"
            ),
            Self::Incomplete {
                found,
                promised: Some(promised),
            } => write!(
                formatter,
                "there are {found} rows, and the document counts {promised}"
            ),
            Self::Incomplete {
                found,
                promised: None,
            } => write!(
                formatter,
                "the address space ended while it was shown, after {found} rows"
            ),
            Self::Regions { row, problem } => write!(
                formatter,
                "row {row} {problem}; if the address space changed while it was shown, ask for it again"
            ),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}
