//! The picture in words: for those who cannot see it, and for those who point at something.

use std::fmt::Write as _;
use std::ops::Range;

use drawing::text::{address, bytes, count, counted};

use crate::document::{Mapping, Permissions, Row};
use crate::space::{Space, Sum};
use crate::strips::Line;

/// Whose address space it is.
pub fn subject(space: &Space) -> String {
    let name = &space.process.name.0;
    match space.process.koid {
        Some(koid) => format!("process ‘{name}’ (koid {koid})"),
        None => format!("‘{name}’"),
    }
}

/// The whole picture.
pub fn whole(space: &Space) -> String {
    let Some(bounds) = bounds(space) else {
        return "There are no regions.".into();
    };
    let sum = space.sum(0..space.len());
    let mut text = format!(
        "The address space of {} on {}, {}, drawn from low addresses at the top to high ones at the bottom. \
         It has {}. ",
        subject(space),
        space.architecture,
        bounds,
        totals(space),
    );
    let kinds: Vec<String> = by_permissions(&sum)
        .map(|(permissions, mappings)| format!("{} {permissions}", count(mappings)))
        .collect();
    if !kinds.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, "By permissions: {}.", kinds.join(", "));
    }
    text
}

/// How many regions and mappings there are, and how large they are.
pub fn totals(space: &Space) -> String {
    let sum = space.sum(0..space.len());
    let vmars = sum.regions - sum.mappings;
    format!(
        "{} ({} and {} of {}, {} of it in memory)",
        counted(sum.regions, "region"),
        counted(vmars, "VMAR"),
        counted(sum.mappings, "mapping"),
        bytes(sum.mapped),
        bytes(sum.committed),
    )
}

/// How many mappings have which permissions, the most frequent first.
pub fn by_permissions(sum: &Sum) -> impl Iterator<Item = (Permissions, usize)> {
    let mut kinds: Vec<_> = sum
        .by_permissions
        .iter()
        .enumerate()
        .filter(|(_, mappings)| **mappings > 0)
        .map(|(index, mappings)| (Permissions::from_index(index), *mappings))
        .collect();
    kinds.sort_by_key(|(_, mappings)| std::cmp::Reverse(*mappings));
    kinds.into_iter()
}

fn bounds(space: &Space) -> Option<String> {
    (!space.is_empty()).then(|| range(space.row(0).base, space.row(0).end()))
}

fn range(base: u64, end: u64) -> String {
    format!("{} to {}", address(base), address(end))
}

/// A region.
pub fn region(space: &Space, row: usize) -> String {
    let region = space.row(row);
    format!(
        "{}: VMAR ‘{}’, {}, {} in it",
        range(region.base, region.end()),
        region.name.0,
        bytes(region.size),
        counted(space.inside(row), "region"),
    )
}

/// A mapping.
pub fn mapping(row: &Row, mapping: &Mapping) -> String {
    format!(
        "{}: {} mapping of VMO ‘{}’ (koid {}) from {} on, {}, {} of it in memory",
        range(row.base, row.end()),
        mapping.permissions,
        row.name.0,
        mapping.vmo,
        address(mapping.offset),
        bytes(row.size),
        bytes(mapping.committed),
    )
}

/// A gap.
pub fn gap(base: u64, size: u64) -> String {
    let end = base.saturating_add(size);
    format!("{}: {} free", range(base, end), bytes(size))
}

/// A crowd.
pub fn crowd(space: &Space, rows: Range<usize>, siblings: usize) -> String {
    let sum = space.sum(rows.clone());
    format!(
        "{}: {}, of them {}, in {}",
        range(space.row(rows.start).base, end_of(space, rows)),
        counted(sum.regions, "region"),
        counted(sum.mappings, "mapping"),
        counted(siblings, "group"),
    )
}

/// A line of strips.
pub fn line(space: &Space, line: &Line) -> String {
    let sum = space.sum(line.rows.clone());
    let kinds: Vec<String> = by_permissions(&sum)
        .map(|(permissions, mappings)| format!("{} {permissions}", count(mappings)))
        .collect();
    format!(
        "{}: {}: {}; {} mapped, {} of it in memory",
        range(
            space.row(line.rows.start).base,
            end_of(space, line.rows.clone())
        ),
        counted(sum.regions, "region"),
        kinds.join(", "),
        bytes(sum.mapped),
        bytes(sum.committed),
    )
}

/// The highest address in `rows`.
fn end_of(space: &Space, rows: Range<usize>) -> u64 {
    rows.map(|row| space.row(row).end()).max().unwrap_or(0)
}
