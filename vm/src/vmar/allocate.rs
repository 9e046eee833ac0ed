//! Making a VMAR inside another.

use alloc::sync::Arc;

use syscall::{Name, Result, Status, VmOptions};

use super::placement::{Place, PlaceRequest};
use super::{Region, Vmar};
use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount};
use crate::mmu::Mmu;
use crate::try_alloc::try_arc;

/// What a new VMAR may be asked to be.
const ACCEPTED: VmOptions = VmOptions::SPECIFIC
    .union(VmOptions::OFFSET_IS_UPPER_LIMIT)
    .union(VmOptions::COMPACT)
    .union(VmOptions::CAN_MAP_SPECIFIC)
    .union(VmOptions::CAN_MAP_PERMISSIONS)
    .union(VmOptions::PERM_READ_IF_XOM_UNSUPPORTED);

/// What a VMAR remembers of its options.
const KEPT: VmOptions = VmOptions::COMPACT
    .union(VmOptions::CAN_MAP_SPECIFIC)
    .union(VmOptions::CAN_MAP_PERMISSIONS);

impl<M: Mmu> Vmar<M> {
    /// Makes a VMAR of `size` bytes inside this one; see `spec/vmar.md` §4 for `offset`.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: unknown options or alignment, permissions, a size that is not whole pages,
    ///   options that are not for VMARs.
    /// - `BAD_STATE`: this VMAR is dead.
    /// - `INVALID_ARGS`: `size` is zero.
    /// - `ACCESS_DENIED`: capabilities that this VMAR does not have.
    /// - What placement answers.
    /// - `NO_MEMORY`: there is none for the objects.
    ///
    /// A call that fails has changed nothing. Source: `spec/vmar.md` §3, checks 2 to 16.
    pub fn allocate(
        self: &Arc<Self>,
        options: VmOptions,
        offset: usize,
        size: usize,
    ) -> Result<Arc<Self>> {
        options.alignment()?;
        if !size.is_multiple_of(PAGE_SIZE) || !ACCEPTED.contains(options.flags()) {
            return Err(Status::INVALID_ARGS);
        }
        let mut guard = self.owner().write();
        let regions = self.live(&guard)?;
        if size == 0 {
            return Err(Status::INVALID_ARGS);
        }
        let wanted = options.intersection(VmOptions::CAN_MAP_PERMISSIONS);
        if !self.flags().contains(wanted) {
            return Err(Status::ACCESS_DENIED);
        }
        let request = PlaceRequest {
            options,
            offset,
            pages: PageCount::covering(size),
            natural_log2: PAGE_SHIFT,
        };
        let (Place::Free(range) | Place::Occupied(range)) = self.wish(request)?.place(regions)?;
        let name = Name::new_lossy("useralloc");
        let flags = options.intersection(KEPT);
        let child = Self::new(self.owner().clone(), range, flags, Some(self.clone()), name);
        let child = try_arc(child)?;
        let region = try_arc(Region::vmar(child.clone()))?;
        self.insert(region, &mut guard);
        Ok(child)
    }
}
