//! The heap: VMOs mapped into the root region, cut up by a buddy allocator.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
use core::ptr::NonNull;

use buddy_system_allocator::Heap;
use spin::Mutex;
use syscall::Alignment;
use zx::{AsHandleRef, Name, Status, VmarFlags, Vmo};

/// One more than the binary logarithm of the largest block: 4 GiB, as the largest alignment of a mapping.
const ORDERS: usize = 33;

/// The least that the heap grows by, in bytes. Pages that are never touched cost nothing.
const SMALLEST_GROWTH: usize = 256 * 1024;

#[cfg_attr(target_os = "none", global_allocator)]
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "a host has its own heap")
)]
static HEAP: ProgramHeap = ProgramHeap(Mutex::new(Heap::new()));

/// The program's heap.
///
/// Blocks come only from mappings that `grow` made, which stay for the life of the program.
struct ProgramHeap(Mutex<Heap<ORDERS>>);

// SAFETY:
// 1. The lock makes every operation exclusive.
// 2. The buddy allocator gives out disjoint blocks of at least the size and alignment asked for.
// 3. A failure is a null pointer, never a panic.
unsafe impl GlobalAlloc for ProgramHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut heap = self.0.lock();
        let block = heap.alloc(layout).or_else(|()| {
            grow(&mut heap, layout).map_err(|_| ())?;
            heap.alloc(layout)
        });
        block.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: the caller of `GlobalAlloc` gives back a block that `alloc` gave for `layout`.
            unsafe { self.0.lock().dealloc(block, layout) };
        }
    }
}

/// Adds a mapping in which a block of `layout` fits.
///
/// The mapping is aligned to its size, so that it is one block to the buddy allocator.
fn grow(heap: &mut Heap<ORDERS>, layout: Layout) -> Result<(), Status> {
    let size = layout
        .size()
        .max(layout.align())
        .max(SMALLEST_GROWTH)
        .checked_next_power_of_two()
        .ok_or(Status::NO_MEMORY)?;
    let exponent = u8::try_from(size.ilog2()).map_err(|_| Status::NO_MEMORY)?;
    let alignment = Alignment::from_exponent(exponent).map_err(|_| Status::NO_MEMORY)?;
    let placement = syscall::VmOptions::empty().with_alignment(alignment);
    let flags = VmarFlags::PERM_READ
        | VmarFlags::PERM_WRITE
        | VmarFlags::from_bits_retain(placement.bits());

    let vmo = Vmo::create(size as u64)?;
    vmo.set_name(&Name::new_lossy("heap"))?;
    let start = crate::vmar_root_self().map(0, &vmo, 0, size, flags)?;
    // SAFETY:
    // 1. The kernel has mapped the range readable and writable at a place that nothing else used.
    // 2. Nothing unmaps it: the program knows the range only as blocks of this heap.
    unsafe { heap.add_to_heap(start, start + size) };
    Ok(())
}
