//! How much memory each of the VMOs that share pages accounts for.
//!
//! A page that `n` VMOs have counts as the `n`th part of a page for each. Who has it is found out when
//! somebody asks: the pages of a family are at the same positions in all its trees, so for each leaf with
//! shared pages the other members are asked, one after the other, which of those they have too. Two VMOs
//! are never locked at the same time; if one of them is written to meanwhile, its part may be that of
//! before or of after.
//!
//! Source: `spec/vmo.md` §12.

use core::ops::Range;
use core::ptr;

use syscall::Result;

use super::page_tree::{SLOTS, SharedLeaf, Survey};
use super::state::{Contents, Page};
use super::{PageIndex, Vmo, VmoState};
use crate::addr::{PAGE_SIZE, PhysAddr};
use crate::mmu::Mmu;
use crate::pages::PageDatabase;

/// The memory behind some pages of a VMO.
///
/// Slices and references have none: their owner accounts for it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Attribution {
    /// Bytes of pages that are present.
    pub committed_bytes: u64,
    /// Of those, the bytes that only this VMO sees.
    pub private_bytes: u64,
    /// All bytes that are present, each page divided by the number of VMOs that see it.
    pub scaled_bytes: u64,
    /// What comes on top of that, in parts of a byte of which there are 2^63.
    pub fractional_scaled_bytes: u64,
}

impl Attribution {
    /// The scaled bytes and their fraction, in parts of a byte of which there are 2^63.
    pub fn parts(&self) -> u128 {
        (u128::from(self.scaled_bytes) << FRACTION_BITS) + u128::from(self.fractional_scaled_bytes)
    }
}

/// The logarithm of the parts that a byte is divided into.
const FRACTION_BITS: u32 = 63;

/// A page, in parts of a byte.
const PAGE_PARTS: u128 = (PAGE_SIZE as u128) << FRACTION_BITS;

/// How many members of a family are asked before others have their turns.
const BETWEEN_PAUSES: usize = 32;

/// How many members of a family have each page of a leaf.
struct Sharers {
    all: [u32; SLOTS],
    /// Of those, the ones before the VMO in question.
    earlier: [u32; SLOTS],
}

/// Memory that is being added up.
#[derive(Default)]
struct Sum {
    committed: u64,
    private: u64,
    parts: u128,
}

impl<M: Mmu> Vmo<M> {
    /// The memory behind the pages in `range`, as the owner counts them.
    ///
    /// Locks the VMO, and those that share its pages, one after the other. Takes time for each leaf that
    /// is shared, times the members of the family.
    pub fn attribution(&self, range: Range<PageIndex>) -> Attribution {
        let without_pause = self.attribution_with(range, || Ok(()));
        without_pause.unwrap_or_default()
    }

    /// As [`attribution`](Self::attribution); in between, `pause` is called with nothing locked.
    ///
    /// # Errors
    /// That of `pause`, which ends it.
    pub fn attribution_with(
        &self,
        range: Range<PageIndex>,
        mut pause: impl FnMut() -> Result<()>,
    ) -> Result<Attribution> {
        let mut sum = Sum::default();
        let mut next = range.start;
        while !self.is_view() {
            let survey = self.lock().survey(self.pages(), next..range.end);
            sum.add_private(survey.own);
            let Some(leaf) = survey.shared else { break };
            let sharers = self.sharers(&leaf, &mut pause)?;
            for slot in leaf.slots() {
                sum.add_shared(sharers.all[slot], sharers.earlier[slot]);
            }
            next = survey.next;
        }
        Ok(sum.into_attribution())
    }

    /// How many bytes of pages in `range`, as the owner counts them, are present; none for slices and
    /// references.
    pub fn committed_bytes(&self, range: Range<PageIndex>) -> u64 {
        match &self.lock().contents {
            Contents::Anonymous(tree) if !self.is_view() => tree.count(range) * PAGE_SIZE as u64,
            Contents::Anonymous(_) | Contents::Physical(_) => 0,
        }
    }

    /// Who has the pages of a leaf of this VMO, itself included.
    ///
    /// # Errors
    /// That of `pause`, which ends it.
    fn sharers(
        &self,
        leaf: &SharedLeaf<PhysAddr>,
        pause: &mut impl FnMut() -> Result<()>,
    ) -> Result<Sharers> {
        let mut sharers = Sharers {
            all: [1; SLOTS],
            earlier: [0; SLOTS],
        };
        let mut is_earlier = true;
        for (number, member) in self.family().enumerate() {
            if number % BETWEEN_PAUSES == 0 {
                pause()?;
            }
            if ptr::eq(self, &*member) {
                is_earlier = false;
            } else if !member.is_view() {
                member.lock().count_common(leaf, |slot| {
                    sharers.all[slot] += 1;
                    sharers.earlier[slot] += u32::from(is_earlier);
                });
            }
        }
        Ok(sharers)
    }
}

impl<M: Mmu> VmoState<M> {
    fn survey(&self, pages: &PageDatabase, range: Range<PageIndex>) -> Survey<PhysAddr> {
        match &self.contents {
            Contents::Anonymous(tree) => tree.survey(range, pages, Page::address),
            Contents::Physical(_) => Survey {
                own: 0,
                shared: None,
                next: range.end,
            },
        }
    }

    fn count_common(&self, leaf: &SharedLeaf<PhysAddr>, found: impl FnMut(usize)) {
        if let Contents::Anonymous(tree) = &self.contents {
            tree.common(leaf, Page::address).for_each(found);
        }
    }
}

impl Sum {
    fn add_private(&mut self, pages: u64) {
        self.committed += pages;
        self.private += pages;
        self.parts += u128::from(pages) * PAGE_PARTS;
    }

    /// Adds a page that `sharers` VMOs have. What cannot be divided goes to the first of them, so that all
    /// parts together are the page.
    fn add_shared(&mut self, sharers: u32, earlier: u32) {
        let sharers = u128::from(sharers);
        let left_over = PAGE_PARTS % sharers;
        self.committed += 1;
        self.private += u64::from(sharers == 1);
        self.parts += PAGE_PARTS / sharers + u128::from(u128::from(earlier) < left_over);
    }

    fn into_attribution(self) -> Attribution {
        let page_bytes = PAGE_SIZE as u64;
        Attribution {
            committed_bytes: self.committed * page_bytes,
            private_bytes: self.private * page_bytes,
            scaled_bytes: (self.parts >> FRACTION_BITS) as u64,
            fractional_scaled_bytes: self.parts as u64 & (u64::MAX >> (u64::BITS - FRACTION_BITS)),
        }
    }
}

#[cfg(test)]
mod tests;
