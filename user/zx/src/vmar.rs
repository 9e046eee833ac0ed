//! Virtual memory address regions.

use alloc::vec::Vec;
use core::mem::{MaybeUninit, size_of};
use core::ptr;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::handle::handle_type;
use crate::info::queries;
use crate::{
    AsHandleRef, Handle, MapInfo, Status, VmarFlags, VmarFlagsExtended, VmarOp, Vmo,
    object_get_info, object_get_info_single, object_get_info_vec, ok, sys,
};

handle_type! {
    /// A region of an address space: a range that holds mappings and smaller regions.
    pub struct Vmar;
}

queries! {
    /// Where a region is.
    VmarRange: VMAR -> VmarInfo;
    /// What is in a region.
    VmarMaps: VMAR_MAPS -> MapInfo;
}

/// Where a region is.
#[derive(Clone, Copy, Debug, Eq, FromBytes, Hash, Immutable, IntoBytes, KnownLayout, PartialEq)]
#[repr(C)]
pub struct VmarInfo {
    /// The first address.
    pub base: usize,
    /// The size in bytes.
    pub len: usize,
}

const _: () = assert!(size_of::<VmarInfo>() == size_of::<sys::zx_info_vmar_t>());

impl Vmar {
    /// Reserves `size` bytes of this region as a new one; returns it and its first address.
    ///
    /// # Errors
    /// - `BAD_STATE`: this region was destroyed.
    /// - `INVALID_ARGS`: flags, offset or size are not valid.
    /// - `ACCESS_DENIED`: more capabilities than this region or handle has.
    /// - `ALREADY_EXISTS`: the place is taken.
    /// - `NO_RESOURCES`: no place is left.
    ///
    /// Source: `docs/spec/vmar.md` §3.
    pub fn allocate(
        &self,
        offset: usize,
        size: usize,
        flags: VmarFlags,
    ) -> Result<(Self, usize), Status> {
        let mut child = sys::ZX_HANDLE_INVALID;
        let mut address = 0;
        // SAFETY:
        // 1. `child` and `address` are live locals that the call may write.
        // 2. A new region takes only address space that nothing uses.
        ok(unsafe {
            sys::zx_vmar_allocate(
                self.raw_handle(),
                flags.bits(),
                offset,
                size,
                &mut child,
                &mut address,
            )
        })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        let handle = unsafe { Handle::from_raw(child) };
        Ok((Self::from(handle), address))
    }

    /// Shows `len` bytes of `vmo` from `vmo_offset` in this region; returns the first address.
    ///
    /// # Errors
    /// - `BAD_STATE`: this region was destroyed.
    /// - `INVALID_ARGS`, `OUT_OF_RANGE`: flags, offsets or length are not valid.
    /// - `ACCESS_DENIED`: more permissions than the handles or this region give.
    /// - `NOT_SUPPORTED`: the kind of VMO does not fit the flags.
    /// - `ALREADY_EXISTS`: the place is taken.
    /// - `NO_RESOURCES`: no place is left.
    ///
    /// Source: `docs/spec/vmar.md` §5.
    pub fn map(
        &self,
        vmar_offset: usize,
        vmo: &Vmo,
        vmo_offset: u64,
        len: usize,
        flags: VmarFlags,
    ) -> Result<usize, Status> {
        let flags = VmarFlagsExtended::from(VmarFlags::from_bits_truncate(flags.bits()));
        // SAFETY: without SPECIFIC_OVERWRITE a mapping takes only address space that nothing uses.
        unsafe { self.map_unsafe(vmar_offset, vmo, vmo_offset, len, flags) }
    }

