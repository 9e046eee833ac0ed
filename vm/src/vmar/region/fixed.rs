//! What never changes in a mapping, packed into one word with what does.

use syscall::VmOptions;

use crate::mmu::Access;
use crate::vmo::PageIndex;

/// What a mapping is made with, in the bits that the number of a page leaves free: options at their places
/// in an option word, less four, and what its pages may ever allow where no such option is.
///
/// ```text
///   63     57 56     54 53     52 51                         0
///  [ options | maximal | options |  number of the first page  ]
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Fixed(u64);

impl Fixed {
    /// The bits of the number.
    pub(super) const NUMBER: u64 = PageIndex::LIMIT.number() - 1;
    const MAXIMAL_SHIFT: u32 = 54;
    const OPTIONS_SHIFT: u32 = 52 - 4;
    /// The options that a mapping remembers: how its place was found, and where it faults. Two mappings
    /// become one only if these are the same.
    const OPTIONS: VmOptions = VmOptions::SPECIFIC
        .union(VmOptions::SPECIFIC_OVERWRITE)
        .union(VmOptions::OFFSET_IS_UPPER_LIMIT)
        .union(VmOptions::FAULT_BEYOND_STREAM_SIZE);
    pub(super) const FAULTS_BEYOND_STREAM: u64 =
        (VmOptions::FAULT_BEYOND_STREAM_SIZE.bits() as u64) << Self::OPTIONS_SHIFT;

    #[inline]
    pub(super) fn new(options: VmOptions, maximal: Access) -> Self {
        const {
            let taken = (Self::OPTIONS.bits() as u64) << Self::OPTIONS_SHIFT;
            let maximal = (Access::all().bits() as u64) << Self::MAXIMAL_SHIFT;
            assert!(
                taken & maximal == 0 && (taken | maximal) & Self::NUMBER == 0,
                "each bit has one meaning"
            );
            assert!(
                taken >> Self::OPTIONS_SHIFT == Self::OPTIONS.bits() as u64,
                "all options have room"
            );
        }
        let options = u64::from(options.intersection(Self::OPTIONS).bits());
        let maximal = u64::from(maximal.bits());
        Self(options << Self::OPTIONS_SHIFT | maximal << Self::MAXIMAL_SHIFT)
    }

    pub(super) const fn of(word: u64) -> Self {
        Self(word & !Self::NUMBER)
    }

    /// Together with the number of a page.
    pub(super) const fn with(self, number: u64) -> u64 {
        self.0 | number & Self::NUMBER
    }

    pub(super) fn options(self) -> VmOptions {
        VmOptions::from_raw((self.0 >> Self::OPTIONS_SHIFT) as u32).intersection(Self::OPTIONS)
    }

    pub(super) const fn maximal(self) -> Access {
        Access::from_bits_truncate((self.0 >> Self::MAXIMAL_SHIFT) as u8)
    }
}
