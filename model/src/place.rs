//! Where a new region may go.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use syscall::{Result, Status, VmOptions};

use crate::{Model, PAGE};

/// How many of the lowest places a compact region chooses from.
const COMPACT_CHOICES: usize = 256;

/// The places that are right, as pages of the window.
#[derive(Clone, Debug)]
pub enum Place {
    /// Only this one.
    At(usize),
    /// Any of these, in ascending order.
    OneOf(Vec<usize>),
}

impl Place {
    pub fn accepts(&self, page: usize) -> bool {
        match self {
            Self::At(only) => *only == page,
            Self::OneOf(pages) => pages.binary_search(&page).is_ok(),
        }
    }
}

/// A wish for a place; sizes in bytes.
pub struct Wish {
    pub region: usize,
    pub options: VmOptions,
    pub offset: usize,
    pub size: usize,
}

impl Model {
    /// Checks 9 to 16 of `spec/vmar.md` §3. What may be overwritten is for the caller to look at.
    pub(crate) fn place(&self, wish: &Wish) -> Result<Place> {
        let overwrite = VmOptions::SPECIFIC_OVERWRITE;
        let is_exact = wish.options.intersects(VmOptions::SPECIFIC | overwrite);
        let is_limit = wish.options.contains(VmOptions::OFFSET_IS_UPPER_LIMIT);
        let region = &self.regions[wish.region];
        let (size, offset) = (wish.size, wish.offset);
        if is_exact && is_limit
            || !is_exact && !is_limit && offset != 0
            || !offset.is_multiple_of(PAGE)
        {
            return Err(Status::INVALID_ARGS);
        }
        if (is_exact || is_limit) && !region.flags.contains(VmOptions::CAN_MAP_SPECIFIC) {
            return Err(Status::ACCESS_DENIED);
        }
        let whole = region.pages.len() * PAGE;
        let fits = if is_limit {
            offset <= whole && size <= offset
        } else {
            offset < whole && size <= whole - offset
        };
        if !fits {
            return Err(Status::INVALID_ARGS);
        }
        let alignment = wish.options.alignment()?.bytes();
        let (first, count) = (region.pages.start, size / PAGE);
        let is_aligned = |page: usize| self.address_of(page).is_multiple_of(alignment);
        if is_exact {
            let page = first + offset / PAGE;
            if !is_aligned(page) {
                return Err(Status::INVALID_ARGS);
            }
            let is_free = self.is_free(wish.region, page..page + count);
            return match is_free || wish.options.contains(overwrite) {
                true => Ok(Place::At(page)),
                false => Err(Status::ALREADY_EXISTS),
            };
        }
        let past = if is_limit {
            first + offset / PAGE
        } else {
            region.pages.end
        };
        let free = self.free_above(wish.region);
        let mut places: Vec<_> = (first..=past - count)
            .filter(|page| free[page - first] >= count && is_aligned(*page))
            .collect();
        if region.flags.contains(VmOptions::COMPACT) {
            places.truncate(COMPACT_CHOICES);
        }
        if places.is_empty() {
            Err(Status::NO_RESOURCES)
        } else {
            Ok(Place::OneOf(places))
        }
    }

    /// Whether a region has neither mappings nor regions in `pages`.
    pub(crate) fn is_free(&self, region: usize, pages: Range<usize>) -> bool {
        let mut children = self.children(region);
        !children.any(|(_, child)| overlap(&child.pages, &pages))
            && self.pages[pages]
                .iter()
                .flatten()
                .all(|shown| shown.owner != region)
    }

    /// For each page of a region, how many pages from it on are free.
    fn free_above(&self, region: usize) -> Vec<usize> {
        let pages = self.regions[region].pages.clone();
        let mut is_taken: Vec<bool> = self.pages[pages.clone()]
            .iter()
            .map(|shown| shown.is_some_and(|shown| shown.owner == region))
            .collect();
        for (_, child) in self.children(region) {
            is_taken[child.pages.start - pages.start..child.pages.end - pages.start].fill(true);
        }
        let mut free = vec![0; pages.len()];
        let mut above = 0;
        for (count, is_taken) in free.iter_mut().zip(is_taken).rev() {
            above = if is_taken { 0 } else { above + 1 };
            *count = above;
        }
        free
    }
}

/// Whether two ranges, neither of them empty, have a page in common.
pub fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
