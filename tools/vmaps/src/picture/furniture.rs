//! What is around the regions: the title, the address space to scale, the columns' heads, the legend.

use std::fmt::Write as _;

use drawing::canvas::{Canvas, Place, Rectangle, number};
use drawing::text::{address, bytes};

use super::{ADDRESS_RIGHT, COMMITTED_RIGHT, SIZE_RIGHT, VMO_RIGHT, describe, torn};
use crate::document::Permissions;
use crate::layout::{MARGIN, WIDTH, edges};
use crate::space::Space;

/// Where the regions begin.
pub const TOP: f64 = 134.0;

/// Where the strip to scale is, and how high.
const SCALE_Y: f64 = 84.0;
const SCALE_HEIGHT: f64 = 14.0;

/// The height of a line of the legend.
const LINE: f64 = 20.0;

/// Entries of the legend in a line.
const PER_LINE: usize = 4;

/// Begins the document, with its text alternative.
pub fn begin(space: &Space, height: f64) -> Canvas {
    let (width, height) = (number(WIDTH), number(height));
    let mut canvas = Canvas::new(&[
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("width", &width),
        ("height", &height),
        ("viewBox", &format!("0 0 {width} {height}")),
        ("role", "img"),
        ("aria-labelledby", "vm-title vm-desc"),
    ]);
    let title = format!("Address space of {}", describe::subject(space));
    canvas.with_text("title", &[("id", "vm-title")], &title);
    canvas.with_text("desc", &[("id", "vm-desc")], &describe::whole(space));
    canvas
}

/// The title, the strip to scale and the heads of the columns.
pub fn title(canvas: &mut Canvas, space: &Space) {
    let at = |x, y| Place { x, y };
    let title = format!("Address space of {}", describe::subject(space));
    canvas.text("vm-title", at(MARGIN, 36.0), &title);
    let note = format!("{} · {}", describe::totals(space), space.architecture);
    canvas.text("vm-note", at(MARGIN, 56.0), &note);
    if space.is_empty() {
        return;
    }
    scale(canvas, space);
    let (left, _) = edges(0);
    let y = TOP - 9.0;
    canvas.text("vm-head-right", at(ADDRESS_RIGHT, y), "address");
    canvas.text("vm-head", at(left, y), "region, or permissions and VMO");
    canvas.text("vm-head-right", at(SIZE_RIGHT, y), "size");
    canvas.text("vm-head-right", at(COMMITTED_RIGHT, y), "in memory");
    canvas.text("vm-head-right", at(VMO_RIGHT, y), "VMO koid");
    let rule = format!("M{MARGIN} {}H{}", TOP - 4.0, WIDTH - MARGIN);
    canvas.path("vm-rule", &rule);
}

/// All of the address space to scale, with a mark where something is mapped.
fn scale(canvas: &mut Canvas, space: &Space) {
    let whole = space.row(0);
    let width = WIDTH - 2.0 * MARGIN;
    let frame = Rectangle {
        x: MARGIN,
        y: SCALE_Y,
        width,
        height: SCALE_HEIGHT,
    };
    canvas.open_group("The whole address space to scale");
    let note = format!(
        "To scale: {} from {}. A mark, at least a pixel wide, is where something is mapped.",
        bytes(whole.size),
        address(whole.base)
    );
    canvas.text(
        "vm-note",
        Place {
            x: MARGIN,
            y: SCALE_Y - 6.0,
        },
        &note,
    );
    canvas.rectangle("vm-scale", frame);
    canvas.path("vm-mark", &marks(space, width as usize));
    canvas.close_group();
}

/// The marks of the strip to scale, which is `columns` pixels wide.
fn marks(space: &Space, columns: usize) -> String {
    let whole = space.row(0);
    let mut is_mapped = vec![false; columns];
    let column = |address: u64| {
        let share = (address - whole.base) as f64 / whole.size as f64;
        ((share * columns as f64) as usize).min(columns - 1)
    };
    for (row, _) in space.mappings(0..space.len()) {
        is_mapped[column(row.base)..=column(row.end() - 1)].fill(true);
    }
    let mut path = String::new();
    let mut start = 0;
    while let Some(first) = is_mapped[start..].iter().position(|mapped| *mapped) {
        let first = start + first;
        let length = is_mapped[first..]
            .iter()
            .position(|mapped| !mapped)
            .unwrap_or(columns - first);
        // Writing to a string cannot fail.
        let _ = write!(
            path,
            "M{} {SCALE_Y}h{length}v{SCALE_HEIGHT}h-{length}z",
            MARGIN + first as f64
        );
        start = first + length;
    }
    path
}

