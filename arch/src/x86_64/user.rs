//! User mode, and the memory of user programs.
//!
//! The kernel touches user memory only here, in two assembly loops. A page fault in them is served like
//! the program's own, or captured ([`crate::user_memory`]); if it is not served, the loop is left.

use core::arch::{asm, global_asm};

use vm::addr::VirtAddr;

use super::segments::{USER_CODE, USER_DATA};
use super::trap::{self, SMAP_ON, TrapFrame};
use super::{cpu, paging};
use crate::user_memory::{Answer, End, OnFault};
pub use crate::user_memory::{Obstacle, UserEntry, UserFault, UserRange, read, write};

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

/// Copies from user memory at `source` to `destination`, with no lock held.
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
            OnFault::Resolve,
        )
    }
    .resolved()
}

/// Copies from user memory at `source` to `destination` without resolving faults; locks may be held.
///
/// # Errors
/// [`Obstacle`]: what the copy met, and how far it came.
///
/// # Safety
/// 1. As [`copy_in`].
#[inline]
pub unsafe fn try_copy_in(destination: *mut u8, source: UserRange) -> Result<(), Obstacle> {
    // SAFETY:
    // 1. The caller vouches for the destination, and `UserRange` keeps the source in the user half.
    unsafe {
        copy(
            destination,
            source.base().raw() as *const u8,
            source.bytes(),
            OnFault::Capture,
        )
    }
    .captured()
}

/// Copies from `source` to user memory at `destination`, with no lock held.
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
            OnFault::Resolve,
        )
    }
    .resolved()
}

/// Copies from `source` to user memory at `destination` without resolving faults; locks may be held.
///
/// # Errors
/// [`Obstacle`]: what the copy met, and how far it came.
///
/// # Safety
/// 1. As [`copy_out`].
#[inline]
pub unsafe fn try_copy_out(destination: UserRange, source: *const u8) -> Result<(), Obstacle> {
    // SAFETY:
    // 1. The caller vouches for the source, and `UserRange` keeps the destination in the user half.
    unsafe {
        copy(
            destination.base().raw() as *mut u8,
            source,
            destination.bytes(),
            OnFault::Capture,
        )
    }
    .captured()
}

/// Fills user memory with zeros, with no lock held.
///
/// # Errors
/// [`UserFault`] if not all of it can be written; it may be partly written.
#[inline]
pub fn zero(destination: UserRange) -> Result<(), UserFault> {
    let (end, address): (usize, usize);
    let start = destination.base().raw();
    let reached: usize;
    // SAFETY:
    // 1. `user_zero` writes only to the user half, which holds nothing of the kernel's.
    // 2. The clobbered registers are all that it changes.
    unsafe {
        asm!(
            "call {zero}",
            zero = sym user_zero,
            inout("rdi") start => reached,
            inout("rdx") destination.bytes() => address,
            out("rcx") _,
            out("rax") end,
        );
    }
    let done = reached.wrapping_sub(start);
    Answer { end, done, address }.resolved()
}

/// # Safety
/// 1. One side lies in the user half; the other is valid for the access.
#[inline]
unsafe fn copy(destination: *mut u8, source: *const u8, bytes: usize, on_fault: OnFault) -> Answer {
    let (end, address): (usize, usize);
    let reached: *mut u8;
    // SAFETY:
    // 1. `user_copy` accesses just the two ranges; a fault on the user's side may make it return early.
    // 2. The clobbered registers are all that it changes.
    unsafe {
        asm!(
            "call {copy}",
            copy = sym user_copy,
            inout("rdi") destination => reached,
            inout("rsi") source => _,
            inout("rdx") bytes => address,
            out("rcx") _,
            inout("rax") on_fault as usize => end,
        );
    }
    let done = reached.addr().wrapping_sub(destination.addr());
    Answer { end, done, address }
}

/// Whether the instruction at `rip` is one of the loops, so that it may meet a page fault.
pub(super) fn is_in_loop(rip: usize) -> bool {
    let loops = (&raw const user_access_start).addr()..(&raw const user_access_end).addr();
    loops.contains(&rip)
}

/// Whether the loop that `frame` was saved in captures its faults.
pub(super) fn captures_faults(frame: &TrapFrame) -> bool {
    frame.rax == OnFault::Capture as usize
}

/// Makes the loop that `frame` was saved in return, because of a fault at `address`.
pub(super) fn leave_loop(frame: &mut TrapFrame, end: End, address: VirtAddr) {
    frame.rax = end as usize;
    frame.rdx = address.raw();
    frame.rip = (&raw const user_access_left).addr();
}

unsafe extern "C" {
    static user_access_start: u8;
    static user_access_end: u8;
    static user_access_left: u8;
    fn user_copy();
    fn user_zero();
}

global_asm!(
    ".section .text.user_access, \"ax\", @progbits",
    ".global user_copy, user_zero, user_access_start, user_access_end, user_access_left",
    // rdi: destination, rsi: source, rdx: bytes, rax: a number of `OnFault`. Answers a number of `End` in
    // rax, the end of what was written in rdi, the address of a captured fault in rdx; changes rcx too.
    // String instructions count in registers, so that they can go on after a fault that was served.
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
    // The same without a source; rax is zero before the first access, so faults are resolved.
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
    "user_access_left:",
    "2:",
    "cmp byte ptr [rip + {smap_on}], 0",
    "je 3f",
    "clac",
    "3:",
    "ret",
    smap_on = sym SMAP_ON,
);
