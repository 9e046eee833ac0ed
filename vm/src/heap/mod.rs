//! The kernel heap: any size of block, from pages that it takes and gives back as needed.
//!
//! [`KernelHeap`] is a `GlobalAlloc` in front of a [`PageSource`], which is the page database in the
//! kernel and a simulated one in tests.
//!
//! ```text
//!    up to 2016 bytes                            more           the source's own bookkeeping,
//!          │                                       │            and everything before `attach`
//!    front of this CPU   chains of free blocks     │                        │
//!          │ a chain at a time                     │                        │
//!    depot of the size   slabs: pages of blocks    │                        │
//!          │ a page at a time                      │ whole pages            │
//!    ┌─────▼───────────────────────────────────────▼─────┐           ┌──────▼──────┐
//!    │                    page source                    │ ─────────►│    arena    │
//!    └───────────────────────────────────────────────────┘  once     └─────────────┘
//! ```
//!
//! Allocating and freeing a small block takes a bounded number of steps, however many blocks are live.
//! A page of which no block is in use goes back to the source, except one per size.
//!
//! # The circle, and how it is cut
//!
//! The page database keeps its free ranges in B-trees, whose nodes come from this heap, which takes
//! its pages from the page database. Two rules make that safe:
//!
//! 1. The heap calls the source with none of its locks held.
//! 2. While a CPU is inside the source, [`PageSource::is_bookkeeping`] says so, and what it allocates
//!    comes from the *arena*: memory set aside at boot, enlarged in [`KernelHeap::attach`] by what the
//!    source says it may ever need, and used for nothing else afterwards. (Should it run out, free
//!    blocks in stock are the last resort.)
//!
//! # What allocation failure means
//!
//! A null pointer; nothing panics. `try_alloc` builds on one more promise: the block that a CPU freed
//! last is the next that it gets for the same layout, so an allocation that follows a release of the
//! same layout cannot fail. That holds because a front is a stack, and because nothing on the same CPU
//! allocates in between: the kernel is not preempted, and interrupt handlers do not use the heap.

mod arena;
mod classes;
mod front;
mod slab;
mod source;

#[cfg(test)]
mod tests;

pub use classes::LARGEST_CACHED_BYTES;
pub use source::PageSource;

use core::alloc::{GlobalAlloc, Layout};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use spin::{Mutex, Once};

use crate::addr::{PAGE_SIZE, PageCount};
use crate::cpu::{CurrentCpu, MAX_CPUS};
use arena::Arena;
use classes::{CLASSES, SizeClass};
use front::{Chain, Front};
use slab::{Depot, Keep};

/// A heap that grows from, and shrinks into, a source of pages.
///
/// `C` tells which processor runs the caller, from the first allocation on.
pub struct KernelHeap<P: 'static, C> {
    source: Once<&'static P>,
    current_cpu: PhantomData<C>,
    fronts: [Mutex<Front>; MAX_CPUS],
    depots: [Mutex<Depot>; CLASSES],
    arena: Arena,
    /// Pages taken from the source and not given back.
    pages: AtomicUsize,
}

/// What a heap holds. See [`KernelHeap::statistics`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HeapStatistics {
    /// Blocks in use, outside the arena.
    pub live_blocks: usize,
    /// Bytes asked for in these.
    pub live_bytes: usize,
    /// Pages taken from the source, for blocks, for stock and for the arena.
    pub pages: PageCount,
    /// Bytes in use in the arena.
    pub arena_used_bytes: usize,
    /// Bytes that the arena has.
    pub arena_bytes: usize,
}

impl<P: PageSource, C: CurrentCpu> KernelHeap<P, C> {
    /// A heap with no memory.
    #[expect(clippy::new_without_default, reason = "it is for statics only")]
    pub const fn new() -> Self {
        Self {
            source: Once::new(),
            current_cpu: PhantomData,
            fronts: [const { Mutex::new(Front::new()) }; MAX_CPUS],
            depots: [const { Mutex::new(Depot::new()) }; CLASSES],
            arena: Arena::new(),
            pages: AtomicUsize::new(0),
        }
    }

    /// Adds memory to the arena, which serves everything until [`attach`](Self::attach).
    ///
    /// Returns whether it was accepted; an arena has two pieces, one of which `attach` adds.
    ///
    /// # Safety
    /// The `bytes` bytes from `base` on are writable, and nobody else ever uses them.
    pub unsafe fn add_arena(&self, base: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: The caller's promise is passed on.
        unsafe { self.arena.add(base, bytes) }
    }

