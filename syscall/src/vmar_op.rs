//! The operations of `vmar_op_range`.

/// The number of an operation on what is mapped in a range of addresses.
///
/// Source: `docs/spec/abi.md` §7; what each does is in `docs/spec/vmar.md` §8.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct VmarOp(u32);

impl VmarOp {
    /// Make every page, and enter it.
    pub const COMMIT: Self = Self(1);
    /// Give the pages back; the range reads as zero.
    pub const DECOMMIT: Self = Self(2);
    /// Enter the pages that are present.
    pub const MAP_RANGE: Self = Self(3);
    /// Make the range read as zero.
    pub const ZERO: Self = Self(10);
    /// Say that the pages will not be used soon.
    pub const DONT_NEED: Self = Self(12);
    /// Say that the pages should stay in memory, and enter those that are present.
    pub const ALWAYS_NEED: Self = Self(13);
    /// Bring in the pages that are somewhere else, and enter those that are present.
    pub const PREFETCH: Self = Self(14);

    /// The operation with this number, known or not.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number of this operation.
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}
