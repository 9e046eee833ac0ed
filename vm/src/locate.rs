//! What of which VMO is shown at an address, for those who read and write the memory of others.

use alloc::sync::Arc;

use syscall::{Result, Status};

use crate::addr::{PAGE_SIZE, VirtAddr};
use crate::aspace::AddressSpace;
use crate::locked::Guard;
use crate::mmu::Mmu;
use crate::region_tree::HasRange;
use crate::vmo::Vmo;

/// A part of a VMO, as a mapping shows it from some address on.
pub struct Shown<M: Mmu> {
    /// The VMO.
    pub vmo: Arc<Vmo<M>>,
    /// The byte of the VMO at the address.
    pub offset: u64,
    /// How many bytes there are up to the end of the mapping, whatever the size of the VMO; at least one.
    pub bytes: usize,
}

impl<M: Mmu> AddressSpace<M> {
    /// What is shown at `address`. The mapping may be gone, or show something else, when this returns.
    ///
    /// Locks the address space for reading.
    ///
    /// # Errors
    /// In this order:
    /// - `BAD_STATE`: the address space has ended.
    /// - `NOT_FOUND`: nothing is mapped there.
    /// - `OUT_OF_RANGE`: the mapping shows there what no VMO can reach.
    pub fn locate(&self, address: VirtAddr) -> Result<Shown<M>> {
        let guard = self.read();
        if guard.root().is_none() {
            return Err(Status::BAD_STATE);
        }
        let (region, mapping) = self
            .find_mapping(address, &guard)
            .ok_or(Status::NOT_FOUND)?;
        let range = region.range();
        let page = mapping.page_at(range.base(), address);
        let in_page = (address.raw() % PAGE_SIZE) as u64;
        let offset = page
            .offset()
            .and_then(|offset| offset.checked_add(in_page))
            .ok_or(Status::OUT_OF_RANGE)?;
        let bytes = range.end().checked_sub(address).ok_or(Status::NOT_FOUND)?;
        Ok(Shown {
            vmo: mapping.vmo().clone(),
            offset,
            bytes,
        })
    }
}
