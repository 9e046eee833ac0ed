//! One sorted, disjoint list out of what firmware and loader say about memory.
//!
//! Firmware lists come unsorted, with overlaps, empty entries, and ends inside a page. [`MemoryMap::add`]
//! takes them in any order: usable memory shrinks to whole pages, everything else grows to whole pages, and
//! where two entries overlap, the [`MemoryKind`] that is declared later wins.

use arrayvec::ArrayVec;
use vm::addr::{PAGE_SIZE, PhysAddr, PhysRange};

use crate::info::BootError;

/// The most regions a map holds.
pub const MAX_REGIONS: usize = 128;

/// Physical addresses end here on both architectures (52 bits).
const PHYSICAL_END: u64 = 1 << 52;

/// What a region of memory is used for. Where regions overlap, the greater kind wins.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum MemoryKind {
    /// Free for the kernel to use.
    Usable,
    /// Not memory, or not ours.
    Reserved,
    /// Tables of firmware or loader that the kernel may still read.
    Firmware,
    /// The file of initial programs.
    Initrd,
    /// The kernel's image.
    Kernel,
}

/// A run of pages of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MemoryRegion {
    /// The pages.
    pub range: PhysRange,
    /// What they are used for.
    pub kind: MemoryKind,
}

/// A description of physical memory.
///
/// 1. Regions are sorted by address and disjoint.
/// 2. Touching regions differ in kind.
///
/// Only [`add`](Self::add) changes the list, so only it can break these.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MemoryMap {
    regions: ArrayVec<MemoryRegion, MAX_REGIONS>,
}

impl MemoryMap {
    /// A map without any region.
    pub fn new() -> Self {
        Self::default()
    }

    /// The regions, from the lowest address up.
    pub fn regions(&self) -> &[MemoryRegion] {
        &self.regions
    }

    /// The ranges of one kind, from the lowest address up.
    pub fn of_kind(&self, kind: MemoryKind) -> impl Iterator<Item = PhysRange> + '_ {
        self.regions
            .iter()
            .filter(move |region| region.kind == kind)
            .map(|region| region.range)
    }

    /// The end of the highest region that is memory (of any kind but `Reserved`).
    pub fn memory_end(&self) -> PhysAddr {
        let memory = self
            .regions
            .iter()
            .filter(|region| region.kind != MemoryKind::Reserved);
        memory
            .map(|region| region.range.end())
            .max()
            .unwrap_or_default()
    }

    /// Adds `bytes` bytes of memory at `base`, as a firmware table writes them.
    ///
    /// What is empty after rounding to pages, or lies beyond all physical addresses, is ignored.
    ///
    /// # Errors
    /// - [`BootError::TooManyRegions`]: the list is full. Nothing changes.
    pub fn add(&mut self, base: u64, bytes: u64, kind: MemoryKind) -> Result<(), BootError> {
        let Some(range) = whole_pages(base, bytes, kind) else {
            return Ok(());
        };
        let added = MemoryRegion { range, kind };
        let mut edges: ArrayVec<PhysAddr, { 2 * MAX_REGIONS + 2 }> = ArrayVec::new();
        for region in self.regions.iter().chain([&added]) {
            edges.push(region.range.base());
            edges.push(region.range.end());
        }
        edges.sort_unstable();

        let mut result = Self::new();
        for pair in edges.windows(2) {
            let &[start, end] = pair else { continue };
            let Some(piece) = PhysRange::between(start, end) else {
                continue;
            };
            let covering = self
                .regions
                .iter()
                .chain([&added])
                .filter(|region| region.range.contains(start));
            if let Some(kind) = covering.map(|region| region.kind).max() {
                result.append(MemoryRegion { range: piece, kind })?;
            }
        }
        *self = result;
        Ok(())
    }

    /// Puts a region behind the last one, joining the two if they touch and are of one kind.
    fn append(&mut self, region: MemoryRegion) -> Result<(), BootError> {
        if let Some(last) = self.regions.last_mut()
            && last.kind == region.kind
            && last.range.end() == region.range.base()
            && let Some(joined) = PhysRange::between(last.range.base(), region.range.end())
        {
            last.range = joined;
            return Ok(());
        }
        self.regions
            .try_push(region)
            .map_err(|_| BootError::TooManyRegions)
    }
}

