//! The tree: a branch to each member's parent, its name, and what there is to say about it.

use drawing::canvas::{Canvas, Place};
use drawing::text::{bytes, count, shortened};

use super::{MARGIN, PAGES_LEFT, ROW, Scene};
use crate::family::Member;

/// How much further to the right a child stands than its parent, as far as there is room.
const INDENT: f64 = 16.0;
const MOST_INDENTS: usize = 8;

/// The width of a letter of a name and of a fact.
const LETTER: f64 = 7.2;
const SMALL_LETTER: f64 = 5.6;

impl Scene<'_> {
    /// The branch and the text of a line.
    pub(super) fn label(&self, canvas: &mut Canvas, line: usize) {
        let member = self.member(line);
        let (left, top) = (left(member), Self::top(line));
        if let Some(parent) = self.line_of_parent(line) {
            let x = left - INDENT + 4.0;
            let (from, to) = (Self::top(parent) + ROW - 4.0, top + 13.0);
            let is_indented = left > self::left(self.member(parent));
            if is_indented {
                canvas.path("vt-branch", &format!("M{x} {from}V{to}H{}", left - 3.0));
            }
        }
        let class = if member.row.koid == self.family.asked {
            "vt-asked"
        } else {
            "vt-name"
        };
        let at = |y| Place { x: left, y };
        canvas.text(class, at(top + 14.0), &name(member, PAGES_LEFT - left));
        let facts = facts(member);
        let room = ((PAGES_LEFT - left - 8.0) / SMALL_LETTER) as usize;
        canvas.text("vt-fact", at(top + 26.0), &shortened(&facts, room));
    }

    /// The line of a member's parent, if it has one.
    fn line_of_parent(&self, line: usize) -> Option<usize> {
        let place = self.family.place(self.member(line).row.parent?)?;
        self.shown[..line].binary_search(&place).ok()
    }
}

fn left(member: &Member) -> f64 {
    MARGIN + 4.0 + INDENT * member.depth.min(MOST_INDENTS) as f64
}

/// The number of a VMO and as much of its name as there is room for.
fn name(member: &Member, width: f64) -> String {
    let koid = member.row.koid.to_string();
    let room = (width / LETTER) as usize;
    let name = shortened(&member.row.name.0, room.saturating_sub(koid.len() + 2));
    format!("{koid} {name}").trim_end().into()
}

/// What kind of VMO it is, and the memory behind it.
fn facts(member: &Member) -> String {
    let row = &member.row;
    let mut facts = format!("{} of {}", row.kind, pages(row.pages));
    for property in &row.properties {
        facts.push_str(", ");
        facts.push_str(&property.0);
    }
    if member.is_owner() {
        let (committed, private) = (bytes(row.committed), bytes(row.private));
        facts.push_str(&format!(": {committed}, {private} its own"));
    } else {
        facts.push_str(&format!(" of {}", row.shows));
    }
    facts
}

/// So many pages.
fn pages(pages: u64) -> String {
    match usize::try_from(pages) {
        Ok(1) => "1 page".into(),
        Ok(pages) if pages < 1_000_000 => format!("{} pages", count(pages)),
        _ => bytes(pages.saturating_mul(4096)),
    }
}
