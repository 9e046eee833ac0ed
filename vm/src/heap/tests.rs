//! The heap in front of a simulated source of pages that uses the heap itself.

use std::alloc;
use std::boxed::Box;
use std::cell::Cell;
use std::collections::HashSet;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::cpu::CpuId;

std::thread_local! {
    /// The CPU that this thread plays.
    static CPU: Cell<CpuId> = const { Cell::new(CpuId::BOOT) };
    /// Whether this CPU is inside the source.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// A source of at most `limit` pages, which keeps one block in the heap for every run it has out.
struct Source {
    limit: AtomicUsize,
    out: AtomicUsize,
    heap: Once<&'static Heap>,
    notes: Mutex<Vec<usize>>,
}

type Heap = KernelHeap<Source, TestCpu>;

/// Each thread says which CPU it plays.
struct TestCpu;

impl CurrentCpu for TestCpu {
    fn current_cpu() -> CpuId {
        CPU.get()
    }
}

const NOTE: Layout = Layout::new::<[u64; 13]>();
const RESERVE: PageCount = PageCount::new(8);

impl Source {
    /// Does something inside, where the heap must not call back.
    fn inside<R>(&self, action: impl FnOnce(&'static Heap) -> R) -> Option<R> {
        assert!(
            !INSIDE.replace(true),
            "the heap called its source from inside"
        );
        let result = self.heap.get().map(|heap| action(heap));
        INSIDE.set(false);
        result
    }
}

// SAFETY: The system's allocator makes the pages.
unsafe impl PageSource for Source {
    fn is_bookkeeping(&self) -> bool {
        INSIDE.get()
    }

    fn reserve(&self) -> PageCount {
        RESERVE
    }

    fn take(&self, pages: PageCount, align_log2: u32) -> Option<NonNull<u8>> {
        assert_eq!(
            align_log2,
            PAGE_SIZE.ilog2(),
            "the tests ask for no more than a page's alignment"
        );
        let layout = Layout::from_size_align(pages.bytes()?, PAGE_SIZE).ok()?;
        let out = self.out.fetch_add(pages.get(), Ordering::SeqCst) + pages.get();
        if out > self.limit.load(Ordering::SeqCst) {
            self.out.fetch_sub(pages.get(), Ordering::SeqCst);
            return None;
        }
        // SAFETY: The layout is not empty.
        let base = NonNull::new(unsafe { alloc::alloc(layout) })?;
        self.inside(|heap| {
            // SAFETY: The layout is not empty.
            let note = unsafe { heap.alloc(NOTE) };
            assert!(!note.is_null(), "the reserve has run out");
            assert!(
                heap.arena
                    .contains(NonNull::new(note).expect("it is not null"))
            );
            self.notes.lock().push(note.expose_provenance());
        });
        Some(base)
    }

    unsafe fn give_back(&self, base: NonNull<u8>, pages: PageCount) {
        self.inside(|heap| {
            if let Some(note) = self.notes.lock().pop() {
                // SAFETY: `take` allocated the note.
                unsafe { heap.dealloc(ptr::with_exposed_provenance_mut(note), NOTE) };
            }
        });
        self.out.fetch_sub(pages.get(), Ordering::SeqCst);
        let bytes = pages.bytes().expect("it was handed out");
        let layout = Layout::from_size_align(bytes, PAGE_SIZE).expect("it was handed out");
        // SAFETY: `take` allocated the pages.
        unsafe { alloc::dealloc(base.as_ptr(), layout) };
    }
}

struct Machine {
    heap: &'static Heap,
    source: &'static Source,
}

/// A heap whose source has `limit` pages beyond the reserve.
fn machine(limit: usize) -> Machine {
    let heap: &'static Heap = Box::leak(Box::new(KernelHeap::new()));
    let source: &'static Source = Box::leak(Box::new(Source {
        limit: AtomicUsize::new(limit + RESERVE.get()),
        out: AtomicUsize::new(0),
        heap: Once::new(),
        notes: Mutex::new(Vec::new()),
    }));
    let arena: &'static mut [u64] = Box::leak(std::vec![0; 64 * 1024].into_boxed_slice());
    let arena = NonNull::from(arena);
    // SAFETY: The memory was just leaked.
    assert!(unsafe { heap.add_arena(arena.cast(), arena.len() * 8) });
    source.heap.call_once(|| heap);
    assert!(heap.attach(source));
    Machine { heap, source }
}

