//! Drawing regions for which there is no row.

use std::fmt::Write as _;
use std::ops::Range;

use drawing::canvas::{Place, Rectangle, number};
use drawing::text::{address, bytes, count, counted};

use super::{ADDRESS_RIGHT, Artist, describe};
use crate::document::Permissions;
use crate::layout::{CROWD_HEAD, FOOT, INSET, STRIP};
use crate::space::Sum;
use crate::strips::{Line, Strips};

/// The height of a strip; the rest of its line stays free.
const HEIGHT: f64 = STRIP - 2.0;

impl Artist<'_> {
    /// The `siblings` in `rows`, with what is in them, as strips.
    pub(super) fn crowd(&mut self, rows: Range<usize>, siblings: usize, level: usize) {
        let strips = Strips::new(self.space, rows.clone(), level);
        let sum = self.space.sum(rows.clone());
        let frame = self.frame(level, CROWD_HEAD + strips.lines.len() as f64 * STRIP + FOOT);
        self.canvas
            .open_group(&describe::crowd(self.space, rows, siblings));
        self.canvas.rectangle("vm-crowd", frame);
        let left = frame.x + INSET;
        self.canvas.text(
            "vm-region-name",
            Place {
                x: left,
                y: frame.y + 14.0,
            },
            &headline(&sum, siblings),
        );
        self.canvas.text(
            "vm-note",
            Place {
                x: left,
                y: frame.y + 28.0,
            },
            &explanation(strips.shape.per_strip),
        );
        let mut y = frame.y + CROWD_HEAD;
        for line in &strips.lines {
            let place = Rectangle {
                x: left,
                y,
                width: strips.shape.width,
                height: HEIGHT,
            };
            self.line(line, place);
            y += STRIP;
        }
        self.canvas.close_group();
    }

    /// A line of strips; the first is at `first`.
    fn line(&mut self, line: &Line, first: Rectangle) {
        let base = self.space.row(line.rows.start).base;
        self.canvas.open_group(&describe::line(self.space, line));
        self.canvas.text(
            "vm-edge-address",
            Place {
                x: ADDRESS_RIGHT,
                y: first.y + 9.0,
            },
            &address(base),
        );
        let mut pens: Vec<Pen> = (0..Permissions::COUNT)
            .map(|index| Pen::new(format!("vm-fill{index}")))
            .collect();
        let mut none = Pen::new("vm-none".into());
        let mut hatching = Pen::new("vm-strip-hatch".into());
        for (index, strip) in line.strips.iter().enumerate() {
            let frame = Rectangle {
                x: first.x + index as f64 * first.width,
                ..first
            };
            if strip.mappings == 0 {
                none.draw(frame);
                continue;
            }
            let mut y = frame.y;
            for (pen, mappings) in pens.iter_mut().zip(strip.by_permissions) {
                let height = HEIGHT * mappings as f64 / strip.mappings as f64;
                pen.draw(Rectangle { y, height, ..frame });
                y += height;
            }
            let hatched = HEIGHT * strip.committed as f64 / strip.mapped.max(1) as f64;
            hatching.draw(Rectangle {
                y: frame.y + HEIGHT - hatched,
                height: hatched,
                ..frame
            });
        }
        for pen in pens.into_iter().chain([none, hatching]) {
            let path = pen.finish();
            if !path.1.is_empty() {
                self.canvas.path(&path.0, &path.1);
            }
        }
        self.canvas.close_group();
    }
}

/// Rectangles of one colour, as one path. Those that continue each other become one.
struct Pen {
    class: String,
    path: String,
    last: Option<Rectangle>,
}

impl Pen {
    const fn new(class: String) -> Self {
        Self {
            class,
            path: String::new(),
            last: None,
        }
    }

    fn draw(&mut self, next: Rectangle) {
        // A tenth of a pixel can be seen by nobody, and makes more of them alike.
        let round = |value: f64| (value * 10.0).round() / 10.0;
        let next = Rectangle {
            y: round(next.y),
            height: round(next.height),
            ..next
        };
        if next.height <= 0.0 {
            return;
        }
        match &mut self.last {
            Some(last) if continues(last, &next) => last.width += next.width,
            _ => {
                self.put_down();
                self.last = Some(next);
            }
        }
    }

    fn put_down(&mut self) {
        if let Some(last) = self.last.take() {
            let [x, y, width, height] = [last.x, last.y, last.width, last.height].map(number);
            // Writing to a string cannot fail.
            let _ = write!(self.path, "M{x} {y}h{width}v{height}h-{width}z");
        }
    }

    /// The class and the path.
    fn finish(mut self) -> (String, String) {
        self.put_down();
        (self.class, self.path)
    }
}

fn continues(last: &Rectangle, next: &Rectangle) -> bool {
    last.y == next.y && last.height == next.height && (last.x + last.width - next.x).abs() < 0.01
}

fn headline(sum: &Sum, siblings: usize) -> String {
    let inside = if siblings == sum.regions {
        String::new()
    } else {
        format!(", in {} groups side by side", count(siblings))
    };
    format!(
        "{}{inside}: {} mapped, {} of it in memory",
        counted(sum.regions, "region"),
        bytes(sum.mapped),
        bytes(sum.committed)
    )
}

fn explanation(per_strip: usize) -> String {
    format!(
        "Each strip stands for {}, by address; what is free between them is not drawn.",
        counted(per_strip, "region")
    )
}
