//! User mode, and the memory of user programs.
//!
//! The kernel touches user memory only here, in two assembly loops. A page fault in them is served like
//! the program's own; if that fails, the loop is left and the copy answers [`UserFault`].

use core::arch::{asm, global_asm};

use super::segments::{USER_CODE, USER_DATA};
use super::trap::{self, SMAP_ON, TrapFrame};
use super::{cpu, paging};
pub use crate::user_memory::{UserEntry, UserFault, UserRange, read, write};

/// Enters user mode with the registers of `entry`; all others are zero.
///
/// A program counter that is no user address becomes 0, where nothing is ever mapped, so that the thread
/// ends in a fault of its own.
///
/// Interrupts are on in user mode. The stack that was set last ([`cpu::set_kernel_stack`]) serves traps;
/// it may be the one in use.
pub fn enter(entry: UserEntry) -> ! {
    const RESERVED: usize = 1 << 1;
    const INTERRUPTS: usize = 1 << 9;
    let is_user = paging::USER.contains(entry.program_counter);
    let frame = TrapFrame {
        rip: if is_user {
            entry.program_counter.raw()
        } else {
            0
        },
        cs: usize::from(USER_CODE.0),
        rflags: RESERVED | INTERRUPTS,
        rsp: entry.stack_pointer.raw(),
        ss: usize::from(USER_DATA.0),
        rdi: entry.arg1,
        rsi: entry.arg2,
        ..TrapFrame::ZERO
    };
    cpu::disable_interrupts();
    // SAFETY:
    // 1. The frame holds user segments, a program counter in the user half, and interrupts on.
    // 2. Interrupts are off since the line above.
    // 3. This function does not return.
    unsafe { trap::leave(&frame) }
}

/// Copies from user memory at `source` to `destination`.
///
/// # Errors
/// [`UserFault`] if not all of `source` can be read; `destination` may be partly written.
///
/// # Safety
/// 1. `destination` is valid for writes of as many bytes, and not user memory.
#[inline]
pub unsafe fn copy_in(destination: *mut u8, source: UserRange) -> Result<(), UserFault> {
    // SAFETY:
    // 1. The caller vouches for the destination, and `UserRange` keeps the source in the user half.
    unsafe {
        copy(
            destination,
            source.base().raw() as *const u8,
            source.bytes(),
        )
    }
}

/// Copies from `source` to user memory at `destination`.
///
/// # Errors
/// [`UserFault`] if not all of `destination` can be written; it may be partly written.
///
/// # Safety
/// 1. `source` is valid for reads of as many bytes, and not user memory.
#[inline]
pub unsafe fn copy_out(destination: UserRange, source: *const u8) -> Result<(), UserFault> {
    // SAFETY:
    // 1. The caller vouches for the source, and `UserRange` keeps the destination in the user half.
    unsafe {
        copy(
            destination.base().raw() as *mut u8,
            source,
            destination.bytes(),
        )
    }
}

/// Fills user memory with zeros.
///
/// # Errors
/// [`UserFault`] if not all of it can be written; it may be partly written.
#[inline]
pub fn zero(destination: UserRange) -> Result<(), UserFault> {
    let failed: usize;
    // SAFETY:
    // 1. `user_zero` writes only to the user half, which holds nothing of the kernel's.
    // 2. The clobbered registers are all that it changes.
    unsafe {
        asm!(
            "call {zero}",
            zero = sym user_zero,
            inout("rdi") destination.base().raw() => _,
            inout("rdx") destination.bytes() => _,
            out("rcx") _,
            out("rax") failed,
        );
    }
    answer(failed)
}

/// # Safety
/// 1. One side lies in the user half; the other is valid for the access.
#[inline]
unsafe fn copy(destination: *mut u8, source: *const u8, bytes: usize) -> Result<(), UserFault> {
    let failed: usize;
    // SAFETY:
    // 1. `user_copy` accesses just the two ranges; a fault on the user's side makes it return early.
    // 2. The clobbered registers are all that it changes.
    unsafe {
        asm!(
            "call {copy}",
            copy = sym user_copy,
            inout("rdi") destination => _,
            inout("rsi") source => _,
            inout("rdx") bytes => _,
            out("rcx") _,
            out("rax") failed,
        );
    }
    answer(failed)
}

fn answer(failed: usize) -> Result<(), UserFault> {
    if failed == 0 { Ok(()) } else { Err(UserFault) }
}

/// Where to go on after a fault at `rip` that cannot be served, if `rip` lies in one of the loops.
pub(super) fn recovery_of_copy(rip: usize) -> Option<usize> {
    let loops = (&raw const user_access_start).addr()..(&raw const user_access_end).addr();
    loops
        .contains(&rip)
        .then(|| (&raw const user_access_failed).addr())
}

unsafe extern "C" {
    static user_access_start: u8;
    static user_access_end: u8;
    static user_access_failed: u8;
    fn user_copy();
    fn user_zero();
}

global_asm!(
    ".section .text.user_access, \"ax\", @progbits",
    ".global user_copy, user_zero, user_access_start, user_access_end, user_access_failed",
    // rdi destination, rsi source, rdx bytes; rax 0 or 1; changes rcx too. String instructions count
    // down in registers, so that they can go on after a fault that was served.
    "user_copy:",
    "cmp byte ptr [rip + {smap_on}], 0",
    "je user_access_start",
    "stac",
    "user_access_start:",
    "mov rcx, rdx",
    "shr rcx, 3",
    "rep movsq",
    "mov ecx, edx",
    "and ecx, 7",
    "rep movsb",
    "xor eax, eax",
    "jmp 2f",
    "user_zero:",
    "cmp byte ptr [rip + {smap_on}], 0",
    "je 1f",
    "stac",
    "1:",
    "xor eax, eax",
    "mov rcx, rdx",
    "shr rcx, 3",
    "rep stosq",
    "mov ecx, edx",
    "and ecx, 7",
    "rep stosb",
    "jmp 2f",
    "user_access_end:",
    "user_access_failed:",
    "mov eax, 1",
    "2:",
    "cmp byte ptr [rip + {smap_on}], 0",
    "je 3f",
    "clac",
    "3:",
    "ret",
    smap_on = sym SMAP_ON,
);
