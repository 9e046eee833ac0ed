//! The cursor: the only way to change what is mapped.

use super::edit::{Edit, edit_pages};
use super::level::ENTRIES;
use super::map::{Leaves, Piece, Sizes, enter_pages};
use super::table::Table;
use super::{Entry, EntryFormat, Level, PageTables};
use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::mmu::{Access, Domain, MapError, MapFlags, MmuCursor, PageSize, TlbBatch, Translation};
use crate::sync::MutexGuard;

/// A place in page tables that are locked.
#[derive(Debug)]
pub struct Cursor<'a, F: EntryFormat> {
    tables: &'a PageTables<F>,
    _guard: MutexGuard<'a, ()>,
    range: VirtRange,
    /// From the base of the range to the position.
    offset: PageCount,
    /// The leaf table that was used last, with its number.
    leaf_table: Option<(usize, Table)>,
    has_new_entries: bool,
}

impl<'a, F: EntryFormat> Cursor<'a, F> {
    #[inline]
    pub(super) const fn new(
        tables: &'a PageTables<F>,
        guard: MutexGuard<'a, ()>,
        range: VirtRange,
    ) -> Self {
        Self {
            tables,
            _guard: guard,
            range,
            offset: PageCount::ZERO,
            leaf_table: None,
            has_new_entries: false,
        }
    }

    /// Moves ahead by `count` pages.
    #[inline]
    fn advance(&mut self, count: PageCount) {
        self.offset = PageCount::new(self.offset.get() + count.get());
    }

    /// The `count` pages from the position on.
    #[inline]
    fn ahead(&self, count: PageCount) -> VirtRange {
        self.range
            .part(self.offset, count)
            .expect("a cursor stays in its range")
    }

    /// The leaf table that has the page at the position, if there is one.
    #[inline]
    fn leaf_table(&mut self) -> Option<Table> {
        let number = Level::LEAF.table_number(self.position());
        match self.leaf_table {
            Some((known, table)) if known == number => Some(table),
            _ => self.find_leaf_table(number),
        }
    }

    /// Walks to leaf table `number`, which is that of the position.
    #[inline]
    fn find_leaf_table(&mut self, number: usize) -> Option<Table> {
        let mut table = self.tables.root_table();
        for level in Level::ABOVE_LEAF {
            let entry = table.get(level.index(self.position()));
            table = self.tables.table_below(entry, level)?;
        }
        self.leaf_table = Some((number, table));
        Some(table)
    }

    /// The table whose entry says what the page at the position is, and its level.
    #[inline]
    fn deepest_table(&self) -> (Table, Level) {
        let mut table = self.tables.root_table();
        let mut level = Level::ROOT;
        while let Some(below) = level.below()
            && let Some(next) = self
                .tables
                .table_below(table.get(level.index(self.position())), level)
        {
            table = next;
            level = below;
        }
        (table, level)
    }

    #[inline]
    fn edit(&mut self, count: PageCount, edit: Edit, batch: &mut TlbBatch) {
        if count == PageCount::ZERO {
            return;
        }
        let range = self.ahead(count);
        match self.leaf_table() {
            Some(table) if is_in_one_table(range) => {
                edit_pages::<F>(table, range, edit, batch);
                if table.population() == 0 {
                    self.edit_below_root(range, edit, batch);
                }
            }
            _ => self.edit_below_root(range, edit, batch),
        }
        self.advance(range.pages());
    }

    /// The long way, on which tables are made and large pages used.
    #[cold]
    fn map_below_root(&self, piece: Piece, flags: MapFlags) -> Result<(), MapError> {
        let sizes = match flags.domain {
            Domain::User => Sizes::All,
            Domain::Kernel => Sizes::Base,
        };
        self.tables.map_piece(piece, flags, sizes)
    }

    /// The long way for one page at the position.
    #[cold]
    fn map_page_below_root(&self, page: PhysAddr, flags: MapFlags) -> Result<(), MapError> {
        let count = PageCount::new(1);
        let run = PhysRange::new(page, count).ok_or(MapError::NoFrame)?;
        let piece = Piece {
            range: self.ahead(count),
            address: run.base(),
        };
        self.map_below_root(piece, flags)
    }

    /// The long way, on which tables that are empty are freed.
    #[cold]
    fn edit_below_root(&mut self, range: VirtRange, edit: Edit, batch: &mut TlbBatch) {
        self.leaf_table = None;
        self.tables
            .edit(self.tables.root_table(), Level::ROOT, range, edit, batch);
    }
}

/// Whether one leaf table has all of `range`.
#[inline]
const fn is_in_one_table(range: VirtRange) -> bool {
    Level::LEAF.index(range.base()) + range.pages().get() <= ENTRIES
}

