//! What this CPU can do beyond Armv8.0. All CPUs of a machine are assumed to be alike.

use core::arch::asm;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use aarch64_cpu::registers::{ID_AA64ISAR0_EL1, ID_AA64MMFR0_EL1, ID_AA64MMFR1_EL1, Readable};
use bitflags::bitflags;

use crate::feature_names;

bitflags! {
    /// What the kernel uses if the CPU has it.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub struct Features: u32 {
        /// The kernel cannot access the pages of programs by accident (`FEAT_PAN`).
        const PAN = 1 << 0;
        /// The same for pages that programs can only execute (`FEAT_PAN3`).
        const EPAN = 1 << 1;
        /// A random number generator (`FEAT_RNG`).
        const RNDR = 1 << 2;
        /// 65536 address-space identifiers instead of 256.
        const ASID16 = 1 << 3;
    }
}

static FOUND: AtomicU32 = AtomicU32::new(0);

/// The features in use. Empty until the boot CPU is set up.
#[inline]
pub fn features() -> Features {
    Features::from_bits_truncate(FOUND.load(Ordering::Relaxed))
}

/// Finds the features of this CPU.
pub(super) fn detect() -> Features {
    let mut found = Features::empty();
    let pan = field(ID_AA64MMFR1_EL1.get(), 20);
    found.set(Features::PAN, pan >= 1);
    found.set(Features::EPAN, pan >= 3);
    found.set(Features::RNDR, field(ID_AA64ISAR0_EL1.get(), 60) >= 1);
    found.set(Features::ASID16, field(ID_AA64MMFR0_EL1.get(), 4) == 2);
    FOUND.store(found.bits(), Ordering::Relaxed);
    found
}

/// The bits of a physical address; descriptors of 4 KiB pages have room for 48.
pub(super) fn physical_bits() -> u32 {
    match field(ID_AA64MMFR0_EL1.get(), 0) {
        0 => 32,
        1 => 36,
        2 => 40,
        3 => 42,
        4 => 44,
        _ => 48,
    }
}

/// Sets `PSTATE.PAN`, if there is such a bit: the kernel reaches user memory only by `LDTR` and `STTR`.
pub(super) fn set_privileged_access_never(found: Features) {
    const PAN: u64 = 1 << 22;
    if found.contains(Features::PAN) {
        // SAFETY:
        // 1. The register exists where `FEAT_PAN` does, and no kernel code relies on reaching user pages.
        unsafe { asm!("msr s3_0_c4_c2_3, {}", in(reg) PAN, options(nostack, preserves_flags)) };
    }
}

/// A number from the generator (`RNDR`; Arm ARM D19.2.124); only where [`Features::RNDR`] is.
pub(super) fn random() -> Option<u64> {
    let number: u64;
    let failed: u64;
    // SAFETY:
    // 1. The caller has found the register to exist; reading it sets the flags and nothing else.
    unsafe {
        asm!(
            "mrs {}, s3_3_c2_c4_0",
            "cset {}, eq",
            out(reg) number,
            out(reg) failed,
            options(nomem, nostack),
        );
    }
    (failed == 0).then_some(number)
}

/// A four-bit field of an identification register.
fn field(register: u64, shift: u32) -> u64 {
    (register >> shift) & 0xf
}

impl fmt::Display for Features {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        feature_names::write(self.iter_names().map(|(name, _)| name), formatter)
    }
}
