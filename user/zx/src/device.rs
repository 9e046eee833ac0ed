//! IOMMUs, and the devices behind them.

use core::ptr;

use crate::handle::handle_type;
use crate::{AsHandleRef, Handle, IommuDescDummy, Resource, Status, ok, sys};

handle_type! {
    /// What stands between devices and memory.
    pub struct Iommu;
}

handle_type! {
    /// A bus transaction initiator: a device that reads and writes memory by itself.
    pub struct Bti;
}

impl Iommu {
    /// Makes the object for an IOMMU that is none: devices see physical addresses.
    ///
    /// # Errors
    /// - `WRONG_TYPE`: the resource does not cover IOMMU.
    /// - `NO_MEMORY`: no memory for the object.
    ///
    /// Source: `docs/spec/objects.md` §13.
    pub fn create_dummy(resource: &Resource, desc: IommuDescDummy) -> Result<Self, Status> {
        let mut iommu = sys::ZX_HANDLE_INVALID;
        // SAFETY:
        // 1. `desc` is a live argument, and the length is its own.
        // 2. `iommu` is a live local that the call may write.
        ok(unsafe {
            sys::zx_iommu_create(
                resource.raw_handle(),
                sys::ZX_IOMMU_TYPE_DUMMY,
                ptr::from_ref(&desc).cast(),
                size_of::<IommuDescDummy>(),
                &mut iommu,
            )
        })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(iommu) }))
    }
}

impl Bti {
    /// Makes the object for the device with number `id` behind an IOMMU.
    ///
    /// # Errors
    /// - `BAD_HANDLE`, `WRONG_TYPE`: the handle is not that of an IOMMU.
    /// - `NO_MEMORY`: no memory for the object.
    ///
    /// Source: `docs/spec/objects.md` §13.
    pub fn create(iommu: &Iommu, id: u64) -> Result<Self, Status> {
        let mut bti = sys::ZX_HANDLE_INVALID;
        // SAFETY: `bti` is a live local that the call may write.
        ok(unsafe { sys::zx_bti_create(iommu.raw_handle(), 0, id, &mut bti) })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(bti) }))
    }
}
