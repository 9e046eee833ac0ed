//! Memory of the simulated machine.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, Ordering};
use std::alloc::{Layout, alloc_zeroed};
use std::boxed::Box;

use super::caches;
use crate::addr::{PAGE_SIZE, PhysAddr, PhysRange};
use crate::cpu::CpuId;
use crate::pages::{Config, PageDatabase, PageOperations, PhysMap};

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
        operations: PageOperations {
            direct_map: caches::OPERATIONS,
            ..PageOperations::PORTABLE
        },
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

/// Loads the bytes at a physical address, which are all in one frame of the machine.
///
/// # Panics
/// If there is no memory.
pub(super) fn load(pages: &PageDatabase, address: PhysAddr, buffer: &mut [u8]) {
    for (byte, from) in buffer.iter_mut().zip(bytes_at(pages, address)) {
        *byte = from.load(Ordering::Relaxed);
    }
}

/// Stores bytes to a physical address; they all go to one frame of the machine.
///
/// # Panics
/// If there is no memory.
pub(super) fn store(pages: &PageDatabase, address: PhysAddr, bytes: &[u8]) {
    for (byte, to) in bytes.iter().zip(bytes_at(pages, address)) {
        to.store(*byte, Ordering::Relaxed);
    }
}

/// The bytes from `address` to the end of its frame.
fn bytes_at(pages: &PageDatabase, address: PhysAddr) -> &[AtomicU8] {
    assert!(
        pages.generation(address).is_some(),
        "there is no memory at {address:?}"
    );
    let frame = pages
        .pointer(address.page_base())
        .cast::<[AtomicU8; PAGE_SIZE]>();
    // SAFETY:
    // 1. The address was checked to be in the span, all of which `database` allocated for good.
    // 2. Processors share memory, so all bytes are atomic.
    let bytes = unsafe { frame.as_ref() };
    &bytes[address.page_offset()..]
}