    /// Lets the heap grow from `source`, and sets aside what `source` needs for its own bookkeeping.
    ///
    /// Returns whether that much memory was there. If it was not, the heap works all the same, with
    /// what the arena has.
    pub fn attach(&self, source: &'static P) -> bool {
        let reserve = source.reserve();
        let piece = source.take(reserve, PAGE_SIZE.ilog2());
        let is_added = piece.zip(reserve.bytes()).is_some_and(|(base, bytes)| {
            self.pages.fetch_add(reserve.get(), Ordering::Relaxed);
            // SAFETY: The source gave these pages away, and the arena never gives them back.
            unsafe { self.arena.add(base, bytes) }
        });
        self.source.call_once(|| source);
        is_added
    }

    /// What the heap holds, counted while the other CPUs go on.
    pub fn statistics(&self) -> HeapStatistics {
        let (mut live_blocks, mut live_bytes) = (0, 0);
        for front in &self.fronts {
            let front = front.lock();
            live_blocks += front.live_blocks;
            live_bytes += front.live_bytes;
        }
        let (arena_used_bytes, arena_bytes) = self.arena.usage();
        HeapStatistics {
            live_blocks: live_blocks.cast_unsigned(),
            live_bytes: live_bytes.cast_unsigned(),
            pages: PageCount::new(self.pages.load(Ordering::Relaxed)),
            arena_used_bytes,
            arena_bytes,
        }
    }

    /// Gives back every page of which no block is in use, on whatever CPU it is in stock.
    ///
    /// For when memory is short, and before frames are counted.
    pub fn trim(&self) {
        let Some(source) = self.source.get().filter(|source| !source.is_bookkeeping()) else {
            return;
        };
        for class in SizeClass::all() {
            for front in &self.fronts {
                let chains = front.lock().drain(class);
                for chain in chains {
                    self.put(source, class, chain);
                }
            }
            let mut released = Chain::new();
            self.depot(class).lock().trim(&mut released);
            self.give_back(source, released);
        }
    }

    #[inline]
    fn front(&self) -> &Mutex<Front> {
        &self.fronts[C::current_cpu().index()]
    }

    fn depot(&self, class: SizeClass) -> &Mutex<Depot> {
        &self.depots[class.index()]
    }

