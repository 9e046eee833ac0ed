//! Resources: access to what belongs to the whole system.

use crate::handle::handle_type;
use crate::info::queries;
use crate::{AsHandleRef, Handle, Name, Status, object_get_info_single, ok, sys};

handle_type! {
    /// Access to a range of one kind of system resource.
    pub struct Resource;
}

queries! {
    /// The memory of the system.
    KmemStats: KMEM_STATS -> sys::zx_info_kmem_stats_t;
    /// What a resource covers.
    ResourceRecord: RESOURCE -> sys::zx_info_resource_t;
}

/// What a resource gives access to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct ResourceKind(sys::zx_rsrc_kind_t);

impl ResourceKind {
    /// Device memory, by physical address.
    pub const MMIO: Self = Self(sys::ZX_RSRC_KIND_MMIO);
    /// Interrupt lines.
    pub const IRQ: Self = Self(sys::ZX_RSRC_KIND_IRQ);
    /// I/O ports.
    pub const IOPORT: Self = Self(sys::ZX_RSRC_KIND_IOPORT);
    /// Everything.
    pub const ROOT: Self = Self(sys::ZX_RSRC_KIND_ROOT);
    /// Secure monitor calls.
    pub const SMC: Self = Self(sys::ZX_RSRC_KIND_SMC);
    /// Services of the system, by `ZX_RSRC_SYSTEM_…_BASE`.
    pub const SYSTEM: Self = Self(sys::ZX_RSRC_KIND_SYSTEM);

    /// The kind with this number, known or not.
    pub const fn from_raw(raw: sys::zx_rsrc_kind_t) -> Self {
        Self(raw)
    }

    /// The number of this kind.
    pub const fn into_raw(self) -> sys::zx_rsrc_kind_t {
        self.0
    }
}

bitflags::bitflags! {
    /// How a resource is to be made.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct ResourceFlag: u32 {
        /// Nobody else may get a resource for any part of the range.
        const EXCLUSIVE = sys::ZX_RSRC_FLAG_EXCLUSIVE;
    }
}

/// What a resource covers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ResourceInfo {
    /// What it gives access to.
    pub kind: ResourceKind,
    /// How it was made.
    pub flags: ResourceFlag,
    /// The first number that it covers.
    pub base: u64,
    /// How many numbers it covers.
    pub size: usize,
    /// Its name.
    pub name: Name,
}

/// What the memory of the system is used for, in bytes.
pub type MemStats = sys::zx_info_kmem_stats_t;

impl Resource {
    /// Makes a resource for the numbers `base .. base + size`, a part of what this one covers.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `WRITE` right, or this resource does not cover that; or memory, or a device of the
    ///   kernel's own, is among the addresses.
    /// - `INVALID_ARGS`: no such kind or flag, or no numbers.
    /// - `NOT_SUPPORTED`: the flag `EXCLUSIVE`.
    /// - `NO_MEMORY`: no memory for the object.
    ///
    /// Source: `docs/spec/objects.md` §13.
    pub fn create_child(
        &self,
        kind: ResourceKind,
        flags: Option<ResourceFlag>,
        base: u64,
        size: usize,
        name: &[u8],
    ) -> Result<Self, Status> {
        let options = kind.into_raw() | flags.unwrap_or_default().bits();
        let mut resource = sys::ZX_HANDLE_INVALID;
        // SAFETY:
        // 1. `name` is borrowed for reading and the length is its own.
        // 2. `resource` is a live local that the call may write.
        ok(unsafe {
            sys::zx_resource_create(
                self.raw_handle(),
                options,
                base,
                size,
                name.as_ptr(),
                name.len(),
                &mut resource,
            )
        })?;
        // SAFETY: the kernel made the handle for this call, so nothing else owns it.
        Ok(Self::from(unsafe { Handle::from_raw(resource) }))
    }

    /// What the resource covers.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    pub fn info(&self) -> Result<ResourceInfo, Status> {
        let record = object_get_info_single::<ResourceRecord>(self.as_handle_ref())?;
        Ok(ResourceInfo {
            kind: ResourceKind::from_raw(record.kind),
            flags: ResourceFlag::from_bits_retain(record.flags),
            base: record.base,
            size: record.size as usize,
            name: Name::from_raw(record.name.into_raw()),
        })
    }

    /// What the memory of the system is used for.
    ///
    /// # Errors
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover INFO.
    pub fn mem_stats(&self) -> Result<MemStats, Status> {
        object_get_info_single::<KmemStats>(self.as_handle_ref())
    }

    /// Waits for console input and reads what is there; returns the number of bytes.
    ///
    /// No bytes, though there was room, mean that the input has ended.
    ///
    /// # Errors
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover DEBUG.
    pub fn debug_read(&self, buffer: &mut [u8]) -> Result<usize, Status> {
        let mut actual = 0;
        // SAFETY:
        // 1. `buffer` is borrowed for writing and the length is its own.
        // 2. `actual` is a live local.
        ok(unsafe {
            sys::zx_debug_read(
                self.raw_handle(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &mut actual,
            )
        })?;
        Ok(actual)
    }

    /// Gives a line to the kernel's monitor, which prints its answer to the console.
    ///
    /// # Errors
    /// - `WRONG_TYPE`, `OUT_OF_RANGE`: the resource does not cover DEBUG.
    /// - What the monitor answers, such as `NOT_FOUND` for a command it does not know.
    pub fn debug_send_command(&self, command: &str) -> Result<(), Status> {
        // SAFETY: `command` is borrowed for reading and the length is its own.
        ok(unsafe {
            sys::zx_debug_send_command(self.raw_handle(), command.as_ptr(), command.len())
        })
    }
}
