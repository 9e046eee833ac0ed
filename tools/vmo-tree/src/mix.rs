//! Whose the pages in a column are, as shares of the column.

use std::ops::Range;

use crate::document::Run;
use crate::family::{Family, Member};

/// What a member has of some pages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mix {
    /// Pages that it alone sees.
    pub private: u64,
    /// Pages that it shares.
    pub shared: u64,
    /// Pages that are absent.
    pub absent: u64,
    /// Pages that it does not have: they lie before its first or after its last one.
    pub outside: u64,
    /// How much of what is there belongs to whom: places of members, in order, and pages, of which each is
    /// divided by the number of those who see it.
    pub shares: Vec<(usize, f64)>,
    /// How much belongs to members that are not told, or have no place.
    pub others: f64,
}

impl Mix {
    /// What `member` has of `pages`, in the family's numbering.
    pub fn new(family: &Family, member: &Member, pages: &Range<u64>) -> Self {
        let (start, end) = member.range();
        let inside = pages.start.max(start)..pages.end.min(end);
        let count = inside.end.saturating_sub(inside.start);
        let mut mix = Self {
            outside: pages.end - pages.start - count,
            absent: count,
            ..Self::default()
        };
        if count == 0 {
            return mix;
        }
        let from = member
            .runs
            .partition_point(|run| start + run.end() <= inside.start);
        for run in &member.runs[from..] {
            let (first, past) = (start + run.first, start + run.end());
            if first >= inside.end {
                break;
            }
            let pages = past.min(inside.end) - first.max(inside.start);
            mix.add(family, run, pages);
        }
        mix.shares.sort_by_key(|(place, _)| *place);
        mix
    }

    /// The pages that are in the picture of the member.
    pub const fn inside(&self) -> u64 {
        self.private + self.shared + self.absent
    }

    fn add(&mut self, family: &Family, run: &Run, pages: u64) {
        self.absent -= pages;
        if run.sharers == 1 {
            self.private += pages;
        } else {
            self.shared += pages;
        }
        let share = pages as f64 / run.sharers as f64;
        let mut told = 0;
        for place in run.koids.iter().filter_map(|koid| family.place(*koid)) {
            told += 1;
            match self.shares.iter_mut().find(|(known, _)| *known == place) {
                Some((_, pages)) => *pages += share,
                None => self.shares.push((place, share)),
            }
        }
        self.others += share * run.sharers.saturating_sub(told) as f64;
    }
}
