//! The page database: which frames of memory exist, who has each, and which are free.
//!
//! Read [`PageDatabase`] and [`Frame`] first. A frame is free or has exactly one owner, which its type
//! names; only VMO pages may be shared, by counted references to one owner's frame.
//!
//! ```text
//!   allocate ─► cache of this CPU ─► depot: blocks of 64 frames, broken up ─► buddy: whole blocks
//!               intrusive list       bit per frame                            buddy_system_allocator
//! ```
//!
//! The buddy keeps its books on the heap, and the heap gets its memory here. So no lock of the database
//! but the buddy's own is held while the buddy works, and
//! [`is_bookkeeping`](PageDatabase::is_bookkeeping) tells the heap that the call comes from there, so that
//! it uses its reserve and does not ask back. Interrupt handlers never come here.

mod cache;
mod contents;
mod contiguous;
mod counts;
mod depot;
mod direct_map;
mod fault_injection;
mod frame;
mod info;
mod list;
mod setup;
mod shortage;
mod table;
#[cfg(test)]
mod tests;

pub use contents::{PageOperations, PhysMap};
pub use counts::{FrameCounts, FreeFrames, Mismatch};
pub use direct_map::{CacheOp, DirectMapOperations};
pub use frame::{Frame, FrameRun, OwnerKind, owner};
pub use list::FrameList;
pub use setup::Config;

use core::fmt;
use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use buddy_system_allocator::FrameAllocator;
use spin::{Mutex, MutexGuard};
use syscall::{Result, Status};

use crate::addr::{PhysAddr, PhysRange};
use crate::cpu::{CpuId, MAX_CPUS};
use crate::reclaim::Reclaimer;
use cache::{BATCH, Cache};
use depot::{BlockNumber, Depot};
#[cfg(any(test, feature = "fault-injection"))]
pub use fault_injection::FaultGuard;
use fault_injection::FaultPlan;
use frame::FrameNumber;
use info::InfoTable;
use owner::Owner;
use shortage::Shortage;

/// The largest piece the buddy joins its blocks to is `2^(ORDERS - 1)` blocks: 8 GiB.
const ORDERS: usize = 16;

/// No processor, in `PageDatabase::bookkeeper`.
const NOBODY: u32 = u32::MAX;

/// A cache on a cache line of its own.
#[repr(align(64))]
struct CacheSlot(Mutex<Cache>);

/// All frames of the system.
///
/// 1. Every frame that was added is free or owned; the counts by owner and the free ones add up to all.
/// 2. A free frame is in one cache, or its bit is set in the depot, or its block is the buddy's.
///
/// Lock order: caches by number of processor, then the depot. The buddy's lock is never held with another.
pub struct PageDatabase {
    infos: InfoTable,
    physmap: PhysMap,
    span: PhysRange,
    current_cpu: fn() -> CpuId,
    operations: PageOperations,
    caches: [CacheSlot; MAX_CPUS],
    depot: Mutex<Depot>,
    buddy: Mutex<FrameAllocator<ORDERS>>,
    /// The processor that is in the buddy.
    bookkeeper: AtomicU32,
    /// How many blocks the buddy has.
    buddy_blocks: AtomicUsize,
    total_frames: AtomicUsize,
    /// The address of the page of zeros, or 0 until there is one.
    zero_page: AtomicUsize,
    shortage: Shortage,
    reclaimer: Reclaimer,
    fault_plan: FaultPlan,
}

impl PageDatabase {
    /// Hands out one frame, whatever is in it.
    ///
    /// # Errors
    /// `NO_MEMORY`: no frame is free.
    #[inline]
    pub fn allocate<O: Owner>(&self) -> Result<Frame<O>> {
        self.injected_failure()?;
        loop {
            if let Some(info) = self.cache().lock().take(O::KIND) {
                return Ok(Frame::from_number(self.infos.number_of(info)));
            }
            self.refill()?;
        }
    }

    /// Hands out one frame full of zeros.
    ///
    /// # Errors
    /// `NO_MEMORY`: no frame is free.
    #[inline]
    pub fn allocate_zeroed<O: Owner>(&self) -> Result<Frame<O>> {
        let mut frame = self.allocate()?;
        self.zero(&mut frame);
        Ok(frame)
    }

    /// Takes back a frame, or one share of it; the frame is free when no share is left.
    #[inline]
    pub fn free<O: Owner>(&self, frame: Frame<O>) {
        let info = self.infos.get(frame.number());
        if !info.is_plain() && !self.drop_reference(frame.number()) {
            return;
        }
        self.poison(frame.number());
        let mut cache = self.cache().lock();
        cache.give(info, O::KIND);
        if cache.is_too_full() {
            self.spill(cache);
        }
    }

    /// Takes back all frames in a list.
    #[inline]
    pub fn free_list<O: Owner>(&self, list: FrameList<O>) {
        if !list.is_empty() {
            self.free_all(list);
        }
    }

    fn free_all<O: Owner>(&self, mut list: FrameList<O>) {
        {
            let mut cache = self.cache().lock();
            while let Some(info) = list.pop_info() {
                self.poison(self.infos.number_of(info));
                cache.give(info, O::KIND);
                if cache.is_too_full() {
                    cache.drain(BATCH, &self.infos, &mut self.depot.lock());
                }
            }
        }
        self.return_surplus();
    }

    /// Another share of a VMO's frame. Whoever writes must see to it that the frame is not shared.
    pub fn share(&self, frame: &Frame<owner::Vmo>) -> Frame<owner::Vmo> {
        self.infos.get(frame.number()).add_reference();
        Frame::from_number(frame.number())
    }

