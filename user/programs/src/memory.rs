//! What the kernel holds, to see whether it gives it back.

use alloc::format;
use alloc::string::String;

use zx::{MapInfo, Status};

/// Memory in use, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Memory {
    /// Contents of VMOs, without this program's own memory, whose stack and heap may grow.
    vmo: u64,
    /// Page tables.
    page_tables: u64,
    /// What the kernel has allocated from its heap.
    kernel_heap: u64,
}

impl Memory {
    /// What is in use now.
    ///
    /// # Errors
    /// Those of `object_get_info`.
    pub fn measure() -> Result<Self, Status> {
        let own: usize = rt::vmar_root_self()
            .info_maps_vec()?
            .iter()
            .filter_map(MapInfo::as_mapping)
            .map(|mapping| mapping.committed_bytes)
            .sum();
        let stats = rt::system_resource().mem_stats()?;
        Ok(Self {
            vmo: stats.vmo_bytes.saturating_sub(own as u64),
            page_tables: stats.mmu_overhead_bytes,
            kernel_heap: stats.total_heap_bytes.saturating_sub(stats.free_heap_bytes),
        })
    }

    /// Whether this is what was in use `before`.
    ///
    /// # Errors
    /// Both, in words.
    pub fn compare(&self, before: &Self) -> Result<(), String> {
        if self == before {
            Ok(())
        } else {
            Err(format!("before {before:?} after {self:?}"))
        }
    }
}
