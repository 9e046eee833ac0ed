//! The direct map: tables of its own, that the kernel's root links to.
//!
//! A page in use cannot be split where it stands (Arm ARM D8.16.1), and all of the kernel uses the direct
//! map at any time. So memory is shown by base pages from the start, which costs 8 bytes for each.

use core::ptr::NonNull;

use spin::Once;
use syscall::{Result, Status};
use vm::addr::{PhysAddr, PhysRange, VirtRange};
use vm::mmu::MemoryType;
use vm::pages::{CacheOp, DirectMapOperations, PageDatabase};
use vm::paging::{PageTables, TopLevel};

use super::format::Format;
use super::{KERNEL_VMAR, PHYSMAP_BASE, cache, range, tlb};

/// What the page database does with it.
pub(in crate::machine) const OPERATIONS: DirectMapOperations = DirectMapOperations {
    split,
    retype,
    maintain: cache::maintain,
    shows,
};

/// The addresses for it.
const ADDRESSES: VirtRange = range(PHYSMAP_BASE.raw(), KERNEL_VMAR.base().raw());

static TABLES: Once<PageTables<Format>> = Once::new();

/// Tables for the direct map, still empty.
///
/// # Errors
/// `NO_MEMORY`: there is no frame for the root.
pub(super) fn create(pages: &'static PageDatabase) -> Result<PageTables<Format>> {
    PageTables::new(pages, ADDRESSES, TopLevel::Shared, Format::Kernel)
}

/// Has `kernel` translate through the direct map's tables, which are complete.
pub(super) fn install(tables: PageTables<Format>, kernel: &PageTables<Format>) {
    kernel.link_top(TABLES.call_once(|| tables), ADDRESSES);
}

/// The direct map's tables.
///
/// # Panics
/// If there are none yet.
fn tables() -> &'static PageTables<Format> {
    TABLES
        .get()
        .expect("`paging::init` comes before all that changes the direct map")
}

fn split(range: PhysRange) -> Result<()> {
    let window = window(range).ok_or(Status::OUT_OF_RANGE)?;
    Ok(tables().split_fixed(window)?)
}

/// # Safety
/// As [`DirectMapOperations::retype`].
unsafe fn retype(ranges: &[PhysRange], memory: MemoryType) {
    let windows = || ranges.iter().copied().filter_map(window);
    let tables = tables();
    tables.retype_fixed(windows(), memory, |batch| {
        batch.finish(tables.pages(), tlb::forget_kernel);
    });
    // Last, when no CPU can bring any of it into a cache again (Arm ARM B2, "Mismatched memory attributes").
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
    const LIMIT: PhysAddr = PhysAddr::new(ADDRESSES.bytes());
    let below = PhysRange::between(range.base(), range.end().min(LIMIT));
    below
        .and_then(window)
        .is_some_and(|window| tables().maps_any(window, MemoryType::Cached))
}

/// Where the direct map has `range`.
fn window(range: PhysRange) -> Option<VirtRange> {
    let base = PHYSMAP_BASE.checked_add(range.base().raw())?;
    VirtRange::new(base, range.pages())
}