    /// The source, unless there is none yet or this CPU is inside it.
    #[inline]
    fn usable_source(&self) -> Option<&'static P> {
        self.source
            .get()
            .copied()
            .filter(|source| !source.is_bookkeeping())
    }

    /// A small block that the front does not have: from the depot, which may grow.
    fn fetch(&self, source: &P, class: SizeClass) -> Option<NonNull<u8>> {
        let mut chain = self.depot(class).lock().take(class.chain_blocks());
        if chain.is_empty() {
            let page = source.take(PageCount::new(1), PAGE_SIZE.ilog2())?;
            self.pages.fetch_add(1, Ordering::Relaxed);
            let mut depot = self.depot(class).lock();
            // SAFETY: The source gave this page away, and gets it back from `give_back` only.
            unsafe { depot.add_page(page, class) };
            chain = depot.take(class.chain_blocks());
        }
        let block = chain.pop();
        let surplus = self.front().lock().restock(class, chain);
        if let Some(surplus) = surplus {
            self.put(source, class, surplus);
        }
        block
    }

    /// Puts free blocks back into their depot, and vacant pages back into the source.
    fn put(&self, source: &P, class: SizeClass, chain: Chain) {
        let keep = if source.is_bookkeeping() {
            Keep::All
        } else {
            Keep::One
        };
        let mut released = Chain::new();
        // SAFETY: The blocks of a front come from the depot of their class, and those on its chains
        // are free.
        unsafe { self.depot(class).lock().put(chain, keep, &mut released) };
        self.give_back(source, released);
    }

    fn give_back(&self, source: &P, mut released: Chain) {
        while let Some(page) = released.pop() {
            self.pages.fetch_sub(1, Ordering::Relaxed);
            // SAFETY: The page came from `take`, and no block of it is in use or in stock.
            unsafe { source.give_back(page, PageCount::new(1)) };
        }
    }

    /// The quick way: a small block that is at hand. Everything else is left to functions that are called
    /// last, so that this one has nothing to save for afterwards.
    #[inline]
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        if self
            .source
            .get()
            .is_some_and(|source| !source.may_be_bookkeeping())
            && let Some(class) = SizeClass::of_ordinary(layout)
        {
            let mut front = self.front().lock();
            if let Some(block) = front.pop(class) {
                front.count_allocation(layout.size());
                return Some(block);
            }
        }
        self.allocate_slowly(layout)
    }

    /// A block that is not at hand.
    #[cold]
    #[inline(never)]
    fn allocate_slowly(&self, layout: Layout) -> Option<NonNull<u8>> {
        let (Some(source), Some(class)) = (self.usable_source(), SizeClass::of(layout)) else {
            return self.allocate_rarely(layout);
        };
        let spare = self.front().lock().pop_spare(class);
        let block = match spare {
            Some(block) => block,
            None => self.fetch(source, class)?,
        };
        self.front().lock().count_allocation(layout.size());
        Some(block)
    }

    /// A large block, or any block while the source cannot be asked.
    fn allocate_rarely(&self, layout: Layout) -> Option<NonNull<u8>> {
        let Some(source) = self.usable_source() else {
            return self
                .arena
                .allocate(layout)
                .or_else(|| self.allocate_from_stock(layout));
        };
        let pages = PageCount::covering(layout.size());
        let block = source.take(pages, layout.align().max(PAGE_SIZE).ilog2())?;
        self.pages.fetch_add(pages.get(), Ordering::Relaxed);
        self.front().lock().count_allocation(layout.size());
        Some(block)
    }

    /// A small block without growing, for a source that needs more than it had set aside.
    fn allocate_from_stock(&self, layout: Layout) -> Option<NonNull<u8>> {
        let class = SizeClass::of(layout)?;
        let mut front = self.front().lock();
        let block = front
            .pop(class)
            .or_else(|| front.pop_spare(class))
            .or_else(|| self.depot(class).lock().take(1).pop())?;
        front.count_allocation(layout.size());
        Some(block)
    }

    /// Takes a block back: the quick way, for small ones that there is room for at hand.
    ///
    /// # Safety
    /// `allocate` returned `block` for this `layout`, and nobody uses it.
    #[inline]
    unsafe fn release(&self, block: NonNull<u8>, layout: Layout) {
        if let Some(class) = SizeClass::of_ordinary(layout)
            && !self.arena.contains(block)
        {
            let mut front = self.front().lock();
            if front.has_room(class) {
                front.count_release(layout.size());
                // SAFETY: A block for this layout that is not the arena's is of this class, and nobody uses
                // it.
                unsafe { front.push(class, block) };
                return;
            }
        }
        // SAFETY: The caller's promise is passed on.
        unsafe { self.release_slowly(block, layout) };
    }

    /// Takes a block back, making room for it if it is a small one.
    ///
    /// # Safety
    /// As for [`release`](Self::release).
    #[cold]
    #[inline(never)]
    unsafe fn release_slowly(&self, block: NonNull<u8>, layout: Layout) {
        // Only a source makes blocks outside the arena.
        let source = self.source.get().filter(|_| !self.arena.contains(block));
        let (Some(source), Some(class)) = (source, SizeClass::of(layout)) else {
            // SAFETY: The caller's promise is passed on.
            return unsafe { self.release_rarely(block, layout) };
        };
        let mut front = self.front().lock();
        front.count_release(layout.size());
        let surplus = front.make_room(class);
        // SAFETY: As in `release`.
        unsafe { front.push(class, block) };
        drop(front);
        if let Some(surplus) = surplus {
            self.put(source, class, surplus);
        }
    }

    /// Takes back a large block, or one of the arena's.
    ///
    /// # Safety
    /// As for [`release`](Self::release).
    unsafe fn release_rarely(&self, block: NonNull<u8>, layout: Layout) {
        if self.arena.contains(block) {
            // SAFETY: The block lies in the arena, so it came from there, for this layout.
            unsafe { self.arena.release(block, layout) };
            return;
        }
        let Some(source) = self.source.get() else {
            return;
        };
        self.front().lock().count_release(layout.size());
        let pages = PageCount::covering(layout.size());
        self.pages.fetch_sub(pages.get(), Ordering::Relaxed);
        // SAFETY: The block came from `take` with this number of pages, and nobody uses it.
        unsafe { source.give_back(block, pages) };
    }
}

// SAFETY:
// 1. A block is valid for its layout: a class's blocks are as large and as aligned as the layout, and a
//    run of pages is too; the arena's buddy allocator looks after its own.
// 2. A block is out at most once: it leaves the chain, depot or source that had it, under a lock.
// 3. Nothing unwinds.
unsafe impl<P: PageSource, C: CurrentCpu> GlobalAlloc for KernelHeap<P, C> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocate(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: The caller's promise is passed on.
            unsafe { self.release(block, layout) };
        }
    }
}
