//! The regions as a tree, and sums over parts of it.

use std::ops::Range;

use drawing::format::ReadError;
use drawing::json::Process;

use crate::document::{Document, FORMAT, Kind, Mapping, Permissions, Row};

/// An address space: a tree of regions.
///
/// 1. `rows` are in the order of a walk: each before what is in it, by address.
/// 2. `ends[n]` is the row after the last one that is in row `n`.
/// 3. What is in a region lies inside it, and does not overlap. Mappings have nothing in them.
#[derive(Debug)]
pub struct Space {
    /// Whose it is.
    pub process: Process,
    /// Of which architecture.
    pub architecture: String,
    rows: Vec<Row>,
    ends: Vec<usize>,
}

impl Space {
    /// The tree of the regions in `document`.
    ///
    /// # Errors
    /// `Regions`: they do not fit into each other.
    pub fn new(document: Document) -> Result<Self, ReadError> {
        let Document {
            architecture,
            process,
            rows,
        } = document;
        let ends = ends(&rows)?;
        Ok(Self {
            process,
            architecture,
            rows,
            ends,
        })
    }

    /// A row.
    pub fn row(&self, index: usize) -> &Row {
        &self.rows[index]
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows are in row `index`, wherever.
    pub fn inside(&self, index: usize) -> usize {
        self.ends[index] - index - 1
    }

    /// The rows directly in row `index`.
    pub fn children(&self, index: usize) -> impl Iterator<Item = usize> {
        self.siblings(index + 1..self.ends[index])
    }

    /// The first row of `range`, and those beside it; `range` ends with one of them and what is in it.
    pub fn siblings(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let mut next = range.start;
        std::iter::from_fn(move || {
            let index = next;
            (index < range.end).then(|| {
                next = self.ends[index];
                index
            })
        })
    }

    /// The row after the last one that is in row `index`.
    pub fn end(&self, index: usize) -> usize {
        self.ends[index]
    }

    /// The mappings among `rows`, with their sizes.
    pub fn mappings(&self, rows: Range<usize>) -> impl Iterator<Item = (&Row, &Mapping)> {
        self.rows[rows].iter().filter_map(|row| match &row.kind {
            Kind::Mapping(mapping) => Some((row, mapping)),
            Kind::Space | Kind::Vmar => None,
        })
    }

    /// What `rows` come to.
    pub fn sum(&self, rows: Range<usize>) -> Sum {
        let is_region = |row: &&Row| row.kind != Kind::Space;
        let mut sum = Sum {
            regions: self.rows[rows.clone()].iter().filter(is_region).count(),
            ..Sum::default()
        };
        for (row, mapping) in self.mappings(rows) {
            sum.mappings += 1;
            sum.mapped = sum.mapped.saturating_add(row.size);
            sum.committed = sum
                .committed
                .saturating_add(mapping.committed.min(row.size));
            sum.by_permissions[mapping.permissions.index()] += 1;
        }
        sum
    }
}

/// What some rows come to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Sum {
    /// How many VMARs and mappings they are.
    pub regions: usize,
    /// How many of them are mappings.
    pub mappings: usize,
    /// Bytes that are mapped.
    pub mapped: u64,
    /// Bytes of them in pages that exist, each as often as it is mapped.
    pub committed: u64,
    /// How many mappings have which permissions, by [`Permissions::index`].
    pub by_permissions: [usize; Permissions::COUNT],
}

impl Row {
    /// The address after the last one.
    pub const fn end(&self) -> u64 {
        // `ends` has checked that it exists.
        self.base.wrapping_add(self.size)
    }
}

/// For each row the row after the last one that is in it; checks that rows fit into each other.
fn ends(rows: &[Row]) -> Result<Vec<usize>, ReadError> {
    let mut ends = vec![rows.len(); rows.len()];
    // The regions that the current row is in, the outermost first.
    let mut open: Vec<usize> = Vec::new();
    // Where the next row may begin at the earliest.
    let mut free = 0;
    for (index, row) in rows.iter().enumerate() {
        let refuse = |problem| FORMAT.misfit(index + 1, problem);
        let end = row.base.checked_add(row.size).filter(|_| row.size > 0);
        let end = end.ok_or_else(|| refuse("is empty or wraps around"))?;
        while open.len() > row.depth
            && let Some(closed) = open.pop()
        {
            ends[closed] = index;
            free = rows[closed].end();
        }
        if open.len() != row.depth {
            return Err(refuse("is deeper than the row above allows"));
        }
        match open.last() {
            None if index > 0 => return Err(refuse("is a second address space")),
            None => {}
            Some(&parent) => {
                let parent = &rows[parent];
                if matches!(parent.kind, Kind::Mapping(_)) {
                    return Err(refuse("is in a mapping"));
                }
                if row.base < parent.base || end > parent.end() {
                    return Err(refuse("lies outside the region that it is in"));
                }
                if row.base < free {
                    return Err(refuse("overlaps the one before"));
                }
            }
        }
        free = row.base;
        open.push(index);
    }
    Ok(ends)
}
