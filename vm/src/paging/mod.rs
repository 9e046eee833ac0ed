//! Page tables with four levels, for every format of entry.
//!
//! [`PageTables`] owns the tables of one address space, and a [`Cursor`] changes them. What differs between
//! architectures is in [`EntryFormat`]: the bits of an entry, and when processors see it.
//!
//! ```text
//!   root (level 3)        512 GiB per entry
//!    └─► level 2          1 GiB per entry    ─► or a huge page
//!         └─► level 1     2 MiB per entry    ─► or a large page
//!              └─► leaf   4 KiB per entry    ─► base pages
//! ```
//!
//! A table other than the root is never empty, except while it is being filled, or until a large page comes
//! where its last entry was; how many entries are in use
//! is kept in the page database. What an operation needs it has before it changes the first entry, so an
//! operation that fails has changed nothing.

mod cursor;
mod edit;
mod fixed;
mod format;
mod large;
mod level;
mod map;
mod table;
#[cfg(test)]
mod tests;
mod walk;

pub use cursor::Cursor;
pub use format::{Entry, EntryFormat};
pub use level::Level;
pub use walk::{Path, Step};

use syscall::Result;

use crate::addr::{PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::counters::Event;
use crate::mmu::{MapError, MapFlags, MmuCursor, Translation};
use crate::pages::{FrameList, PageDatabase, owner};
use crate::sync::{Mutex, step};
use map::{Piece, Sizes};
pub(crate) use table::Table;

/// The tables of one address space.
///
/// 1. Cursors, and so all changes but those of `map_fixed`, stay inside `range`.
/// 2. A table that is linked from the root in `range` belongs to these tables alone, unless they are
///    `TopLevel::Shared`; then it is never freed, and others may link to it too.
/// 3. Root entries outside `range` come from `map_fixed` and `fill_top`, or belong to others
///    (`link_top`).
#[derive(Debug)]
pub struct PageTables<F: EntryFormat> {
    pages: &'static PageDatabase,
    root: PhysAddr,
    range: VirtRange,
    top_level: TopLevel,
    format: F,
    lock: Mutex<()>,
}

/// Whether other page tables link to the tables below the root.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TopLevel {
    /// No: they go when they are empty.
    Own,
    /// They may: so they stay for good.
    Shared,
}

impl<F: EntryFormat> PageTables<F> {
    /// Tables in which nothing is mapped, and whose cursors are for addresses in `range`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for the root.
    pub fn new(
        pages: &'static PageDatabase,
        range: VirtRange,
        top_level: TopLevel,
        format: F,
    ) -> Result<Self> {
        let root = Table::allocate(pages)?.address();
        F::counters().count(Event::TableMade);
        Ok(Self {
            pages,
            root,
            range,
            top_level,
            format,
            lock: Mutex::new(()),
        })
    }

    /// Where the root is, for the processor's register.
    #[inline]
    pub const fn root(&self) -> PhysAddr {
        self.root
    }

    /// What the format knows about this address space.
    #[inline]
    pub const fn format(&self) -> &F {
        &self.format
    }

