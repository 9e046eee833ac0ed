//! The operations of `vmo_op_range`, and what one of them answers.

/// The number of an operation on a range of a VMO.
///
/// Source: `docs/spec/abi.md` §7; what each does is in `docs/spec/vmo.md` §5.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct VmoOp(u32);

impl VmoOp {
    /// Make every page.
    pub const COMMIT: Self = Self(1);
    /// Give the pages back; the range reads as zero.
    pub const DECOMMIT: Self = Self(2);
    /// Keep the contents of a discardable VMO, and tell whether they have been discarded.
    pub const LOCK: Self = Self(3);
    /// Take back a `LOCK` or `TRY_LOCK`.
    pub const UNLOCK: Self = Self(4);
    /// Have instruction fetches see what was written.
    pub const CACHE_SYNC: Self = Self(6);
    /// Forget what caches hold of the range.
    pub const CACHE_INVALIDATE: Self = Self(7);
    /// Write what caches hold of the range to memory.
    pub const CACHE_CLEAN: Self = Self(8);
    /// Write what caches hold of the range to memory, and forget it.
    pub const CACHE_CLEAN_INVALIDATE: Self = Self(9);
    /// Make the range read as zero.
    pub const ZERO: Self = Self(10);
    /// As `LOCK`, unless the contents have been discarded.
    pub const TRY_LOCK: Self = Self(11);
    /// Say that the pages will not be used soon.
    pub const DONT_NEED: Self = Self(12);
    /// Say that the pages should stay in memory.
    pub const ALWAYS_NEED: Self = Self(13);
    /// Bring in the pages that are somewhere else.
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

record! {
    /// What [`VmoOp::LOCK`] tells about a VMO.
    ///
    /// Source: `docs/spec/abi.md` §10.
    pub struct VmoLockState: 32 {
        /// Where the locked range begins, in bytes.
        0 offset: u64,
        /// The length of the locked range in bytes.
        8 size: u64,
        /// Where what has been discarded since the last lock begins, in bytes.
        16 discarded_offset: u64,
        /// The length of what has been discarded in bytes; 0 if nothing has.
        24 discarded_size: u64,
    }
}
