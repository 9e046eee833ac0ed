//! The pages of a member: squares, cuts and crowds, coloured by those who see them.

use drawing::canvas::{Canvas, Place, Rectangle};

use super::{PAGES_LEFT, ROW, SPACING, Scene, describe};
use crate::family::Member;
use crate::mix::Mix;
use crate::plan::{Column, ColumnKind};
use crate::style::colour;

/// The thinnest stripe that can be seen, in pixels.
const THINNEST: f64 = 0.4;

impl Scene<'_> {
    /// The columns of a line. Those beside each other of which the same is to be said are one group.
    pub(super) fn pages(&self, canvas: &mut Canvas, line: usize) {
        let member = self.member(line);
        let height = self.step() - SPACING;
        let y = Self::top(line) + (ROW - height) / 2.0;
        let mut said: Option<String> = None;
        for (column, x) in self.places() {
            let mix = Mix::new(self.family, member, &column.pages);
            let words = (mix.inside() > 0)
                .then(|| describe::column(self.family, member, &column.pages, &mix));
            if words != said {
                if said.is_some() {
                    canvas.close_group();
                }
                if let Some(words) = &words {
                    canvas.open_group(words);
                }
                said = words;
            }
            if said.is_some() {
                let width = column.width() as f64 * self.step() - SPACING;
                let frame = Rectangle {
                    x,
                    y,
                    width,
                    height,
                };
                self.cell(canvas, member, &mix, (column, frame));
            }
        }
        if said.is_some() {
            canvas.close_group();
        }
    }

    /// The columns and their left edges.
    pub(super) fn places(&self) -> impl Iterator<Item = (&Column, f64)> {
        let (mut x, step) = (PAGES_LEFT, self.step());
        self.columns.iter().map(move |column| {
            let left = x;
            x += column.width() as f64 * step;
            (column, left)
        })
    }

    /// Draws what a member has of a column.
    fn cell(
        &self,
        canvas: &mut Canvas,
        member: &Member,
        mix: &Mix,
        (column, frame): (&Column, Rectangle),
    ) {
        canvas.rectangle("vt-absent", frame);
        let shares = mix.shares.iter().map(|(place, share)| {
            let owner = &self.family.members[*place];
            (colour(owner.number), *share)
        });
        let shares = shares.chain([("vt-others".into(), mix.others)]);
        fill(canvas, shares, column.count() as f64, frame);
        if !member.is_owner() {
            canvas.rectangle("vt-window", frame);
        } else if mix.private + mix.shared > 0 {
            canvas.rectangle("vt-edge", frame);
        }
        if column.kind != ColumnKind::Page {
            let middle = Place {
                x: frame.x + frame.width / 2.0,
                y: frame.y + frame.height / 2.0 + 3.0,
            };
            canvas.text("vt-count", middle, "…");
        }
    }
}

/// Fills a frame that stands for `pages` pages with stripes, each as wide as its share.
pub fn fill(
    canvas: &mut Canvas,
    shares: impl Iterator<Item = (String, f64)>,
    pages: f64,
    frame: Rectangle,
) {
    let mut x = frame.x;
    for (class, share) in shares {
        let width = share / pages * frame.width;
        if width >= THINNEST {
            canvas.rectangle(&class, Rectangle { x, width, ..frame });
        }
        x += width;
    }
}
