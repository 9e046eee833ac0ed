//! Draws what the monitor's `vmaps --json` says about an address space.
//!
//! ```text
//!   JSON ─► Document ─► Space ─► Plan ─────────────► SVG
//!           (document)  (space)  (plan): what gets    (picture, with layout)
//!                                a row of its own
//! ```
//!
//! An address space has a hundred terabytes and a million regions, a page of paper has neither: so sizes are
//! drawn by their logarithm, wide gaps are cut short, and regions for which there is no row stand together in
//! strips that say how many they are. [`plan`] decides which; time and the size of the picture are bounded.

pub mod document;
pub mod layout;
pub mod picture;
pub mod plan;
pub mod space;
pub mod strips;
pub mod style;

use drawing::format::ReadError;

use document::Document;
use space::Space;

/// How many rows a picture has if nobody says.
pub const DEFAULT_ROWS: usize = 110;

/// The picture of the address space that the JSON in `json` is about.
///
/// # Errors
/// [`ReadError`] says what is wrong with the JSON.
pub fn draw(json: &[u8], rows: usize) -> Result<String, ReadError> {
    let space = Space::new(Document::parse(json)?)?;
    let plan = plan::Plan::new(&space, rows);
    Ok(picture::draw(&space, &plan))
}
