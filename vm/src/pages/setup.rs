//! Making a database, and telling it what memory there is.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use buddy_system_allocator::FrameAllocator;
use spin::Mutex;

use super::cache::Cache;
use super::depot::{BLOCK_FRAMES, BLOCK_SHIFT, BlockInfo, Depot, blocks_in};
use super::fault_injection::FaultPlan;
use super::frame::{FrameNumber, owner};
use super::info::{InfoTable, PageInfo};
use super::shortage::Shortage;
use super::{CacheSlot, NOBODY, PageDatabase, PageOperations, PhysMap};
use crate::addr::{PAGE_SHIFT, PhysRange};
use crate::cpu::{CpuId, MAX_CPUS};
use crate::reclaim::Reclaimer;

/// What a database is made from.
#[derive(Debug)]
pub struct Config {
    /// Where memory appears.
    pub physmap: PhysMap,
    /// From the lowest address that will ever be added up to the highest.
    pub span: PhysRange,
    /// Memory for the records, [`PageDatabase::storage_bytes`] of it, aligned to a page.
    pub storage: NonNull<u8>,
    /// Tells which processor runs the caller.
    pub current_cpu: fn() -> CpuId,
    /// How pages are cleared and copied.
    pub operations: PageOperations,
}

impl PageDatabase {
    /// How much memory the records of the frames in `span` need, in bytes.
    pub const fn storage_bytes(span: PhysRange) -> usize {
        info_bytes(span) + blocks_in(span) * size_of::<BlockInfo>()
    }

    /// A database for the frames in `span`, none of which exist yet.
    ///
    /// # Panics
    /// If the span reaches beyond 16 TiB.
    ///
    /// # Safety
    /// 1. `config.storage` is page-aligned, valid for `storage_bytes(span)` bytes for good, and nobody else
    ///    uses it.
    /// 2. `config.physmap` shows every frame that will be added, for good.
    pub unsafe fn new(config: Config) -> Self {
        let Config {
            physmap,
            span,
            storage,
            current_cpu,
            operations,
        } = config;
        assert!(
            span.end().raw() >> PAGE_SHIFT <= u32::MAX as usize,
            "memory beyond 16 TiB"
        );
        // SAFETY: Fact 1 of the caller, for the first part of the storage.
        let infos = unsafe { InfoTable::new(storage.cast::<PageInfo>(), span) };
        // SAFETY: Fact 1 of the caller: `storage_bytes` has room for the blocks after the infos, aligned.
        let depot = unsafe {
            let blocks = storage.add(info_bytes(span)).cast::<BlockInfo>();
            Depot::new(blocks, span)
        };
        Self {
            infos,
            physmap,
            span,
            current_cpu,
            operations,
            caches: [const { CacheSlot(Mutex::new(Cache::new())) }; MAX_CPUS],
            depot: Mutex::new(depot),
            buddy: Mutex::new(FrameAllocator::new()),
            bookkeeper: AtomicU32::new(NOBODY),
            buddy_blocks: AtomicUsize::new(0),
            total_frames: AtomicUsize::new(0),
            zero_page: AtomicUsize::new(0),
            shortage: Shortage::new(),
            reclaimer: Reclaimer::new(),
            fault_plan: FaultPlan::new(),
        }
    }

    /// Adds the frames in `range`, which become free. Frame 0 is left out. The first frame of all becomes
    /// the page of zeros.
    ///
    /// # Panics
    /// If part of `range` is outside the span or was added before.
    ///
    /// # Safety
    /// `range` is memory that nobody uses, shown by the direct map.
    pub unsafe fn add(&self, range: PhysRange) {
        assert!(
            self.span.contains_range(range),
            "memory outside the span: {range:?}"
        );
        let numbers = |from: u32, to: u32| (from..to).filter_map(FrameNumber::new);
        let first = (range.base().raw() >> PAGE_SHIFT) as u32;
        let end = first + range.pages().get() as u32;
        for info in self.infos.slice(first.max(1), end) {
            assert!(info.appear(), "memory was added twice: {range:?}");
        }
        let added = end.saturating_sub(first.max(1));
        self.total_frames
            .fetch_add(added as usize, Ordering::Relaxed);

        let end_of_head = first.max(1).next_multiple_of(BLOCK_FRAMES).min(end);
        let start_of_tail = (end & !(BLOCK_FRAMES - 1)).max(end_of_head);
        {
            let mut depot = self.depot.lock();
            numbers(first, end_of_head).for_each(|number| depot.give(number));
            numbers(start_of_tail, end).for_each(|number| depot.give(number));
        }
        if end_of_head < start_of_tail {
            self.insert_blocks(end_of_head >> BLOCK_SHIFT..start_of_tail >> BLOCK_SHIFT);
        }
        self.set_up_zero_page();
    }

    fn set_up_zero_page(&self) {
        if self.zero_page.load(Ordering::Relaxed) == 0
            && let Ok(frame) = self.allocate_zeroed::<owner::Wired>()
        {
            self.zero_page
                .store(frame.into_address().raw(), Ordering::Relaxed);
        }
    }
}

/// The size of the infos of `span`, rounded up so that the blocks after them are aligned.
const fn info_bytes(span: PhysRange) -> usize {
    (span.pages().get() * size_of::<PageInfo>()).next_multiple_of(align_of::<BlockInfo>())
}
