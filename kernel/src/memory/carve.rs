//! The memory that can be reached before the final page tables exist.

use arrayvec::ArrayVec;
use boot::{BootInfo, MAX_REGIONS, MemoryKind};
use vm::addr::{PageCount, PhysAddr, PhysRange};

/// Usable memory, cut where the direct map of the boot code ends.
pub struct Reach {
    /// Below the limit, and not carved away yet.
    near: ArrayVec<PhysRange, MAX_REGIONS>,
    /// Above it.
    far: ArrayVec<PhysRange, MAX_REGIONS>,
}

impl Reach {
    /// What the machine has.
    pub fn new(info: &BootInfo) -> Self {
        let limit = info.direct_map_limit.page_base();
        let (mut near, mut far) = (ArrayVec::new(), ArrayVec::new());
        for range in info.memory.of_kind(MemoryKind::Usable) {
            // A memory map has at most as many ranges as either list has places.
            near.extend(PhysRange::between(range.base(), range.end().min(limit)));
            far.extend(PhysRange::between(range.base().max(limit), range.end()));
        }
        Self { near, far }
    }

    /// Takes `pages` pages out of the largest range that can be reached.
    ///
    /// `None` if no range has more than that many.
    pub fn take(&mut self, pages: PageCount) -> Option<PhysRange> {
        let largest = self.near.iter_mut().max_by_key(|range| range.pages())?;
        let taken = PhysRange::new(largest.base(), pages)?;
        *largest = PhysRange::between(taken.end(), largest.end())?;
        Some(taken)
    }

    /// What can be reached now.
    pub fn near(&self) -> &[PhysRange] {
        &self.near
    }

    /// What can be reached through the final page tables only.
    pub fn far(&self) -> &[PhysRange] {
        &self.far
    }
}

/// From the first usable page to the last.
pub fn span(info: &BootInfo) -> Option<PhysRange> {
    let usable = || info.memory.of_kind(MemoryKind::Usable);
    let base: PhysAddr = usable().map(PhysRange::base).min()?;
    PhysRange::between(base, usable().map(PhysRange::end).max()?)
}
