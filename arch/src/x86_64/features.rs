//! What this CPU can do, and turning it on.
//!
//! [`enable`] runs on every CPU before anything else of this crate; all CPUs of a machine are assumed to
//! be alike. Chapter numbers are those of the Intel SDM, volume 3A, unless they say otherwise.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use bitflags::bitflags;
use raw_cpuid::CpuId;
use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags, Efer, EferFlags};
use x86_64::registers::model_specific::Msr;
use x86_64::registers::xcontrol::{XCr0, XCr0Flags};

use super::trap::SMAP_ON;
use crate::feature_names;

bitflags! {
    /// What the kernel uses if the CPU has it.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub struct Features: u32 {
        /// Pages that cannot be executed (4.6).
        const NO_EXECUTE = 1 << 0;
        /// Leaves of 1 GiB (4.5).
        const HUGE_PAGES = 1 << 1;
        /// Translations that survive a change of address space (4.10.2.4).
        const GLOBAL_PAGES = 1 << 2;
        /// The kernel cannot execute user pages (4.6).
        const SMEP = 1 << 3;
        /// The kernel cannot access user pages by accident (4.6).
        const SMAP = 1 << 4;
        /// User code cannot read the addresses of system tables (2.5).
        const UMIP = 1 << 5;
        /// Instructions for the bases of FS and GS (2.5).
        const FSGSBASE = 1 << 6;
        /// Saving extended processor state in one instruction (13).
        const XSAVE = 1 << 7;
        /// 256-bit vectors, if the state is saved with `XSAVE`.
        const AVX = 1 << 8;
        /// `RDRAND`.
        const RDRAND = 1 << 9;
        /// `RDSEED`.
        const RDSEED = 1 << 10;
        /// The time stamp counter ticks at a constant rate (18.17.1).
        const STEADY_COUNTER = 1 << 11;
        /// Types of memory are chosen by the page attribute table (12.12).
        const PAGE_ATTRIBUTES = 1 << 12;
        /// Hardware errors are reported as an exception (15.3).
        const MACHINE_CHECK = 1 << 13;
    }
}

/// The features in use, as [`Features::bits`].
static ENABLED: AtomicU32 = AtomicU32::new(0);

/// The features in use. Empty until traps have been set up on the boot CPU.
#[inline]
pub fn features() -> Features {
    Features::from_bits_truncate(ENABLED.load(Ordering::Relaxed))
}

/// Finds the features of this CPU and turns them on.
///
/// # Safety
/// 1. The CPU runs in the kernel's half, on kernel tables, and no user code has run on it yet.
pub(super) unsafe fn enable() {
    let found = detect();
    ENABLED.store(found.bits(), Ordering::Relaxed);
    SMAP_ON.store(found.contains(Features::SMAP), Ordering::Relaxed);
    // SAFETY:
    // 1. Every bit is set only if CPUID reports it.
    // 2. The kernel's tables map what runs now as executable and what is written as writable, and nothing
    //    of it as a user page, so that write protection, SMEP and SMAP take nothing away from it.
    // 3. No floating-point state is in use: the kernel is built without it.
    unsafe {
        Cr0::write((Cr0::read() | CR0_ON) - CR0_OFF);
        Cr4::write(Cr4::read() | cr4(found));
        let mut efer = Efer::read() | EferFlags::SYSTEM_CALL_EXTENSIONS;
        efer.set(
            EferFlags::NO_EXECUTE_ENABLE,
            found.contains(Features::NO_EXECUTE),
        );
        Efer::write(efer);
        if found.contains(Features::XSAVE) {
            XCr0::write(xcr0(found));
        }
        if found.contains(Features::PAGE_ATTRIBUTES) {
            Msr::new(PAGE_ATTRIBUTE_TABLE).write(PAGE_ATTRIBUTE_TYPES);
        }
    }
}

/// `IA32_PAT` (12.12.2).
const PAGE_ATTRIBUTE_TABLE: u32 = 0x277;

/// Its eight types, from the lowest byte: WB, WT, UC-, UC as after reset, and then WB, WC, UC-, UC. Only
/// entry 5 differs from the value after reset, and nothing uses it before.
const PAGE_ATTRIBUTE_TYPES: u64 = 0x0007_0106_0007_0406;

