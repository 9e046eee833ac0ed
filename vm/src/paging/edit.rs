//! Taking translations and permissions away.

use super::table::{Change, Table};
use super::{Entry, EntryFormat, Level, PageTables, TopLevel};
use crate::addr::{PageCount, VirtRange};
use crate::counters::Event;
use crate::mmu::{Access, Domain};
use crate::tlb::TlbBatch;

/// What happens to the translations in a range.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    /// They go.
    Remove,
    /// They allow this, except that none becomes writable that was not.
    Protect(Access),
    /// They no longer allow to write.
    WriteProtect,
}

impl Edit {
    /// What replaces the leaf `entry` of a table of `level`.
    #[inline]
    fn apply<F: EntryFormat>(self, entry: u64, level: Level) -> u64 {
        match self {
            Self::Remove => 0,
            Self::Protect(access) => restrict::<F>(entry, level, |before| {
                access & (before | Access::WRITE.complement())
            }),
            Self::WriteProtect => restrict::<F>(entry, level, |before| before - Access::WRITE),
        }
    }
}

/// What replaces the leaf `entry` if it is to allow less.
#[inline]
fn restrict<F: EntryFormat>(
    entry: u64,
    level: Level,
    access_after: impl Fn(Access) -> Access,
) -> u64 {
    let Entry::Leaf(leaf) = F::decode(entry, level) else {
        return entry;
    };
    let before = leaf.flags.access;
    match access_after(before) {
        after if after == before => entry,
        after if after.is_empty() => 0,
        after => F::with_access(entry, level, after),
    }
}

impl Edit {
    /// What becomes of the leaf `entry` of a leaf table, and of all that differ in their addresses only.
    #[inline]
    fn change<F: EntryFormat>(self, entry: u64) -> Change {
        match self.apply::<F>(entry, Level::LEAF) {
            0 => Change::CLEAR,
            after => Change {
                keep: F::ADDRESS,
                set: after & !F::ADDRESS,
            },
        }
    }
}

impl<F: EntryFormat> PageTables<F> {
    /// Edits the leaves in `range`, which lies below `table`, and frees the tables that become empty.
    /// The lock is held.
    pub(super) fn edit(
        &self,
        table: Table,
        level: Level,
        range: VirtRange,
        edit: Edit,
        batch: &mut TlbBatch,
    ) {
        let Some(level_below) = level.below() else {
            return edit_pages::<F>(table, range, edit, batch);
        };
        for part in level.parts(range) {
            let index = level.index(part.base());
            let entry = table.get(index);
            match F::decode(entry, level) {
                Entry::Empty => {}
                Entry::Leaf(leaf) => {
                    let edit = if leaf.size.pages() == part.pages() {
                        edit
                    } else {
                        assert_eq!(leaf.flags.domain, Domain::User, "{part:?} is fixed");
                        Edit::Remove
                    };
                    let new = edit.apply::<F>(entry, level);
                    match new {
                        _ if new == entry => continue,
                        0 => table.clear(index),
                        _ => table.replace(index, new),
                    }
                    if let Some(whole) = level.whole_entry(part.base()) {
                        batch.add_stale_pages(whole, leaf.size);
                    }
                }
                Entry::Table(address) => {
                    let below = Table::at(self.pages, address);
                    self.edit(below, level_below, part, edit, batch);
                    if below.population() == 0 && !self.is_for_good(level) {
                        table.clear(index);
                        batch.add_table(self.pages, below.into_frame());
                        F::counters().count(Event::TableFreed);
                    }
                }
            }
        }
    }

    /// Whether tables that tables of `level` link to stay even if they are empty.
    fn is_for_good(&self, level: Level) -> bool {
        level == Level::ROOT && self.top_level == TopLevel::Shared
    }
}

/// Edits the entries of a leaf table.
#[inline]
pub(super) fn edit_pages<F: EntryFormat>(
    table: Table,
    range: VirtRange,
    edit: Edit,
    batch: &mut TlbBatch,
) {
    let first = Level::LEAF.index(range.base());
    let indices = first..first + range.pages().get();
    // What becomes executable may have to leave the caches first, page by page.
    let varying = match edit {
        Edit::Protect(access) if access.contains(Access::EXECUTE) => 0,
        Edit::Protect(_) | Edit::WriteProtect | Edit::Remove => F::ADDRESS,
    };
    let changed = table.edit(indices, varying, |entry| edit.change::<F>(entry));
    let (skipped, pages) = (PageCount::new(changed.start), PageCount::new(changed.len()));
    if let Some(stale) = range.part(skipped, pages) {
        batch.add_stale(stale);
    }
}