    /// As [`map`](Self::map), with flags that may replace other mappings.
    ///
    /// # Safety
    /// - With `SPECIFIC_OVERWRITE`, nothing relies on the memory that is replaced.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub unsafe fn map_unsafe(
        &self,
        vmar_offset: usize,
        vmo: &Vmo,
        vmo_offset: u64,
        len: usize,
        flags: VmarFlagsExtended,
    ) -> Result<usize, Status> {
        let mut address = 0;
        // SAFETY:
        // 1. `address` is a live local that the call may write.
        // 2. The caller answers for memory that is replaced.
        ok(unsafe {
            sys::zx_vmar_map(
                self.raw_handle(),
                flags.bits(),
                vmar_offset,
                vmo.raw_handle(),
                vmo_offset,
                len,
                &mut address,
            )
        })?;
        Ok(address)
    }

    /// Removes the mappings in a range of addresses and the regions that lie in it as a whole.
    ///
    /// # Safety
    /// - Nothing relies on the memory in the range, neither data nor code.
    ///
    /// # Errors
    /// - `BAD_STATE`: this region was destroyed.
    /// - `INVALID_ARGS`: the range is not valid or cuts through a region.
    ///
    /// Source: `docs/spec/vmar.md` §6.
    pub unsafe fn unmap(&self, addr: usize, len: usize) -> Result<(), Status> {
        // SAFETY: the caller answers for the memory in the range.
        ok(unsafe { sys::zx_vmar_unmap(self.raw_handle(), addr, len) })
    }

    /// Changes the permissions of the mappings in a range of addresses.
    ///
    /// # Safety
    /// - Nothing relies on a permission that the memory in the range loses.
    ///
    /// # Errors
    /// - `BAD_STATE`: this region was destroyed.
    /// - `INVALID_ARGS`: flags or range are not valid.
    /// - `NOT_FOUND`: part of the range has no mapping.
    /// - `ACCESS_DENIED`: more permissions than the mappings may have.
    ///
    /// Source: `docs/spec/vmar.md` §7.
    pub unsafe fn protect(&self, addr: usize, len: usize, flags: VmarFlags) -> Result<(), Status> {
        // SAFETY: the caller answers for the memory in the range.
        ok(unsafe { sys::zx_vmar_protect(self.raw_handle(), flags.bits(), addr, len) })
    }

    /// Performs an operation on the pages that a range of addresses shows.
    ///
    /// `DECOMMIT` and `ZERO` change memory that is mapped, as [`Vmo::write`] can: who has made references
    /// to mapped memory, which needs `unsafe`, answers for nobody doing that meanwhile.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: no such operation, the range is not valid, or it is not for mappings of regions
    ///   inside this one.
    /// - `OUT_OF_RANGE`: the range leaves this region, or a mapping its VMO or stream.
    /// - `BAD_STATE`: this region was destroyed, or part of the range has no mapping.
    /// - `ACCESS_DENIED`: a mapping may never allow what the operation does.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `NO_MEMORY`: no memory for pages.
    ///
    /// Source: `docs/spec/vmar.md` §8.
    pub fn op_range(&self, op: VmarOp, addr: usize, len: usize) -> Result<(), Status> {
        // SAFETY:
        // 1. No buffer is given.
        // 2. The operation moves no memory; contents of mapped memory may change at any time.
        ok(unsafe {
            sys::zx_vmar_op_range(
                self.raw_handle(),
                op.into_raw(),
                addr,
                len,
                ptr::null_mut(),
                0,
            )
        })
    }

    /// Ends this region and all that is in it; the handle stays valid.
    ///
    /// # Safety
    /// - Nothing relies on memory in this region.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `OP_CHILDREN` right.
    /// - `NOT_SUPPORTED`: this is the root region.
    /// - `BAD_STATE`: this region was destroyed already.
    ///
    /// Source: `docs/spec/vmar.md` §9.
    pub unsafe fn destroy(&self) -> Result<(), Status> {
        // SAFETY: the caller answers for the memory in the region.
        ok(unsafe { sys::zx_vmar_destroy(self.raw_handle()) })
    }

    /// Where this region is, or was before it was destroyed.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    pub fn info(&self) -> Result<VmarInfo, Status> {
        object_get_info_single::<VmarRange>(self.as_handle_ref())
    }

    /// This region and all that is in it, in pre-order.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    /// - `BAD_STATE`: this region was destroyed.
    /// - `NO_MEMORY`: no room for the records.
    pub fn info_maps_vec(&self) -> Result<Vec<MapInfo>, Status> {
        object_get_info_vec::<VmarMaps>(self.as_handle_ref())
    }

    /// [`info_maps_vec`](Self::info_maps_vec) under its later name.
    ///
    /// # Errors
    /// As there.
    pub fn maps_vec(&self) -> Result<Vec<MapInfo>, Status> {
        self.info_maps_vec()
    }

    /// As much of this region and its contents as `buffer` holds.
    ///
    /// Returns the records written, the rest of the buffer, and how many records there are in all.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    /// - `BAD_STATE`: this region was destroyed.
    #[allow(
        clippy::type_complexity,
        reason = "the signature is that of the later generation"
    )]
    pub fn maps<'a>(
        &self,
        buffer: &'a mut [MaybeUninit<MapInfo>],
    ) -> Result<(&'a mut [MapInfo], &'a mut [MaybeUninit<MapInfo>], usize), Status> {
        object_get_info::<VmarMaps>(self.as_handle_ref(), buffer)
    }
}
