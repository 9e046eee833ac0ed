//! How the direct map shows the pages of VMOs: with the memory type that their translations have.
//!
//! Processors must not reach memory in two ways at once, cached and not cached: they may find in a cache
//! what the other way has changed since (Intel SDM 3A, 12.12.4; Arm ARM B2, "Mismatched memory attributes").
//! So while a VMO is not cached, neither are its pages in the direct map:
//!
//! ```text
//!   VMO page ──► prepare_retype ──► retype(WriteCombining) ──► … ──► free ──► retype(Cached) ──► free frame
//!                may fail           cannot                           by itself
//! ```
//!
//! The database remembers the type of each frame with its count of references, so that taking back a frame
//! that is shown as usual costs nothing more.

use core::ptr::NonNull;

use syscall::Result;

use super::PageDatabase;
use super::frame::{FrameNumber, OwnerKind};
use crate::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use crate::mmu::MemoryType;

/// What is done to bytes in the caches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CacheOp {
    /// Instruction fetches see what was written.
    Sync,
    /// What was written is in memory.
    Clean,
    /// What was written is in memory, and the next load reads what is there.
    CleanInvalidate,
}

/// How the direct map and the caches of a machine are changed.
#[derive(Clone, Copy, Debug)]
pub struct DirectMapOperations {
    /// Has base pages show all of the range, so that each can be retyped by itself.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for a table. What the direct map shows is the same.
    pub split: fn(PhysRange) -> Result<()>,
    /// Has the direct map show the ranges as memory of this type, on all processors, and then cleans and
    /// invalidates them in the caches.
    ///
    /// # Safety
    /// The ranges were split, and nobody touches them meanwhile.
    pub retype: unsafe fn(&[PhysRange], MemoryType),
    /// Does this to so many bytes in the direct map.
    ///
    /// # Safety
    /// The direct map shows the bytes.
    pub maintain: unsafe fn(NonNull<u8>, usize, CacheOp),
    /// Whether the direct map shows any of the range as cached memory.
    pub shows: fn(PhysRange) -> bool,
}

impl DirectMapOperations {
    /// For machines without caches, or with caches that nobody can tell from memory.
    pub const COHERENT: Self = Self {
        split: |_| Ok(()),
        retype: |_, _| {},
        maintain: |_, _, _| {},
        shows: |_| false,
    };
}

impl PageDatabase {
    /// With which memory type the direct map shows the frame at `address`; `None` if it is not in the
    /// database.
    pub fn memory_type(&self, address: PhysAddr) -> Option<MemoryType> {
        let info = self.infos.at(address).filter(|info| info.exists())?;
        Some(info.memory())
    }

    /// Whether the kernel has any of `range` for itself: it is in the database, or the direct map shows it.
    pub fn has_any_of(&self, range: PhysRange) -> bool {
        self.infos.any_exists(range) || (self.operations.direct_map.shows)(range)
    }

    /// Sees to it that [`retype`](Self::retype) can be called for frames in `range`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for a table. Nothing that anybody sees has changed.
    pub(crate) fn prepare_retype(&self, range: PhysRange) -> Result<()> {
        self.injected_failure()?;
        (self.operations.direct_map.split)(range)
    }

    /// Has the direct map show the frames in `ranges`, which are pages of VMOs, with this type, after what
    /// is in the caches has gone to memory. Nobody touches them meanwhile. Many ranges at a time cost less.
    ///
    /// # Panics
    /// If one of the frames is not a VMO's.
    pub(crate) fn retype(&self, ranges: &[PhysRange], memory: MemoryType) {
        for range in ranges {
            let first = (range.base().raw() / PAGE_SIZE) as u32;
            let infos = self.infos.slice(first, first + range.pages().get() as u32);
            for info in infos {
                let is_vmo = info.owner() == Some(OwnerKind::Vmo);
                assert!(is_vmo, "a frame in {range:?} is not a VMO's");
                info.set_memory(memory);
            }
        }
        // SAFETY:
        // 1. `prepare_retype` has split the ranges; what was split stays so.
        // 2. The kernel reaches pages of VMOs only while the VMO is locked, which the caller has done, or
        //    they belong to no VMO yet or any more.
        unsafe { (self.operations.direct_map.retype)(ranges, memory) };
    }

    /// Does `op` to the bytes from `offset` in the memory of `range` on, `len` of them.
    ///
    /// # Panics
    /// If part of it is not in the database.
    pub(crate) fn maintain(&self, range: PhysRange, offset: usize, len: usize, op: CacheOp) {
        let fits = offset
            .checked_add(len)
            .is_some_and(|end| end <= range.bytes());
        assert!(fits, "{len} bytes from {offset} on are not in {range:?}");
        assert!(self.span.contains_range(range), "{range:?} is no memory");
        // SAFETY: The range was checked to be in the span, whose frames the direct map shows
        // (`PageDatabase::add`); callers have a VMO of which these are pages.
        unsafe {
            let first = self.pointer(range.base()).add(offset);
            (self.operations.direct_map.maintain)(first, len, op);
        }
    }

    /// Gives up one reference to a frame that has several, or that is not shown as usual; whether it was the
    /// last one. Then the frame is shown as usual again.
    #[cold]
    #[inline(never)]
    pub(super) fn drop_reference(&self, number: FrameNumber) -> bool {
        let info = self.infos.get(number);
        if !info.drop_reference() {
            return false;
        }
        if info.memory() != MemoryType::Cached
            && let Some(frame) = PhysRange::new(number.address(), PageCount::new(1))
        {
            self.retype(&[frame], MemoryType::Cached);
        }
        true
    }
}
