//! Memory that is set aside before it is needed.

use core::alloc::Layout;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use buddy_system_allocator::Heap;
use spin::Mutex;

/// Blocks are smaller than `2^ORDER` bytes.
const ORDER: usize = 26;

/// How many pieces of memory an arena can consist of: one from boot, one from the page source.
const EXTENTS: usize = 2;

/// Where one piece of an arena lies; empty until it is added, then fixed.
struct Extent {
    base: AtomicUsize,
    end: AtomicUsize,
}

impl Extent {
    const fn new() -> Self {
        Self {
            base: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
        }
    }

    #[inline]
    fn contains(&self, address: usize) -> bool {
        // Whoever has a block from this piece learned of it after it was added.
        self.base.load(Ordering::Relaxed) <= address && address < self.end.load(Ordering::Relaxed)
    }
}

/// A fixed amount of memory, managed by a buddy allocator.
pub(super) struct Arena {
    heap: Mutex<Heap<ORDER>>,
    extents: [Extent; EXTENTS],
}

impl Arena {
    pub(super) const fn new() -> Self {
        Self {
            heap: Mutex::new(Heap::new()),
            extents: [const { Extent::new() }; EXTENTS],
        }
    }

    /// Adds a piece of memory; whether there was room to note it.
    ///
    /// # Safety
    /// The `bytes` bytes from `base` on are writable, and the arena's for good.
    pub(super) unsafe fn add(&self, base: NonNull<u8>, bytes: usize) -> bool {
        let mut heap = self.heap.lock();
        let is_empty = |extent: &&Extent| extent.end.load(Ordering::Relaxed) == 0;
        let Some(extent) = self.extents.iter().find(is_empty) else {
            return false;
        };
        let base = base.addr().get();
        extent.base.store(base, Ordering::Relaxed);
        extent.end.store(base + bytes, Ordering::Relaxed);
        // SAFETY: The caller gives the memory away for good, and so never twice.
        unsafe { heap.init(base, bytes) };
        true
    }

    /// Whether `block` lies in the arena.
    #[inline]
    pub(super) fn contains(&self, block: NonNull<u8>) -> bool {
        self.extents
            .iter()
            .any(|extent| extent.contains(block.addr().get()))
    }

    pub(super) fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.heap.lock().alloc(layout).ok()
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// `allocate` returned `block` for this `layout`, and nobody uses it.
    pub(super) unsafe fn release(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: The caller's promise is passed on.
        unsafe { self.heap.lock().dealloc(block, layout) }
    }

    /// The bytes in use, as asked for, and the bytes there are.
    pub(super) fn usage(&self) -> (usize, usize) {
        let heap = self.heap.lock();
        (heap.stats_alloc_user(), heap.stats_total_bytes())
    }
}
