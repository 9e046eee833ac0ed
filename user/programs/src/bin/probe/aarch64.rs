//! What a program must not do on aarch64, and odd things that must do no harm.

use core::arch::asm;

use crate::Deed;

/// Deeds that run instructions, with scratch registers that they may change.
macro_rules! deeds {
    ($($name:literal: $($line:literal),+;)*) => {
        &[$(($name, || {
            // SAFETY: the instructions end the program, which is what is tried; if they do not, they
            // have changed only the registers below.
            unsafe {
                asm!($($line),+, out("x0") _, out("x1") _, out("x2") _, out("x3") _)
            }
        })),*]
    };
}

/// Each of these ends the program.
pub const TRAPS: &[Deed<()>] = deeds! {
    "brk": "brk #0";
    "brk of a debugger": "brk #0xf000";
    "hlt, which could be semihosting's": "mov x0, #0x18", "mov x1, #0", "hlt #0xf000";
    "hvc": "hvc #0";
    "smc": "smc #0";
    "undefined instruction": "udf #0";
    "eret": "eret";
    "masking interrupts": "msr daifset, #2";
    "choice of the stack pointer": "msr spsel, #1";
    "read of SCTLR_EL1": "mrs x0, sctlr_el1";
    "read of ESR_EL1": "mrs x0, esr_el1";
    "write of TTBR0_EL1": "msr ttbr0_el1, x0";
    "write of VBAR_EL1": "msr vbar_el1, x0";
    "write of TPIDR_EL1": "msr tpidr_el1, x0";
    "write of TPIDRRO_EL0": "msr tpidrro_el0, x0";
    "write of the timer's control": "msr cntv_ctl_el0, x0";
    "read of the cycle counter": "mrs x0, pmccntr_el0";
    "TLB maintenance": "tlbi vmalle1";
    "cache maintenance by set and way": "dc isw, x0";
    "instruction cache": "ic iallu";
    "address translation": "at s1e1r, x0";
    "scalable vectors": ".inst 0x04e0e3e0";
    "read of the kernel's memory": "mov x0, #0xffff000000000000", "ldr x0, [x0]";
    "read at an address that is nobody's": "mov x0, #0x0010000000000000", "ldr x0, [x0]";
    "jump to an address that is nobody's": "mov x0, #0x0010000000000000", "br x0";
    "jump between instructions": "adr x0, .", "add x0, x0, #2", "br x0";
    "stack pointer that is not aligned": "mov x0, sp", "add x0, x0, #8", "mov sp, x0", "ldr x1, [sp]";
    "push on the kernel's memory": "mov x0, #0xffff000000000000", "mov sp, x0", "str x1, [sp, #-16]!";
};

/// A system call with no such number in a state that `$before` makes and `$after` ends; true if the
/// kernel refuses the call and keeps registers.
macro_rules! refused_call {
    ($($name:literal: $($before:literal),+ => $($after:literal),+;)*) => {
        &[$(($name, || {
            let (status, difference): (i64, u64);
            // SAFETY: an unknown call changes nothing; the stack pointer is put back.
            unsafe {
                asm!(
                    "mov x20, sp",
                    "mov x21, #0x2121",
                    "mov x1, #0x1111",
                    "mov x17, #0x1717",
                    "mov x30, #0x3030",
                    "mov x16, #-1",
                    $($before),+,
                    $($after),+,
                    "mov sp, x20",
                    "mov x9, #0x2121",
                    "eor x21, x21, x9",
                    "mov x9, #0x1111",
                    "eor x1, x1, x9",
                    "mov x9, #0x1717",
                    "eor x17, x17, x9",
                    "mov x9, #0x3030",
                    "eor x30, x30, x9",
                    "orr x21, x21, x1",
                    "orr x21, x21, x17",
                    "orr x21, x21, x30",
                    out("x0") status, out("x1") _, out("x9") _, out("x16") _, out("x17") _,
                    out("x20") _, out("x21") difference, out("x30") _,
                );
            }
            status == i64::from(zx::sys::ZX_ERR_BAD_SYSCALL) && difference == 0
        })),*]
    };
}

/// Each of these does no harm.
pub const HARMLESS: &[Deed<bool>] = refused_call! {
    "a plain call": "svc #0" => "nop";
    "another number in the instruction": "svc #0xffff" => "nop";
    "a third one": "svc #1" => "nop";
    "null stack": "mov x9, #0", "mov sp, x9", "svc #0" => "nop";
    "stack that is not aligned": "mov x9, #-1", "mov sp, x9", "svc #0" => "nop";
    "stack in the kernel": "mov x9, #0xffff000000000000", "mov sp, x9", "svc #0" => "nop";
    "thread pointer": "mov x9, #-1", "msr tpidr_el0, x9", "svc #0" => "msr tpidr_el0, xzr";
    "all condition flags": "mov x9, #0xf0000000", "msr nzcv, x9", "svc #0" => "nop";
};