/// The pages that a firmware entry stands for; `None` if there are none.
fn whole_pages(base: u64, bytes: u64, kind: MemoryKind) -> Option<PhysRange> {
    let page = PAGE_SIZE as u64;
    let end = base.saturating_add(bytes).min(PHYSICAL_END);
    if bytes == 0 || base >= end {
        return None;
    }
    let (start, end) = match kind {
        MemoryKind::Usable => (base.next_multiple_of(page), end / page * page),
        MemoryKind::Reserved | MemoryKind::Firmware | MemoryKind::Initrd | MemoryKind::Kernel => {
            (base / page * page, end.next_multiple_of(page))
        }
    };
    let address = |raw: u64| usize::try_from(raw).ok().map(PhysAddr::new);
    PhysRange::between(address(start)?, address(end)?)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    const M: u64 = 1 << 20;

    fn map_of(entries: &[(u64, u64, MemoryKind)]) -> MemoryMap {
        let mut map = MemoryMap::new();
        for &(base, bytes, kind) in entries {
            map.add(base, bytes, kind).expect("few regions");
        }
        map
    }

    fn listed(map: &MemoryMap) -> Vec<(usize, usize, MemoryKind)> {
        let plain = |region: &MemoryRegion| {
            (
                region.range.base().raw(),
                region.range.end().raw(),
                region.kind,
            )
        };
        map.regions().iter().map(plain).collect()
    }

    #[test]
    fn unsorted_overlapping_and_empty_entries_become_a_sorted_disjoint_list() {
        let map = map_of(&[
            (16 * M, 16 * M, MemoryKind::Usable),
            (0, 0, MemoryKind::Usable),
            (M, 20 * M, MemoryKind::Usable),
            (0, 2 * M, MemoryKind::Reserved),
        ]);
        let expected = [
            (0, 2 << 20, MemoryKind::Reserved),
            (2 << 20, 32 << 20, MemoryKind::Usable),
        ];
        assert_eq!(listed(&map), expected);
    }

    #[test]
    fn order_does_not_matter() {
        let entries = [
            (M, 64 * M, MemoryKind::Usable),
            (M, M, MemoryKind::Kernel),
            (60 * M, 100, MemoryKind::Initrd),
            (60 * M, 4 * M, MemoryKind::Reserved),
        ];
        let mut reversed = entries;
        reversed.reverse();
        assert_eq!(map_of(&entries), map_of(&reversed));
        assert_eq!(map_of(&entries).of_kind(MemoryKind::Usable).count(), 2);
    }

    #[test]
    fn usable_shrinks_and_the_rest_grows_to_whole_pages() {
        let map = map_of(&[(0x800, 0x2000, MemoryKind::Usable)]);
        assert_eq!(listed(&map), [(0x1000, 0x2000, MemoryKind::Usable)]);
        let map = map_of(&[(0x1fff, 2, MemoryKind::Firmware)]);
        assert_eq!(listed(&map), [(0x1000, 0x3000, MemoryKind::Firmware)]);
        assert_eq!(listed(&map_of(&[(0x1800, 0x900, MemoryKind::Usable)])), []);
    }

    #[test]
    fn entries_that_wrap_or_lie_beyond_the_bus_are_clipped() {
        let map = map_of(&[(u64::MAX - 1, 10, MemoryKind::Usable)]);
        assert_eq!(listed(&map), []);
        let map = map_of(&[(PHYSICAL_END - 0x1000, u64::MAX, MemoryKind::Usable)]);
        assert_eq!(map.memory_end().raw() as u64, PHYSICAL_END);
    }

    #[test]
    fn a_full_map_refuses_and_stays_as_it_was() {
        let mut map = MemoryMap::new();
        for index in 0..MAX_REGIONS as u64 {
            map.add(2 * index * M, M, MemoryKind::Usable)
                .expect("room for it");
        }
        let before = map.clone();
        assert_eq!(
            map.add(M * 1000, M, MemoryKind::Usable),
            Err(BootError::TooManyRegions)
        );
        assert_eq!(map, before);
    }
}