/// Write protection holds for the kernel, floating point is there (2.5).
const CR0_ON: Cr0Flags = Cr0Flags::WRITE_PROTECT
    .union(Cr0Flags::NUMERIC_ERROR)
    .union(Cr0Flags::MONITOR_COPROCESSOR);

/// Floating-point instructions do not trap (2.5).
const CR0_OFF: Cr0Flags = Cr0Flags::EMULATE_COPROCESSOR.union(Cr0Flags::TASK_SWITCHED);

/// The identifier of this CPU's local APIC.
pub(super) fn local_apic_id() -> u32 {
    CpuId::new()
        .get_feature_info()
        .map_or(0, |info| u32::from(info.initial_local_apic_id()))
}

fn cr4(found: Features) -> Cr4Flags {
    let mut flags = Cr4Flags::OSFXSR | Cr4Flags::OSXMMEXCPT_ENABLE;
    flags.set(
        Cr4Flags::PAGE_GLOBAL,
        found.contains(Features::GLOBAL_PAGES),
    );
    flags.set(
        Cr4Flags::MACHINE_CHECK_EXCEPTION,
        found.contains(Features::MACHINE_CHECK),
    );
    flags.set(
        Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION,
        found.contains(Features::SMEP),
    );
    flags.set(
        Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION,
        found.contains(Features::SMAP),
    );
    flags.set(
        Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION,
        found.contains(Features::UMIP),
    );
    flags.set(Cr4Flags::FSGSBASE, found.contains(Features::FSGSBASE));
    flags.set(Cr4Flags::OSXSAVE, found.contains(Features::XSAVE));
    flags
}

fn xcr0(found: Features) -> XCr0Flags {
    let mut state = XCr0Flags::X87 | XCr0Flags::SSE;
    state.set(XCr0Flags::AVX, found.contains(Features::AVX));
    state
}

fn detect() -> Features {
    let id = CpuId::new();
    let basic = id.get_feature_info();
    let extended = id.get_extended_feature_info();
    let processor = id.get_extended_processor_and_feature_identifiers();
    let power = id.get_advanced_power_mgmt_info();
    let basic = |test: fn(&raw_cpuid::FeatureInfo) -> bool| basic.as_ref().is_some_and(test);
    let extended =
        |test: fn(&raw_cpuid::ExtendedFeatures) -> bool| extended.as_ref().is_some_and(test);

    let mut found = Features::empty();
    if let Some(processor) = processor {
        found.set(Features::NO_EXECUTE, processor.has_execute_disable());
        found.set(Features::HUGE_PAGES, processor.has_1gib_pages());
    }
    found.set(Features::GLOBAL_PAGES, basic(|basic| basic.has_pge()));
    found.set(
        Features::MACHINE_CHECK,
        basic(|basic| basic.has_mce() && basic.has_mca()),
    );
    found.set(Features::XSAVE, basic(|basic| basic.has_xsave()));
    found.set(
        Features::AVX,
        basic(|basic| basic.has_xsave() && basic.has_avx()),
    );
    found.set(Features::RDRAND, basic(|basic| basic.has_rdrand()));
    found.set(Features::PAGE_ATTRIBUTES, basic(|basic| basic.has_pat()));
    found.set(Features::SMEP, extended(|extended| extended.has_smep()));
    found.set(Features::SMAP, extended(|extended| extended.has_smap()));
    found.set(Features::UMIP, extended(|extended| extended.has_umip()));
    found.set(
        Features::FSGSBASE,
        extended(|extended| extended.has_fsgsbase()),
    );
    found.set(Features::RDSEED, extended(|extended| extended.has_rdseed()));
    found.set(
        Features::STEADY_COUNTER,
        power.is_some_and(|power| power.has_invariant_tsc()),
    );
    found
}

#[cfg(test)]
impl Features {
    /// Lets tests see these features in use.
    pub(super) fn enable_for_test(self) {
        ENABLED.store(self.bits(), Ordering::Relaxed);
    }
}

impl fmt::Display for Features {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        feature_names::write(self.iter_names().map(|(name, _)| name), formatter)
    }
}
