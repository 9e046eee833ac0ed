//! What calls about resources and device memory take.

bitflags::bitflags! {
    /// What `resource_create` is to make: a [`ResourceKind`](crate::ResourceKind) in the low half, and flags.
    ///
    /// Source: `docs/spec/abi.md` §7.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct ResourceOptions: u32 {
        /// Nobody else may get a resource for any part of the range.
        const EXCLUSIVE = 1 << 16;
    }
}

impl ResourceOptions {
    /// The bits of the kind.
    const KIND_MASK: u32 = 0xffff;

    /// The number of the kind.
    pub const fn kind(self) -> u32 {
        self.bits() & Self::KIND_MASK
    }

    /// The word without the kind.
    pub const fn flags(self) -> Self {
        Self::from_bits_retain(self.bits() & !Self::KIND_MASK)
    }
}

/// The number of a type of IOMMU.
///
/// Source: `docs/spec/abi.md` §7.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct IommuType(u32);

impl IommuType {
    /// None at all: devices see physical addresses.
    pub const DUMMY: Self = Self(0);

    /// The type with this number, known or not.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number of this type.
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}

/// The longest description of an IOMMU in bytes.
pub const IOMMU_MAX_DESC_LEN: usize = 4096;

record! {
    /// The description of an IOMMU of type [`IommuType::DUMMY`].
    pub struct IommuDescDummy: 1 {
        /// Anything.
        0 reserved: u8,
    }
}
