//! The way that a processor takes through the tables, for people who want to see it.

use arrayvec::ArrayVec;

use super::level::LEVELS;
use super::{Entry, EntryFormat, Level, PageTables};
use crate::addr::{PhysAddr, VirtAddr};

/// One table on the way to a page, and the entry that is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// The level of the table.
    pub level: Level,
    /// Where the table is.
    pub table: PhysAddr,
    /// The number of the entry.
    pub index: usize,
    /// The entry as it stands in memory.
    pub raw: u64,
    /// What it means.
    pub entry: Entry,
}

/// The tables on the way to a page, the root first. The last entry maps the page, or nothing.
pub type Path = ArrayVec<Step, LEVELS>;

impl<F: EntryFormat> PageTables<F> {
    /// The way to the page at `address`, which may lie outside the range of the cursors. Locks the tables.
    ///
    /// Only the bits that choose entries count: whether a processor would translate the address at all is
    /// up to the architecture.
    pub fn walk(&self, address: VirtAddr) -> Path {
        let _guard = self.lock.lock();
        let mut path = Path::new();
        let (mut table, mut level) = (self.root_table(), Level::ROOT);
        loop {
            let index = level.index(address);
            let raw = table.get(index);
            path.push(Step {
                level,
                table: table.address(),
                index,
                raw,
                entry: F::decode(raw, level),
            });
            match (self.table_below(raw, level), level.below()) {
                (Some(next), Some(below)) => (table, level) = (next, below),
                _ => return path,
            }
        }
    }
}
