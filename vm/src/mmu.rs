//! What the rest of the crate asks of a memory management unit.
//!
//! [`Mmu`] is one set of page tables; [`MmuCursor`] is the only way to change it. What a cursor takes away
//! goes into a [`TlbBatch`], because processors may remember it, and [`Mmu::flush`] makes them forget:
//!
//! ```text
//!   mmu.cursor(range) ──► unmap, protect, replace ──► TlbBatch ──► mmu.flush(batch) ──► frames are free
//!                    └──► map, query                                (after every CPU forgot)
//! ```
//!
//! Both architectures and the simulated machine build their `Mmu` on [`crate::paging`].

use bitflags::bitflags;
use syscall::{Result, Status};

pub use crate::tlb::{Stale, StaleRange, TlbBatch};

use crate::addr::{PAGE_SHIFT, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::counters::Counters;
use crate::pages::PageDatabase;

bitflags! {
    /// What may be done with a page, or what was tried.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
    pub struct Access: u8 {
        /// Loads.
        const READ = 1;
        /// Stores.
        const WRITE = 2;
        /// Instruction fetches.
        const EXECUTE = 4;
    }
}

/// How the processor may cache memory.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum MemoryType {
    /// Ordinary memory.
    #[default]
    Cached,
    /// Memory that is not cached.
    Uncached,
    /// Device registers: not cached, every access as written and in order.
    UncachedDevice,
    /// Memory that is not cached, where stores may be gathered.
    WriteCombining,
}

/// Who may use a translation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Domain {
    /// Programs, and the kernel on their behalf.
    User,
    /// Only the kernel.
    Kernel,
}

/// Everything about a translation except the addresses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MapFlags {
    /// What may be done. An architecture may allow more where it cannot tell apart, such as reading
    /// where only executing was asked for.
    pub access: Access,
    /// How it may be cached.
    pub memory: MemoryType,
    /// Who may use it.
    pub domain: Domain,
}

/// The sizes of page that one entry of a page table can translate.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PageSize {
    /// 4 KiB.
    Base,
    /// 2 MiB.
    Large,
    /// 1 GiB.
    Huge,
}

impl PageSize {
    /// The logarithm of the size in bytes.
    pub const fn shift(self) -> u32 {
        match self {
            Self::Base => PAGE_SHIFT,
            Self::Large => PAGE_SHIFT + 9,
            Self::Huge => PAGE_SHIFT + 18,
        }
    }

    /// The size in bytes.
    pub const fn bytes(self) -> usize {
        1 << self.shift()
    }

    /// The size in base pages.
    pub const fn pages(self) -> PageCount {
        PageCount::new(self.bytes() >> PAGE_SHIFT)
    }
}

/// What one entry of a page table says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Translation {
    /// The physical address.
    pub address: PhysAddr,
    /// How it may be used.
    pub flags: MapFlags,
    /// The size of page that the entry translates.
    pub size: PageSize,
}

/// Why a range could not be mapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MapError {
    /// There is no frame for a table.
    NoFrame,
    /// Something is mapped there already.
    AlreadyMapped,
}

impl From<MapError> for Status {
    fn from(error: MapError) -> Self {
        match error {
            MapError::NoFrame => Self::NO_MEMORY,
            MapError::AlreadyMapped => Self::ALREADY_EXISTS,
        }
    }
}

/// One set of page tables, and the processors that use it.
///
/// Dropping it frees all tables; no processor may have it active then. The frames that leaves point to
/// belong to others and are left alone.
pub trait Mmu: Send + Sync + Sized + 'static {
    /// Changes the tables; see [`MmuCursor`].
    type Cursor<'a>: MmuCursor
    where
        Self: 'a;

    /// Empty tables for an address space of programs, with frames from `pages`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for the root table.
    fn create(pages: &'static PageDatabase) -> Result<Self>;

    /// A cursor for `range` that stands at its base. It locks the tables until it is dropped.
    fn cursor(&self, range: VirtRange) -> Self::Cursor<'_>;

    /// Makes every processor that may remember something stale forget it, then frees the frames in
    /// `batch`. Costs almost nothing if the batch is empty.
    ///
    /// Nothing may be mapped anew where the batch made something stale before it is flushed: some processors
    /// must not see two translations of one address.
    ///
    /// The batch must come from cursors of this `Mmu`. No cursor may be held; other locks may, since
    /// the other processors answer from their interrupt handlers.
    fn flush(&self, batch: TlbBatch);

    /// Makes the current processor translate through these tables.
    fn activate(&self);

    /// The counters of the current processor.
    fn counters() -> &'static Counters;
}

