//! Option words: how regions, mappings and VMOs are to be made.

use crate::{PAGE_SIZE, Result, Status};

bitflags::bitflags! {
    /// The `ZX_VM_*` word: placement, permissions and alignment.
    ///
    /// The top byte is not a set of flags but the exponent of an alignment; read it with
    /// [`alignment`](Self::alignment). Which bits a call accepts is in `docs/spec/abi.md` §6.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct VmOptions: u32 {
        /// Readable.
        const PERM_READ = 1 << 0;
        /// Writable; needs `PERM_READ`.
        const PERM_WRITE = 1 << 1;
        /// Executable; needs `PERM_READ`.
        const PERM_EXECUTE = 1 << 2;
        /// Place the contents of the new region near each other.
        const COMPACT = 1 << 3;
        /// Place at exactly the given offset.
        const SPECIFIC = 1 << 4;
        /// Place at exactly the given offset and replace the mappings there.
        const SPECIFIC_OVERWRITE = 1 << 5;
        /// The new region lets its user choose offsets.
        const CAN_MAP_SPECIFIC = 1 << 6;
        /// The new region may hold readable mappings.
        const CAN_MAP_READ = 1 << 7;
        /// The new region may hold writable mappings.
        const CAN_MAP_WRITE = 1 << 8;
        /// The new region may hold executable mappings.
        const CAN_MAP_EXECUTE = 1 << 9;
        /// Enter pages that are present already into the page tables.
        const MAP_RANGE = 1 << 10;
        /// Refuse a resizable VMO.
        const REQUIRE_NON_RESIZABLE = 1 << 11;
        /// The caller accepts that touching the mapping may fault.
        const ALLOW_FAULTS = 1 << 12;
        /// The offset is an upper limit of the end, not the place.
        const OFFSET_IS_UPPER_LIMIT = 1 << 13;
        /// Add `PERM_READ` if the machine cannot map execute-only.
        const PERM_READ_IF_XOM_UNSUPPORTED = 1 << 14;
        /// Touching pages beyond the stream size faults.
        const FAULT_BEYOND_STREAM_SIZE = 1 << 15;
    }
}

impl VmOptions {
    /// The bits of the alignment byte.
    pub const ALIGNMENT_MASK: Self = Self::from_bits_retain(0xff << Self::ALIGNMENT_SHIFT);
    /// All permissions of a mapping.
    pub const PERMISSIONS: Self = Self::PERM_READ
        .union(Self::PERM_WRITE)
        .union(Self::PERM_EXECUTE);
    /// All permissions a region may allow.
    pub const CAN_MAP_PERMISSIONS: Self = Self::CAN_MAP_READ
        .union(Self::CAN_MAP_WRITE)
        .union(Self::CAN_MAP_EXECUTE);

    const ALIGNMENT_SHIFT: u32 = 24;

    /// The options with this word; undefined bits are kept, so that the callee can refuse them.
    pub const fn from_raw(raw: u32) -> Self {
        Self::from_bits_retain(raw)
    }

    /// The word without the alignment byte.
    pub const fn flags(self) -> Self {
        self.difference(Self::ALIGNMENT_MASK)
    }

    /// Whether the word has bits without a meaning.
    pub const fn has_undefined_bits(self) -> bool {
        !Self::all().contains(self.flags())
    }

    /// The alignment that the top byte asks for.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: the exponent is neither 0 nor in 10..=32.
    pub const fn alignment(self) -> Result<Alignment> {
        Alignment::from_exponent((self.bits() >> Self::ALIGNMENT_SHIFT) as u8)
    }

    /// These options with the alignment byte replaced.
    #[must_use]
    pub const fn with_alignment(self, alignment: Alignment) -> Self {
        let byte = (alignment.exponent as u32) << Self::ALIGNMENT_SHIFT;
        self.flags().union(Self::from_bits_retain(byte))
    }
}

/// An alignment in address space: none beyond the page, or a power of two from 1 KiB to 4 GiB.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Alignment {
    exponent: u8,
}

impl Alignment {
    /// No wish beyond page alignment.
    pub const NONE: Self = Self { exponent: 0 };

    const SMALLEST: u8 = 10;
    const LARGEST: u8 = 32;

    /// The alignment of 2 to the power of `exponent` bytes; 0 stands for none.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: neither 0 nor in 10..=32.
    pub const fn from_exponent(exponent: u8) -> Result<Self> {
        match exponent {
            0 | Self::SMALLEST..=Self::LARGEST => Ok(Self { exponent }),
            _ => Err(Status::INVALID_ARGS),
        }
    }

    /// The exponent as it stands in the option word; 0 for none.
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// The alignment in bytes, at least a page.
    pub const fn bytes(self) -> usize {
        let wish = 1 << self.exponent;
        if wish > PAGE_SIZE { wish } else { PAGE_SIZE }
    }

    /// Whether an alignment was asked for at all.
    pub const fn is_some(self) -> bool {
        self.exponent != 0
    }
}

