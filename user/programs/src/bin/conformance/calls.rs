//! The calls on address spaces, and those that look at them, with arguments of any value.
//!
//! A test starts from a call that works and changes the argument it is about:
//! `MapCall { length: 0, ..valid }.make()`.
//!
//! The tests use only regions they have made themselves, in which nothing that Rust knows of lives; that
//! is what makes it sound to offer the calls without `unsafe`.

use zx::{AsHandleRef, Handle, HandleBased, Status, Topic, Vmar, Vmo, ok, sys};

use crate::fixtures::{P, Region};

/// Arguments of `zx_vmar_allocate`.
#[derive(Clone, Copy)]
pub struct AllocateCall {
    pub parent: sys::zx_handle_t,
    pub options: u32,
    pub offset: usize,
    pub size: usize,
}

impl AllocateCall {
    /// One page wherever there is room.
    pub fn one_page(parent: &Region) -> Self {
        Self {
            parent: parent.raw_handle(),
            options: 0,
            offset: 0,
            size: P,
        }
    }

    /// Makes the call.
    pub fn make(self) -> Result<(Vmar, usize), Status> {
        let mut child = sys::ZX_HANDLE_INVALID;
        let mut address = 0;
        self.make_into(&mut child, &mut address)?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok((
            Vmar::from_handle(unsafe { Handle::from_raw(child) }),
            address,
        ))
    }

    /// Makes the call with any addresses for the results.
    pub fn make_into(self, child: *mut u32, address: *mut usize) -> Result<(), Status> {
        let Self {
            parent,
            options,
            offset,
            size,
        } = self;
        // SAFETY: see the module; wild result addresses are refused, which is what is tested.
        ok(unsafe { sys::zx_vmar_allocate(parent, options, offset, size, child, address) })
    }
}

/// Arguments of `zx_vmar_map`.
#[derive(Clone, Copy)]
pub struct MapCall {
    pub vmar: sys::zx_handle_t,
    pub options: u32,
    pub vmar_offset: usize,
    pub vmo: sys::zx_handle_t,
    pub vmo_offset: u64,
    pub length: usize,
}

impl MapCall {
    /// One readable and writable page wherever there is room.
    pub fn one_page(vmar: &Region, vmo: &Vmo) -> Self {
        Self {
            vmar: vmar.raw_handle(),
            options: sys::ZX_VM_PERM_READ | sys::ZX_VM_PERM_WRITE,
            vmar_offset: 0,
            vmo: vmo.raw_handle(),
            vmo_offset: 0,
            length: P,
        }
    }

    /// Makes the call.
    pub fn make(self) -> Result<usize, Status> {
        let mut address = 0;
        self.make_into(&mut address)?;
        Ok(address)
    }

    /// Makes the call with any address for the result.
    pub fn make_into(self, address: *mut usize) -> Result<(), Status> {
        let Self {
            vmar,
            options,
            vmar_offset,
            vmo,
            vmo_offset,
            length,
        } = self;
        // SAFETY: see the module; wild result addresses are refused, which is what is tested.
        ok(unsafe {
            sys::zx_vmar_map(vmar, options, vmar_offset, vmo, vmo_offset, length, address)
        })
    }
}

/// Calls `zx_vmar_unmap`.
pub fn unmap(vmar: sys::zx_handle_t, address: usize, length: usize) -> Result<(), Status> {
    // SAFETY: see the module.
    ok(unsafe { sys::zx_vmar_unmap(vmar, address, length) })
}

/// Calls `zx_vmar_destroy`.
pub fn destroy(vmar: sys::zx_handle_t) -> Result<(), Status> {
    // SAFETY: see the module.
    ok(unsafe { sys::zx_vmar_destroy(vmar) })
}

/// Arguments of `zx_vmar_protect`.
#[derive(Clone, Copy)]
pub struct ProtectCall {
    pub vmar: sys::zx_handle_t,
    pub options: u32,
    pub address: usize,
    pub length: usize,
}

impl ProtectCall {
    /// The page `page` of a region, to read only.
    pub fn read_only(vmar: &Region, page: usize) -> Self {
        Self {
            vmar: vmar.raw_handle(),
            options: sys::ZX_VM_PERM_READ,
            address: vmar.at(page),
            length: P,
        }
    }

    /// Makes the call.
    pub fn make(self) -> Result<(), Status> {
        let Self {
            vmar,
            options,
            address,
            length,
        } = self;
        // SAFETY: see the module.
        ok(unsafe { sys::zx_vmar_protect(vmar, options, address, length) })
    }
}

/// Arguments of `zx_vmar_op_range`.
#[derive(Clone, Copy)]
pub struct RangeCall {
    pub vmar: sys::zx_handle_t,
    pub op: u32,
    pub address: usize,
    pub length: usize,
    pub buffer: usize,
    pub buffer_size: usize,
}

impl RangeCall {
    /// The operation on one page of a region.
    pub fn one_page(vmar: &Region, op: u32, page: usize) -> Self {
        Self {
            vmar: vmar.raw_handle(),
            op,
            address: vmar.at(page),
            length: P,
            buffer: 0,
            buffer_size: 0,
        }
    }

    /// Makes the call.
    pub fn make(self) -> Result<(), Status> {
        let Self {
            vmar,
            op,
            address,
            length,
            buffer,
            buffer_size,
        } = self;
        let buffer = core::ptr::with_exposed_provenance_mut(buffer);
        // SAFETY: see the module; buffers are refused, which is what is tested.
        ok(unsafe { sys::zx_vmar_op_range(vmar, op, address, length, buffer, buffer_size) })
    }
}

/// Asks about `handle`; returns the number of records written and existing.
pub fn ask(
    handle: sys::zx_handle_t,
    topic: Topic,
    buffer: *mut u8,
    size: usize,
) -> Result<(usize, usize), Status> {
    let (mut actual, mut available) = (usize::MAX, usize::MAX);
    // SAFETY: see the module; the buffer is the test's own, or an address that the kernel refuses.
    ok(unsafe {
        sys::zx_object_get_info(
            handle,
            topic.into_raw(),
            buffer,
            size,
            &mut actual,
            &mut available,
        )
    })?;
    Ok((actual, available))
}
