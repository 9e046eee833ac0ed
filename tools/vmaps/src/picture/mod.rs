//! The picture: a title, the whole address space to scale, the regions, and what the signs mean.
//!
//! Low addresses are at the top, as in the listing of `vmaps`. A region is a box around what is in it.

mod crowd;
mod describe;
mod furniture;

use drawing::canvas::{Canvas, Place, Rectangle};
use drawing::text::{address, bytes, shortened};

use crate::document::{Mapping, Row};
use crate::layout::{self, FOOT, HEAD, MARGIN, SPACING, WIDE_GAP, WIDTH, edges};
use crate::plan::{Item, Plan};
use crate::space::Space;
use crate::style;

/// Where numbers end: sizes, bytes in memory, VMOs.
const SIZE_RIGHT: f64 = 618.0;
const COMMITTED_RIGHT: f64 = 690.0;
const VMO_RIGHT: f64 = 752.0;

/// The room that names have at least, and the width of a letter, in pixels.
const NAME_RIGHT: f64 = SIZE_RIGHT - 54.0;
const LETTER: f64 = 6.7;

/// Where the addresses end.
const ADDRESS_RIGHT: f64 = MARGIN + layout::GUTTER - 10.0;

/// Draws `plan`.
pub fn draw(space: &Space, plan: &Plan) -> String {
    let inside: f64 = plan
        .items
        .iter()
        .map(|item| layout::height(space, item, 0) + SPACING)
        .sum();
    let height = furniture::TOP + inside + furniture::bottom(space);
    let mut canvas = furniture::begin(space, height);
    style::write(&mut canvas);
    canvas.rectangle("vm-page", whole(height));
    furniture::title(&mut canvas, space);
    let mut artist = Artist {
        canvas,
        space,
        y: furniture::TOP,
    };
    for item in &plan.items {
        artist.item(item, 0);
    }
    let Artist { mut canvas, y, .. } = artist;
    furniture::legend(&mut canvas, space, y);
    canvas.finish()
}

const fn whole(height: f64) -> Rectangle {
    Rectangle {
        x: 0.0,
        y: 0.0,
        width: WIDTH,
        height,
    }
}

/// Draws items, one below the other.
struct Artist<'a> {
    canvas: Canvas,
    space: &'a Space,
    /// Where the next thing goes.
    y: f64,
}

impl Artist<'_> {
    fn item(&mut self, item: &Item, level: usize) {
        let height = layout::height(self.space, item, level);
        let bottom = self.y + height + SPACING;
        match item {
            Item::Region { row, items } => self.region(*row, items, level),
            Item::Mapping { row } => self.mapping(*row, level),
            Item::Gap { base, size } => self.gap(*base, *size, level),
            Item::Crowd { rows, siblings } => self.crowd(rows.clone(), *siblings, level),
        }
        self.y = bottom;
    }

    /// A box from where the next thing goes, of this height.
    fn frame(&self, level: usize, height: f64) -> Rectangle {
        let (left, right) = edges(level);
        Rectangle {
            x: left,
            y: self.y,
            width: right - left,
            height,
        }
    }

    /// A place in the line of text that begins here.
    const fn at(&self, x: f64) -> Place {
        Place {
            x,
            y: self.y + 13.0,
        }
    }

    fn region(&mut self, row: usize, items: &[Item], level: usize) {
        let region = self.space.row(row);
        let inside: f64 = items
            .iter()
            .map(|item| layout::height(self.space, item, level + 1) + SPACING)
            .sum();
        let frame = self.frame(level, HEAD + inside + FOOT);
        let class = if level.is_multiple_of(2) {
            "vm-region"
        } else {
            "vm-region-odd"
        };
        self.canvas.open_group(&describe::region(self.space, row));
        self.canvas.rectangle(class, frame);
        self.canvas
            .text("vm-address", self.at(ADDRESS_RIGHT), &address(region.base));
        let name = self.name(region, frame.x + 8.0);
        self.canvas
            .text("vm-region-name", self.at(frame.x + 8.0), &name);
        self.canvas
            .text("vm-number", self.at(SIZE_RIGHT), &bytes(region.size));
        self.y += HEAD;
        for item in items {
            self.item(item, level + 1);
        }
        self.canvas.close_group();
    }

    fn mapping(&mut self, row: usize, level: usize) {
        let region = self.space.row(row);
        let Some((_, mapping)) = self.space.mappings(row..row + 1).next() else {
            return;
        };
        let frame = self.frame(level, layout::mapping_height(region.size));
        self.canvas.open_group(&describe::mapping(region, mapping));
        self.canvas.rectangle(&mapping.permissions.area(), frame);
        self.hatch(region, mapping, frame);
        let letters = mapping.permissions.to_string();
        let name = self.name(region, frame.x + 40.0);
        let canvas = &mut self.canvas;
        let at = |x| Place {
            x,
            y: frame.y + 13.0,
        };
        canvas.text("vm-address", at(ADDRESS_RIGHT), &address(region.base));
        canvas.text("vm-letters", at(frame.x + 8.0), &letters);
        canvas.text("vm-mono", at(frame.x + 40.0), &name);
        canvas.text("vm-number", at(SIZE_RIGHT), &bytes(region.size));
        canvas.text("vm-number", at(COMMITTED_RIGHT), &bytes(mapping.committed));
        canvas.text("vm-number", at(VMO_RIGHT), &mapping.vmo.to_string());
        canvas.close_group();
    }

    /// Hatches as much of a mapping as is in memory.
    fn hatch(&mut self, region: &Row, mapping: &Mapping, frame: Rectangle) {
        let share = mapping.committed as f64 / region.size as f64;
        if share > 0.0 {
            let hatched = Rectangle {
                width: frame.width * share.min(1.0),
                ..frame
            };
            self.canvas
                .rectangle(&mapping.permissions.hatching(), hatched);
        }
    }

    fn gap(&mut self, base: u64, size: u64, level: usize) {
        let height = layout::gap_height(size);
        let frame = self.frame(level, height);
        self.canvas.open_group(&describe::gap(base, size));
        if size < WIDE_GAP {
            self.canvas.rectangle("vm-gap", frame);
        } else {
            self.canvas.path("vm-torn", &torn(frame));
        }
        let middle = Place {
            x: frame.x + frame.width / 2.0,
            y: self.y + height / 2.0 + 3.5,
        };
        self.canvas
            .text("vm-gap-text", middle, &format!("{} free", bytes(size)));
        self.canvas.text(
            "vm-edge-address",
            Place {
                x: ADDRESS_RIGHT,
                ..middle
            },
            &address(base),
        );
        self.canvas.close_group();
    }

    /// A name that begins at `x`, as far as there is room.
    fn name(&self, row: &Row, x: f64) -> String {
        let name = if row.name.0.is_empty() {
            "(no name)"
        } else {
            &*row.name.0
        };
        shortened(name, ((NAME_RIGHT - x) / LETTER) as usize)
    }
}

/// A strip whose upper and lower edges are torn.
fn torn(frame: Rectangle) -> String {
    const TOOTH: f64 = 8.0;
    let teeth = (frame.width / (2.0 * TOOTH)).floor().max(1.0);
    let step = frame.width / (2.0 * teeth);
    let edge = |step: f64, depth: f64| {
        format!("l{step:.2} {depth}l{step:.2} {}", -depth).repeat(teeth as usize)
    };
    format!(
        "M{:.2} {:.2}{}v{:.2}{}z",
        frame.x,
        frame.y + 4.0,
        edge(step, -4.0),
        frame.height - 8.0,
        edge(-step, 4.0),
    )
}