bitflags::bitflags! {
    /// How a VMO is to be created.
    ///
    /// Source: `docs/spec/abi.md` §7.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct VmoOptions: u32 {
        /// The size may change later.
        const RESIZABLE = 1 << 1;
        /// The kernel may drop the contents while nobody has locked them.
        const DISCARDABLE = 1 << 2;
        /// A pager wants to know of the first write to each page.
        const TRAP_DIRTY = 1 << 3;
        /// As large as the implementation can make it.
        const UNBOUNDED = 1 << 4;
    }
}

bitflags::bitflags! {
    /// What kind of child a VMO is to get, and what the child can do.
    ///
    /// Source: `docs/spec/abi.md` §7.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct VmoChildOptions: u32 {
        /// Has the contents of this moment for ever, whoever writes what.
        const SNAPSHOT = 1 << 0;
        /// The size of the child may change later.
        const RESIZABLE = 1 << 2;
        /// A window onto pages of the parent.
        const SLICE = 1 << 3;
        /// Has the contents of this moment at least in the pages that it writes to.
        const SNAPSHOT_AT_LEAST_ON_WRITE = 1 << 4;
        /// The handle to the child may not write.
        const NO_WRITE = 1 << 5;
        /// The parent under another name.
        const REFERENCE = 1 << 6;
        /// Has the contents of this moment in the pages that were changed since a pager supplied them.
        const SNAPSHOT_MODIFIED = 1 << 7;
    }
}

bitflags::bitflags! {
    /// How data is to be moved between VMOs. There is no choice yet.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct TransferDataOptions: u32 {}
}

bitflags::bitflags! {
    /// The state of a VMO in its info record.
    ///
    /// Source: `docs/spec/abi.md` §7.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct VmoInfoFlags: u32 {
        /// Made of pages; otherwise a range of physical addresses.
        const PAGED = 1 << 0;
        /// The size may change.
        const RESIZABLE = 1 << 1;
        /// A copy-on-write child.
        const IS_COW_CLONE = 1 << 2;
        /// Reported because a handle names it.
        const VIA_HANDLE = 1 << 3;
        /// Reported because it is mapped.
        const VIA_MAPPING = 1 << 4;
        /// Its pages come from a pager.
        const PAGER_BACKED = 1 << 5;
        /// Its pages are physically contiguous.
        const CONTIGUOUS = 1 << 6;
        /// The kernel may drop unlocked contents.
        const DISCARDABLE = 1 << 7;
        /// Can never be written.
        const IMMUTABLE = 1 << 8;
        /// Reported because a handle to an I/O buffer holds it.
        const VIA_IOB_HANDLE = 1 << 9;
    }
}

/// How a VMO's memory is cached.
///
/// Source: `docs/spec/abi.md` §7.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u32)]
pub enum CachePolicy {
    /// Ordinary cached memory.
    Cached = 0,
    /// Not cached.
    UnCached = 1,
    /// Not cached, with the ordering that devices need.
    UnCachedDevice = 2,
    /// Writes may be combined.
    WriteCombining = 3,
    /// A number that names no policy.
    Unknown = u32::MAX,
}

impl CachePolicy {
    /// The policy with this number.
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Cached,
            1 => Self::UnCached,
            2 => Self::UnCachedDevice,
            3 => Self::WriteCombining,
            _ => Self::Unknown,
        }
    }

    /// The number of this policy.
    pub const fn into_raw(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::{Alignment, VmOptions};
    use crate::Status;

    fn word(exponent: u32) -> VmOptions {
        VmOptions::from_raw(exponent << 24 | VmOptions::PERM_READ.bits())
    }

    #[test]
    fn alignment_accepts_exactly_the_documented_exponents() {
        for exponent in 0..=255 {
            let valid = exponent == 0 || (10..=32).contains(&exponent);
            let expected = if valid {
                Ok(exponent as u8)
            } else {
                Err(Status::INVALID_ARGS)
            };
            assert_eq!(
                word(exponent).alignment().map(Alignment::exponent),
                expected
            );
        }
    }

    #[test]
    fn alignment_is_at_least_a_page() {
        assert_eq!(word(0).alignment().map(Alignment::bytes), Ok(4096));
        assert_eq!(word(10).alignment().map(Alignment::bytes), Ok(4096));
        assert_eq!(word(12).alignment().map(Alignment::bytes), Ok(4096));
        assert_eq!(word(13).alignment().map(Alignment::bytes), Ok(8192));
        assert_eq!(word(32).alignment().map(Alignment::bytes), Ok(1 << 32));
    }

    #[test]
    fn undefined_bits_are_seen_apart_from_the_alignment() {
        assert!(!word(32).has_undefined_bits());
        assert!(!VmOptions::from_raw(0xff00_ffff).has_undefined_bits());
        for bit in 16..24 {
            assert!(VmOptions::from_raw(1 << bit).has_undefined_bits());
        }
    }

    #[test]
    fn with_alignment_replaces_the_byte_only() {
        let aligned = word(32).with_alignment(Alignment::from_exponent(21).unwrap());
        assert_eq!(aligned.bits(), 21 << 24 | 1);
    }
}
