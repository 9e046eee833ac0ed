//! Random operations, compared with a map from page to translation.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Pages in the playing field: three leaf tables' worth, across the border between two tables of level 1.
const FIELD: usize = 3 * 512;
const FIELD_BASE: usize = BASE + HUGE - LARGE - LARGE / 2;

#[derive(Clone, Debug)]
enum Step {
    Map {
        first: usize,
        count: usize,
        to: usize,
        access: u8,
    },
    Unmap {
        first: usize,
        count: usize,
    },
    Protect {
        first: usize,
        count: usize,
        access: u8,
    },
    Replace {
        page: usize,
        to: usize,
        access: u8,
    },
}

fn count() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 1..20_usize, 1 => Just(512), 1 => 1..FIELD]
}

fn step() -> impl Strategy<Value = Step> {
    let first = || prop_oneof![2 => 0..FIELD, 1 => Just(256), 1 => Just(768)];
    let access = || 1..8_u8;
    // Page 256 of the field begins a large page; so does every second place that memory is taken from.
    let to = || (0..8_usize).prop_map(|place| 4 * HUGE + place * LARGE / 2);
    prop_oneof![
        4 => (first(), count(), to(), access())
            .prop_map(|(first, count, to, access)| Step::Map { first, count, to, access }),
        2 => (first(), count()).prop_map(|(first, count)| Step::Unmap { first, count }),
        2 => (first(), count(), 0..8_u8)
            .prop_map(|(first, count, access)| Step::Protect { first, count, access }),
        1 => (first(), to(), access()).prop_map(|(page, to, access)| Step::Replace { page, to, access }),
    ]
}

/// What should be mapped, by page of the field: where it is and what is allowed.
struct Model {
    tables: PageTables<SimFormat>,
    mapped: BTreeMap<usize, (usize, Access)>,
}

fn field(pages: Range<usize>) -> VirtRange {
    pages_at(FIELD_BASE + pages.start * PAGE_SIZE, pages.len())
}

impl Model {
    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Map {
                first,
                count,
                to,
                access,
            } => {
                self.map(
                    first..FIELD.min(first + count),
                    to,
                    Access::from_bits_retain(access),
                );
            }
            Step::Unmap { first, count } => {
                self.edit(first..FIELD.min(first + count), Access::empty(), unmap);
            }
            Step::Protect {
                first,
                count,
                access,
            } => {
                let access = Access::from_bits_retain(access);
                self.edit(first..FIELD.min(first + count), access, |tables, range| {
                    protect(tables, range, access)
                });
            }
            Step::Replace { page, to, access } => {
                self.replace(page, to, Access::from_bits_retain(access));
            }
        }
        self.check();
    }

    fn map(&mut self, pages: Range<usize>, to: usize, access: Access) {
        let result = map(&self.tables, field(pages.clone()), to, user(access));
        if self.mapped.range(pages.clone()).next().is_some() {
            assert_eq!(result, Err(MapError::AlreadyMapped));
        } else {
            assert_eq!(result, Ok(()));
            let places = pages.enumerate();
            self.mapped
                .extend(places.map(|(step, page)| (page, (to + step * PAGE_SIZE, access))));
        }
    }

    fn edit(
        &mut self,
        pages: Range<usize>,
        access: Access,
        operation: impl FnOnce(&PageTables<SimFormat>, VirtRange) -> Option<Told>,
    ) {
        let before = self.mapped.clone();
        for page in self.pages_of_cut_entries(&pages) {
            self.mapped.remove(&page);
        }
        for page in pages.clone() {
            let allowed = |old: Access| access & (old | !Access::WRITE);
            match self.mapped.get_mut(&page) {
                Some((_, old)) if allowed(*old).is_empty() => {
                    self.mapped.remove(&page);
                }
                Some((_, old)) => *old = allowed(*old),
                None => {}
            }
        }
        let told = operation(&self.tables, field(pages));
        for (page, old) in before {
            let address = VirtAddr::new(FIELD_BASE + page * PAGE_SIZE);
            let is_told = told.as_ref().is_some_and(|(ranges, _)| match ranges {
                Some(ranges) => ranges.iter().any(|range| range.contains(address)),
                None => true,
            });
            assert!(
                self.mapped.get(&page) == Some(&old) || is_told,
                "{address:?} changed silently"
            );
        }
    }

    /// The pages of large pages that begin or end outside of `pages`, but not entirely.
    fn pages_of_cut_entries(&self, pages: &Range<usize>) -> Vec<usize> {
        let ends = [pages.start, pages.end - 1];
        let cut = ends.into_iter().filter_map(|page| {
            let address = FIELD_BASE + page * PAGE_SIZE;
            let size = query(&self.tables, address)?.size;
            let first = (address / size.bytes() * size.bytes() - FIELD_BASE) / PAGE_SIZE;
            let entry = first..first + size.pages().get();
            let is_cut = entry.start < pages.start || pages.end < entry.end;
            is_cut.then_some(entry)
        });
        cut.flatten().collect()
    }

    fn replace(&mut self, page: usize, to: usize, access: Access) {
        let address = FIELD_BASE + page * PAGE_SIZE;
        if query(&self.tables, address).is_some_and(|found| found.size == PageSize::Base) {
            let mut batch = TlbBatch::new();
            let mut cursor = self.tables.cursor(pages_at(address, 1));
            cursor.replace(PhysAddr::new(to), user(access), &mut batch);
            drop(cursor);
            assert!(finish(&self.tables, batch).is_some());
            self.mapped.insert(page, (to, access));
        }
    }

    /// Every page is as it should be, and there are exactly the tables that these pages need.
    fn check(&self) {
        let mut needed = BTreeSet::from([(Level::ROOT, 0)]);
        for page in 0..FIELD {
            let address = VirtAddr::new(FIELD_BASE + page * PAGE_SIZE);
            let found = query(&self.tables, address.raw());
            let seen = found.map(|found| (found.address.raw(), found.flags.access));
            assert_eq!(seen, self.mapped.get(&page).copied(), "page {page}");
            let Some(size) = found.map(|found| found.size) else {
                continue;
            };
            let mut level = Level::ROOT;
            while let Some(below) = level.below()
                && level.page_size() != Some(size)
            {
                level = below;
                needed.insert((level, level.table_number(address)));
            }
        }
        assert_eq!(table_frames(&self.tables), needed.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn tables_say_what_was_asked_for(steps in prop::collection::vec(step(), 1..40)) {
        let mut model = Model { tables: tables(), mapped: BTreeMap::new() };
        for step in &steps {
            model.apply(step);
        }
    }
}
