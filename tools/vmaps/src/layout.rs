//! How high things are, in pixels, and how wide the picture is.

use crate::plan::Item;
use crate::space::Space;
use crate::strips::Strips;

/// The width of the picture.
pub const WIDTH: f64 = 800.0;
/// What stays free at the edges.
pub const MARGIN: f64 = 20.0;
/// Where the addresses end and the regions begin.
pub const GUTTER: f64 = 132.0;
/// How much further to the right a region begins than the one it is in.
pub const INSET: f64 = 9.0;
/// How much further to the left it ends.
const INSET_RIGHT: f64 = 4.0;
/// The height of the line with a region's name.
pub const HEAD: f64 = 18.0;
/// What stays free below the last thing in a region.
pub const FOOT: f64 = 5.0;
/// What stays free between two things.
pub const SPACING: f64 = 2.0;
/// The height of a line of strips, and of the text above them.
pub const STRIP: f64 = 12.0;
/// The height of the two lines of text of a crowd.
pub const CROWD_HEAD: f64 = 34.0;

/// The height of a mapping of at most [`SMALL`] bytes.
const LOWEST: f64 = 18.0;
const SMALL: u64 = 64 << 10;
/// How much higher a mapping is for each doubling of its size, up to a point.
const PER_DOUBLING: f64 = 2.0;
const MOST_DOUBLINGS: u32 = 16;

/// From this size on a gap is cut short, and drawn torn.
pub const WIDE_GAP: u64 = 1 << 30;
const GAP_HEIGHT: f64 = 14.0;
const WIDE_GAP_HEIGHT: f64 = 24.0;

/// The left and right edge of what is in `level` regions.
pub fn edges(level: usize) -> (f64, f64) {
    let level = level as f64;
    (
        MARGIN + GUTTER + INSET * level,
        WIDTH - MARGIN - INSET_RIGHT * level,
    )
}

/// The height of a mapping of this size: it grows with the logarithm.
pub fn mapping_height(size: u64) -> f64 {
    let doublings = (size / SMALL).checked_ilog2().unwrap_or(0);
    LOWEST + PER_DOUBLING * f64::from(doublings.min(MOST_DOUBLINGS))
}

/// The height of a gap.
pub const fn gap_height(size: u64) -> f64 {
    if size < WIDE_GAP {
        GAP_HEIGHT
    } else {
        WIDE_GAP_HEIGHT
    }
}

/// The height of an item that is in `level` regions.
pub fn height(space: &Space, item: &Item, level: usize) -> f64 {
    match item {
        Item::Region { items, .. } => {
            let inside: f64 = items
                .iter()
                .map(|item| height(space, item, level + 1) + SPACING)
                .sum();
            HEAD + inside + FOOT
        }
        Item::Mapping { row } => mapping_height(space.row(*row).size),
        Item::Gap { size, .. } => gap_height(*size),
        Item::Crowd { rows, .. } => {
            let strips = Strips::shape(rows.len(), space.len(), level);
            CROWD_HEAD + strips.lines as f64 * STRIP + FOOT
        }
    }
}
