//! The picture in words: for those who cannot see it, and for those who point at something.

use std::ops::Range;

use drawing::text::{bytes, counted};

use crate::family::{Family, Member};
use crate::mix::Mix;

/// Members that are named when there are more.
const MOST_NAMES: usize = 12;

/// A VMO by name and number.
pub fn vmo(member: &Member) -> String {
    format!("‘{}’ (koid {})", member.row.name, member.row.koid)
}

/// The VMO that was asked for.
pub fn subject(family: &Family) -> String {
    match family.member(family.asked) {
        Some(member) => vmo(member),
        None => format!("VMO {}", family.asked),
    }
}

/// The whole picture.
pub fn whole(family: &Family) -> String {
    let mut text = format!(
        "The family of VMO {} on {}. {}. ",
        subject(family),
        family.architecture,
        totals(family)
    );
    for member in family.members.iter().take(MOST_NAMES) {
        text.push_str(&self::member(member));
        text.push_str(". ");
    }
    text
}

/// How many members there are, and the memory that they see and have.
pub fn totals(family: &Family) -> String {
    let owners = family.members.iter().filter(|member| member.is_owner());
    let private: u64 = owners.map(|member| member.row.private).sum();
    format!(
        "{}, {} of this one; {} private to one of them",
        counted(family.members.len(), "member"),
        counted(family.mappings.len(), "mapping"),
        bytes(private)
    )
}

/// A member.
pub fn member(member: &Member) -> String {
    let row = &member.row;
    let whose = if member.is_owner() {
        format!(
            "{} committed, {} of it private",
            bytes(row.committed),
            bytes(row.private)
        )
    } else {
        format!("shows pages of {}", row.shows)
    };
    let parent = row.parent.map_or("nobody's child".into(), |parent| {
        format!("child of {parent}")
    });
    format!(
        "VMO {}: {}, {parent}, {}, {whose}",
        vmo(member),
        row.kind,
        range(&(0..row.pages))
    )
}

/// What a member has of `pages`, in the family's numbering.
pub fn column(family: &Family, member: &Member, pages: &Range<u64>, mix: &Mix) -> String {
    let position = member.row.position;
    let seen = if mix.private + mix.absent == 0
        || mix.shared + mix.absent == 0
        || mix.private + mix.shared == 0
    {
        run_around(member, pages)
    } else {
        None
    };
    let own = seen.unwrap_or(
        pages.start.max(position) - position..pages.end.min(member.range().1) - position,
    );
    let what = if mix.private + mix.shared == 0 {
        "absent, read as zero".into()
    } else if mix.shared + mix.absent == 0 {
        format!("seen by {} alone", names(family, mix))
    } else if mix.private + mix.absent == 0 {
        format!("shared by {}", names(family, mix))
    } else {
        format!(
            "{} seen by it alone, {} shared, {} absent",
            mix.private, mix.shared, mix.absent
        )
    };
    format!("{}: {what}", range(&own))
}

/// All pages of the member's run, or of the hole, that `pages` are in.
fn run_around(member: &Member, pages: &Range<u64>) -> Option<Range<u64>> {
    let start = member.row.position;
    let (first, past) = (
        pages.start.checked_sub(start)?,
        pages.end.checked_sub(start)?,
    );
    let after = member.runs.partition_point(|run| run.end() <= first);
    match member.runs.get(after) {
        Some(run) if run.first <= first => (past <= run.end()).then_some(run.first..run.end()),
        next => {
            let begin = after
                .checked_sub(1)
                .map_or(0, |before| member.runs[before].end());
            let end = next.map_or(member.row.pages, |run| run.first);
            (past <= end).then_some(begin..end)
        }
    }
}

/// Who sees the pages.
fn names(family: &Family, mix: &Mix) -> String {
    let named = mix.shares.iter().take(MOST_NAMES);
    let mut names: Vec<String> = named
        .map(|(place, _)| vmo(&family.members[*place]))
        .collect();
    if mix.shares.len() > MOST_NAMES || mix.others > 0.0 {
        names.push("others".into());
    }
    names.join(", ")
}

fn range(pages: &Range<u64>) -> String {
    match pages.end - pages.start {
        0 => "no pages".into(),
        1 => format!("page {}", pages.start),
        count => format!("pages {} to {} ({count})", pages.start, pages.end - 1),
    }
}
