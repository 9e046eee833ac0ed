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
//! | absent | the page of zeros is entered, read-only | a page is made and entered |
//!
//! Neighbours are the pages that are present in the same aligned window of [`AROUND`]: whoever touches
//! one page that somebody else has filled will touch the next. A page that is made by the fault has no
//! such promise, and its neighbours were probably made, and entered, in the same way.
//!
//! Source: `spec/vmar.md` §11.

use core::ops::ControlFlow;

use syscall::{Result, Status};

use crate::addr::{PAGE_SHIFT, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::aspace::AddressSpace;
use crate::counters::Event;
use crate::locked::Guard;
use crate::mmu::{Access, MapError, MapFlags, Mmu, MmuCursor, TlbBatch};
use crate::region_tree::HasRange;
use crate::vmar::{Mapping, Region, RegionKind};
use crate::vmo::{Asker, PageIndex, Supply, VmoState, Want};

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
        let (memory, domain) = (mapping.vmo().memory(), self.config().domain);
        let flags = MapFlags {
            access: run.access,
            memory,
            domain,
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
        .resolve(self.mmu())
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
    fn resolve(&self, mmu: &M) -> Result<Event> {
        let pages = self.mapping.vmo().pages();
        let index = self.mapping.page_at(self.range.base(), self.address);
        let mut vmo = self.mapping.vmo().lock();
        if index >= self.mapping.fault_limit(&vmo) {
            return Err(Status::OUT_OF_RANGE);
        }
        let want = if self.access.contains(Access::WRITE) {
            Want::Write
        } else {
            Want::Read
        };
        self.mapping.marks().note_entered();
        let mut batch = TlbBatch::new();
        let entered = match vmo.supply(pages, index, want, Asker::Fault(self.mapping))? {
            Supply::Wait(request) => match request {},
            Supply::Zero => self
                .enter_alone(mmu, pages.zero_page(), self.read_only(), &mut batch)
                .map(|()| Event::ZeroPage),
            Supply::Fresh(page) => {
                let entered = self.enter_alone(mmu, page, self.flags, &mut batch);
                if entered.is_err() {
                    vmo.take_back(pages, index);
                }
                entered.map(|()| Event::FreshPage)
            }
            Supply::Present(page) => self.enter_around(mmu, &vmo, (index, page), &mut batch),
        };
        drop(vmo);
        if !batch.is_empty() {
            mmu.flush(batch);
        }
        entered
    }

    /// Enters the page at the address, and no other.
    fn enter_alone(
        &self,
        mmu: &M,
        page: PhysAddr,
        flags: MapFlags,
        batch: &mut TlbBatch,
    ) -> Result<()> {
        let only = VirtRange::new(self.address, PageCount::new(1)).ok_or(Status::NOT_FOUND)?;
        self.enter(&mut mmu.cursor(only), page, flags, batch)
            .map(|_| ())
    }

    /// Enters the page at the address, and if it was not entered before, its neighbours that are present.
    fn enter_around(
        &self,
        mmu: &M,
        vmo: &VmoState<M>,
        page: (PageIndex, PhysAddr),
        batch: &mut TlbBatch,
    ) -> Result<Event> {
        let window = self.window().ok_or(Status::NOT_FOUND)?;
        let (index, page) = page;
        let mut cursor = mmu.cursor(window);
        cursor.seek(self.address);
        match self.enter(&mut cursor, page, self.flags, batch)? {
            Before::Fitting => return Ok(Event::Repeated),
            Before::Replaced => return Ok(Event::Upgrade),
            Before::Absent => {}
        }
        let first = self.mapping.page_at(self.range.base(), window.base());
        let past = first.saturating_add(window.pages().get() as u64);
        let mut neighbours = 0;
        let _ = vmo.visit_present(
            first..past.min(self.mapping.fault_limit(vmo)),
            |other, page| {
                if other == index {
                    return ControlFlow::Continue(());
                }
                let distance = PageCount::new(other.saturating_since(first) as usize).bytes();
                match distance.and_then(|bytes| window.base().checked_add(bytes)) {
                    Some(address) => {
                        let entered = enter_neighbour(&mut cursor, address, page, self.flags);
                        neighbours += u64::from(entered.is_ok());
                        match entered {
                            Ok(()) | Err(MapError::AlreadyMapped) => ControlFlow::Continue(()),
                            Err(MapError::NoFrame) => ControlFlow::Break(()),
                        }
                    }
                    None => ControlFlow::Break(()),
                }
            },
        );
        M::counters().add(Event::Neighbour, neighbours);
        Ok(Event::PresentPage)
    }

    /// Enters a page at the cursor's position, or makes what is there fit.
    fn enter(
        &self,
        cursor: &mut M::Cursor<'_>,
        page: PhysAddr,
        flags: MapFlags,
        batch: &mut TlbBatch,
    ) -> Result<Before> {
        let run = PhysRange::new(page, PageCount::new(1)).ok_or(Status::OUT_OF_RANGE)?;
        match cursor.map(run, flags) {
            Ok(()) => Ok(Before::Absent),
            Err(MapError::NoFrame) => Err(Status::NO_MEMORY),
            Err(MapError::AlreadyMapped) => {
                let fits = cursor.query().is_some_and(|now| {
                    now.address == page && now.flags.access.contains(self.access)
                });
                // It fits if another CPU has resolved the same fault meanwhile.
                if fits {
                    return Ok(Before::Fitting);
                }
                cursor.replace(page, flags, batch);
                Ok(Before::Replaced)
            }
        }
    }

    /// The pages around the address that may be entered along with it.
    fn window(&self) -> Option<VirtRange> {
        let base = self.address.align_down(AROUND_LOG2);
        VirtRange::new(base, AROUND)?.intersection(self.alike)
    }

    /// The flags for the page of zeros, which all share.
    fn read_only(&self) -> MapFlags {
        MapFlags {
            access: self.flags.access - Access::WRITE,
            ..self.flags
        }
    }
}

/// What was in the page table before.
enum Before {
    /// Nothing.
    Absent,
    /// This page, allowing as much.
    Fitting,
    /// Another page, or this one allowing less.
    Replaced,
}

/// Enters a page that nobody has asked for, if that is easy.
fn enter_neighbour<C: MmuCursor>(
    cursor: &mut C,
    address: VirtAddr,
    page: PhysAddr,
    flags: MapFlags,
) -> Result<(), MapError> {
    let run = PhysRange::new(page, PageCount::new(1)).ok_or(MapError::NoFrame)?;
    cursor.seek(address);
    cursor.map(run, flags)
}