impl Machine {
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.heap.allocate(layout)
    }

    fn free(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: The tests free what they allocated, once, with its layout.
        unsafe { self.heap.release(block, layout) };
    }

    /// Allocates until nothing is left.
    fn exhaust(&self, layout: Layout) -> Vec<NonNull<u8>> {
        std::iter::from_fn(|| self.allocate(layout)).collect()
    }

    /// Whether nothing is in use and every page has gone back.
    fn assert_empty(&self) {
        self.heap.trim();
        let statistics = self.heap.statistics();
        assert_eq!((statistics.live_blocks, statistics.live_bytes), (0, 0));
        assert_eq!(statistics.pages, RESERVE);
        assert_eq!(self.source.out.load(Ordering::SeqCst), RESERVE.get());
    }
}

fn layout(bytes: usize, align: usize) -> Layout {
    Layout::from_size_align(bytes, align).expect("a valid layout")
}

#[test]
fn every_layout_up_to_the_largest_gets_a_block_that_fits() {
    for bytes in 1..=LARGEST_CACHED_BYTES {
        let class = SizeClass::of(layout(bytes, 8)).expect("it is not too large");
        assert!(class.block_bytes() >= bytes);
        let smaller = SizeClass::all().take(class.index()).last();
        assert!(smaller.is_none_or(|smaller| smaller.block_bytes() < bytes));
    }
    assert_eq!(SizeClass::of(layout(LARGEST_CACHED_BYTES + 1, 8)), None);
    assert_eq!(SizeClass::of(layout(8, 4096)), None);
    for class in SizeClass::all() {
        assert!(class.blocks() >= 2);
        assert!(class.first_block() + class.blocks() * class.block_bytes() <= PAGE_SIZE);
    }
}

#[test]
fn before_there_is_a_source_the_arena_serves() {
    let heap: Heap = KernelHeap::new();
    assert_eq!(heap.allocate(layout(8, 8)), None);
    let mut memory = std::vec![0_u64; 1024];
    let memory = NonNull::from(&mut memory[..]);
    // SAFETY: The memory outlives the heap, which nobody uses any more then.
    assert!(unsafe { heap.add_arena(memory.cast(), 8192) });
    let block = heap.allocate(layout(100, 8)).expect("the arena has room");
    assert_eq!(heap.statistics().arena_used_bytes, 100);
    // SAFETY: The block was just allocated.
    unsafe { heap.release(block, layout(100, 8)) };
    assert_eq!(heap.statistics().arena_used_bytes, 0);
    assert_eq!(heap.allocate(layout(9000, 8)), None);
}

#[test]
fn small_blocks_waste_little() {
    let machine = machine(1 << 16);
    let layout = layout(128, 8);
    let blocks: Vec<_> = (0..100_000)
        .filter_map(|_| machine.allocate(layout))
        .collect();
    let statistics = machine.heap.statistics();
    assert_eq!(
        (statistics.live_blocks, statistics.live_bytes),
        (100_000, 12_800_000)
    );
    let pages = statistics.pages.get() - RESERVE.get();
    assert!(pages <= 100_000_usize.div_ceil(31) + 1, "{pages} pages");
    let distinct: HashSet<_> = blocks.iter().collect();
    assert_eq!(distinct.len(), 100_000);
    for block in blocks {
        machine.free(block, layout);
    }
    machine.assert_empty();
}

#[test]
fn running_out_is_a_null_pointer_and_all_comes_back() {
    let machine = machine(10);
    for layout in [
        layout(16, 8),
        layout(640, 8),
        layout(2016, 8),
        layout(4096, 8),
    ] {
        let blocks = machine.exhaust(layout);
        assert!(blocks.len() >= 10, "{layout:?}");
        assert_eq!(
            machine.source.out.load(Ordering::SeqCst),
            10 + RESERVE.get()
        );
        let before = machine.heap.statistics();
        // SAFETY: The layout is not empty.
        assert!(unsafe { machine.heap.alloc(layout) }.is_null());
        assert_eq!(machine.heap.statistics(), before);
        for block in blocks {
            machine.free(block, layout);
        }
        machine.assert_empty();
    }
    assert_eq!(machine.allocate(layout(isize::MAX as usize, 1)), None);
}

#[test]
fn the_block_freed_last_comes_first_even_when_memory_has_run_out() {
    for bytes in [1, 16, 100, 640, LARGEST_CACHED_BYTES] {
        let machine = machine(20);
        let layout = layout(bytes, 8);
        let blocks = machine.exhaust(layout);
        // At any number of free blocks on the chains.
        for block in &blocks {
            machine.free(*block, layout);
            assert_eq!(machine.allocate(layout), Some(*block));
            machine.free(*block, layout);
        }
        machine.assert_empty();
    }
}

