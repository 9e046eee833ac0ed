//! Faults that are resolved with a large page.
//!
//! A large page needs many things at once, and most faults lack the first one: the page lies in memory as
//! far from a multiple of the large page's size as the address does.
//!
//! ```text
//!   same distance? ─► mapping and one permission all around? ─► pages side by side in memory?
//!   3 instructions    a few more                                first, middle, last; then all
//! ```

use super::Fault;
use crate::addr::{PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::counters::Event;
use crate::mmu::{Access, Mmu, PageSize};
use crate::vmar::Enter;
use crate::vmo::{VmoKind, VmoState, Want};

impl<M: Mmu> Fault<'_, M> {
    /// Whether a large page could show `page` at the address, as far as that is told at once.
    #[inline(always)]
    pub(super) const fn may_be_large(&self, page: PhysAddr) -> bool {
        is_congruent(self.address, page, PageSize::Large)
    }

    /// Enters the largest page that has the address, if that can be a large one. The event is what it is
    /// if nothing was entered at the address before.
    ///
    /// If it cannot be, a large page that is there already, and that does not allow the access, makes room
    /// for base pages.
    #[inline(never)]
    pub(super) fn enter_large(
        &self,
        mmu: &M,
        vmo: &VmoState<M>,
        page: PhysAddr,
        event: Event,
    ) -> Option<Event> {
        if event == Event::ZeroPage {
            return None;
        }
        if self.enter_huge(mmu, vmo, page) {
            return Some(event);
        }
        // A large page is always in one mapping, so where that does not fit there is none.
        let place = around(self.address, PageSize::Large).filter(|place| self.has(*place))?;
        let mut enter = Enter::new(mmu, place, self.flags);
        let before = enter.query(self.address);
        if before.is_some_and(|now| now.address == page && now.flags.access.contains(self.access)) {
            return Some(Event::Repeated);
        }
        let Some(run) = self.run_at(vmo, place, page) else {
            if before.is_some_and(|now| now.size != PageSize::Base) {
                enter.clear(place.base());
            }
            return None;
        };
        enter.large(place.base(), run.base(), self.access).ok()?;
        match (before, event) {
            (Some(_), Event::PresentPage) => Some(Event::Upgrade),
            (Some(_) | None, made) => Some(made),
        }
    }

    /// Enters a huge page of a physical VMO, where nothing else is entered; whether it did.
    fn enter_huge(&self, mmu: &M, vmo: &VmoState<M>, page: PhysAddr) -> bool {
        let size = PageSize::Huge;
        if self.mapping.vmo().kind() != VmoKind::Physical || !is_congruent(self.address, page, size)
        {
            return false;
        }
        let place = around(self.address, size).filter(|place| self.has(*place));
        let run = place.and_then(|place| Some((place, self.run_at(vmo, place, page)?)));
        run.is_some_and(|(place, run)| {
            Enter::new(mmu, place, self.flags)
                .new_run(place.base(), run)
                .is_ok()
        })
    }

    /// What the mapping may do with what is entered.
    const fn want(&self) -> Want {
        if self.flags.access.contains(Access::WRITE) {
            Want::Write
        } else {
            Want::Read
        }
    }

    /// Whether the mapping has all of `place`.
    fn has(&self, place: VirtRange) -> bool {
        self.range.contains_range(place)
    }

    /// The memory that `place` shows, of which `page` is shown at the address, if one translation can
    /// show it.
    fn run_at(&self, vmo: &VmoState<M>, place: VirtRange, page: PhysAddr) -> Option<PhysRange> {
        let offset = self.address.raw() - place.base().raw();
        let base = PhysAddr::new(page.raw().checked_sub(offset)?);
        let run = PhysRange::new(base, place.pages())?;
        let first = self.mapping.owner_page_at(self.range.base(), place.base());
        let past = first.saturating_add(place.pages().get() as u64);
        let is_one = self.alike.contains_range(place)
            && past <= self.mapping.fault_limit(vmo)
            && vmo.shows_run(self.mapping.vmo().pages(), first, run, self.want());
        is_one.then_some(run)
    }
}

/// Whether address and page are as far from a multiple of `size`.
#[inline(always)]
const fn is_congruent(address: VirtAddr, page: PhysAddr, size: PageSize) -> bool {
    (address.raw() ^ page.raw()) & (size.bytes() - 1) == 0
}

/// The place of a page of `size` around `address`.
fn around(address: VirtAddr, size: PageSize) -> Option<VirtRange> {
    VirtRange::new(address.align_down(size.shift()), size.pages())
}
