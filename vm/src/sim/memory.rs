//! Memory of the simulated machine.

use core::ptr::NonNull;
use std::alloc::{Layout, alloc_zeroed};
use std::boxed::Box;

use crate::addr::{PAGE_SIZE, PhysRange};
use crate::cpu::CpuId;
use crate::pages::{Config, PageDatabase, PhysMap};

/// A database of the frames in `ranges`, which are real memory of the host that is never given back.
///
/// The ranges ascend; holes between them cost nothing as long as the host commits memory lazily.
///
/// # Panics
/// If there is no range, or the host has no memory.
pub fn database(ranges: &[PhysRange], current_cpu: fn() -> CpuId) -> &'static PageDatabase {
    let base = ranges.first().expect("a machine has memory").base();
    let end = ranges.last().expect("a machine has memory").end();
    let span = PhysRange::between(base, end).expect("ranges ascend");
    let memory = leaked(span.bytes());
    let config = Config {
        physmap: PhysMap::new(memory.as_ptr().wrapping_sub(base.raw())),
        span,
        storage: leaked(PageDatabase::storage_bytes(span)),
        current_cpu,
    };
    // SAFETY:
    // 1. The storage was allocated for this and is never freed.
    // 2. The memory behind the map covers the span and is never freed.
    let pages: &'static PageDatabase = Box::leak(Box::new(unsafe { PageDatabase::new(config) }));
    for range in ranges {
        // SAFETY: The range lies in the memory that was allocated above, which only the database uses.
        unsafe { pages.add(*range) };
    }
    pages
}

/// Zeroed memory, aligned to a page, for good.
fn leaked(bytes: usize) -> NonNull<u8> {
    let layout = Layout::from_size_align(bytes, PAGE_SIZE).expect("a size that fits");
    // SAFETY: The size is not zero: a span has at least a page.
    NonNull::new(unsafe { alloc_zeroed(layout) }).expect("the host has memory")
}
