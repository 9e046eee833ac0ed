//! Page faults: from an address and an access to a translation, or to the reason why there is none.
//!
//! ```text
//!   address ─► mapping ─► permission? ─► page of the VMO ─► translation, and those of its neighbours
//!              NOT_FOUND  ACCESS_DENIED  OUT_OF_RANGE       NO_MEMORY
//! ```
//!
//! | page | read fault | write fault |
//! |---|---|---|
//! | present | entered, with its neighbours | the same, or made writable if it was entered before |
//! | shared with other VMOs | the same, but read-only | a copy is made and entered |
//! | absent | the page of zeros is entered, read-only | a page is made and entered |
//!
//! Neighbours are the pages that are present in the same aligned window of [`AROUND`]: whoever touches
//! one page that somebody else has filled will touch the next. A page that is made by the fault has no
//! such promise, and its neighbours were probably made, and entered, in the same way.
//!
//! A page that lies in memory with its neighbours as a large page would is entered as one (`large`).
//!
//! Source: `spec/vmar.md` §11.

mod large;

use core::ops::ControlFlow;

use arrayvec::ArrayVec;
use syscall::{Result, Status};

use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, PhysAddr, VirtAddr, VirtRange};
use crate::aspace::AddressSpace;
use crate::counters::Event;
use crate::locked::Guard;
use crate::mmu::{Access, MapError, MapFlags, MemoryType, Mmu, MmuCursor, PageSize, TlbBatch};
use crate::region_tree::HasRange;
use crate::sync::SpinMutexGuard;
use crate::vmar::{Mapping, Region, RegionKind};
use crate::vmo::{Asker, Sharing, Stale, Supply, VmoState, Want};

/// The window in which neighbours are entered along; a power of two.
const AROUND: PageCount = PageCount::new(16);

/// The logarithm of the size of that window in bytes.
const AROUND_LOG2: u32 = AROUND.get().trailing_zeros() + PAGE_SHIFT;

/// A fault in a mapping that allows the access.
struct Fault<'a, M: Mmu> {
    address: VirtAddr,
    access: Access,
    mapping: &'a Mapping<M>,
    /// The addresses of the mapping.
    range: VirtRange,
    /// Where the permissions are as at the address.
    alike: VirtRange,
    flags: MapFlags,
}

impl<M: Mmu> AddressSpace<M> {
    /// Makes `access` to `address` possible, so that the instruction can be tried again.
    ///
    /// Locks the address space for reading, then the VMO, then the page table.
    ///
    /// # Errors
    /// In this order:
    /// - `NOT_FOUND`: nothing is mapped there.
    /// - `ACCESS_DENIED`: the mapping does not allow it.
    /// - `OUT_OF_RANGE`: the VMO, or its stream if the mapping asks for that, ends before.
    /// - `NO_MEMORY`: there is none for a page or a table. Nothing has changed.
    pub fn fault(&self, address: VirtAddr, access: Access) -> Result<()> {
        let resolved = self.resolve(address, access);
        M::counters().count(resolved.unwrap_or_else(Event::refused));
        resolved.map(drop)
    }

    /// Resolves a fault; answers what it took.
    #[inline]
    fn resolve(&self, address: VirtAddr, access: Access) -> Result<Event> {
        let guard = self.read();
        let (region, mapping) = self
            .find_mapping(address, &guard)
            .ok_or(Status::NOT_FOUND)?;
        let range = region.range();
        let run = mapping.run_at(address, range, &guard);
        if access.is_empty() || !run.access.contains(access) {
            return Err(Status::ACCESS_DENIED);
        }
        let vmo = mapping.vmo().lock();
        let flags = MapFlags {
            access: run.access,
            memory: vmo.memory(),
            domain: self.config().domain,
        };
        let address = address.page_base();
        Fault {
            address,
            access,
            mapping,
            range,
            alike: run.range,
            flags,
        }
        .resolve(self.mmu(), vmo)
    }

    /// The mapping at `address`.
    #[inline]
    pub(crate) fn find_mapping<'g>(
        &self,
        address: VirtAddr,
        guard: &'g impl Guard<M>,
    ) -> Option<(&'g Region<M>, &'g Mapping<M>)> {
        let mut vmar = guard.root().as_ref()?;
        loop {
            let region = vmar.children(guard).find(address)?;
            match region.kind() {
                RegionKind::Mapping(mapping) => return Some((region, mapping)),
                RegionKind::Vmar(below) => vmar = below,
            }
        }
    }
}

