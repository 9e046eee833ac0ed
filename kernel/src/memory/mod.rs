//! The kernel's own memory: page database, heap, address space.
//!
//! [`init`] builds them in the only order in which they can be built, because each lives in the one
//! before:
//!
//! 1. The page database's records, and the first pages of the heap, are carved out of RAM that the
//!    boot code has already mapped ([`carve`]). The database gets the rest of that RAM.
//! 2. The heap grows from the page database.
//! 3. `arch` makes the final page tables, from frames, with all of RAM in the direct map.
//! 4. The page database gets the RAM that was out of reach until now.
//! 5. The kernel's address space manages the addresses for dynamic mappings.

#![allow(
    unsafe_code,
    reason = "RAM becomes typed memory here; each block says by whose word"
)]

#[cfg(test)]
mod cache_tests;
mod carve;
#[cfg(test)]
mod tests;

use alloc::sync::Arc;
use core::fmt;
use core::ptr::{self, NonNull};
use core::slice;

use arch::paging::{self, Tables};
use boot::{BootInfo, KernelImage};
use spin::Once;
use syscall::info::KmemStats;
use syscall::{Name, Result, Status, VmOptions};
use vm::addr::{PAGE_SIZE, PageCount, PhysRange, VirtAddr};
use vm::aspace::{AddressSpace, Aslr, AspaceConfig, Entropy};
use vm::cpu::{CpuId, CurrentCpu};
use vm::heap::{HeapStatistics, KernelHeap};
use vm::mmu::{Access, Domain, MemoryType};
use vm::pages::{Config, OwnerKind, PageDatabase, PhysMap};
use vm::vmar::{MapRequest, Vmar};
use vm::vmo::Vmo;

use crate::object::next_koid;
use crate::random;

use carve::Reach;

pub use vm::try_alloc::try_arc;

/// What the heap has before it can grow: enough for the first records of free memory.
const EARLY_HEAP: PageCount = PageCount::new(16);

#[global_allocator]
static HEAP: KernelHeap<PageDatabase, Machine> = KernelHeap::new();

/// The CPUs of this machine.
struct Machine;

impl CurrentCpu for Machine {
    #[inline]
    fn current_cpu() -> CpuId {
        arch::cpu::current()
    }
}

static PAGES: Once<PageDatabase> = Once::new();

static KERNEL_SPACE: Once<Arc<AddressSpace<Tables>>> = Once::new();

/// Why there is no memory to work with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MemoryError {
    /// The machine has no usable memory.
    NoMemory,
    /// No run of memory that can be reached at the start has this many pages.
    NoRoom(PageCount),
    /// There is not enough memory for the kernel's tables.
    Refused(Status),
}

impl fmt::Display for MemoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemory => formatter.write_str("there is no usable memory"),
            Self::NoRoom(pages) => {
                write!(
                    formatter,
                    "no run of {} free pages can be reached",
                    pages.get()
                )
            }
            Self::Refused(status) => {
                write!(formatter, "the kernel's tables do not fit: {status:?}")
            }
        }
    }
}

impl From<Status> for MemoryError {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// Sets everything up; called once, on the boot CPU, before anything is allocated.
///
/// # Errors
/// [`MemoryError`] says what the machine lacks.
pub fn init(info: &BootInfo, image: &KernelImage) -> Result<(), MemoryError> {
    let span = carve::span(info).ok_or(MemoryError::NoMemory)?;
    let mut reach = Reach::new(info);
    let storage_pages = PageCount::covering(PageDatabase::storage_bytes(span));
    let storage = reach
        .take(storage_pages)
        .ok_or(MemoryError::NoRoom(storage_pages))?;
    let arena = reach
        .take(EARLY_HEAP)
        .ok_or(MemoryError::NoRoom(EARLY_HEAP))?;
    add_arena(arena);
    let pages = PAGES.call_once(|| new_database(span, storage));
    add_frames(pages, reach.near());
    if !HEAP.attach(pages) {
        return Err(MemoryError::Refused(Status::NO_MEMORY));
    }
    let tables = final_tables(info, image, pages)?;
    add_frames(pages, reach.far());
    let config = AspaceConfig {
        name: Name::new_lossy("kernel"),
        range: paging::KERNEL_VMAR,
        domain: Domain::Kernel,
        aslr: Aslr::On(Entropy::new(random::next)),
    };
    let space = AddressSpace::new(config, tables, pages)?;
    KERNEL_SPACE.call_once(|| space);
    Ok(())
}

/// The page database.
///
/// # Panics
/// If [`init`] has not made it yet.
pub fn pages() -> &'static PageDatabase {
    PAGES
        .get()
        .expect("the page database is made before anything needs frames")
}

/// The kernel's own address space.
///
/// # Panics
/// If [`init`] has not made it yet.
pub fn kernel_space() -> &'static Arc<AddressSpace<Tables>> {
    KERNEL_SPACE
        .get()
        .expect("the kernel's address space is made before anything is mapped")
}

/// The root region of the kernel's own address space.
///
/// # Errors
/// - `BAD_STATE`: never, since the kernel's address space does not end.
pub fn kernel_root() -> Result<Arc<Vmar<Tables>>> {
    kernel_space().root()
}

