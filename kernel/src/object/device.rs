//! What stands between devices and memory: IOMMUs, and the devices behind them.
//!
//! There is no driver for an IOMMU, so the only one is the one that is none: devices see physical
//! addresses. What these objects are for so far is to say on whose behalf memory is contiguous.

use alloc::sync::Arc;

use spin::Mutex;
use syscall::{Name, Result, Signals};

use super::Header;
use crate::memory::try_arc;

/// What translates the addresses that devices use; nothing does.
pub struct Iommu {
    header: Header,
}

impl Iommu {
    /// The IOMMU that is none.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the object.
    pub fn dummy() -> Result<Arc<Self>> {
        try_arc(Self {
            header: Header::new(Signals::NONE),
        })
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
    }
}

/// A bus transaction initiator: a device that reads and writes memory by itself.
pub struct Bti {
    header: Header,
    name: Mutex<Name>,
}

impl Bti {
    /// A device behind the IOMMU that is none, which has no use for the device's number.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the object.
    pub fn new() -> Result<Arc<Self>> {
        try_arc(Self {
            header: Header::new(Signals::NONE),
            name: Mutex::new(Name::default()),
        })
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The device's name.
    pub fn name(&self) -> Name {
        *self.name.lock()
    }

    /// Renames the device.
    pub fn set_name(&self, name: Name) {
        *self.name.lock() = name;
    }
}
