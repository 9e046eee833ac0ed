//! SIMD and floating-point registers. The kernel is built without them, so they always hold a program's
//! values.

use core::arch::asm;

/// `q0` to `q31`, `FPSR` and `FPCR`. Zero is the state in which programs start.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(super) struct FpuState {
    registers: [u128; 32],
    status: u64,
    control: u64,
}

impl FpuState {
    pub(super) const ZERO: Self = Self {
        registers: [0; 32],
        status: 0,
        control: 0,
    };

    /// Copies the registers here.
    #[inline]
    pub(super) fn save(&mut self) {
        // SAFETY:
        // 1. Stores 528 bytes to `self`, which is as long and aligned.
        unsafe {
            asm!(
                ".arch_extension fp",
                ".arch_extension simd",
                "stp q0, q1, [{at}, #0]", "stp q2, q3, [{at}, #32]",
                "stp q4, q5, [{at}, #64]", "stp q6, q7, [{at}, #96]",
                "stp q8, q9, [{at}, #128]", "stp q10, q11, [{at}, #160]",
                "stp q12, q13, [{at}, #192]", "stp q14, q15, [{at}, #224]",
                "stp q16, q17, [{at}, #256]", "stp q18, q19, [{at}, #288]",
                "stp q20, q21, [{at}, #320]", "stp q22, q23, [{at}, #352]",
                "stp q24, q25, [{at}, #384]", "stp q26, q27, [{at}, #416]",
                "stp q28, q29, [{at}, #448]", "stp q30, q31, [{at}, #480]",
                "mrs {status}, fpsr", "mrs {control}, fpcr",
                "str {status}, [{at}, #512]", "str {control}, [{at}, #520]",
                at = in(reg) self,
                status = out(reg) _,
                control = out(reg) _,
                options(nostack, preserves_flags),
            );
        }
    }

    /// Copies what is here to the registers.
    #[inline]
    pub(super) fn restore(&self) {
        // SAFETY:
        // 1. Loads 528 bytes from `self`; the registers belong to programs, not to compiled kernel code.
        unsafe {
            asm!(
                ".arch_extension fp",
                ".arch_extension simd",
                "ldp q0, q1, [{at}, #0]", "ldp q2, q3, [{at}, #32]",
                "ldp q4, q5, [{at}, #64]", "ldp q6, q7, [{at}, #96]",
                "ldp q8, q9, [{at}, #128]", "ldp q10, q11, [{at}, #160]",
                "ldp q12, q13, [{at}, #192]", "ldp q14, q15, [{at}, #224]",
                "ldp q16, q17, [{at}, #256]", "ldp q18, q19, [{at}, #288]",
                "ldp q20, q21, [{at}, #320]", "ldp q22, q23, [{at}, #352]",
                "ldp q24, q25, [{at}, #384]", "ldp q26, q27, [{at}, #416]",
                "ldp q28, q29, [{at}, #448]", "ldp q30, q31, [{at}, #480]",
                "ldr {status}, [{at}, #512]", "ldr {control}, [{at}, #520]",
                "msr fpsr, {status}", "msr fpcr, {control}",
                at = in(reg) self,
                status = out(reg) _,
                control = out(reg) _,
                options(nostack, preserves_flags, readonly),
            );
        }
    }
}
