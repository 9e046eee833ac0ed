//! What the topic `VMAR_MAPS` should show of a window.

use alloc::vec::Vec;
use core::ops::Range;

use syscall::VmOptions;

use crate::Model;

/// A region, or a run of equal permissions in a mapping.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The pages, counted from the window's base.
    pub pages: Range<usize>,
    /// How many regions it is in; the window has depth 0.
    pub depth: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A region.
    Region,
    /// A part of a mapping.
    Mapping {
        /// The number of the VMO.
        vmo: usize,
        /// The page of the VMO that the first page shows.
        vmo_page: u64,
        /// What may be done there.
        access: VmOptions,
        /// How many of the pages take memory.
        committed: usize,
    },
}

impl Model {
    /// All records, in pre-order.
    pub(crate) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        self.describe(0, 0, &mut records);
        records
    }

    /// Appends the records of a region. Calls itself for the regions below, of which tests nest few.
    fn describe(&self, number: usize, depth: usize, records: &mut Vec<Record>) {
        let region = &self.regions[number];
        if !region.is_alive {
            return;
        }
        records.push(Record {
            pages: region.pages.clone(),
            depth,
            kind: Kind::Region,
        });
        let mut children: Vec<_> = self.children(number).collect();
        children.sort_by_key(|(_, child)| child.pages.start);
        let mut next = region.pages.start;
        for (child, below) in children {
            self.describe_mappings(next..below.pages.start, depth + 1, records);
            self.describe(child, depth + 1, records);
            next = below.pages.end;
        }
        self.describe_mappings(next..region.pages.end, depth + 1, records);
    }

    /// Appends the records of mappings in pages that belong to one region.
    fn describe_mappings(&self, pages: Range<usize>, depth: usize, records: &mut Vec<Record>) {
        let mut next = pages.start;
        while next < pages.end {
            let Some(shown) = self.pages[next] else {
                next += 1;
                continue;
            };
            let mapping = self.run_at(next, pages.end);
            let alike = self.pages[mapping.clone()]
                .iter()
                .flatten()
                .take_while(|page| page.access == shown.access)
                .count();
            let run = next..next + alike;
            let memory = &self.memories[shown.vmo];
            let vmo_pages = shown.vmo_page..shown.vmo_page + alike as u64;
            next = run.end;
            records.push(Record {
                pages: run,
                depth,
                kind: Kind::Mapping {
                    vmo: shown.vmo,
                    vmo_page: shown.vmo_page,
                    access: shown.access,
                    committed: vmo_pages.filter(|page| memory.is_present(*page)).count(),
                },
            });
        }
    }
}
