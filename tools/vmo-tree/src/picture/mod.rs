//! The picture: a title, the tree with the pages of each member beside it, and what the signs mean.

mod describe;
mod furniture;
mod pages;
mod tree;

use drawing::canvas::{Canvas, Rectangle};

use crate::family::{Family, Member};
use crate::plan::{Column, ROOM, columns};
use crate::style;

/// What stays free at the edges.
const MARGIN: f64 = 20.0;
/// Where the pages begin; the tree is to the left.
const PAGES_LEFT: f64 = 300.0;
/// The distance from one square to the next if there is no more room, and if there is.
const SMALLEST_STEP: f64 = 14.0;
const LARGEST_STEP: f64 = 26.0;
/// What stays free between two squares.
const SPACING: f64 = 2.0;
/// The width of the picture.
const WIDTH: f64 = PAGES_LEFT + ROOM as f64 * SMALLEST_STEP + MARGIN;
/// The height of a member's row.
const ROW: f64 = 32.0;

/// Draws the first `rows` members of the family, and the one that was asked for.
pub fn draw(family: &Family, rows: usize) -> String {
    let shown = shown(family, rows.max(1));
    let members: Vec<&Member> = shown.iter().map(|place| &family.members[*place]).collect();
    let columns = columns(&members);
    let scene = Scene {
        family,
        shown,
        columns,
    };
    let height = furniture::TOP + scene.shown.len() as f64 * ROW + furniture::bottom(&scene);
    let mut canvas = furniture::begin(&scene, height);
    style::write(&mut canvas);
    let page = Rectangle {
        x: 0.0,
        y: 0.0,
        width: WIDTH,
        height,
    };
    canvas.rectangle("vt-page", page);
    furniture::title(&mut canvas, &scene);
    for line in 0..scene.shown.len() {
        scene.row(&mut canvas, line);
    }
    let end = furniture::TOP + scene.shown.len() as f64 * ROW;
    furniture::legend(&mut canvas, &scene, end);
    canvas.finish()
}

/// What is drawn.
struct Scene<'a> {
    family: &'a Family,
    /// The places of the members that have rows, in order.
    shown: Vec<usize>,
    columns: Vec<Column>,
}

impl Scene<'_> {
    /// The member in a line.
    fn member(&self, line: usize) -> &Member {
        &self.family.members[self.shown[line]]
    }

    /// How many members have no row.
    fn omitted(&self) -> usize {
        self.family.members.len() - self.shown.len()
    }

    /// The distance from one square to the next.
    fn step(&self) -> f64 {
        let squares: usize = self.columns.iter().map(Column::width).sum();
        let room = WIDTH - MARGIN - PAGES_LEFT;
        (room / squares.max(1) as f64)
            .clamp(SMALLEST_STEP, LARGEST_STEP)
            .floor()
    }

    /// The upper edge of a line.
    fn top(line: usize) -> f64 {
        furniture::TOP + line as f64 * ROW
    }

    fn row(&self, canvas: &mut Canvas, line: usize) {
        let member = self.member(line);
        canvas.open_group(&describe::member(member));
        if line.is_multiple_of(2) {
            let band = Rectangle {
                x: MARGIN,
                y: Self::top(line),
                width: WIDTH - 2.0 * MARGIN,
                height: ROW,
            };
            canvas.rectangle("vt-band", band);
        }
        self.label(canvas, line);
        self.pages(canvas, line);
        canvas.close_group();
    }
}

/// The places of the members that get a row.
fn shown(family: &Family, rows: usize) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..family.members.len().min(rows)).collect();
    if let Some(asked) = family.place(family.asked).filter(|asked| *asked >= rows) {
        shown.pop();
        shown.push(asked);
    }
    shown
}
