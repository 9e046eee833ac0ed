//! Virtual memory objects.

mod make;
mod operate;

use alloc::vec::Vec;
use core::mem::{MaybeUninit, size_of};
use core::slice;

use zerocopy::FromBytes;

use crate::handle::handle_type;
use crate::info::queries;
use crate::property::ContentSizeProperty;
use crate::{
    AsHandleRef, CachePolicy, Handle, HandleBased, Koid, Name, Resource, Rights, Status,
    VmoInfoFlags, VmoOptions, object_get_info_single, object_get_property, object_set_property, ok,
    sys,
};

handle_type! {
    /// An array of pages that can be mapped, read and written.
    pub struct Vmo;
}

queries! {
    /// All about a VMO.
    VmoRecord: VMO -> sys::zx_info_vmo_t;
}

impl Vmo {
    /// Creates a VMO of `size` bytes, rounded up to pages, that reads as zero.
    ///
    /// # Errors
    /// - `OUT_OF_RANGE`: larger than a VMO can be.
    /// - `NO_MEMORY`: no memory for the object.
    pub fn create(size: u64) -> Result<Self, Status> {
        Self::create_with_opts(VmoOptions::empty(), size)
    }

    /// As [`create`](Self::create), with options.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: the options exclude each other.
    /// - `OUT_OF_RANGE`: larger than a VMO can be.
    /// - `NO_MEMORY`: no memory for the object.
    ///
    /// Source: `docs/spec/vmo.md` §2.
    pub fn create_with_opts(opts: VmoOptions, size: u64) -> Result<Self, Status> {
        let mut vmo = sys::ZX_HANDLE_INVALID;
        // SAFETY: `vmo` is a live local that the call may write.
        ok(unsafe { sys::zx_vmo_create(size, opts.bits(), &mut vmo) })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(vmo) }))
    }

    /// Copies bytes out of the VMO.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `READ` right.
    /// - `OUT_OF_RANGE`: the range does not lie in the VMO; nothing is copied.
    /// - `BAD_STATE`: the memory is not cached.
    ///
    /// Source: `docs/spec/vmo.md` §3.
    pub fn read(&self, data: &mut [u8], offset: u64) -> Result<(), Status> {
        // SAFETY: `data` is borrowed for writing and the length is its own.
        unsafe { self.read_raw(data.as_mut_ptr(), data.len(), offset) }
    }

    /// Copies `len` values to `buffer`.
    ///
    /// # Safety
    /// - `buffer` is valid for writing `len` values.
    /// - If the values are read as `T`, the VMO's bytes are valid ones.
    ///
    /// # Errors
    /// As [`read`](Self::read); `OUT_OF_RANGE` also if the length in bytes does not fit.
    pub unsafe fn read_raw<T: Copy>(
        &self,
        buffer: *mut T,
        len: usize,
        offset: u64,
    ) -> Result<(), Status> {
        let bytes = len
            .checked_mul(size_of::<T>())
            .ok_or(Status::OUT_OF_RANGE)?;
        // SAFETY: the caller answers for the buffer.
        ok(unsafe { sys::zx_vmo_read(self.raw_handle(), buffer.cast(), offset, bytes) })
    }

    /// Copies values into memory that need not be initialised; returns it as values.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_uninit<'a, T: Copy + FromBytes>(
        &self,
        data: &'a mut [MaybeUninit<T>],
        offset: u64,
    ) -> Result<&'a mut [T], Status> {
        // SAFETY:
        // 1. `data` is borrowed for writing and the length is its own.
        // 2. `FromBytes` makes any bytes valid values.
        unsafe { self.read_raw(data.as_mut_ptr(), data.len(), offset) }?;
        // SAFETY:
        // 1. The kernel has written every byte, and `FromBytes` makes them valid values.
        // 2. The pointer and length are those of `data`, whose borrow ends here.
        Ok(unsafe { slice::from_raw_parts_mut(data.as_mut_ptr().cast(), data.len()) })
    }

    /// Copies `length` values from `offset` (in bytes) into a vector.
    ///
    /// # Errors
    /// - As [`read`](Self::read).
    /// - `NO_MEMORY`: no room for the values.
    pub fn read_to_vec<T: Copy + FromBytes>(
        &self,
        offset: u64,
        length: u64,
    ) -> Result<Vec<T>, Status> {
        let length = usize::try_from(length).map_err(|_| Status::INVALID_ARGS)?;
        let mut values = Vec::new();
        values
            .try_reserve_exact(length)
            .map_err(|_| Status::NO_MEMORY)?;
        let (room, _) = values.spare_capacity_mut().split_at_mut(length);
        self.read_uninit(room, offset)?;
        // SAFETY: `read_uninit` has made `length` values of the room.
        unsafe { values.set_len(length) };
        Ok(values)
    }

    /// Copies `N` values into an array.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_to_array<T: Copy + FromBytes, const N: usize>(
        &self,
        offset: u64,
    ) -> Result<[T; N], Status> {
        let mut array = [const { MaybeUninit::uninit() }; N];
        self.read_uninit(&mut array, offset)?;
        // SAFETY: `read_uninit` has made a value of every element.
        Ok(array.map(|element| unsafe { element.assume_init() }))
    }

    /// Copies one value.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_to_object<T: Copy + FromBytes>(&self, offset: u64) -> Result<T, Status> {
        self.read_to_array(offset).map(|[value]| value)
    }

    /// Copies bytes into the VMO.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `WRITE` right.
    /// - `OUT_OF_RANGE`: the range does not lie in the VMO; nothing is copied.
    /// - `BAD_STATE`: the memory is not cached.
    /// - `NO_MEMORY`: no page is left.
    ///
    /// Source: `docs/spec/vmo.md` §3.
    pub fn write(&self, data: &[u8], offset: u64) -> Result<(), Status> {
        // SAFETY: `data` is borrowed for reading and the length is its own.
        ok(unsafe { sys::zx_vmo_write(self.raw_handle(), data.as_ptr(), offset, data.len()) })
    }

    /// The size in bytes, a multiple of the page size.
    ///
    /// # Errors
    /// - `BAD_HANDLE`, `WRONG_TYPE`: the handle is not that of a VMO.
    pub fn get_size(&self) -> Result<u64, Status> {
        let mut size = 0;
        // SAFETY: `size` is a live local that the call may write.
        ok(unsafe { sys::zx_vmo_get_size(self.raw_handle(), &mut size) })?;
        Ok(size)
    }

    /// Changes the size, rounded up to pages.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `WRITE` right, or no `RESIZE` right on a resizable VMO.
    /// - `UNAVAILABLE`: the VMO is not resizable.
    /// - `OUT_OF_RANGE`: larger than a VMO can be.
    ///
    /// Source: `docs/spec/vmo.md` §4.
    pub fn set_size(&self, size: u64) -> Result<(), Status> {
        // SAFETY: pages that are cut off fault from then on, which no safe reference can see: making
        // a reference to mapped memory needs `unsafe`, and whoever did so answers for its size.
        ok(unsafe { sys::zx_vmo_set_size(self.raw_handle(), size) })
    }

    /// The stream size in bytes: what was asked for when the VMO was made or its size last changed.
    ///
    /// # Errors
    /// - `BAD_HANDLE`, `WRONG_TYPE`: the handle is not that of a VMO.
    pub fn get_stream_size(&self) -> Result<u64, Status> {
        let mut size = 0;
        // SAFETY: `size` is a live local that the call may write.
        ok(unsafe { sys::zx_vmo_get_stream_size(self.raw_handle(), &mut size) })?;
        Ok(size)
    }

    /// Changes the stream size; what is beyond the smaller of the old and the new one becomes zero.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `WRITE` right.
    /// - `NOT_SUPPORTED`: the VMO is not made of pages.
    /// - `OUT_OF_RANGE`: beyond the end of the VMO.
    ///
    /// Source: `docs/spec/vmo.md` §4.
    pub fn set_stream_size(&self, size: u64) -> Result<(), Status> {
        // SAFETY: as for `set_size`; bytes that become zero may change at any time in mapped memory.
        ok(unsafe { sys::zx_vmo_set_stream_size(self.raw_handle(), size) })
    }

    /// Replaces the handle by one that may execute as well.
    ///
    /// An invalid handle for `vmex` asks whether that is allowed without a resource.
    ///
    /// # Errors
    /// The handle is closed also then.
    /// - `BAD_HANDLE`: the handle is not that of a VMO.
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover VMEX.
    ///
    /// Source: `docs/spec/vmo.md` §13.
    pub fn replace_as_executable(self, vmex: &Resource) -> Result<Self, Status> {
        let mut replacement = sys::ZX_HANDLE_INVALID;
        // SAFETY:
        // 1. `replacement` is a live local that the call may write.
        // 2. The handle is given up, and the kernel closes it whatever it answers.
        ok(unsafe {
            sys::zx_vmo_replace_as_executable(self.into_raw(), vmex.raw_handle(), &mut replacement)
        })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(replacement) }))
    }

    /// The stream size, as a property.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `GET_PROPERTY` right.
    pub fn get_content_size(&self) -> Result<u64, Status> {
        object_get_property::<ContentSizeProperty>(self.as_handle_ref())
    }

    /// Changes the stream size through the property.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `SET_PROPERTY` or `WRITE` right.
    /// - As [`set_stream_size`](Self::set_stream_size).
    pub fn set_content_size(&self, size: &u64) -> Result<(), Status> {
        object_set_property::<ContentSizeProperty>(self.as_handle_ref(), size)
    }

    /// All about the VMO.
    ///
    /// # Errors
    /// - `BAD_HANDLE`, `WRONG_TYPE`: the handle is not that of a VMO.
    pub fn info(&self) -> Result<VmoInfo, Status> {
        object_get_info_single::<VmoRecord>(self.as_handle_ref()).map(VmoInfo::from)
    }
}

