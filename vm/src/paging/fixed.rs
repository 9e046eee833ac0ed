//! Changing what was mapped for good: the direct map, when pages of it need another memory type.
//!
//! Addresses stay what they are, and nobody uses a page that is being changed. So what has to be seen to is
//! only what processors remember: a page of another type comes in only after the old one is out and forgotten
//! (Intel SDM 3A, 12.12.4; Arm ARM D8.16.1 "break-before-make").

use core::ops::ControlFlow;

use arrayvec::ArrayVec;

use super::table::Table;
use super::{Entry, EntryFormat, Level, PageTables, level};
use crate::addr::{PAGE_SHIFT, PhysAddr, VirtRange};
use crate::counters::Event;
use crate::mmu::{MapError, MapFlags, MemoryType, PageSize, TlbBatch, Translation};

/// How many pages are out at the same time: so many share a flush, wherever they are.
const CHUNK: usize = 1 << CHUNK_SHIFT;

/// The logarithm of that number.
const CHUNK_SHIFT: u32 = 6;

/// Ranges in which not more than [`CHUNK`] pages are, each in one leaf table.
type Chunks = ArrayVec<VirtRange, CHUNK>;

impl<F: EntryFormat> PageTables<F> {
    /// Has base pages translate all of `range` that is mapped, to the same memory as before. The tables for
    /// that stay. Locks the tables.
    ///
    /// Only where [`EntryFormat::BREAKS_BEFORE_MAKE`] does not hold, or where only base pages are mapped.
    ///
    /// # Errors
    /// `NoFrame`: there is no frame for a table. What was split until then stays so.
    ///
    /// # Panics
    /// If large pages would have to go first.
    pub fn split_fixed(&self, range: VirtRange) -> Result<(), MapError> {
        let _guard = self.lock.lock();
        let result = self.split(self.root_table(), Level::ROOT, range);
        F::publish();
        result
    }

    fn split(&self, table: Table, level: Level, range: VirtRange) -> Result<(), MapError> {
        let Some(level_below) = level.below() else {
            return Ok(());
        };
        for part in level.parts(range) {
            let index = level.index(part.base());
            let below = match F::decode(table.get(index), level) {
                Entry::Empty => continue,
                Entry::Table(address) => Table::at(self.pages, address),
                Entry::Leaf(leaf) => {
                    let below = self.split_leaf(leaf, level_below)?;
                    table.replace(index, F::table(below.address()));
                    below
                }
            };
            self.split(below, level_below, part)?;
        }
        Ok(())
    }

    /// A table of `level` that translates to the same as the larger page `leaf`.
    fn split_leaf(&self, leaf: Translation, level: Level) -> Result<Table, MapError> {
        assert!(
            !F::BREAKS_BEFORE_MAKE,
            "a page in use cannot be split in its place"
        );
        let size = level.page_size().unwrap_or(PageSize::Base);
        let below = Table::allocate(self.pages).map_err(|_| MapError::NoFrame)?;
        F::counters().count(Event::TableMade);
        below.fill_all(0..level::ENTRIES, |index| {
            // A larger page is memory that does not wrap.
            let address = PhysAddr::new(leaf.address.raw() + index * size.bytes());
            F::leaf(address, size, leaf.flags)
        });
        Ok(below)
    }

    /// Gives all of `ranges`, which base pages translate, the memory type `memory`. Nobody uses them meanwhile.
    ///
    /// `forget` makes all processors forget what is in the batch; nothing is locked then.
    ///
    /// # Panics
    /// If a page is not mapped, or not by a base page.
    pub fn retype_fixed(
        &self,
        ranges: impl Iterator<Item = VirtRange>,
        memory: MemoryType,
        mut forget: impl FnMut(TlbBatch),
    ) {
        let (mut chunks, mut pages) = (Chunks::new(), 0);
        for range in ranges {
            let mut rest = Some(range);
            while let Some(whole) = rest {
                let (chunk, after) = whole.split_at_multiple(PAGE_SHIFT + CHUNK_SHIFT);
                pages += chunk.pages().get();
                if pages > CHUNK {
                    self.retype_chunks(&chunks, memory, &mut forget);
                    chunks.clear();
                    pages = chunk.pages().get();
                }
                chunks.push(chunk);
                rest = after;
            }
        }
        self.retype_chunks(&chunks, memory, &mut forget);
    }

    fn retype_chunks(
        &self,
        chunks: &Chunks,
        memory: MemoryType,
        forget: &mut impl FnMut(TlbBatch),
    ) {
        let old = self.take_out(chunks);
        let mut batch = TlbBatch::new();
        chunks.iter().for_each(|chunk| batch.add_stale(*chunk));
        forget(batch);
        self.put_back(chunks, &old, memory);
    }

    /// Clears the entries for `chunks`; answers what they were.
    ///
    /// They still count as used: their tables do not become empty for anybody who looks at them meanwhile.
    fn take_out(&self, chunks: &Chunks) -> ArrayVec<u64, CHUNK> {
        let _guard = self.lock.lock();
        let mut all = ArrayVec::new();
        for chunk in chunks {
            let table = self.leaf_table_of(*chunk);
            for index in Level::LEAF.indices(*chunk) {
                all.push(table.get(index));
                table.replace(index, 0);
            }
        }
        all
    }

    /// Fills the entries for `chunks` with what they were but for the memory type.
    fn put_back(&self, chunks: &Chunks, old: &[u64], memory: MemoryType) {
        let _guard = self.lock.lock();
        let mut old = old.iter();
        for chunk in chunks {
            let table = self.leaf_table_of(*chunk);
            for (index, old) in Level::LEAF.indices(*chunk).zip(&mut old) {
                let Entry::Leaf(leaf) = F::decode(*old, Level::LEAF) else {
                    panic!("a page in {chunk:?} is not mapped");
                };
                let flags = MapFlags {
                    memory,
                    ..leaf.flags
                };
                table.replace(index, F::leaf(leaf.address, leaf.size, flags));
            }
        }
        F::publish();
    }

    /// The table with the entries for `chunk`, which are all in one.
    fn leaf_table_of(&self, chunk: VirtRange) -> Table {
        let mut table = self.root_table();
        for level in Level::ABOVE_LEAF {
            let entry = table.get(level.index(chunk.base()));
            table = self
                .table_below(entry, level)
                .expect("what changes its type is mapped by base pages");
        }
        table
    }

    /// Whether anything in `range` is mapped as memory of the type `memory`. Locks the tables.
    pub fn maps_any(&self, range: VirtRange, memory: MemoryType) -> bool {
        let _guard = self.lock.lock();
        self.find_type(self.root_table(), Level::ROOT, (range, memory))
            .is_break()
    }

    fn find_type(
        &self,
        table: Table,
        level: Level,
        (range, memory): (VirtRange, MemoryType),
    ) -> ControlFlow<()> {
        for part in level.parts(range) {
            match F::decode(table.get(level.index(part.base())), level) {
                Entry::Leaf(leaf) if leaf.flags.memory == memory => return ControlFlow::Break(()),
                Entry::Leaf(_) | Entry::Empty => {}
                Entry::Table(address) => {
                    if let Some(below) = level.below() {
                        self.find_type(Table::at(self.pages, address), below, (part, memory))?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }
}
