//! What a program must not do on x86_64, and odd things that must do no harm.

use core::arch::asm;

use crate::Deed;

/// Deeds that run instructions, with scratch registers that they may change.
macro_rules! deeds {
    ($($name:literal: $($line:literal),+;)*) => {
        &[$(($name, || {
            // SAFETY: the instructions end the program, which is what is tried; if they do not, they
            // have changed only the registers below.
            unsafe {
                asm!(
                    $($line),+,
                    out("rax") _, out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _,
                    out("r8") _, out("r9") _, out("r10") _, out("r11") _,
                )
            }
        })),*]
    };
}

/// Each of these ends the program.
pub const TRAPS: &[Deed<()>] = deeds! {
    "int3": "int3";
    "int1": ".byte 0xf1";
    "int 2, a vector with a stack of its own": "int 2";
    "int 8, another one": "int 8";
    "int 14, a vector with an error code": "int 14";
    "int 0x80": "int 0x80";
    "int 0xff": "int 0xff";
    "division by zero": "xor ecx, ecx", "xor edx, edx", "div ecx";
    "undefined instruction": "ud2";
    "hlt": "hlt";
    "cli": "cli";
    "cli after asking for I/O privilege": "pushfq", "or qword ptr [rsp], 0x3000", "popfq", "cli";
    "in": "in al, 0x64";
    "out to the port that ends the machine": "mov eax, 16", "out 0xf4, eax";
    "rdmsr": "mov ecx, 0xc0000082", "rdmsr";
    "wrmsr": "mov ecx, 0xc0000082", "wrmsr";
    "rdpmc": "xor ecx, ecx", "rdpmc";
    "xsetbv": "xor ecx, ecx", "mov eax, 7", "xor edx, edx", "xsetbv";
    "read of cr0": "mov rax, cr0";
    "write of cr3": "mov cr3, rax";
    "read of dr7": "mov rax, dr7";
    "lgdt": "lgdt [rsp]";
    "lidt": "lidt [rsp]";
    "ltr": "ltr ax";
    "lldt": "lldt ax";
    "clts": "clts";
    "invlpg": "invlpg [rsp]";
    "wbinvd": "wbinvd";
    "swapgs": "swapgs";
    "sysret": "sysretq";
    "iret to the kernel's segments":
        "mov rax, rsp", "push 0x10", "push rax", "push 0x202", "push 8", "lea rcx, [rip]", "push rcx", "iretq";
    "iret with the nested-task flag": "pushfq", "or qword ptr [rsp], 0x4000", "popfq", "iretq";
    "far return to the kernel's segment": "push 8", "lea rax, [rip]", "push rax", "retfq";
    "far return to a data segment": "push 0x1b", "lea rax, [rip]", "push rax", "retfq";
    "kernel's data segment": "mov eax, 0x10", "mov ds, eax";
    "kernel's stack segment": "mov eax, 0x10", "mov ss, eax";
    "no stack segment": "xor eax, eax", "mov ss, eax";
    "segment beyond the table": "mov eax, 0xfffb", "mov gs, eax";
    "read at an address that is not canonical": "mov rax, 0x800000000000", "mov rax, [rax]";
    "push at an address that is not canonical": "mov rsp, 0x800000000000", "push rax";
    "jump to an address that is not canonical": "mov rax, 0x800000000000", "jmp rax";
    "return to an address that is not canonical": "mov rax, 0x1234567812345678", "push rax", "ret";
    "push on the kernel's memory": "mov rsp, 0xffff800000100000", "push rax";
    "trap flag": "pushfq", "or qword ptr [rsp], 0x100", "popfq", "nop";
    "trap flag and a system call":
        "pushfq", "or qword ptr [rsp], 0x100", "mov rax, -1", "popfq", "syscall", "nop";
    "x87 exception":
        "fninit", "push 0x340", "fldcw [rsp]", "fld1", "fldz", "fdivp st(1), st", "fwait";
    "SIMD exception":
        "push 0x1d80", "ldmxcsr [rsp]", "push 0", "push 0x3f800000", "movss xmm0, [rsp]",
        "divss xmm0, [rsp + 8]";
};

/// A system call with no such number in a state that `$before` makes and `$after` ends; true if the
/// kernel refuses the call and keeps rbx, rbp and r12 to r15.
macro_rules! refused_call {
    ($($name:literal: $($before:literal),+ => $($after:literal),+;)*) => {
        &[$(($name, || {
            let (status, difference): (i64, u64);
            // SAFETY: an unknown call changes nothing; flags and stack pointer are put back.
            unsafe {
                asm!(
                    "mov r15, rsp",
                    "push rbx",
                    "push rbp",
                    "mov r14, rsp",
                    "mov r12, 0x1212",
                    "mov r13, 0x1313",
                    "mov rbp, 0x5555",
                    "mov rbx, 0x2222",
                    "mov r8, 0x8888",
                    $($before),+,
                    "mov rax, -1",
                    "syscall",
                    $($after),+,
                    "mov rsp, r14",
                    "xor r12, 0x1212",
                    "xor r13, 0x1313",
                    "xor rbp, 0x5555",
                    "xor rbx, 0x2222",
                    "xor r8, 0x8888",
                    "or r12, r13",
                    "or r12, rbp",
                    "or r12, rbx",
                    "or r12, r8",
                    "pop rbp",
                    "pop rbx",
                    "mov rsp, r15",
                    out("rax") status, out("rcx") _, out("rdx") _, out("r8") _, out("r11") _,
                    out("r12") difference, out("r13") _, out("r14") _, out("r15") _,
                );
            }
            status == i64::from(zx::sys::ZX_ERR_BAD_SYSCALL) && difference == 0
        })),*]
    };
}

/// Each of these does no harm.
pub const HARMLESS: &[Deed<bool>] = refused_call! {
    "a plain call": "nop" => "nop";
    "direction flag": "std" => "cld";
    "nested-task flag": "pushfq", "or qword ptr [rsp], 0x4000", "popfq"
        => "pushfq", "and qword ptr [rsp], ~0x4000", "popfq";
    "alignment-check flag": "pushfq", "or qword ptr [rsp], 0x40000", "popfq"
        => "mov rdx, [rsp + 1]", "pushfq", "and qword ptr [rsp], ~0x40000", "popfq";
    "null stack": "xor esp, esp" => "nop";
    "odd stack": "mov rsp, -1" => "nop";
    "stack in the kernel": "mov rsp, 0xffff800000100000" => "nop";
    "stack that is not canonical": "mov rsp, 0x800000000000" => "nop";
    "user data segments": "mov edx, 0x1b", "mov ds, edx", "mov es, edx", "mov fs, edx", "mov gs, edx"
        => "xor edx, edx", "mov ds, edx", "mov es, edx", "mov fs, edx", "mov gs, edx";
    "null data segments": "mov edx, 3", "mov ds, edx", "mov gs, edx"
        => "xor edx, edx", "mov ds, edx", "mov gs, edx";
};
