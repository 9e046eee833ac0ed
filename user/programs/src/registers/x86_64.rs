//! `xmm0` to `xmm15`.

use core::arch::asm;

/// Puts `value` into both halves of all registers.
pub fn fill(value: u64) {
    // SAFETY:
    // 1. Changes only registers that compiled code does not use here.
    unsafe {
        asm!(
            ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
            "movq xmm\\n, {0}",
            "punpcklqdq xmm\\n, xmm\\n",
            ".endr",
            in(reg) value,
            options(nomem, nostack, preserves_flags),
        );
    }
}

/// Whether all registers hold `value` in both halves. Leaves them with both halves exchanged.
pub fn all_hold(value: u64) -> bool {
    let difference: u64;
    // SAFETY:
    // 1. Changes only registers that compiled code does not use here, and those named as outputs.
    unsafe {
        asm!(
            "xor {1:e}, {1:e}",
            ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
            "movq {2}, xmm\\n",
            "xor {2}, {0}",
            "or {1}, {2}",
            "pshufd xmm\\n, xmm\\n, 0x4e",
            "movq {2}, xmm\\n",
            "xor {2}, {0}",
            "or {1}, {2}",
            ".endr",
            in(reg) value,
            out(reg) difference,
            out(reg) _,
            options(nomem, nostack),
        );
    }
    difference == 0
}