#[test]
fn all_that_was_freed_can_be_had_again_when_memory_has_run_out() {
    let machine = machine(20);
    let layout = layout(128, 8);
    let mut blocks = machine.exhaust(layout);
    for count in [1, 40, 100, 300] {
        for block in blocks.split_off(blocks.len() - count) {
            machine.free(block, layout);
        }
        let again = machine.exhaust(layout);
        assert_eq!(again.len(), count);
        blocks.extend(again);
    }
    for block in blocks {
        machine.free(block, layout);
    }
    machine.assert_empty();
}

#[test]
fn the_last_resort_of_the_source_is_what_is_in_stock() {
    let machine = machine(4);
    let seed = machine.allocate(NOTE).expect("memory is plenty");
    let filling: Vec<_> = std::iter::from_fn(|| machine.heap.arena.allocate(NOTE)).collect();
    INSIDE.set(true);
    let block = machine.allocate(NOTE);
    INSIDE.set(false);
    let block = block.expect("a page of blocks was begun");
    assert!(!machine.heap.arena.contains(block));
    machine.free(block, NOTE);
    machine.free(seed, NOTE);
    for block in filling {
        machine.free(block, NOTE);
    }
    machine.assert_empty();
}

#[test]
fn large_blocks_are_aligned_runs_of_pages() {
    let machine = machine(64);
    let page_run = layout(5 * PAGE_SIZE, 8);
    let block = machine.allocate(page_run).expect("memory is plenty");
    assert_eq!(block.addr().get() % PAGE_SIZE, 0);
    assert_eq!(machine.heap.statistics().pages.get(), RESERVE.get() + 5);
    machine.free(block, page_run);
    machine.assert_empty();
}

#[test]
fn blocks_may_be_freed_on_another_cpu() {
    let machine = machine(1 << 12);
    let (sender, receiver) = std::sync::mpsc::sync_channel::<(usize, Layout)>(64);
    std::thread::scope(|scope| {
        let machine = &machine;
        scope.spawn(move || {
            CPU.set(CpuId::new(1).expect("a CPU"));
            for round in 0..20_000_usize {
                let layout = layout(1 + round * 37 % 1500, 8);
                let block = machine.allocate(layout).expect("memory is plenty");
                // SAFETY: The block is ours and holds a byte.
                unsafe { block.write(round as u8) };
                sender
                    .send((block.as_ptr().expose_provenance(), layout))
                    .expect("it listens");
            }
        });
        scope.spawn(move || {
            CPU.set(CpuId::new(2).expect("a CPU"));
            for (round, (block, layout)) in receiver.iter().enumerate() {
                let block: *mut u8 = ptr::with_exposed_provenance_mut(block);
                let block = NonNull::new(block).expect("it was allocated");
                // SAFETY: The other thread wrote the byte and passed the block on.
                assert_eq!(unsafe { block.read() }, round as u8);
                machine.free(block, layout);
            }
        });
    });
    machine.assert_empty();
}

proptest! {
    #[test]
    fn blocks_in_use_never_overlap(
        steps in prop::collection::vec((any::<bool>(), 1_usize..6000, 0_u32..10, any::<usize>()), 1..400)
    ) {
        let machine = machine(1 << 10);
        let mut live: Vec<(NonNull<u8>, Layout, u8)> = Vec::new();
        for (number, (frees, bytes, align_log2, choice)) in steps.into_iter().enumerate() {
            if frees && !live.is_empty() {
                let (block, layout, mark) = live.swap_remove(choice % live.len());
                for offset in 0..layout.size() {
                    // SAFETY: The block is ours and that long.
                    prop_assert_eq!(unsafe { block.add(offset).read() }, mark);
                }
                machine.free(block, layout);
            } else if let Some(block) = machine.allocate(layout(bytes, 1 << align_log2)) {
                prop_assert_eq!(block.addr().get() % (1 << align_log2), 0);
                // SAFETY: The block is ours and that long.
                unsafe { block.write_bytes(number as u8, bytes) };
                live.push((block, layout(bytes, 1 << align_log2), number as u8));
            }
        }
        let bytes: usize = live.iter().map(|(_, layout, _)| layout.size()).sum();
        let statistics = machine.heap.statistics();
        prop_assert_eq!((statistics.live_blocks, statistics.live_bytes), (live.len(), bytes));
        for (block, layout, _) in live {
            machine.free(block, layout);
        }
        machine.assert_empty();
    }
}