    /// The database that the tables' frames are from.
    #[inline]
    pub const fn pages(&self) -> &'static PageDatabase {
        self.pages
    }

    /// The addresses that cursors are for.
    pub const fn range(&self) -> VirtRange {
        self.range
    }

    /// A cursor for `range`, at its base. Locks the tables until it is dropped.
    ///
    /// # Panics
    /// If `range` is not within the range of the tables.
    #[inline]
    pub fn cursor(&self, range: VirtRange) -> Cursor<'_, F> {
        assert!(
            self.range.contains_range(range),
            "{range:?} is outside {:?}",
            self.range
        );
        step();
        Cursor::new(self, self.lock.lock(), range)
    }

    /// The translation of the page at `address`, which may lie outside the range of the cursors. Locks
    /// the tables.
    pub fn query(&self, address: VirtAddr) -> Option<Translation> {
        let page = VirtRange::new(address.page_base(), PageCount::new(1))?;
        step();
        Cursor::new(self, self.lock.lock(), page).query()
    }

    /// Maps `range` to the memory from `address` on with the largest pages that fit, for good.
    ///
    /// For the kernel's image and the direct map: the range may lie outside that of the cursors. Locks the
    /// tables.
    ///
    /// # Errors
    /// Nothing changes.
    /// - `NoFrame`: there is no frame for a table.
    /// - `AlreadyMapped`: something is mapped in the range.
    pub fn map_fixed(
        &self,
        range: VirtRange,
        address: PhysAddr,
        flags: MapFlags,
    ) -> Result<(), MapError> {
        self.map_for_good(range, (address, flags), Sizes::All)
    }

    /// As [`map_fixed`](Self::map_fixed), but with base pages only, so that each can be changed by itself.
    ///
    /// # Errors
    /// As [`map_fixed`](Self::map_fixed).
    pub fn map_fixed_base_pages(
        &self,
        range: VirtRange,
        address: PhysAddr,
        flags: MapFlags,
    ) -> Result<(), MapError> {
        self.map_for_good(range, (address, flags), Sizes::Base)
    }

    fn map_for_good(
        &self,
        range: VirtRange,
        (address, flags): (PhysAddr, MapFlags),
        sizes: Sizes,
    ) -> Result<(), MapError> {
        let _guard = self.lock.lock();
        let run = PhysRange::new(address, range.pages()).ok_or(MapError::NoFrame)?;
        let piece = Piece {
            range,
            address: run.base(),
        };
        self.map_piece(piece, flags, sizes)
    }

    /// Puts a table into every root entry that `range` touches and that has none. Locks the tables.
    ///
    /// # Errors
    /// `NO_MEMORY`: there are not enough frames. The tables that there were frames for stay.
    pub fn fill_top(&self, range: VirtRange) -> Result<()> {
        let _guard = self.lock.lock();
        for index in Level::ROOT.indices(range) {
            if self.root_table().get(index) == 0 {
                let table = Table::allocate(self.pages)?;
                F::counters().count(Event::TableMade);
                self.root_table().fill(index, F::table(table.address()));
            }
        }
        F::publish();
        Ok(())
    }

    /// Makes the root entries that `range` touches the same as those of `other`. Locks the tables.
    ///
    /// # Panics
    /// If `other` may free tables, if cursors of these tables could get there, or if an entry is in use.
    pub fn link_top(&self, other: &'static Self, range: VirtRange) {
        assert_eq!(
            other.top_level,
            TopLevel::Shared,
            "tables that may be freed cannot be shared"
        );
        let _guard = self.lock.lock();
        let own = Level::ROOT.indices(self.range);
        for index in Level::ROOT.indices(range) {
            assert!(
                !own.contains(&index),
                "{range:?} is too near to {:?}",
                self.range
            );
            let entry = other.root_table().get(index);
            if entry != 0 {
                assert_eq!(self.root_table().get(index), 0, "the entry is in use");
                self.root_table().fill(index, entry);
            }
        }
        F::publish();
    }

    #[inline]
    fn root_table(&self) -> Table {
        Table::at(self.pages, self.root)
    }

    /// The table that `entry`, found in a table of `level`, points to.
    #[inline]
    fn table_below(&self, entry: u64, level: Level) -> Option<Table> {
        let address = F::table_below(entry, level)?;
        Some(Table::at(self.pages, address))
    }

    /// Takes apart everything below `table`, whose level is `level`.
    fn collect(&self, table: Table, level: Level, freed: &mut FrameList<owner::PageTable>) {
        let Some(below) = level.below() else { return };
        let indices = match level {
            Level::ROOT => Level::ROOT.indices(self.range),
            _ => 0..level::ENTRIES,
        };
        for index in indices {
            if let Some(child) = self.table_below(table.get(index), level) {
                self.collect(child, below, freed);
                F::counters().count(Event::TableFreed);
                if let Err(frame) = freed.push(self.pages, child.into_frame()) {
                    unreachable!("{frame:?} is shared");
                }
            }
        }
    }
}

impl<F: EntryFormat> Drop for PageTables<F> {
    /// Frees all tables. No processor may use them any more, nor remember any of them.
    ///
    /// Tables outside the range of the cursors stay: they are for good, or somebody else's.
    fn drop(&mut self) {
        let mut freed = FrameList::new();
        self.collect(self.root_table(), Level::ROOT, &mut freed);
        self.pages.free_list(freed);
        self.pages.free(self.root_table().into_frame());
        F::counters().count(Event::TableFreed);
    }
}
