//! What is around the rows: the title, the numbers of pages, the legend.

use drawing::canvas::{Canvas, Place, Rectangle, number};
use drawing::text::{bytes, count, counted, shortened};

use super::pages::fill;
use super::{MARGIN, PAGES_LEFT, Scene, WIDTH, describe};
use crate::plan::ColumnKind;
use crate::style::{COLOUR_COUNT, colour};

/// Where the rows begin.
pub const TOP: f64 = 104.0;

/// The size of a square of the legend.
const SQUARE: f64 = 12.0;

/// The height of a line of the legend, and its columns.
const LINE: f64 = 20.0;
const PER_LINE: usize = 4;

/// Members that have an entry in the legend: one for each colour.
const MOST_ENTRIES: usize = COLOUR_COUNT;

/// The width of a digit of the numbers of pages.
const DIGIT: f64 = 5.6;

/// Begins the document, with its text alternative.
pub fn begin(scene: &Scene<'_>, height: f64) -> Canvas {
    let (width, height) = (number(WIDTH), number(height));
    let mut canvas = Canvas::new(&[
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("width", &width),
        ("height", &height),
        ("viewBox", &format!("0 0 {width} {height}")),
        ("role", "img"),
        ("aria-labelledby", "vt-title vt-desc"),
    ]);
    let title = format!("Family of VMO {}", describe::subject(scene.family));
    canvas.with_text("title", &[("id", "vt-title")], &title);
    canvas.with_text("desc", &[("id", "vt-desc")], &describe::whole(scene.family));
    canvas
}

/// The title and the numbers of pages.
pub fn title(canvas: &mut Canvas, scene: &Scene<'_>) {
    let at = |x, y| Place { x, y };
    let family = scene.family;
    let title = format!("Family of VMO {}", describe::subject(family));
    canvas.text("vt-title", at(MARGIN, 36.0), &title);
    let note = format!("{} · {}", describe::totals(family), family.architecture);
    canvas.text("vt-note", at(MARGIN, 56.0), &note);
    canvas.text(
        "vt-note",
        at(PAGES_LEFT, TOP - 26.0),
        "page; the same page of each member stands in the same column",
    );
    numbers(canvas, scene);
    let rule = format!("M{MARGIN} {}H{}", TOP - 3.0, WIDTH - MARGIN);
    canvas.path("vt-rule", &rule);
}

/// The numbers of pages above their columns, as far as there is room, and how many pages are in a cut.
fn numbers(canvas: &mut Canvas, scene: &Scene<'_>) {
    let y = TOP - 8.0;
    let (mut free, step) = (PAGES_LEFT, scene.step());
    for (column, x) in scene.places() {
        let middle = x + column.width() as f64 * step / 2.0 - 1.0;
        match column.kind {
            ColumnKind::Page => {
                let text = column.pages.start.to_string();
                let end = x + text.len() as f64 * DIGIT;
                if x >= free && end <= WIDTH {
                    canvas.text("vt-number", Place { x, y }, &text);
                    free = end + DIGIT;
                }
            }
            ColumnKind::Cut | ColumnKind::Crowd => {
                canvas.text("vt-count", Place { x: middle, y }, &more(column.count()));
                free = middle + column.width() as f64 * step / 2.0;
            }
        }
    }
}

/// How many pages a cut stands for.
fn more(pages: u64) -> String {
    match usize::try_from(pages) {
        Ok(pages) if pages < 100_000 => format!("{} more", count(pages)),
        _ => format!("{} more", bytes(pages.saturating_mul(4096))),
    }
}

/// The height of what is below the rows.
pub fn bottom(scene: &Scene<'_>) -> f64 {
    let entries = owners(scene).len().min(MOST_ENTRIES) + signs(scene).len();
    entries.div_ceil(PER_LINE) as f64 * LINE + 62.0
}

/// The places of members that have pages of their own, as far as they have a row.
fn owners(scene: &Scene<'_>) -> Vec<usize> {
    let is_owner = |place: &&usize| scene.family.members[**place].is_owner();
    scene.shown.iter().filter(is_owner).copied().collect()
}

/// An entry of the legend beside those of members.
#[derive(Clone, Copy)]
enum Sign {
    Shared,
    Absent,
    Window,
    Cut,
}

/// The signs that there are.
fn signs(scene: &Scene<'_>) -> Vec<(Sign, &'static str)> {
    let mut signs = vec![
        (Sign::Shared, "shared: colours of all who see it"),
        (Sign::Absent, "absent: reads as zero"),
    ];
    if scene
        .shown
        .iter()
        .any(|place| !scene.family.members[*place].is_owner())
    {
        signs.push((Sign::Window, "shows another’s page"));
    }
    if scene
        .columns
        .iter()
        .any(|column| column.kind != ColumnKind::Page)
    {
        signs.push((Sign::Cut, "more pages than squares"));
    }
    signs
}

/// What colours and signs mean, below `y`.
pub fn legend(canvas: &mut Canvas, scene: &Scene<'_>, y: f64) {
    let owners = owners(scene);
    let note = match (scene.omitted(), owners.len().saturating_sub(MOST_ENTRIES)) {
        (0, 0) => String::new(),
        (0, _) => "Colours come again after twelve members.".into(),
        (omitted, _) => format!("… and {} more.", counted(omitted, "member")),
    };
    canvas.text(
        "vt-note",
        Place {
            x: MARGIN,
            y: y + 16.0,
        },
        &note,
    );
    let y = y + 24.0;
    canvas.path("vt-rule", &format!("M{MARGIN} {y}H{}", WIDTH - MARGIN));
    let width = (WIDTH - 2.0 * MARGIN) / PER_LINE as f64;
    let place = |index: usize| Place {
        x: MARGIN + (index % PER_LINE) as f64 * width,
        y: y + 12.0 + (index / PER_LINE) as f64 * LINE,
    };
    let mut next = 0;
    for owner in owners.iter().take(MOST_ENTRIES) {
        let owner = &scene.family.members[*owner];
        let frame = frame(place(next));
        canvas.rectangle(&colour(owner.number), frame);
        canvas.rectangle("vt-edge", frame);
        let words = describe::vmo(owner);
        label(canvas, place(next), &shortened(&words, 28));
        next += 1;
    }
    for (sign, words) in signs(scene) {
        entry(canvas, sign, frame(place(next)));
        label(canvas, place(next), words);
        next += 1;
    }
}

const fn frame(place: Place) -> Rectangle {
    Rectangle {
        x: place.x,
        y: place.y,
        width: SQUARE,
        height: SQUARE,
    }
}

fn label(canvas: &mut Canvas, place: Place, words: &str) {
    let at = Place {
        x: place.x + SQUARE + 8.0,
        y: place.y + SQUARE - 2.0,
    };
    canvas.text("vt-sans", at, words);
}

fn entry(canvas: &mut Canvas, sign: Sign, frame: Rectangle) {
    canvas.rectangle("vt-absent", frame);
    match sign {
        Sign::Shared => {
            let halves = [0, 1].map(|owner| (colour(owner), 1.0));
            fill(canvas, halves.into_iter(), 2.0, frame);
            canvas.rectangle("vt-edge", frame);
        }
        Sign::Absent => {}
        Sign::Window => canvas.rectangle("vt-window", frame),
        Sign::Cut => {
            let middle = Place {
                x: frame.x + SQUARE / 2.0,
                y: frame.y + SQUARE - 3.0,
            };
            canvas.text("vt-count", middle, "…");
        }
    }
}
