//! The properties of objects.

/// The number of a property that `object_get_property` reads or `object_set_property` changes.
///
/// Source: `docs/spec/abi.md` §8.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Property(u32);

impl Property {
    /// The GS base of a thread (x86-64), 8 bytes.
    pub const REGISTER_GS: Self = Self(2);
    /// The name, 32 bytes.
    pub const NAME: Self = Self(3);
    /// The FS base of a thread (x86-64), 8 bytes.
    pub const REGISTER_FS: Self = Self(4);
    /// The address of a process's debug record, 8 bytes.
    pub const PROCESS_DEBUG_ADDR: Self = Self(5);
    /// The base of a process's vDSO, 8 bytes, read only.
    pub const PROCESS_VDSO_BASE_ADDRESS: Self = Self(6);
    /// Whether a process stops when it loads code, 8 bytes.
    pub const PROCESS_BREAK_ON_LOAD: Self = Self(7);
    /// The stream size of a VMO, 8 bytes.
    pub const VMO_CONTENT_SIZE: Self = Self(17);

    /// The property with this number, known or not.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number of this property.
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}
