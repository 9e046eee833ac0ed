//! Which pages get a square of their own, and which stand together.
//!
//! Between two neighbouring edges of runs or members all pages are alike for every member: they are a *stretch*. Long
//! stretches are cut short, and if there are too many of them, several stand in one cell, which
//! shows how much of what is in it.

use std::ops::Range;

use crate::family::Member;

/// How many squares there is room for in a line.
pub const ROOM: usize = 48;

/// How many squares a cut is wide.
pub const CUT_WIDTH: usize = 4;

/// The lengths from which on a stretch may be cut, the first one that makes all fit is taken.
const CUTS: [u64; 9] = [48, 32, 24, 16, 12, 8, 6, 4, 2];

/// A column of the picture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Column {
    /// The pages in it, in the family's numbering.
    pub pages: Range<u64>,
    /// How it is drawn.
    pub kind: ColumnKind,
}

/// How a column is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnKind {
    /// A square for one page.
    Page,
    /// Pages that are alike, with how many there are.
    Cut,
    /// Pages that are not alike.
    Crowd,
}

impl Column {
    /// How many squares it is wide.
    pub const fn width(&self) -> usize {
        match self.kind {
            ColumnKind::Page => 1,
            ColumnKind::Cut | ColumnKind::Crowd => CUT_WIDTH,
        }
    }

    /// How many pages are in it.
    pub const fn count(&self) -> u64 {
        self.pages.end - self.pages.start
    }
}

/// The columns of a picture of `members`, which together are at most [`ROOM`] squares wide.
pub fn columns(members: &[&Member]) -> Vec<Column> {
    let stretches = stretches(members);
    let fits = |cut: &&u64| {
        stretches
            .iter()
            .map(|stretch| width(stretch, **cut))
            .sum::<usize>()
            <= ROOM
    };
    match CUTS.iter().find(fits) {
        Some(cut) => stretches
            .into_iter()
            .flat_map(|stretch| shown(stretch, *cut))
            .collect(),
        None => crowds(&stretches),
    }
}

/// The stretches of pages that any member has, in order.
fn stretches(members: &[&Member]) -> Vec<Range<u64>> {
    let mut edges: Vec<u64> = Vec::new();
    for member in members {
        let (start, end) = member.range();
        edges.extend([start, end]);
        for run in &member.runs {
            edges.extend([start + run.first, start + run.end()]);
        }
    }
    edges.sort_unstable();
    edges.dedup();
    let ranges: Vec<(u64, u64)> = members.iter().map(|member| member.range()).collect();
    let is_somewhere = |range: &Range<u64>| {
        let has = |(start, end): &(u64, u64)| *start <= range.start && range.end <= *end;
        ranges.iter().any(has)
    };
    edges
        .windows(2)
        .map(|pair| pair[0]..pair[1])
        .filter(is_somewhere)
        .collect()
}

/// How many squares a stretch takes if those longer than `cut` are cut.
fn width(stretch: &Range<u64>, cut: u64) -> usize {
    let length = stretch.end - stretch.start;
    if length <= cut {
        // At most the longest that is not cut.
        length as usize
    } else {
        before_cut(cut) as usize + CUT_WIDTH
    }
}

/// How many pages get squares before the cut.
const fn before_cut(cut: u64) -> u64 {
    cut.saturating_sub(CUT_WIDTH as u64)
}

fn shown(stretch: Range<u64>, cut: u64) -> impl Iterator<Item = Column> {
    let is_cut = stretch.end - stretch.start > cut;
    let edge = if is_cut {
        stretch.start + before_cut(cut)
    } else {
        stretch.end
    };
    let pages = (stretch.start..edge).map(|page| Column {
        pages: page..page + 1,
        kind: ColumnKind::Page,
    });
    let rest = is_cut.then_some(Column {
        pages: edge..stretch.end,
        kind: ColumnKind::Cut,
    });
    pages.chain(rest)
}

/// As many cells as there is room for, each with as many stretches.
fn crowds(stretches: &[Range<u64>]) -> Vec<Column> {
    let cells = ROOM / CUT_WIDTH;
    stretches
        .chunks(stretches.len().div_ceil(cells).max(1))
        .filter_map(|chunk| {
            let (first, last) = (chunk.first()?, chunk.last()?);
            Some(Column {
                pages: first.start..last.end,
                kind: if chunk.len() == 1 {
                    ColumnKind::Cut
                } else {
                    ColumnKind::Crowd
                },
            })
        })
        .collect()
}
