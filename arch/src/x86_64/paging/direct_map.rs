//! Changing how the direct map shows memory.
//!
//! It begins with the largest pages that fit. Where the type of a page is to change, they are split; the
//! tables for that stay. Large and small pages that translate to the same in the same way may be remembered
//! together (Intel SDM 3A, 4.10.2.3), so a split makes nothing stale.

use core::ptr::NonNull;

use syscall::{Result, Status};
use vm::addr::{PhysAddr, PhysRange, VirtRange};
use vm::mmu::MemoryType;
use vm::pages::{CacheOp, DirectMapOperations};

use super::tlb::{self, Scope};
use super::{KERNEL_VMAR, PHYSMAP_BASE, cache, kernel_tables};

/// What the page database does with it.
pub(in crate::machine) const OPERATIONS: DirectMapOperations = DirectMapOperations {
    split,
    retype,
    maintain: cache::maintain,
    shows,
};

/// Where the direct map would end if there were so much memory.
const LIMIT: PhysAddr = PhysAddr::new(KERNEL_VMAR.base().raw() - PHYSMAP_BASE.raw());

fn split(range: PhysRange) -> Result<()> {
    let window = window(range).ok_or(Status::OUT_OF_RANGE)?;
    Ok(kernel_tables().split_fixed(window)?)
}

/// # Safety
/// As [`DirectMapOperations::retype`].
unsafe fn retype(ranges: &[PhysRange], memory: MemoryType) {
    let windows = || ranges.iter().copied().filter_map(window);
    let tables = kernel_tables();
    tables.retype_fixed(windows(), memory, |batch| {
        batch.finish(tables.pages(), |stale| {
            tlb::invalidate(Scope::Kernel, tables.root(), stale);
        });
    });
    // 12.12.4: last, when no CPU can bring any of it into a cache again.
    for window in windows() {
        let first = core::ptr::without_provenance_mut(window.base().raw());
        if let Some(first) = NonNull::new(first) {
            // SAFETY:
            // 1. The direct map shows the range again.
            unsafe { cache::maintain(first, window.bytes(), CacheOp::CleanInvalidate) };
        }
    }
}

fn shows(range: PhysRange) -> bool {
    let below = PhysRange::between(range.base(), range.end().min(LIMIT));
    below
        .and_then(window)
        .is_some_and(|window| kernel_tables().maps_any(window, MemoryType::Cached))
}

/// Where the direct map has `range`.
fn window(range: PhysRange) -> Option<VirtRange> {
    let base = PHYSMAP_BASE.checked_add(range.base().raw())?;
    VirtRange::new(base, range.pages())
}
