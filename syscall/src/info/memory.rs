//! What is told about the memory of the machine.

record! {
    /// Answer to [`Topic::KMEM_STATS`](super::Topic::KMEM_STATS); everything in bytes.
    pub struct KmemStats: 152 {
        /// All memory.
        0 total_bytes: u64,
        /// Free.
        8 free_bytes: u64,
        /// Free but lent by contiguous VMOs.
        16 free_loaned_bytes: u64,
        /// Kernel image, page database and other memory that never moves.
        24 wired_bytes: u64,
        /// The kernel heap, used or not.
        32 total_heap_bytes: u64,
        /// The unused part of the kernel heap.
        40 free_heap_bytes: u64,
        /// Contents of VMOs.
        48 vmo_bytes: u64,
        /// Page tables.
        56 mmu_overhead_bytes: u64,
        /// Messages.
        64 ipc_bytes: u64,
        /// Kept for reuse by caches.
        72 cache_bytes: u64,
        /// Kept by slab allocators.
        80 slab_bytes: u64,
        /// Compressed pages.
        88 zram_bytes: u64,
        /// The rest.
        96 other_bytes: u64,
        /// VMO memory that could be reclaimed.
        104 vmo_reclaim_total_bytes: u64,
        /// The youngest part of it.
        112 vmo_reclaim_newest_bytes: u64,
        /// The oldest part of it.
        120 vmo_reclaim_oldest_bytes: u64,
        /// VMO memory exempt from reclaim.
        128 vmo_reclaim_disabled_bytes: u64,
        /// Locked discardable memory.
        136 vmo_discardable_locked_bytes: u64,
        /// Unlocked discardable memory.
        144 vmo_discardable_unlocked_bytes: u64,
    }
}

record! {
    /// Answer to [`Topic::KMEM_STATS_V1`](super::Topic::KMEM_STATS_V1); in bytes, as [`KmemStats`].
    pub struct KmemStatsV1: 72 {
        /// All memory.
        0 total_bytes: u64,
        /// Free.
        8 free_bytes: u64,
        /// Memory that never moves.
        16 wired_bytes: u64,
        /// The kernel heap, used or not.
        24 total_heap_bytes: u64,
        /// The unused part of the kernel heap.
        32 free_heap_bytes: u64,
        /// Contents of VMOs.
        40 vmo_bytes: u64,
        /// Page tables.
        48 mmu_overhead_bytes: u64,
        /// Messages.
        56 ipc_bytes: u64,
        /// The rest.
        64 other_bytes: u64,
    }
}

impl From<KmemStats> for KmemStatsV1 {
    fn from(stats: KmemStats) -> Self {
        Self {
            total_bytes: stats.total_bytes,
            free_bytes: stats.free_bytes,
            wired_bytes: stats.wired_bytes,
            total_heap_bytes: stats.total_heap_bytes,
            free_heap_bytes: stats.free_heap_bytes,
            vmo_bytes: stats.vmo_bytes,
            mmu_overhead_bytes: stats.mmu_overhead_bytes,
            ipc_bytes: stats.ipc_bytes,
            other_bytes: stats.other_bytes,
        }
    }
}
