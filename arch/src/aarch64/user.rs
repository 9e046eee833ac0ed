//! User mode, and the memory of programs.

use core::arch::asm;

use super::cpu;
pub use crate::user_memory::{UserEntry, UserFault, UserRange, read, write};

unsafe extern "C" {
    fn user_copy_in(destination: *mut u8, source: usize, bytes: usize) -> usize;
    fn user_copy_out(destination: usize, source: *const u8, bytes: usize) -> usize;
    fn user_fill_zero(destination: usize, bytes: usize) -> usize;
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
    // 1. The caller promises the destination; the source is the program's, and reading it may only fault,
    //    which makes the copy return 1.
    outcome(unsafe { user_copy_in(destination, source.base().raw(), source.bytes()) })
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
    // 1. The caller promises the source; the destination is the program's, and no reference of the kernel
    //    is into user memory.
    outcome(unsafe { user_copy_out(destination.base().raw(), source, destination.bytes()) })
}

/// Fills `destination` with zeros. Called like [`copy_in`].
///
/// # Errors
/// [`UserFault`] if not all of `destination` can be written; it may be partly changed.
#[inline]
pub fn zero(destination: UserRange) -> Result<(), UserFault> {
    // SAFETY:
    // 1. The destination is the program's, and no reference of the kernel is into user memory.
    outcome(unsafe { user_fill_zero(destination.base().raw(), destination.bytes()) })
}

fn outcome(failed: usize) -> Result<(), UserFault> {
    if failed == 0 { Ok(()) } else { Err(UserFault) }
}