    /// Whether there are other shares of the frame.
    #[inline]
    pub fn is_shared(&self, frame: &Frame<owner::Vmo>) -> bool {
        !self.infos.get(frame.number()).is_exclusive()
    }

    /// The page of zeros that everybody may map, but never writable.
    ///
    /// # Panics
    /// If no memory was added yet.
    #[inline]
    pub fn zero_page(&self) -> PhysAddr {
        let address = self.zero_page.load(Ordering::Relaxed);
        assert!(address != 0, "no memory was added yet");
        PhysAddr::new(address)
    }

    /// The VMOs that pages can be had from when no frame is free.
    pub const fn reclaimer(&self) -> &Reclaimer {
        &self.reclaimer
    }

    /// Where `address` appears in the direct map.
    #[inline]
    pub fn pointer(&self, address: PhysAddr) -> NonNull<u8> {
        self.physmap.pointer(address)
    }

    /// The direct map.
    pub const fn physmap(&self) -> PhysMap {
        self.physmap
    }

    /// Whether the calling processor is inside the buddy, which keeps its books on the heap.
    ///
    /// The heap must not ask for frames then.
    #[inline]
    pub fn is_bookkeeping(&self) -> bool {
        let bookkeeper = self.bookkeeper.load(Ordering::Relaxed);
        bookkeeper != NOBODY && bookkeeper == (self.current_cpu)().index() as u32
    }

    /// Whether any processor is inside the buddy: the quick half of that question.
    #[inline]
    pub(crate) fn may_be_bookkeeping(&self) -> bool {
        self.bookkeeper.load(Ordering::Relaxed) != NOBODY
    }

    fn total_frames(&self) -> usize {
        self.total_frames.load(Ordering::Relaxed)
    }

    fn buddy_blocks(&self) -> usize {
        self.buddy_blocks.load(Ordering::Relaxed)
    }

    #[inline]
    fn cache(&self) -> &Mutex<Cache> {
        &self.caches[(self.current_cpu)().index()].0
    }

    /// Gets frames to where `allocate` finds them.
    #[cold]
    fn refill(&self) -> Result<()> {
        if self.fill_cache() {
            return Ok(());
        }
        if let Some(block) = self.take_blocks(1) {
            self.depot.lock().give_block(block);
            return Ok(());
        }
        if self.drain_caches() > 0 {
            Ok(())
        } else {
            self.shortage.miss(1);
            Err(Status::NO_MEMORY)
        }
    }

    /// Moves some of the frames in `cache`, which has too many, to the depot.
    #[cold]
    fn spill(&self, mut cache: MutexGuard<'_, Cache>) {
        cache.drain(BATCH, &self.infos, &mut self.depot.lock());
        drop(cache);
        self.return_surplus();
    }

    fn fill_cache(&self) -> bool {
        let mut cache = self.cache().lock();
        cache.fill(&self.infos, &mut self.depot.lock())
    }

    /// Moves the free frames of all processors' caches to the depot; answers how many.
    fn drain_caches(&self) -> usize {
        let drain = |slot: &CacheSlot| slot.0.lock().drain(0, &self.infos, &mut self.depot.lock());
        self.caches.iter().map(drain).sum()
    }

    /// Gives whole blocks that the depot need not keep to the buddy.
    fn return_surplus(&self) {
        loop {
            let Some(block) = self.depot.lock().take_surplus_block() else {
                break;
            };
            self.give_blocks(block, 1);
        }
    }

    /// Takes `count` blocks, a power of two, from the buddy.
    fn take_blocks(&self, count: usize) -> Option<BlockNumber> {
        if count >= 1 << ORDERS {
            return None;
        }
        let first = self.with_buddy(|buddy| buddy.alloc(count))?;
        let before = self.buddy_blocks.fetch_sub(count, Ordering::Relaxed);
        self.note_blocks_left(before - count);
        Some(BlockNumber(first as u32))
    }

    fn give_blocks(&self, first: BlockNumber, count: usize) {
        self.buddy_blocks.fetch_add(count, Ordering::Relaxed);
        self.with_buddy(|buddy| buddy.dealloc(first.0 as usize, count));
    }

    /// Gives the blocks with these numbers, at least one, to the buddy.
    fn insert_blocks(&self, numbers: Range<u32>) {
        self.buddy_blocks
            .fetch_add(numbers.len(), Ordering::Relaxed);
        self.with_buddy(|buddy| buddy.insert(numbers.start as usize..numbers.end as usize));
    }

    /// Runs `work` on the buddy, marked as its bookkeeper. No other lock of the database may be held.
    fn with_buddy<R>(&self, work: impl FnOnce(&mut FrameAllocator<ORDERS>) -> R) -> R {
        let mut buddy = self.buddy.lock();
        self.bookkeeper
            .store((self.current_cpu)().index() as u32, Ordering::Relaxed);
        let result = work(&mut buddy);
        self.bookkeeper.store(NOBODY, Ordering::Relaxed);
        result
    }

    /// Spoils the contents of a frame that becomes free, so that late uses show up in tests.
    #[inline]
    fn poison(&self, number: FrameNumber) {
        #[cfg(any(test, feature = "sim"))]
        {
            let mut frame =
                core::mem::ManuallyDrop::new(Frame::<owner::Wired>::from_number(number));
            self.fill(&mut frame, 0xa5);
        }
        let _ = number;
    }
}

impl fmt::Debug for PageDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the frames in {:?}", self.span)
    }
}
