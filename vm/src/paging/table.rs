//! One table: the only place where entries are read and written.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use syscall::Result;

use super::level::ENTRIES;
use crate::addr::PhysAddr;
use crate::pages::{Frame, PageDatabase, owner};

/// A table that is part of page tables, or about to be.
///
/// 1. It is in a `Frame<PageTable>` that was turned into its address by `Table::new`, and that is turned back
///    by `into_frame` once it is linked nowhere.
/// 2. The lock of its page tables is held, or they are owned exclusively.
/// 3. The population of the frame is the number of entries that are not 0. Only `fill`, `clear` and
///    `edit` change it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pages: &'static PageDatabase,
    address: PhysAddr,
}

impl Table {
    /// An empty table in `frame`.
    pub(super) fn new(pages: &'static PageDatabase, mut frame: Frame<owner::PageTable>) -> Self {
        pages.zero(&mut frame);
        let address = frame.into_address();
        pages.set_population(address, 0);
        Self { pages, address }
    }

    /// An empty table in a new frame.
    ///
    /// # Errors
    /// `NO_MEMORY`: no frame is free.
    pub(super) fn allocate(pages: &'static PageDatabase) -> Result<Self> {
        pages.allocate().map(|frame| Self::new(pages, frame))
    }

    /// The table at an address that `Table::address` or an entry told.
    #[inline]
    pub(super) const fn at(pages: &'static PageDatabase, address: PhysAddr) -> Self {
        Self { pages, address }
    }

    #[inline]
    pub(super) const fn address(self) -> PhysAddr {
        self.address
    }

    /// The entry at `index`.
    #[inline]
    pub(super) fn get(self, index: usize) -> u64 {
        self.entries()[index].load(Ordering::Relaxed)
    }

    /// An entry of the table at `address`, as a processor reads it: with no lock held.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn read(pages: &PageDatabase, address: PhysAddr, index: usize) -> u64 {
        entries(pages, address)[index].load(Ordering::Acquire)
    }

    /// Replaces the entry at `index`, which counts as used before and after.
    #[inline]
    pub(super) fn replace(self, index: usize, entry: u64) {
        self.put(index, entry);
    }

    /// Fills the `count` entries from `first` on, which were 0, with what `entry` says.
    #[inline]
    pub(super) fn fill(self, first: usize, count: usize, mut entry: impl FnMut(usize) -> u64) {
        for offset in 0..count {
            self.put(first + offset, entry(offset));
        }
        self.count(self.population() + count as u16);
    }

    /// Clears the entry at `index`, which was not 0.
    #[inline]
    pub(super) fn clear(self, index: usize) {
        self.put(index, 0);
        self.count(self.population() - 1);
    }

    /// Replaces the entries at `indices` that are not 0 by what `change` says; answers from where to where
    /// entries changed.
    #[inline]
    pub(super) fn edit(
        self,
        indices: Range<usize>,
        mut change: impl FnMut(u64) -> u64,
    ) -> Option<Range<usize>> {
        let before = self.population();
        let mut unseen = before;
        let mut cleared = 0;
        let mut changed: Option<Range<usize>> = None;
        for index in indices {
            if unseen == 0 {
                break;
            }
            let old = self.get(index);
            if old == 0 {
                continue;
            }
            unseen -= 1;
            let new = change(old);
            if new != old {
                self.put(index, new);
                cleared += u16::from(new == 0);
                changed = Some(changed.map_or(index, |changed| changed.start)..index + 1);
            }
        }
        if cleared != 0 {
            self.count(before - cleared);
        }
        changed
    }

    /// How many entries are not 0.
    #[inline]
    pub(super) fn population(self) -> u16 {
        self.pages.population(self.address)
    }

    /// The frame of a table that is linked nowhere any more.
    pub(super) fn into_frame(self) -> Frame<owner::PageTable> {
        // SAFETY: By invariant 1 the address came from a frame of this owner. Nothing links to the table any
        // more, so this is the only time that it is turned back.
        unsafe { Frame::from_address(self.address) }
    }

    #[inline]
    fn count(self, population: u16) {
        self.pages.set_population(self.address, population);
    }

    #[inline]
    fn put(self, index: usize, entry: u64) {
        self.entries()[index].store(entry, Ordering::Release);
    }

    #[inline]
    fn entries(&self) -> &[AtomicU64; ENTRIES] {
        entries(self.pages, self.address)
    }
}

#[inline]
fn entries(pages: &PageDatabase, address: PhysAddr) -> &[AtomicU64; ENTRIES] {
    // SAFETY:
    // 1. By invariant 1 of `Table` the address is that of a frame, which the direct map shows, aligned to a
    //    page.
    // 2. Processors read the entries, and write bits in them, at any time, so they are atomic.
    unsafe { pages.pointer(address).cast().as_ref() }
}
