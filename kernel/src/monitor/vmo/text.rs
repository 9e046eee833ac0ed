//! `vmo` for people.

use alloc::sync::Arc;
use core::fmt::{self, Display, Formatter};

use arch::paging::Tables;
use syscall::vmaps::HumanBytes;
use syscall::{Koid, Result};
use vm::vmo::{SharedRun, Vmo};

use super::mappings::{Shown, for_each_mapping};
use super::pages::Pages;
use super::{Holder, Line};
use crate::records::Patience;

/// How much further to the right a child is than its parent, as far as there is room.
const INDENT: usize = 2;
const MOST_INDENTS: usize = 12;

/// Sharers that are named in a line.
const MOST_NAMED: usize = 8;

/// Shows the family of `vmo`, the pages that it shows, and where it is mapped.
///
/// # Errors
/// `CANCELED`: the current thread is to end.
pub fn print(vmo: &Arc<Vmo<Tables>>, holders: &[Holder]) -> Result<()> {
    let koid = vmo.koid();
    println!("  family");
    for (depth, member) in vmo.family_tree() {
        let line = MemberLine::new(depth, &member);
        let mark = if member.koid() == koid { '*' } else { ' ' };
        println!("  {mark} {line}");
        Patience::UntilKilled.pause()?;
    }
    let owner = vmo.owner();
    println!("  pages of {}", owner.koid().raw_koid());
    for run in Pages::of(owner) {
        let owner = owner.koid();
        println!("    {}", RunLine { run: &run, owner });
        Patience::UntilKilled.pause()?;
    }
    println!("  mappings of {}", koid.raw_koid());
    for_each_mapping(holders, koid, |shown| {
        println!("    {}", MappingLine(shown));
        Ok(())
    })
}

/// A member, further to the right the more ancestors it has.
pub struct MemberLine {
    depth: usize,
    line: Line,
    /// Where its first page is in the family's numbering.
    position: u64,
    /// Whose pages it shows, if they are another's.
    shows: Option<u64>,
}

impl MemberLine {
    /// What there is to say about `member`, which has `depth` ancestors.
    pub fn new(depth: usize, member: &Arc<Vmo<Tables>>) -> Self {
        let owner = member.owner().koid().raw_koid();
        Self {
            depth,
            line: Line::of(member),
            position: member.family_position(),
            shows: member.is_view().then_some(owner),
        }
    }
}

impl Display for MemberLine {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (record, position) = (self.line.record(), self.position);
        let indent = INDENT * self.depth.min(MOST_INDENTS);
        write!(
            formatter,
            "{:indent$}{} '{}' {}{} of {}, from page {position} on",
            "",
            record.koid,
            record.name,
            self.line.kind(),
            self.line.properties(),
            HumanBytes(record.size_bytes),
        )?;
        if let Some(owner) = self.shows {
            return write!(formatter, ": shows the pages of {owner}");
        }
        let [committed, private, scaled] = [
            record.committed_bytes,
            record.committed_private_bytes,
            record.committed_scaled_bytes,
        ]
        .map(HumanBytes);
        write!(
            formatter,
            ": {committed} committed, {private} private, {scaled} scaled"
        )
    }
}

/// Pages and who else has them.
pub struct RunLine<'a> {
    /// The pages.
    pub run: &'a SharedRun,
    /// Whose they are.
    pub owner: Koid,
}

impl Display for RunLine<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { run, owner } = *self;
        let first = run.first.number();
        let last = first + (run.pages - 1);
        write!(formatter, "{first:>10}-{last:<10} {:>8}  ", run.pages)?;
        if run.sharers == 1 {
            return formatter.write_str("alone");
        }
        let others = run.named.iter().filter(|koid| **koid != owner);
        let mut told = 0;
        for koid in others.take(MOST_NAMED) {
            let before = if told == 0 { "with " } else { ", " };
            write!(formatter, "{before}{}", koid.raw_koid())?;
            told += 1;
        }
        match run.sharers - 1 - told {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

/// A mapping and whose it is.
pub struct MappingLine<'a>(pub &'a Shown<'a>);

impl Display for MappingLine<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Shown {
            koid,
            name,
            map,
            permissions,
        } = self.0;
        let end = map.base.wrapping_add(map.size);
        write!(
            formatter,
            "{:016x}-{end:016x} {permissions} from byte {:#x} on, '{name}'",
            map.base, map.mapping.vmo_offset
        )?;
        match koid {
            Some(koid) => write!(formatter, " (koid {koid})"),
            None => Ok(()),
        }
    }
}