impl<M: Mmu> Fault<'_, M> {
    #[inline]
    fn resolve(&self, mmu: &M, mut vmo: SpinMutexGuard<'_, VmoState<M>>) -> Result<Event> {
        let pages = self.mapping.vmo().pages();
        let index = self.mapping.owner_page_at(self.range.base(), self.address);
        if index >= self.mapping.fault_limit(&vmo) {
            return Err(Status::OUT_OF_RANGE);
        }
        let want = if self.access.contains(Access::WRITE) {
            Want::Write
        } else {
            Want::Read
        };
        self.mapping.marks().note_entered();
        let supply = vmo.supply(pages, index, want, Asker::Fault(self.mapping))?;
        let (page, flags, event) = match supply {
            Supply::Present(page) => (page, self.flags, Event::PresentPage),
            Supply::Shared(page) => (page, self.read_only(), Event::PresentPage),
            Supply::Fresh(page) => (page, self.flags, Event::FreshPage),
            Supply::Zero => (pages.zero_page(), self.read_only(), Event::ZeroPage),
            Supply::Copied(page, stale) => return self.enter_copy(mmu, page, stale),
            Supply::Wait(request) => match request {},
        };
        if self.may_be_large(page)
            && let Some(event) = self.enter_large(mmu, &vmo, page, event)
        {
            return Ok(event);
        }
        let mut cursor = mmu.cursor(self.alike);
        match cursor.map_page(self.address, page, flags) {
            Ok(()) => {
                if event == Event::PresentPage {
                    self.enter_neighbours(&mut cursor, &vmo);
                }
                Ok(event)
            }
            Err(MapError::AlreadyMapped) => {
                let mut batch = TlbBatch::new();
                let fit = self.refit(&mut cursor, (page, flags), &mut batch);
                drop(cursor);
                // While the VMO is locked: who writes to the new page after that finds nobody who still reads
                // the old one.
                mmu.flush(batch);
                Ok(match event {
                    Event::PresentPage => fit,
                    made => made,
                })
            }
            Err(MapError::NoFrame) => {
                drop(cursor);
                if event == Event::FreshPage {
                    vmo.take_back(pages, index);
                }
                Err(Status::NO_MEMORY)
            }
        }
    }

    /// Enters a page that was copied to be written to, in the place of what the mapping shows so far. The VMO
    /// is locked.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for a table. The copy stays, and what was shown has gone.
    #[inline(never)]
    fn enter_copy(&self, mmu: &M, page: PhysAddr, stale: Stale) -> Result<Event> {
        let mut cursor = mmu.cursor(self.alike);
        cursor.seek(self.address);
        let entered = match cursor.query() {
            Some(now) if now.size == PageSize::Base => {
                let mut batch = TlbBatch::new();
                cursor.replace(page, self.flags, &mut batch);
                drop(cursor);
                mmu.flush(batch);
                Ok(())
            }
            before => {
                if before.is_some() {
                    let mut batch = TlbBatch::new();
                    cursor.unmap(PageCount::new(1), &mut batch);
                    drop(cursor);
                    mmu.flush(batch);
                    cursor = mmu.cursor(self.alike);
                }
                cursor.map_page(self.address, page, self.flags)
            }
        };
        stale.release(self.mapping.vmo().pages());
        entered.map_err(Status::from)?;
        Ok(Event::CopiedPage)
    }

    /// Makes what is entered at the cursor's position show `page`, with its flags, and allow the access.
    #[inline(never)]
    fn refit(
        &self,
        cursor: &mut M::Cursor<'_>,
        (page, flags): (PhysAddr, MapFlags),
        batch: &mut TlbBatch,
    ) -> Event {
        let fits = cursor
            .query()
            .is_some_and(|now| now.address == page && now.flags.access.contains(self.access));
        // It fits if another CPU has resolved the same fault meanwhile.
        if fits {
            return Event::Repeated;
        }
        cursor.replace(page, flags, batch);
        Event::Upgrade
    }

    /// Enters the pages in the window around the address that are present.
    #[inline(never)]
    fn enter_neighbours(&self, cursor: &mut M::Cursor<'_>, vmo: &VmoState<M>) {
        let Some(window) = self.window() else { return };
        let first = self.mapping.owner_page_at(self.range.base(), window.base());
        let past = first.saturating_add(window.pages().get() as u64);
        let mut own = ArrayVec::<_, { AROUND.get() }>::new();
        let mut shared = ArrayVec::<_, { AROUND.get() }>::new();
        let _: ControlFlow<()> = vmo.visit_present(
            self.mapping.vmo().pages(),
            first..past.min(self.mapping.fault_limit(vmo)),
            |index, page, sharing| {
                let distance = index.saturating_since(first) as usize * PAGE_SIZE;
                let neighbours = match sharing {
                    Sharing::Own => &mut own,
                    Sharing::Shared => &mut shared,
                };
                neighbours.push((VirtAddr::new(window.base().raw() + distance), page));
                ControlFlow::Continue(())
            },
        );
        let mut entered = cursor.map_absent(&own, self.flags).get();
        if !shared.is_empty() {
            entered += cursor.map_absent(&shared, self.read_only()).get();
        }
        M::counters().add(Event::Neighbour, entered as u64);
    }

    /// The pages around the address that may be entered along with it.
    #[inline]
    fn window(&self) -> Option<VirtRange> {
        let base = self.address.align_down(AROUND_LOG2);
        VirtRange::new(base, AROUND)?.intersection(self.alike)
    }

    /// The flags for the page of zeros, which all share, and for pages that other VMOs have too: those are
    /// always cached.
    #[inline]
    fn read_only(&self) -> MapFlags {
        MapFlags {
            access: self.flags.access - Access::WRITE,
            memory: MemoryType::Cached,
            domain: self.flags.domain,
        }
    }
}
