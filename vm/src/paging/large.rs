//! Making room for a large page.
//!
//! A table cannot simply be overwritten by a large page, nor a large page by a table: while a processor
//! remembers base pages of the table, it must not find a large page at their addresses (Intel SDM 3A,
//! 4.10.4.2 "Recommended invalidation"; Arm ARM D8.16.1 "break-before-make"). So what is there is taken
//! out, every processor forgets it, and only then the other comes in.

use super::table::Table;
use super::{Entry, EntryFormat, Level, PageTables};
use crate::addr::VirtRange;
use crate::counters::Event;
use crate::mmu::{Domain, PageSize};
use crate::tlb::TlbBatch;

impl<F: EntryFormat> PageTables<F> {
    /// Clears the entry for `place`, which is that of a large page. The lock is held.
    ///
    /// A table that it pointed to goes; those above stay, even if they are empty now. A huge page goes as a
    /// whole.
    pub(super) fn clear_large(&self, place: VirtRange, batch: &mut TlbBatch) {
        let (mut table, mut level) = (self.root_table(), Level::ROOT);
        loop {
            let index = level.index(place.base());
            let size = match F::decode(table.get(index), level) {
                Entry::Empty => return,
                Entry::Leaf(leaf) => {
                    assert_eq!(leaf.flags.domain, Domain::User, "{place:?} is fixed");
                    leaf.size
                }
                Entry::Table(address) => {
                    let below = Table::at(self.pages, address);
                    if level.page_size() != Some(PageSize::Large) {
                        (table, level) = (below, level.below().unwrap_or(Level::LEAF));
                        continue;
                    }
                    batch.add_table(self.pages, below.into_frame());
                    F::counters().count(Event::TableFreed);
                    PageSize::Base
                }
            };
            table.clear(index);
            if let Some(whole) = level.whole_entry(place.base()) {
                batch.add_stale_pages(whole, size);
            }
            return;
        }
    }
}
