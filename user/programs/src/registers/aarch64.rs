//! `v0` to `v31`.

use core::arch::asm;

/// Puts `value` into both halves of all registers.
pub fn fill(value: u64) {
    // SAFETY:
    // 1. Changes only registers that compiled code does not use here.
    unsafe {
        asm!(
            ".arch_extension simd",
            ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
            "dup v\\n\\().2d, {0}",
            ".endr",
            ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
            "dup v\\n\\().2d, {0}",
            ".endr",
            in(reg) value,
            options(nomem, nostack, preserves_flags),
        );
    }
}

/// Whether all registers hold `value` in both halves.
pub fn all_hold(value: u64) -> bool {
    let difference: u64;
    // SAFETY:
    // 1. Reads registers, and changes only those that are named as outputs.
    unsafe {
        asm!(
            ".arch_extension simd",
            "mov {1}, xzr",
            ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
            "umov {2}, v\\n\\().d[0]",
            "eor {2}, {2}, {0}",
            "orr {1}, {1}, {2}",
            "umov {2}, v\\n\\().d[1]",
            "eor {2}, {2}, {0}",
            "orr {1}, {1}, {2}",
            ".endr",
            ".irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
            "umov {2}, v\\n\\().d[0]",
            "eor {2}, {2}, {0}",
            "orr {1}, {1}, {2}",
            "umov {2}, v\\n\\().d[1]",
            "eor {2}, {2}, {0}",
            "orr {1}, {1}, {2}",
            ".endr",
            in(reg) value,
            out(reg) difference,
            out(reg) _,
            options(nomem, nostack, preserves_flags),
        );
    }
    difference == 0
}