/// An entry of the legend.
enum Sign {
    Area(Permissions),
    Hatching,
    Gap,
    Torn,
    Crowd,
}

/// The entries of the legend: the permissions that there are, and the rest.
fn signs(space: &Space) -> Vec<(Sign, String)> {
    let sum = space.sum(0..space.len());
    let mut signs: Vec<(Sign, String)> = describe::by_permissions(&sum)
        .map(|(permissions, _)| (Sign::Area(permissions), words(permissions)))
        .collect();
    signs.push((Sign::Hatching, "hatched: in memory".into()));
    signs.push((Sign::Gap, "free".into()));
    signs.push((Sign::Torn, "1G or more free: cut".into()));
    signs.push((Sign::Crowd, "strips: many regions".into()));
    signs
}

fn words(permissions: Permissions) -> String {
    let letters = permissions.to_string();
    let mut can: Vec<&str> = Vec::new();
    for (letter, word) in [('r', "read"), ('w', "write"), ('x', "execute")] {
        if letters.contains(letter) {
            can.push(word);
        }
    }
    let can = if can.is_empty() {
        "no access".into()
    } else {
        can.join(", ")
    };
    format!("{letters}  {can}")
}

/// The height of what is below the regions.
pub fn bottom(space: &Space) -> f64 {
    signs(space).len().div_ceil(PER_LINE) as f64 * LINE + 62.0
}

/// What the signs mean, below `y`.
pub fn legend(canvas: &mut Canvas, space: &Space, y: f64) {
    let y = y + 14.0;
    canvas.path("vm-rule", &format!("M{MARGIN} {y}H{}", WIDTH - MARGIN));
    let column = (WIDTH - 2.0 * MARGIN) / PER_LINE as f64;
    let mut last = y;
    for (index, (sign, words)) in signs(space).iter().enumerate() {
        let x = MARGIN + (index % PER_LINE) as f64 * column;
        let top = y + 12.0 + (index / PER_LINE) as f64 * LINE;
        entry(canvas, sign, Place { x, y: top });
        canvas.text(
            "vm-sans",
            Place {
                x: x + 36.0,
                y: top + 11.0,
            },
            words,
        );
        last = top + LINE;
    }
    canvas.text(
        "vm-note",
        Place {
            x: MARGIN,
            y: last + 14.0,
        },
        "Low addresses are at the top. With each doubling of its size a mapping is one step higher.",
    );
}

/// A sign of the legend, with its upper left corner at `place`.
fn entry(canvas: &mut Canvas, sign: &Sign, place: Place) {
    let frame = Rectangle {
        x: place.x,
        y: place.y,
        width: 28.0,
        height: 14.0,
    };
    match sign {
        Sign::Area(permissions) => canvas.rectangle(&permissions.area(), frame),
        Sign::Hatching => {
            let none = Permissions::from_index(0);
            canvas.rectangle(&none.area(), frame);
            let half = Rectangle {
                width: frame.width / 2.0,
                ..frame
            };
            canvas.rectangle(&none.hatching(), half);
        }
        Sign::Gap => canvas.rectangle("vm-gap", frame),
        Sign::Torn => canvas.path("vm-torn", &torn(frame)),
        Sign::Crowd => {
            canvas.rectangle("vm-crowd", frame);
            let strips: String = (0..8)
                .map(|strip| {
                    format!(
                        "M{} {}h2v8h-2z",
                        frame.x + 3.0 + 3.0 * f64::from(strip),
                        frame.y + 3.0
                    )
                })
                .collect();
            canvas.path("vm-none", &strips);
        }
    }
}
