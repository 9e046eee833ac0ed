//! Entering pages in a page table, in the largest translations that fit.
//!
//! A large page may have to take the place of base pages, or of a large page that allows less. Then what
//! is there is taken out first, and every processor forgets it:
//!
//! ```text
//!   table of base pages ─► clear_large ─► flush ─► large page
//!                          (the page table is unlocked; the VMO stays locked)
//! ```
//!
//! Meanwhile other processors that touch a page of it fault, and wait for the VMO. Nobody else enters
//! anything there, because whatever these addresses show belongs to this VMO.

use syscall::{Result, Status};

use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange, VirtAddr, VirtRange};
use crate::mmu::{Access, MapError, MapFlags, Mmu, MmuCursor, PageSize, TlbBatch, Translation};
use crate::vmo::Sharing;

/// The size of a large page, in base pages.
const LARGE_PAGES: PageCount = PageSize::Large.pages();

/// Enters pages of one VMO, which is locked, at addresses of one range with the same flags.
pub(crate) struct Enter<'a, M: Mmu> {
    mmu: &'a M,
    range: VirtRange,
    flags: MapFlags,
    /// `None` while the page table is not locked.
    cursor: Option<M::Cursor<'a>>,
}

impl<'a, M: Mmu> Enter<'a, M> {
    /// Enters pages at addresses in `range`.
    #[inline]
    pub(crate) const fn new(mmu: &'a M, range: VirtRange, flags: MapFlags) -> Self {
        Self {
            mmu,
            range,
            flags,
            cursor: None,
        }
    }

    /// Enters `run` from `address` on, without the permission to write if it is shared. Base pages that are
    /// entered already stay as they are, unless they become a large page.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for a table. Some pages of the run may have been entered.
    pub(crate) fn run(
        &mut self,
        address: VirtAddr,
        run: PhysRange,
        sharing: Sharing,
    ) -> Result<()> {
        let flags = self.flags;
        if sharing == Sharing::Shared {
            self.flags.access -= Access::WRITE;
        }
        let entered = match self.new_run(address, run) {
            Ok(()) => Ok(()),
            Err(MapError::NoFrame) => Err(Status::NO_MEMORY),
            Err(MapError::AlreadyMapped) => self.run_by_places(address, run),
        };
        self.flags = flags;
        entered
    }

    /// Enters `run` from `address` on, where nothing is entered: all of it or nothing.
    ///
    /// # Errors
    /// As [`MmuCursor::map`].
    pub(crate) fn new_run(
        &mut self,
        address: VirtAddr,
        run: PhysRange,
    ) -> core::result::Result<(), MapError> {
        let flags = self.flags;
        self.cursor_at(address).map(run, flags)
    }

    /// What is entered at `address`.
    pub(crate) fn query(&mut self, address: VirtAddr) -> Option<Translation> {
        self.cursor_at(address).query()
    }

    /// Enters a run of which a part is entered already, large page by large page.
    fn run_by_places(&mut self, address: VirtAddr, run: PhysRange) -> Result<()> {
        let mut page = run.base();
        let mut rest = VirtRange::new(address, run.pages());
        while let Some(whole) = rest {
            let (part, after) = whole.split_at_multiple(PageSize::Large.shift());
            if part.pages() == LARGE_PAGES && page.is_aligned_to(PageSize::Large.shift()) {
                self.large(part.base(), page, Access::empty())?;
            } else {
                self.base_pages(part, page)?;
            }
            // Only after the last part there may be no memory.
            page = page.checked_add(part.bytes()).unwrap_or(page);
            rest = after;
        }
        Ok(())
    }

    /// Enters those pages of `part` that are not entered, one by one.
    fn base_pages(&mut self, part: VirtRange, first: PhysAddr) -> Result<()> {
        for offset in (0..part.bytes()).step_by(PAGE_SIZE) {
            let address = part.base().checked_add(offset);
            let page = first
                .checked_add(offset)
                .and_then(|page| PhysRange::new(page, PageCount::new(1)));
            let (Some(address), Some(page)) = (address, page) else {
                return Ok(());
            };
            match self.new_run(address, page) {
                Ok(()) | Err(MapError::AlreadyMapped) => {}
                Err(MapError::NoFrame) => return Err(Status::NO_MEMORY),
            }
        }
        Ok(())
    }

    /// Enters a large page at `address`, both of which are aligned to it, in the place of whatever is there,
    /// unless that is a large page already that allows `access`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for a table above.
    pub(crate) fn large(
        &mut self,
        address: VirtAddr,
        page: PhysAddr,
        access: Access,
    ) -> Result<()> {
        let run = PhysRange::new(page, LARGE_PAGES).ok_or(Status::OUT_OF_RANGE)?;
        match self.new_run(address, run) {
            Ok(()) => return Ok(()),
            Err(MapError::NoFrame) => return Err(Status::NO_MEMORY),
            Err(MapError::AlreadyMapped) => {}
        }
        let now = self.cursor_at(address).query();
        let fits = now.is_some_and(|now| {
            now.size >= PageSize::Large && now.address == page && now.flags.access.contains(access)
        });
        if fits {
            return Ok(());
        }
        self.clear(address);
        Ok(self.new_run(address, run)?)
    }

    /// Takes out whatever is entered where a large page at `address` would be, on all processors.
    pub(crate) fn clear(&mut self, address: VirtAddr) {
        let mut batch = TlbBatch::new();
        self.cursor_at(address).clear_large(&mut batch);
        self.cursor = None;
        self.mmu.flush(batch);
    }

    fn cursor_at(&mut self, address: VirtAddr) -> &mut M::Cursor<'a> {
        let (mmu, range) = (self.mmu, self.range);
        let cursor = self.cursor.get_or_insert_with(|| mmu.cursor(range));
        cursor.seek(address);
        cursor
    }
}
