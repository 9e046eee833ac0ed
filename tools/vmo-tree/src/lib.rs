//! Draws what the monitor's `vmo KOID --json` says about a family of VMOs.
//!
//! ```text
//!   JSON ─► Document ─► Family ─► Plan ─────────────► SVG
//!           (document)  (family)  (plan): which pages  (picture)
//!                                 get a square
//! ```
//!
//! A row is a member, a column a page, and the same page of all members stands in the same column: what is
//! shared is seen by its colours. A VMO may have more pages than there are atoms of ink: so long runs of pages that are
//! alike are cut short, and the cut says how many there are. [`plan`] decides which; the size of the picture is
//! bounded.

pub mod document;
pub mod family;
pub mod mix;
pub mod picture;
pub mod plan;
pub mod style;

use document::Document;
use drawing::format::ReadError;
use family::Family;

/// How many members a picture has if nobody says.
pub const DEFAULT_ROWS: usize = 40;

/// The picture of the family that the JSON in `json` is about, with at most `rows` members.
///
/// # Errors
/// [`ReadError`] says what is wrong with the JSON.
pub fn draw(json: &[u8], rows: usize) -> Result<String, ReadError> {
    let family = Family::new(Document::parse(json)?)?;
    Ok(picture::draw(&family, rows))
}