impl<F: EntryFormat> MmuCursor for Cursor<'_, F> {
    #[inline]
    fn position(&self) -> VirtAddr {
        VirtAddr::new(self.range.base().raw() + self.offset.get() * PAGE_SIZE)
    }

    #[inline]
    fn seek(&mut self, address: VirtAddr) {
        let is_inside = self.range.contains(address) || address == self.range.end();
        assert!(is_inside, "{address:?} is outside {:?}", self.range);
        let bytes = address.page_base().checked_sub(self.range.base());
        self.offset = PageCount::new(bytes.unwrap_or(0) / PAGE_SIZE);
    }

    fn query(&self) -> Option<Translation> {
        let (table, level) = self.deepest_table();
        match F::decode(table.get(level.index(self.position())), level) {
            Entry::Leaf(leaf) => {
                let offset = self.position().raw() % leaf.size.bytes();
                let address = leaf.address.checked_add(offset)?;
                Some(Translation { address, ..leaf })
            }
            Entry::Empty | Entry::Table(_) => None,
        }
    }

    #[inline]
    fn map(&mut self, run: PhysRange, flags: MapFlags) -> Result<(), MapError> {
        let range = self.ahead(run.pages());
        let piece = Piece {
            range,
            address: run.base(),
        };
        match self.leaf_table() {
            Some(table) if is_in_one_table(range) => {
                if !enter_pages::<F>(table, piece, flags) {
                    return Err(MapError::AlreadyMapped);
                }
                self.has_new_entries = true;
            }
            _ => self.map_below_root(piece, flags)?,
        }
        self.advance(range.pages());
        Ok(())
    }

    #[inline]
    fn map_page(
        &mut self,
        address: VirtAddr,
        page: PhysAddr,
        flags: MapFlags,
    ) -> Result<(), MapError> {
        self.seek(address);
        let number = Level::LEAF.table_number(address);
        let Some(table) = self.find_leaf_table(number) else {
            return self.map_page_below_root(page, flags);
        };
        let index = Level::LEAF.index(address);
        if table.get(index) != 0 {
            return Err(MapError::AlreadyMapped);
        }
        table.fill(index, F::leaf(page, PageSize::Base, flags));
        self.has_new_entries = true;
        Ok(())
    }

    fn map_absent(&mut self, pages: &[(VirtAddr, PhysAddr)], flags: MapFlags) -> PageCount {
        let mut added = 0;
        let leaves = Leaves::<F>::new(flags);
        let number = |page: &(VirtAddr, _)| Level::LEAF.table_number(page.0);
        for part in pages.chunk_by(|page, next| number(page) == number(next)) {
            let ([(first, _), ..], [.., (last, _)]) = (part, part) else {
                continue;
            };
            self.seek(*last);
            self.seek(*first);
            if let Some(table) = self.leaf_table() {
                added += table.fill_absent(
                    part.iter()
                        .map(|(address, page)| (Level::LEAF.index(*address), leaves.leaf(*page))),
                );
                self.has_new_entries = true;
            }
        }
        PageCount::new(added)
    }

    fn unmap(&mut self, count: PageCount, batch: &mut TlbBatch) {
        self.edit(count, Edit::Remove, batch);
    }

    fn protect(&mut self, count: PageCount, access: Access, batch: &mut TlbBatch) {
        self.edit(count, Edit::Protect(access), batch);
    }

    fn write_protect(&mut self, count: PageCount, batch: &mut TlbBatch) {
        self.edit(count, Edit::WriteProtect, batch);
    }

    fn clear_large(&mut self, batch: &mut TlbBatch) {
        self.seek(self.position().align_down(PageSize::Large.shift()));
        let place = self.ahead(PageSize::Large.pages());
        self.leaf_table = None;
        self.tables.clear_large(place, batch);
    }

    fn replace(&mut self, address: PhysAddr, flags: MapFlags, batch: &mut TlbBatch) {
        let page = self.ahead(PageCount::new(1));
        let table = self
            .leaf_table()
            .expect("a page that is replaced is mapped");
        let index = Level::LEAF.index(self.position());
        let new = F::leaf(address, PageSize::Base, flags);
        let Entry::Leaf(old) = F::decode(table.get(index), Level::LEAF) else {
            panic!("a page that is replaced is mapped");
        };
        if F::BREAKS_BEFORE_MAKE && old.address != address {
            table.replace(index, 0);
            self.tables.format.forget(self.position());
        } else {
            batch.add_stale(page);
        }
        table.replace(index, new);
        self.has_new_entries = true;
        self.advance(page.pages());
    }
}

impl<F: EntryFormat> Drop for Cursor<'_, F> {
    #[inline]
    fn drop(&mut self) {
        if self.has_new_entries {
            F::publish();
        }
    }
}
