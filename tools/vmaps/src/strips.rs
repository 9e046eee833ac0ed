//! Many regions in little room: strips side by side, in lines, by address.
//!
//! Each strip stands for the same number of regions, so that every region counts the same wherever it is. The
//! colours of a strip are shared out like the permissions of its mappings.

use std::ops::Range;

use crate::layout::{INSET, edges};
use crate::space::{Space, Sum};

/// Lines of strips in the whole picture, less one for each crowd.
const MOST_LINES: usize = 32;

/// The width of a strip.
const NARROWEST: f64 = 3.0;
const WIDEST: f64 = 12.0;

/// How the strips of a crowd are laid out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// How many lines there are.
    pub lines: usize,
    /// How many strips are in a line.
    pub per_line: usize,
    /// How many regions a strip stands for; the last one may stand for fewer.
    pub per_strip: usize,
    /// The width of a strip in pixels.
    pub width: f64,
}

/// The strips of a crowd.
#[derive(Debug)]
pub struct Strips {
    /// How they are laid out.
    pub shape: Shape,
    /// From the top to the bottom.
    pub lines: Vec<Line>,
}

/// A line of strips.
#[derive(Debug)]
pub struct Line {
    /// The rows that are in it.
    pub rows: Range<usize>,
    /// From left to right.
    pub strips: Vec<Sum>,
}

impl Strips {
    /// How the strips of a crowd of `rows`, of `all` rows, in `level` regions are laid out.
    pub fn shape(rows: usize, all: usize, level: usize) -> Shape {
        let (left, right) = edges(level);
        let room = right - left - 2.0 * INSET;
        let per_line = (room / NARROWEST) as usize;
        let fair = MOST_LINES * rows / all.max(1);
        let lines = rows.div_ceil(per_line).clamp(1, fair.max(1));
        let per_strip = rows.div_ceil(lines * per_line).max(1);
        let strips = rows.div_ceil(per_strip).max(1);
        let lines = strips.div_ceil(per_line);
        let width = if lines == 1 {
            (room / strips as f64).clamp(NARROWEST, WIDEST)
        } else {
            NARROWEST
        };
        Shape {
            lines,
            per_line,
            per_strip,
            width,
        }
    }

    /// The strips of the crowd of `rows` in `level` regions.
    pub fn new(space: &Space, rows: Range<usize>, level: usize) -> Self {
        let shape = Self::shape(rows.len(), space.len(), level);
        let in_line = shape.per_line * shape.per_strip;
        let lines = pieces(rows, in_line)
            .map(|rows| Line {
                strips: pieces(rows.clone(), shape.per_strip)
                    .map(|strip| space.sum(strip))
                    .collect(),
                rows,
            })
            .collect();
        Self { shape, lines }
    }
}

/// Cuts `range` into pieces of `length`; the last one may be shorter.
fn pieces(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range
        .step_by(length.max(1))
        .map(move |start| start..end.min(start.saturating_add(length)))
}
