//! The option word for regions and mappings, in two strengths.

use core::fmt;

use syscall::{Alignment, VmOptions};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::sys;

/// How to make a region or a mapping, without what could replace memory in use.
///
/// The `ALIGN_*` constants are numbers in the top byte, not single bits: use at most one of them.
///
/// Source: `docs/spec/abi.md` §6.
#[derive(
    Clone,
    Copy,
    Default,
    Eq,
    FromBytes,
    Hash,
    Immutable,
    IntoBytes,
    KnownLayout,
    Ord,
    PartialEq,
    PartialOrd,
)]
#[repr(transparent)]
pub struct VmarFlags(sys::zx_vm_option_t);

/// [`VmarFlags`] and `SPECIFIC_OVERWRITE`, which may replace memory in use.
///
/// Source: `docs/spec/abi.md` §6.
#[derive(
    Clone,
    Copy,
    Default,
    Eq,
    FromBytes,
    Hash,
    Immutable,
    IntoBytes,
    KnownLayout,
    Ord,
    PartialEq,
    PartialOrd,
)]
#[repr(transparent)]
pub struct VmarFlagsExtended(sys::zx_vm_option_t);

/// Gives a type the bits that both have in common, and those listed.
macro_rules! vmar_flags {
    ($type:ident { $($(#[$($doc:tt)*])* $name:ident,)* }) => {
        bitflags::bitflags! {
            impl $type: sys::zx_vm_option_t {
                /// Readable.
                const PERM_READ = VmOptions::PERM_READ.bits();
                /// Writable; needs `PERM_READ`.
                const PERM_WRITE = VmOptions::PERM_WRITE.bits();
                /// Executable; needs `PERM_READ`.
                const PERM_EXECUTE = VmOptions::PERM_EXECUTE.bits();
                /// Place the contents of the new region near each other.
                const COMPACT = VmOptions::COMPACT.bits();
                /// Place at exactly the given offset.
                const SPECIFIC = VmOptions::SPECIFIC.bits();
                $($(#[$($doc)*])* const $name = VmOptions::$name.bits();)*
                /// The new region lets its user choose offsets.
                const CAN_MAP_SPECIFIC = VmOptions::CAN_MAP_SPECIFIC.bits();
                /// The new region may hold readable mappings.
                const CAN_MAP_READ = VmOptions::CAN_MAP_READ.bits();
                /// The new region may hold writable mappings.
                const CAN_MAP_WRITE = VmOptions::CAN_MAP_WRITE.bits();
                /// The new region may hold executable mappings.
                const CAN_MAP_EXECUTE = VmOptions::CAN_MAP_EXECUTE.bits();
                /// Enter pages that are present already into the page tables.
                const MAP_RANGE = VmOptions::MAP_RANGE.bits();
                /// Refuse a resizable VMO.
                const REQUIRE_NON_RESIZABLE = VmOptions::REQUIRE_NON_RESIZABLE.bits();
                /// The caller accepts that touching the mapping may fault.
                const ALLOW_FAULTS = VmOptions::ALLOW_FAULTS.bits();
                /// The offset is an upper limit of the end, not the place.
                const OFFSET_IS_UPPER_LIMIT = VmOptions::OFFSET_IS_UPPER_LIMIT.bits();
                /// Add `PERM_READ` if the machine cannot map execute-only.
                const PERM_READ_IF_XOM_UNSUPPORTED =
                    VmOptions::PERM_READ_IF_XOM_UNSUPPORTED.bits();
                /// Touching pages beyond the stream size faults.
                const FAULT_BEYOND_STREAM_SIZE = VmOptions::FAULT_BEYOND_STREAM_SIZE.bits();
                // The alignment byte: known bits, but not flags of their own.
                const _ = VmOptions::ALIGNMENT_MASK.bits();
            }
        }

        alignments! { $type
            ALIGN_1KB = 10, ALIGN_2KB = 11, ALIGN_4KB = 12, ALIGN_8KB = 13, ALIGN_16KB = 14,
            ALIGN_32KB = 15, ALIGN_64KB = 16, ALIGN_128KB = 17, ALIGN_256KB = 18,
            ALIGN_512KB = 19, ALIGN_1MB = 20, ALIGN_2MB = 21, ALIGN_4MB = 22, ALIGN_8MB = 23,
            ALIGN_16MB = 24, ALIGN_32MB = 25, ALIGN_64MB = 26, ALIGN_128MB = 27,
            ALIGN_256MB = 28, ALIGN_512MB = 29, ALIGN_1GB = 30, ALIGN_2GB = 31, ALIGN_4GB = 32,
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let names = self.iter_names().map(|(name, _)| name);
                write_word(f, stringify!($type), names, VmOptions::from_raw(self.bits()))
            }
        }
    };
}

/// Declares the alignments as values of the top byte.
macro_rules! alignments {
    ($type:ident $($name:ident = $exponent:literal,)*) => {
        impl $type {
            $(
                #[doc = concat!("Aligned to 2 to the power of ", stringify!($exponent), " bytes.")]
                pub const $name: Self = Self::from_bits_retain($exponent << 24);
            )*
        }
    };
}

vmar_flags! { VmarFlags {} }

vmar_flags! { VmarFlagsExtended {
    /// Place at exactly the given offset and replace the mappings there.
    SPECIFIC_OVERWRITE,
} }

impl From<VmarFlags> for VmarFlagsExtended {
    fn from(flags: VmarFlags) -> Self {
        Self::from_bits_retain(flags.bits())
    }
}

/// Writes the names of flags, the alignment as one value, and bits without a meaning as a number.
fn write_word<'a>(
    f: &mut fmt::Formatter<'_>,
    type_name: &str,
    names: impl Iterator<Item = &'a str>,
    word: VmOptions,
) -> fmt::Result {
    let mut separator = "";
    write!(f, "{type_name}(")?;
    for name in names {
        write!(f, "{separator}{name}")?;
        separator = " | ";
    }
    match word.alignment() {
        Ok(Alignment::NONE) => {}
        Ok(alignment) => {
            write!(f, "{separator}ALIGN_")?;
            write_power_of_two(f, alignment.exponent())?;
            separator = " | ";
        }
        Err(_) => {
            write!(f, "{separator}ALIGN(2^{})", word.bits() >> 24)?;
            separator = " | ";
        }
    }
    let undefined = word.flags().difference(VmOptions::all());
    if !undefined.is_empty() {
        write!(f, "{separator}{:#x}", undefined.bits())?;
    }
    write!(f, ")")
}

/// Writes 2 to the power of `exponent` (10..=39) as `1KB`, `2MB` and so on.
fn write_power_of_two(f: &mut fmt::Formatter<'_>, exponent: u8) -> fmt::Result {
    let unit = match exponent / 10 {
        1 => "KB",
        2 => "MB",
        _ => "GB",
    };
    write!(f, "{}{unit}", 1 << (exponent % 10))
}

#[cfg(test)]
mod tests {
    use super::{VmarFlags, VmarFlagsExtended};

    #[test]
    fn debug_prints_names_and_the_alignment_as_one_value() {
        let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC | VmarFlags::ALIGN_64KB;
        assert_eq!(
            format!("{flags:?}"),
            "VmarFlags(PERM_READ | SPECIFIC | ALIGN_64KB)"
        );
        assert_eq!(
            format!("{:?}", VmarFlags::ALIGN_1KB),
            "VmarFlags(ALIGN_1KB)"
        );
        assert_eq!(
            format!("{:?}", VmarFlags::ALIGN_4GB),
            "VmarFlags(ALIGN_4GB)"
        );
        assert_eq!(format!("{:?}", VmarFlags::empty()), "VmarFlags()");
        let overwrite = VmarFlagsExtended::SPECIFIC_OVERWRITE;
        assert_eq!(
            format!("{overwrite:?}"),
            "VmarFlagsExtended(SPECIFIC_OVERWRITE)"
        );
    }

    #[test]
    fn debug_prints_what_has_no_meaning_as_numbers() {
        let flags = VmarFlags::from_bits_retain(5 << 24 | 1 << 16 | 1);
        assert_eq!(
            format!("{flags:?}"),
            "VmarFlags(PERM_READ | ALIGN(2^5) | 0x10000)"
        );
    }

    #[test]
    fn truncation_keeps_the_alignment_and_drops_the_overwrite() {
        let word = VmarFlagsExtended::SPECIFIC_OVERWRITE | VmarFlagsExtended::ALIGN_2GB;
        assert_eq!(
            VmarFlags::from_bits_truncate(word.bits()),
            VmarFlags::ALIGN_2GB
        );
        assert_eq!(VmarFlags::from_bits(word.bits()), None);
        assert_eq!(VmarFlagsExtended::from_bits(word.bits()), Some(word));
    }
}