/// Maps the registers of a device into the kernel's address space, for ever.
///
/// # Errors
/// - `NO_MEMORY`: no memory for the mapping.
/// - `NO_RESOURCES`: no room for it.
pub fn map_device(window: PhysRange) -> Result<VirtAddr> {
    let vmo = Vmo::physical(pages(), next_koid(), window, MemoryType::UncachedDevice)?;
    vmo.set_name(Name::new_lossy("device"));
    kernel_root()?.map(MapRequest {
        options: VmOptions::PERM_READ | VmOptions::PERM_WRITE,
        offset: 0,
        vmo,
        vmo_offset: 0,
        length: window.bytes(),
        permitted: Access::READ | Access::WRITE,
    })
}

/// The file of initial programs, if the loader brought one.
pub fn initrd(info: &BootInfo) -> Option<&'static [u8]> {
    let initrd = info.initrd?;
    let start = pages().pointer(initrd.address);
    // SAFETY:
    // 1. `boot` names memory that the loader filled, and keeps it out of what is usable, so nobody
    //    ever writes there.
    // 2. The direct map shows it for as long as the kernel runs.
    Some(unsafe { slice::from_raw_parts(start.as_ptr(), initrd.bytes) })
}

/// The bytes of RAM that the kernel manages.
pub fn total_bytes() -> u64 {
    bytes(pages().counts().total)
}

/// Has base pages show all memory in the direct map, whose tables only grow: for counts of frames that are
/// to come out the same.
///
/// # Errors
/// `NO_MEMORY`: there are not enough frames.
#[cfg(test)]
pub fn split_direct_map(info: &BootInfo) -> Result<()> {
    let split = arch::pages::operations().direct_map.split;
    let mut usable = info.memory.of_kind(boot::MemoryKind::Usable);
    usable.try_for_each(split)
}

/// What the heap holds.
pub fn heap_statistics() -> HeapStatistics {
    HEAP.statistics()
}

/// Gives back the memory that is only kept for quick reuse, so that what is in use can be counted.
pub fn trim() {
    HEAP.trim();
}

/// Where the memory is, as programs may ask.
///
/// Source: `docs/spec/abi.md` §9.
pub fn kmem_stats() -> KmemStats {
    let counts = pages().counts();
    let heap = heap_statistics();
    let owned = |kind| bytes(counts.owned_by(kind));
    let total_heap_bytes = owned(OwnerKind::Heap);
    let stats = KmemStats {
        total_bytes: bytes(counts.total),
        free_bytes: bytes(counts.free),
        wired_bytes: owned(OwnerKind::Wired) + owned(OwnerKind::Stack),
        total_heap_bytes,
        free_heap_bytes: total_heap_bytes.saturating_sub(heap.live_bytes as u64),
        vmo_bytes: owned(OwnerKind::Vmo),
        mmu_overhead_bytes: owned(OwnerKind::PageTable),
        ..KmemStats::default()
    };
    let listed = stats.free_bytes
        + stats.wired_bytes
        + stats.total_heap_bytes
        + stats.vmo_bytes
        + stats.mmu_overhead_bytes;
    KmemStats {
        other_bytes: stats.total_bytes.saturating_sub(listed),
        ..stats
    }
}

fn bytes(pages: PageCount) -> u64 {
    pages.get() as u64 * PAGE_SIZE as u64
}

/// Where physical memory appears: at the same place in the boot code's tables and in the final ones.
const fn physmap() -> PhysMap {
    PhysMap::new(ptr::without_provenance_mut(paging::PHYSMAP_BASE.raw()))
}

/// Lets the heap use `arena`.
fn add_arena(arena: PhysRange) {
    // SAFETY:
    // 1. `Reach` took the range out of usable memory, so nobody else uses it.
    // 2. The boot code's tables and the final ones show it.
    let is_added = unsafe { HEAP.add_arena(physmap().pointer(arena.base()), arena.bytes()) };
    debug_assert!(is_added, "the heap has room for its first arena");
}

/// An empty database with its records in `storage`.
fn new_database(span: PhysRange, storage: PhysRange) -> PageDatabase {
    let physmap = physmap();
    let storage: NonNull<u8> = physmap.pointer(storage.base());
    // SAFETY:
    // 1. `storage` has `storage_bytes` bytes, which `Reach` took out of usable memory, and the
    //    direct map shows it for good.
    // 2. Frames are added when the direct map shows them: see `init`.
    unsafe {
        PageDatabase::new(Config {
            physmap,
            span,
            storage,
            current_cpu: Machine::current_cpu,
            operations: arch::pages::operations(),
        })
    }
}

/// Gives `ranges` to the database.
fn add_frames(pages: &PageDatabase, ranges: &[PhysRange]) {
    for range in ranges {
        // SAFETY:
        // 1. The ranges are usable memory that `Reach` has not given to anybody else.
        // 2. `init` adds them when the tables in force show them in the direct map.
        unsafe { pages.add(*range) };
    }
}

/// Makes the final page tables and goes over to them.
fn final_tables(
    info: &BootInfo,
    image: &KernelImage,
    pages: &'static PageDatabase,
) -> Result<Tables, MemoryError> {
    // SAFETY:
    // 1. This is the only call, on the boot CPU, before any other CPU runs.
    // 2. `info` and `image` describe this machine and this kernel: `boot` made them.
    Ok(unsafe { paging::init(info, image, pages) }?)
}
