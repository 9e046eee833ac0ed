//! Making VMOs from others, for devices, and from what devices have.

use super::Vmo;
use crate::{AsHandleRef, Bti, Handle, Resource, Status, VmoChildOptions, ok, sys};

impl Vmo {
    /// Makes a VMO from the bytes `offset .. offset + size` of this one.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `DUPLICATE` or `READ` right, or no `RESIZE` right for a resizable reference.
    /// - `INVALID_ARGS`: the options exclude each other or name no type; or the range is not aligned, or not in
    ///   the VMO where it has to be.
    /// - `OUT_OF_RANGE`: larger than a VMO can be.
    /// - `NOT_SUPPORTED`: this VMO cannot have such a child.
    /// - `BAD_STATE`: its memory is not cached.
    /// - `NO_MEMORY`: no memory for the child.
    ///
    /// Source: `docs/spec/vmo.md` §7.
    pub fn create_child(
        &self,
        opts: VmoChildOptions,
        offset: u64,
        size: u64,
    ) -> Result<Self, Status> {
        let mut child = sys::ZX_HANDLE_INVALID;
        // SAFETY: `child` is a live local that the call may write.
        ok(unsafe {
            sys::zx_vmo_create_child(self.raw_handle(), opts.bits(), offset, size, &mut child)
        })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(child) }))
    }

    /// Creates a VMO of `size` bytes, rounded up to pages, whose pages lie side by side in physical memory, from
    /// a multiple of 2 to the power of `alignment_log2` on; 0 stands for a page.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: no bytes, or an alignment that is none.
    /// - `ACCESS_DENIED`: no `MAP` right.
    /// - `NO_MEMORY`: there is no such memory.
    ///
    /// Source: `docs/spec/vmo.md` §14.
    pub fn create_contiguous(bti: &Bti, size: usize, alignment_log2: u32) -> Result<Self, Status> {
        let mut vmo = sys::ZX_HANDLE_INVALID;
        // SAFETY: `vmo` is a live local that the call may write.
        ok(unsafe {
            sys::zx_vmo_create_contiguous(bti.raw_handle(), size, alignment_log2, &mut vmo)
        })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(vmo) }))
    }

    /// Creates a VMO that shows `size` bytes of physical addresses, rounded up to pages, from `paddr` on.
    ///
    /// # Errors
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover the addresses.
    /// - `ACCESS_DENIED`: memory, or a device of the kernel's own, is among them.
    /// - `INVALID_ARGS`: no bytes, or they do not begin at a page.
    /// - `NO_MEMORY`: no memory for the object.
    ///
    /// Source: `docs/spec/vmo.md` §14.
    pub fn create_physical(
        resource: &Resource,
        paddr: sys::zx_paddr_t,
        size: usize,
    ) -> Result<Self, Status> {
        let mut vmo = sys::ZX_HANDLE_INVALID;
        // SAFETY: `vmo` is a live local that the call may write.
        ok(unsafe { sys::zx_vmo_create_physical(resource.raw_handle(), paddr, size, &mut vmo) })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(vmo) }))
    }
}