/// All about a VMO.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VmoInfo {
    /// The object.
    pub koid: Koid,
    /// Its name.
    pub name: Name,
    /// The size in bytes.
    pub size_bytes: u64,
    /// The VMO it is a child of; `Koid::INVALID` if it is none.
    pub parent_koid: Koid,
    /// How many children it has.
    pub num_children: usize,
    /// How many mappings show it.
    pub num_mappings: usize,
    /// How many address spaces have a mapping of it.
    pub share_count: usize,
    /// Its state.
    pub flags: VmoInfoFlags,
    /// Bytes of pages that are present.
    pub committed_bytes: u64,
    /// The rights of the handle; none if reported because of a mapping.
    pub handle_rights: Rights,
    /// How its memory is cached.
    pub cache_policy: CachePolicy,
    /// Bytes the kernel spends to keep track of the pages.
    pub metadata_bytes: u64,
    /// How often the committed bytes changed by the kernel's own doing.
    pub committed_change_events: u64,
    /// Committed bytes and those that are compressed.
    pub populated_bytes: u64,
    /// The committed bytes that no other VMO sees.
    pub committed_private_bytes: u64,
    /// The populated bytes that no other VMO sees.
    pub populated_private_bytes: u64,
    /// Committed bytes, each page divided by the VMOs that share it.
    pub committed_scaled_bytes: u64,
    /// Populated bytes, each page divided by the VMOs that share it.
    pub populated_scaled_bytes: u64,
    /// The fraction left out of `committed_scaled_bytes`; 2^63 stands for one byte.
    pub committed_fractional_scaled_bytes: u64,
    /// The fraction left out of `populated_scaled_bytes`; 2^63 stands for one byte.
    pub populated_fractional_scaled_bytes: u64,
}

impl From<sys::zx_info_vmo_t> for VmoInfo {
    fn from(record: sys::zx_info_vmo_t) -> Self {
        Self {
            koid: Koid::from_raw(record.koid),
            name: Name::from_raw(record.name.into_raw()),
            size_bytes: record.size_bytes,
            parent_koid: Koid::from_raw(record.parent_koid),
            num_children: record.num_children,
            num_mappings: record.num_mappings,
            share_count: record.share_count,
            flags: VmoInfoFlags::from_bits_retain(record.flags),
            committed_bytes: record.committed_bytes,
            handle_rights: Rights::from_bits_retain(record.handle_rights),
            cache_policy: CachePolicy::from_raw(record.cache_policy),
            metadata_bytes: record.metadata_bytes,
            committed_change_events: record.committed_change_events,
            populated_bytes: record.populated_bytes,
            committed_private_bytes: record.committed_private_bytes,
            populated_private_bytes: record.populated_private_bytes,
            committed_scaled_bytes: record.committed_scaled_bytes,
            populated_scaled_bytes: record.populated_scaled_bytes,
            committed_fractional_scaled_bytes: record.committed_fractional_scaled_bytes,
            populated_fractional_scaled_bytes: record.populated_fractional_scaled_bytes,
        }
    }
}