/// Walks over a range of addresses and reads or changes the translations in it.
///
/// It holds the lock of the tables, so it must not outlive the work at hand. Each operation starts at
/// [`position`](Self::position); `map`, `unmap`, `protect`, `write_protect` and `replace` leave it after
/// the last page they dealt with.
///
/// # Panics
/// All operations do if they would leave the range that the cursor was made for.
pub trait MmuCursor {
    /// The address of the page at which the next operation starts.
    fn position(&self) -> VirtAddr;

    /// Moves to the page at `address`, which may be the end of the range.
    fn seek(&mut self, address: VirtAddr);

    /// The translation of the page at the position; does not move.
    fn query(&self) -> Option<Translation>;

    /// Maps the pages from the position on to `run`, with large pages for programs where both are
    /// aligned.
    ///
    /// # Errors
    /// Nothing changes, and the position stays.
    /// - `NoFrame`: there is no frame for a table.
    /// - `AlreadyMapped`: a page is mapped already.
    fn map(&mut self, run: PhysRange, flags: MapFlags) -> Result<(), MapError>;

    /// Moves to `address` and maps that page to the frame at `page`: the quick way for one page.
    ///
    /// The position stays at `address`.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    fn map_page(
        &mut self,
        address: VirtAddr,
        page: PhysAddr,
        flags: MapFlags,
    ) -> Result<(), MapError>;

    /// Maps single pages, by ascending address, where nothing is mapped, and only where that takes no new
    /// table: for pages that nobody has asked for. Answers how many it mapped; the position is anywhere
    /// afterwards.
    fn map_absent(&mut self, pages: &[(VirtAddr, PhysAddr)], flags: MapFlags) -> PageCount;

    /// Removes the translations of `count` pages. Absent ones are skipped.
    ///
    /// A large page of a program of which only a part is meant goes as a whole; the rest comes back by
    /// a fault. So nothing here can fail.
    ///
    /// # Panics
    /// If only a part of a large page of the kernel is meant.
    fn unmap(&mut self, count: PageCount, batch: &mut TlbBatch);

    /// Gives the translations of `count` pages `access`, except that none becomes writable that was not.
    /// Absent ones are skipped.
    ///
    /// What is not writable may be the page of zeros or shared; such a page becomes writable by a fault
    /// and [`replace`](Self::replace). With no access at all, translations are removed. Large pages are
    /// treated as in [`unmap`](Self::unmap).
    fn protect(&mut self, count: PageCount, access: Access, batch: &mut TlbBatch);

    /// Takes the permission to write from the translations of `count` pages. Absent ones are skipped.
    ///
    /// Large pages are treated as in [`unmap`](Self::unmap).
    fn write_protect(&mut self, count: PageCount, batch: &mut TlbBatch);

    /// Takes out whatever is entered where a large page around the position would be, with the table for
    /// it, and moves to the base of that place.
    ///
    /// The tables above stay, even if nothing else is in them, so that a large page can be mapped there
    /// without memory as soon as the batch is flushed. Whoever calls this maps something there.
    ///
    /// # Panics
    /// If something of the kernel is entered there.
    fn clear_large(&mut self, batch: &mut TlbBatch);

    /// Makes the page at the position show `address` with `flags`, whatever it showed before.
    ///
    /// # Panics
    /// If nothing is mapped there, or a large page is.
    fn replace(&mut self, address: PhysAddr, flags: MapFlags, batch: &mut TlbBatch);
}
