//! The kernel's heap as the allocator of a whole program, with the page database as its source.
//!
//! So the database's B-trees and everything else really live in the heap that lives on the database.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vm::addr::{PAGE_SIZE, PageCount, PhysAddr, PhysRange};
use vm::cpu::{CpuId, CurrentCpu, MAX_CPUS};
use vm::heap::KernelHeap;
use vm::pages::{Config, OwnerKind, PageDatabase, PageOperations, PhysMap};
use vm::try_alloc::{ArcPermit, try_box, try_push, try_reserve};

/// The memory of the machine.
const MEMORY_BYTES: usize = 64 << 20;

/// What serves until there is a database.
const ARENA_BYTES: usize = 1 << 20;

#[global_allocator]
static HEAP: KernelHeap<PageDatabase, ThisCpu> = KernelHeap::new();

struct ThisCpu;

impl CurrentCpu for ThisCpu {
    fn current_cpu() -> CpuId {
        this_cpu()
    }
}

/// Each thread plays a processor of its own.
fn this_cpu() -> CpuId {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static CPU: Cell<Option<CpuId>> = const { Cell::new(None) };
    }
    CPU.get().unwrap_or_else(|| {
        let cpu = CpuId::new(NEXT.fetch_add(1, Ordering::Relaxed) % MAX_CPUS);
        CPU.set(cpu);
        cpu.unwrap_or(CpuId::BOOT)
    })
}

/// Memory of the host that is never given back.
fn leaked(bytes: usize) -> NonNull<u8> {
    let layout = Layout::from_size_align(bytes, PAGE_SIZE).expect("a size that fits");
    // SAFETY: No caller asks for nothing.
    NonNull::new(unsafe { System.alloc_zeroed(layout) }).expect("the host has memory")
}

/// Before the first line of Rust allocates, on the thread that becomes the main one.
extern "C" fn add_arena() {
    // SAFETY: The memory was allocated for this.
    assert!(unsafe { HEAP.add_arena(leaked(ARENA_BYTES), ARENA_BYTES) });
}

#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = add_arena;

fn attach() -> &'static PageDatabase {
    let span = PhysRange::new(PhysAddr::new(0), PageCount::covering(MEMORY_BYTES));
    let span = span.expect("a valid range");
    let config = Config {
        physmap: PhysMap::new(leaked(MEMORY_BYTES).as_ptr()),
        span,
        storage: leaked(PageDatabase::storage_bytes(span)),
        current_cpu: this_cpu,
        operations: PageOperations::PORTABLE,
    };
    // SAFETY: Storage and memory were allocated for this and are never freed.
    let pages: &PageDatabase = Box::leak(Box::new(unsafe { PageDatabase::new(config) }));
    // SAFETY: The range is the memory behind the map, which nobody else uses.
    unsafe { pages.add(span) };
    assert!(HEAP.attach(pages), "the reserve must be there");
    pages
}

/// Frames that the database says the heap has, and those that the heap says it has.
fn frames_of_heap(pages: &PageDatabase) -> (PageCount, PageCount) {
    HEAP.trim();
    let counts = pages.audit().expect("the books agree");
    (counts.owned_by(OwnerKind::Heap), HEAP.statistics().pages)
}

/// Takes all memory in blocks of `N` words, does something with `work`, and returns how many there were.
fn exhaust<const N: usize>(work: impl FnOnce()) -> usize {
    let mut blocks = Vec::new();
    let mut refused = 0;
    while refused == 0 {
        let outcome = try_box([0_usize; N]).and_then(|block| try_push(&mut blocks, block));
        refused += usize::from(outcome.is_err());
    }
    work();
    // Every free of one block makes room for one again, even now.
    for _ in 0..100 {
        drop(blocks.pop());
        assert!(try_box([1_usize; N]).is_ok());
        blocks.push(try_box([1_usize; N]).expect("the block that was just freed"));
    }
    blocks.len()
}

/// Grows and shrinks collections of all kinds.
fn churn(seed: usize) {
    let mut map = BTreeMap::new();
    for step in 0..20_000_usize {
        let key = step.wrapping_mul(seed | 1) % 997;
        let value: Vec<usize> = (0..key % 600).collect();
        map.insert(key, Arc::new(value));
        if let Some(old) = map.remove(&(key * 7 % 997)) {
            assert!(old.iter().copied().eq(0..old.len()));
        }
    }
}

#[test]
fn a_program_lives_on_the_heap_that_lives_on_the_database() {
    let pages = attach();
    let (before, counted) = frames_of_heap(pages);
    assert_eq!(before, counted);

    churn(1);
    let live_before = HEAP.statistics().live_blocks;
    let permit = ArcPermit::<[usize; 14]>::new().expect("memory is plenty");
    assert!(exhaust::<16>(|| assert_eq!(permit.fill([7; 14])[13], 7)) > MEMORY_BYTES / 128 / 2);
    assert!(exhaust::<80>(|| ()) > MEMORY_BYTES / 640 / 2);
    assert!(exhaust::<1024>(|| ()) > MEMORY_BYTES / 8192 / 2);
    assert!(try_reserve(&mut Vec::<u8>::new(), MEMORY_BYTES).is_err());
    assert_eq!(HEAP.statistics().live_blocks, live_before);

    // Last, because what a thread leaves behind may be freed after it was joined.
    std::thread::scope(|scope| {
        for seed in 2..6 {
            scope.spawn(move || churn(seed));
        }
    });

    let (after, counted) = frames_of_heap(pages);
    assert_eq!(after, counted);
    // The test harness has blocks of its own, which may begin a page or two.
    assert!(
        after.get() <= before.get() + 4,
        "{before:?} before, {after:?} after"
    );
    let statistics = HEAP.statistics();
    assert!(statistics.arena_used_bytes < statistics.arena_bytes);
}
