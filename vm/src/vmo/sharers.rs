//! Who sees which pages, for people: runs of pages that the same VMOs have.
//!
//! As in the attribution of memory, a page is shared by those members of the family whose tree has it at the same
//! position, and they are asked one after the other. A run is as long as nobody's answer changes; the pages
//! that are compared at once are a few, so that it needs no memory of its own.

use core::ops::ControlFlow;
use core::ptr;

use arrayvec::ArrayVec;
use syscall::Koid;

use super::state::Contents;
use super::{PageIndex, Vmo, VmoState};
use crate::addr::PhysAddr;
use crate::mmu::Mmu;

/// Sharers that are named.
const MOST_NAMED: usize = 32;

/// Pages that are compared at once.
const PROBE: usize = 128;

/// Pages of a VMO, side by side, that the same members of its family have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SharedRun {
    /// The first page.
    pub first: PageIndex,
    /// How many pages.
    pub pages: u64,
    /// How many VMOs have them, this one included.
    pub sharers: usize,
    /// Their koids, or those of some of them if there are many.
    pub named: ArrayVec<Koid, MOST_NAMED>,
}

/// Pages that are there, side by side, at one moment.
struct Probe {
    first: PageIndex,
    position: u64,
    pages: ArrayVec<PhysAddr, PROBE>,
}

impl<M: Mmu> Vmo<M> {
    /// The first pages at or after `from`, and who has them; `None` if no more pages are there, or if they are
    /// not its own.
    ///
    /// What comes directly after a run may have the same sharers: only a few pages are looked at each
    /// time.
    ///
    /// Locks the members of the family one after the other; a family that changes meanwhile may give a mixture.
    pub fn next_run(&self, from: PageIndex) -> Option<SharedRun> {
        if self.is_view() {
            return None;
        }
        let mut probe = self.lock().probe(from)?;
        let mut run = SharedRun {
            first: probe.first,
            pages: 0,
            sharers: 1,
            named: ArrayVec::new(),
        };
        run.named.push(self.koid());
        for member in self.family() {
            if ptr::eq(self, &*member) || member.is_view() {
                continue;
            }
            if member.lock().has(&mut probe) {
                run.sharers += 1;
                // Beyond the room they are only counted.
                let _ = run.named.try_push(member.koid());
            }
        }
        run.pages = probe.pages.len() as u64;
        Some(run)
    }

    /// Where its first page is in the numbering that all members of the family have in common: the pages that
    /// lie before it in the first of all ancestors.
    pub fn family_position(&self) -> u64 {
        let first = self.owner_page(PageIndex::ZERO);
        self.lock().distance(first).number()
    }
}

impl<M: Mmu> VmoState<M> {
    /// The first pages at or after `from`.
    fn probe(&self, from: PageIndex) -> Option<Probe> {
        let Contents::Anonymous(tree) = &self.contents else {
            return None;
        };
        let mut first = None;
        let mut pages = ArrayVec::new();
        let _ = tree.visit(from..self.end(), |index, page| {
            let start: PageIndex = *first.get_or_insert(index);
            let is_next = start.saturating_add(pages.len() as u64) == index;
            if is_next && pages.try_push(page.address()).is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        let first = first?;
        Some(Probe {
            first,
            position: tree.position(first),
            pages,
        })
    }

    /// Whether the first page of `probe` is here too; leaves as many pages there for which the answer is
    /// the same.
    fn has(&self, probe: &mut Probe) -> bool {
        let Contents::Anonymous(tree) = &self.contents else {
            return false;
        };
        let is_here = |(number, page): (usize, &PhysAddr)| {
            let own = tree.page_at(probe.position + number as u64);
            own.is_some_and(|own| own.address() == *page)
        };
        let mut answers = probe.pages.iter().enumerate().map(is_here);
        let Some(first) = answers.next() else {
            return false;
        };
        let alike = 1 + answers.take_while(|answer| *answer == first).count();
        probe.pages.truncate(alike);
        first
    }
}

#[cfg(test)]
mod tests;
