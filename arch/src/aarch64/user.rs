//! User mode, and the memory of programs.
//!
//! The kernel touches the memory of programs only here, in the loops of `trap/vectors.s`. A page fault in
//! them is resolved like the program's own, or captured ([`crate::user_memory`]).

use core::arch::asm;

use vm::addr::VirtAddr;

use super::cpu;
use super::trap::TrapFrame;
use crate::user_memory::{Answer, End, OnFault};
pub use crate::user_memory::{Obstacle, UserEntry, UserFault, UserRange, read, write};

unsafe extern "C" {
    static user_copy_begin: u8;
    static user_copy_end: u8;
    fn user_copy_in();
    fn user_copy_out();
    fn user_fill_zero();
}

/// Starts a program's thread: the current thread runs in user mode and comes back only through traps.
///
/// The current thread's [`Context`](super::context::Context) is one made by `new_user`, and
/// [`cpu::set_kernel_stack`] names its stack, of which everything is given up. All registers but the two
/// arguments are zero.
pub fn enter(entry: UserEntry) -> ! {
    cpu::disable_interrupts();
    let kernel_stack = cpu::local().kernel_stack();
    // SAFETY:
    // 1. SPSR_EL1 = 0 is EL0 with interrupts on, so no address can make the kernel run it.
    // 2. The stack pointer moves to the top of the thread's own stack; nothing below is used again.
    unsafe {
        asm!(
            "mov sp, {kernel_stack}",
            "msr sp_el0, {stack_pointer}",
            "msr elr_el1, {program_counter}",
            "msr spsr_el1, xzr",
            "mov x2, xzr", "mov x3, xzr", "mov x4, xzr", "mov x5, xzr", "mov x6, xzr",
            "mov x7, xzr", "mov x8, xzr", "mov x9, xzr", "mov x10, xzr", "mov x11, xzr",
            "mov x12, xzr", "mov x13, xzr", "mov x14, xzr", "mov x15, xzr", "mov x16, xzr",
            "mov x17, xzr", "mov x18, xzr", "mov x19, xzr", "mov x20, xzr", "mov x21, xzr",
            "mov x22, xzr", "mov x23, xzr", "mov x24, xzr", "mov x25, xzr", "mov x26, xzr",
            "mov x27, xzr", "mov x28, xzr", "mov x29, xzr", "mov x30, xzr",
            "eret",
            kernel_stack = in(reg) kernel_stack.raw(),
            stack_pointer = in(reg) entry.stack_pointer.raw(),
            program_counter = in(reg) entry.program_counter.raw(),
            in("x0") entry.arg1,
            in("x1") entry.arg2,
            options(noreturn),
        )
    }
}

/// Calls a loop of `vectors.s` with `x0` to `x2` as given; what `x0` begins with is where it writes.
macro_rules! call_loop {
    ($loop_name:ident($destination:expr, $second:expr, $third:expr), $on_fault:expr) => {{
        let start: usize = $destination;
        let (end, reached, address): (usize, usize, usize);
        asm!(
            "bl {}",
            sym $loop_name,
            inlateout("x0") start => reached,
            inlateout("x1") $second => address,
            inlateout("x2") $third => _,
            lateout("x3") _, lateout("x4") _, lateout("x5") _, lateout("x6") _,
            lateout("x7") _, lateout("x8") _, lateout("x9") _, lateout("x10") _,
            inlateout("x11") $on_fault as usize => end,
            lateout("x30") _,
            options(nostack),
        );
        let done = reached.wrapping_sub(start);
        Answer { end, done, address }
    }};
}

/// Copies all of `source` to `destination`. With interrupts on and no lock held: pages may have to be
/// brought in.
///
/// # Errors
/// [`UserFault`] if not all of `source` can be read; `destination` may be partly changed.
///
/// # Safety
/// 1. `destination` is valid for writes of `source.bytes()` bytes.
#[inline]
pub unsafe fn copy_in(destination: *mut u8, source: UserRange) -> Result<(), UserFault> {
    // SAFETY:
    // 1. The caller promises the destination.
    unsafe { copy_from(destination, source, OnFault::Resolve) }.resolved()
}

