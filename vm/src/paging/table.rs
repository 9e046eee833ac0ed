//! One table: the only place where entries are read and written.

use core::ops::Range;
use core::ptr::NonNull;
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
/// 3. The population of the frame is the number of entries that are not 0. Only `fill`,
///    `fill_all`, `fill_absent`, `clear` and `edit` change it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pages: &'static PageDatabase,
    entries: NonNull<[AtomicU64; ENTRIES]>,
}

impl Table {
    /// An empty table in `frame`.
    pub(super) fn new(pages: &'static PageDatabase, mut frame: Frame<owner::PageTable>) -> Self {
        pages.zero(&mut frame);
        let table = Self::at(pages, frame.into_address());
        table.count(0);
        table
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
    pub(super) fn at(pages: &'static PageDatabase, address: PhysAddr) -> Self {
        Self {
            pages,
            entries: pages.pointer(address).cast(),
        }
    }

    #[inline]
    pub(super) fn address(self) -> PhysAddr {
        self.pages.physmap().address_of(self.entries.cast())
    }

    /// The entry at `index`.
    #[inline]
    pub(super) fn get(self, index: usize) -> u64 {
        self.entries()[index].load(Ordering::Relaxed)
    }

    /// An entry of the table at `address`, as a processor reads it: with no lock held.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn read(pages: &'static PageDatabase, address: PhysAddr, index: usize) -> u64 {
        Self::at(pages, address).entries()[index].load(Ordering::Acquire)
    }

    /// Replaces the entry at `index`, which counts as used before and after.
    #[inline]
    pub(super) fn replace(self, index: usize, entry: u64) {
        put(&self.entries()[index], entry);
    }

    /// Fills the entry at `index`, which was 0.
    #[inline]
    pub(super) fn fill(self, index: usize, entry: u64) {
        put(&self.entries()[index], entry);
        self.count(self.population() + 1);
    }

    /// Fills the entries at `indices` with what `entry` says about the first, second, …; false, and nothing
    /// changes, if one of them is not 0.
    #[inline]
    pub(super) fn fill_all(
        self,
        indices: Range<usize>,
        mut entry: impl FnMut(usize) -> u64,
    ) -> bool {
        let entries = &self.entries()[indices];
        if entries
            .iter()
            .any(|place| place.load(Ordering::Relaxed) != 0)
        {
            return false;
        }
        for (offset, place) in entries.iter().enumerate() {
            put(place, entry(offset));
        }
        self.count(self.population() + entries.len() as u16);
        true
    }

    /// Fills each of the entries, told with their indices, that is 0; answers how many.
    #[inline]
    pub(super) fn fill_absent(self, entries: impl Iterator<Item = (usize, u64)>) -> usize {
        let mut added = 0;
        for (index, entry) in entries {
            if self.get(index) == 0 {
                put(&self.entries()[index], entry);
                added += 1;
            }
        }
        self.count(self.population() + added);
        usize::from(added)
    }

    /// Clears the entry at `index`, which was not 0.
    #[inline]
    pub(super) fn clear(self, index: usize) {
        put(&self.entries()[index], 0);
        self.count(self.population() - 1);
    }

    /// Changes the entries at `indices` that are not 0; answers from where to where entries changed, as
    /// offsets from the first.
    ///
    /// What `change` says about an entry holds for all that follow it and differ in the bits `varying` only,
    /// as neighbours mostly do.
    #[inline]
    pub(super) fn edit(
        self,
        indices: Range<usize>,
        varying: u64,
        mut change: impl FnMut(u64) -> Change,
    ) -> Range<usize> {
        let entries = &self.entries()[indices];
        let before = self.population();
        let (mut unseen, mut cleared) = (usize::from(before), 0);
        let (mut first, mut end) = (None, 0);
        let mut offset = 0;
        while unseen != 0
            && let Some((place, _)) = entries[offset..].split_first()
        {
            let old = place.load(Ordering::Relaxed);
            if old == 0 {
                offset += 1;
                continue;
            }
            let change = change(old);
            let alike = change_alike(&entries[offset..], varying, change);
            if change.of(old) != old {
                first.get_or_insert(offset);
                end = offset + alike;
            }
            if change.of(old) == 0 {
                cleared += alike;
            }
            offset += alike;
            unseen = unseen.saturating_sub(alike);
        }
        if cleared != 0 {
            self.count(before - cleared as u16);
        }
        first.unwrap_or(end)..end
    }

    /// How many entries are not 0.
    #[inline]
    pub(super) fn population(self) -> u16 {
        self.pages.population(self.address())
    }

    /// The frame of a table that is linked nowhere any more.
    pub(super) fn into_frame(self) -> Frame<owner::PageTable> {
        // SAFETY: By invariant 1 the address came from a frame of this owner. Nothing links to the table any
        // more, so this is the only time that it is turned back.
        unsafe { Frame::from_address(self.address()) }
    }

    #[inline]
    fn count(self, population: u16) {
        self.pages.set_population(self.address(), population);
    }

    #[inline]
    fn entries(&self) -> &[AtomicU64; ENTRIES] {
        // SAFETY:
        // 1. By invariant 1 the pointer is to a frame, which the direct map shows, aligned to a page.
        // 2. Processors read the entries, and write bits in them, at any time, so they are atomic.
        unsafe { self.entries.as_ref() }
    }
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// The bits that stay.
    pub(super) keep: u64,
    /// The bits that are set.
    pub(super) set: u64,
}

impl Change {
    /// It becomes 0.
    pub(super) const CLEAR: Self = Self { keep: 0, set: 0 };

    #[inline]
    const fn of(self, entry: u64) -> u64 {
        entry & self.keep | self.set
    }
}

/// Changes the first of `entries` and those directly after it that differ in `varying` only; answers how
/// many they are.
#[inline]
fn change_alike(entries: &[AtomicU64], varying: u64, change: Change) -> usize {
    let Some(first) = entries.first() else {
        return 0;
    };
    let first = first.load(Ordering::Relaxed);
    for (offset, place) in entries.iter().enumerate() {
        let entry = place.load(Ordering::Relaxed);
        if (entry ^ first) & !varying != 0 {
            return offset;
        }
        put(place, change.of(entry));
    }
    entries.len()
}

/// Writes an entry, after everything that it makes reachable.
#[inline]
fn put(place: &AtomicU64, entry: u64) {
    place.store(entry, Ordering::Release);
}
