//! Mapping a range: first a plan that counts the tables it takes, then the entries.

use core::marker::PhantomData;

use super::table::Table;
use super::{Entry, EntryFormat, Level, PageTables};
use crate::addr::{PhysAddr, VirtRange};
use crate::counters::Event;
use crate::mmu::{Access, MapError, MapFlags, PageSize};
use crate::pages::{Frame, FrameList, owner};

/// Addresses, and where the memory for them begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) range: VirtRange,
    pub(super) address: PhysAddr,
}

/// Which sizes of page may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sizes {
    /// Base pages only.
    Base,
    /// All that the processor has.
    All,
}

/// What all entries of one operation have in common.
#[derive(Clone, Copy)]
struct Style {
    flags: MapFlags,
    sizes: Sizes,
}

impl Piece {
    /// The parts of the piece that one entry of `level` each covers.
    fn parts(self, level: Level) -> impl Iterator<Item = Self> {
        let mut address = self.address;
        level.parts(self.range).map(move |range| {
            let part = Self { range, address };
            // A piece is as long as a range of memory, so only what follows the last part may not exist.
            address = address.checked_add(range.bytes()).unwrap_or(address);
            part
        })
    }

    /// Whether one leaf of `level` maps all of the piece, which is no longer than an entry.
    fn is_one_leaf<F: EntryFormat>(self, level: Level, sizes: Sizes) -> bool {
        let Some(size) = level.page_size() else {
            return false;
        };
        level == Level::LEAF
            || sizes == Sizes::All
                && self.range.pages() == size.pages()
                && self.address.is_aligned_to(size.shift())
                && F::supports(size)
    }
}

impl<F: EntryFormat> PageTables<F> {
    /// Maps a piece. The lock is held.
    ///
    /// # Errors
    /// As [`MmuCursor::map`](crate::mmu::MmuCursor::map). Nothing changes.
    pub(super) fn map_piece(
        &self,
        piece: Piece,
        flags: MapFlags,
        sizes: Sizes,
    ) -> Result<(), MapError> {
        let style = Style { flags, sizes };
        let needed = self.plan(Some(self.root_table()), Level::ROOT, piece, style)?;
        let mut tables = self.take_frames(needed)?;
        self.enter(self.root_table(), Level::ROOT, piece, style, &mut tables);
        debug_assert!(tables.is_empty(), "the plan asked for too many tables");
        F::publish();
        Ok(())
    }

    /// How many tables it takes to map `piece` below `table`, or below a new one if there is none.
    fn plan(
        &self,
        table: Option<Table>,
        level: Level,
        piece: Piece,
        style: Style,
    ) -> Result<usize, MapError> {
        let mut needed = 0;
        for part in piece.parts(level) {
            let entry = table.map_or(0, |table| table.get(level.index(part.range.base())));
            let below = match F::decode(entry, level) {
                Entry::Leaf(_) => return Err(MapError::AlreadyMapped),
                Entry::Table(address) => Some(Table::at(self.pages, address)),
                Entry::Empty if part.is_one_leaf::<F>(level, style.sizes) => continue,
                Entry::Empty => None,
            };
            let Some(level_below) = level.below() else {
                return Err(MapError::AlreadyMapped);
            };
            needed += usize::from(below.is_none());
            if below.is_some() || level_below != Level::LEAF {
                needed += self.plan(below, level_below, part, style)?;
            }
        }
        Ok(needed)
    }

    /// Enters a piece that was planned, with the tables that the plan asked for.
    fn enter(
        &self,
        table: Table,
        level: Level,
        piece: Piece,
        style: Style,
        tables: &mut FrameList<owner::PageTable>,
    ) {
        let Some(level_below) = level.below() else {
            let is_entered = enter_pages::<F>(table, piece, style.flags);
            debug_assert!(is_entered, "the plan looked at every entry");
            return;
        };
        for part in piece.parts(level) {
            let index = level.index(part.range.base());
            let entry = table.get(index);
            if entry == 0
                && let Some(size) = level.page_size()
                && part.is_one_leaf::<F>(level, style.sizes)
            {
                table.fill(index, F::leaf(part.address, size, style.flags));
                F::counters().count(Event::LargePage);
            } else if let Some(below) = self.table_below(entry, level) {
                self.enter(below, level_below, part, style, tables);
            } else {
                let frame = self.planned_frame(tables);
                let below = Table::new(self.pages, frame);
                F::counters().count(Event::TableMade);
                self.enter(below, level_below, part, style, tables);
                table.fill(index, F::table(below.address()));
            }
        }
    }

    fn planned_frame(&self, tables: &mut FrameList<owner::PageTable>) -> Frame<owner::PageTable> {
        tables
            .pop(self.pages)
            .expect("the plan counts every table that is missing")
    }

    fn take_frames(&self, count: usize) -> Result<FrameList<owner::PageTable>, MapError> {
        let mut frames = FrameList::new();
        for _ in 0..count {
            let Ok(frame) = self.pages.allocate() else {
                self.pages.free_list(frames);
                return Err(MapError::NoFrame);
            };
            if let Err(frame) = frames.push(self.pages, frame) {
                unreachable!("{frame:?} is shared");
            }
        }
        Ok(frames)
    }
}

/// Enters base pages into a leaf table; false, and nothing changes, if an entry is in use.
#[inline]
pub(super) fn enter_pages<F: EntryFormat>(table: Table, piece: Piece, flags: MapFlags) -> bool {
    let first = Level::LEAF.index(piece.range.base());
    let leaves = Leaves::<F>::new(flags);
    table.fill_all(first..first + piece.range.pages().get(), |offset| {
        // Memory does not wrap.
        let address = piece.address.raw() + offset * PageSize::Base.bytes();
        leaves.leaf(PhysAddr::new(address))
    })
}

/// The leaves for base pages with the same flags.
pub(super) struct Leaves<F> {
    flags: MapFlags,
    /// What all have in common; `None` if the format wants to see each page.
    common: Option<u64>,
    format: PhantomData<F>,
}

impl<F: EntryFormat> Leaves<F> {
    #[inline]
    pub(super) fn new(flags: MapFlags) -> Self {
        // What is executed may have to leave the caches first, page by page.
        let is_executable = flags.access.contains(Access::EXECUTE);
        let common = (!is_executable).then(|| F::leaf(PhysAddr::new(0), PageSize::Base, flags));
        Self {
            flags,
            common,
            format: PhantomData,
        }
    }

    /// The leaf for the page at `address`.
    #[inline]
    pub(super) fn leaf(&self, address: PhysAddr) -> u64 {
        match self.common {
            // The address is in place (`EntryFormat::ADDRESS`).
            Some(common) => common | address.raw() as u64,
            None => F::leaf(address, PageSize::Base, self.flags),
        }
    }
}