/// Copies all of `source` to `destination` without resolving faults. Locks may be held.
///
/// # Errors
/// [`Obstacle`]: what the copy met, and how far it came.
///
/// # Safety
/// 1. As [`copy_in`].
#[inline]
pub unsafe fn try_copy_in(destination: *mut u8, source: UserRange) -> Result<(), Obstacle> {
    // SAFETY:
    // 1. The caller promises the destination.
    unsafe { copy_from(destination, source, OnFault::Capture) }.captured()
}

/// Copies from `source` to all of `destination`. Called like [`copy_in`].
///
/// # Errors
/// [`UserFault`] if not all of `destination` can be written; it may be partly changed.
///
/// # Safety
/// 1. `source` is valid for reads of `destination.bytes()` bytes.
#[inline]
pub unsafe fn copy_out(destination: UserRange, source: *const u8) -> Result<(), UserFault> {
    // SAFETY:
    // 1. The caller promises the source.
    unsafe { copy_to(destination, source, OnFault::Resolve) }.resolved()
}

/// Copies from `source` to all of `destination` without resolving faults. Locks may be held.
///
/// # Errors
/// [`Obstacle`]: what the copy met, and how far it came.
///
/// # Safety
/// 1. As [`copy_out`].
#[inline]
pub unsafe fn try_copy_out(destination: UserRange, source: *const u8) -> Result<(), Obstacle> {
    // SAFETY:
    // 1. The caller promises the source.
    unsafe { copy_to(destination, source, OnFault::Capture) }.captured()
}

/// Fills `destination` with zeros. Called like [`copy_in`].
///
/// # Errors
/// [`UserFault`] if not all of `destination` can be written; it may be partly changed.
#[inline]
pub fn zero(destination: UserRange) -> Result<(), UserFault> {
    let (start, bytes) = (destination.base().raw(), destination.bytes());
    // SAFETY:
    // 1. The destination is the program's, and no reference of the kernel is into user memory.
    // 2. The clobbered registers are all that the loop changes.
    unsafe { call_loop!(user_fill_zero(start, bytes, 0_usize), OnFault::Resolve) }.resolved()
}

/// # Safety
/// 1. `destination` is valid for writes of `source.bytes()` bytes.
#[inline]
unsafe fn copy_from(destination: *mut u8, source: UserRange, on_fault: OnFault) -> Answer {
    let (start, bytes) = (source.base().raw(), source.bytes());
    let to = destination.expose_provenance();
    // SAFETY:
    // 1. The caller promises the destination; the source is the program's, and reading it may only fault,
    //    which may make the loop return early.
    // 2. The clobbered registers are all that the loop changes.
    unsafe { call_loop!(user_copy_in(to, start, bytes), on_fault) }
}

/// # Safety
/// 1. `source` is valid for reads of `destination.bytes()` bytes.
#[inline]
unsafe fn copy_to(destination: UserRange, source: *const u8, on_fault: OnFault) -> Answer {
    let (start, bytes) = (destination.base().raw(), destination.bytes());
    let from = source.expose_provenance();
    // SAFETY:
    // 1. The caller promises the source; the destination is the program's, and no reference of the kernel
    //    is into user memory. Writing it may only fault, which may make the loop return early.
    // 2. The clobbered registers are all that the loop changes.
    unsafe { call_loop!(user_copy_out(start, from, bytes), on_fault) }
}

/// Whether the instruction at `program_counter` is in a loop, so that it may meet a fault.
pub(super) fn is_in_loop(program_counter: usize) -> bool {
    let loops = (&raw const user_copy_begin).addr()..(&raw const user_copy_end).addr();
    loops.contains(&program_counter)
}

/// Whether the loop that `frame` was saved in captures its faults.
pub(super) fn captures_faults(frame: &TrapFrame) -> bool {
    frame.registers[11] == OnFault::Capture as u64
}

/// Makes the loop that `frame` was saved in return, because of a fault at `address`.
///
/// The loops call nothing, so the link register says where to.
pub(super) fn leave_loop(frame: &mut TrapFrame, end: End, address: VirtAddr) {
    frame.registers[11] = end as u64;
    frame.registers[1] = address.raw() as u64;
    frame.program_counter = frame.registers[30];
}
