//! Switching from one thread to another.

use core::arch::naked_asm;

use aarch64_cpu::registers::{Readable, TPIDR_EL0, Writeable};
use vm::addr::VirtAddr;

use super::fpu::FpuState;

/// A thread that does not run at the moment.
#[derive(Debug)]
#[repr(C)]
pub struct Context {
    kernel: KernelState,
    user: Option<UserState>,
}

/// What a function call has to keep (AAPCS64 6.1.1), in the order of [`switch_registers`].
#[derive(Debug)]
#[repr(C)]
struct KernelState {
    /// `x19` to `x29`.
    registers: [usize; 11],
    /// `x30`: where the thread goes on.
    program_counter: usize,
    stack_pointer: usize,
}

impl KernelState {
    const ZERO: Self = Self {
        registers: [0; 11],
        program_counter: 0,
        stack_pointer: 0,
    };
}

/// Registers that only programs use, so that traps leave them alone.
#[derive(Debug)]
struct UserState {
    fpu: FpuState,
    thread_pointer: u64,
}

impl Context {
    /// A thread of the kernel that will run `entry(argument)` on the stack that ends at `stack_top`, a
    /// multiple of 16.
    ///
    /// It starts with interrupts off, as every thread comes out of a [`switch`].
    ///
    /// # Safety
    /// 1. The stack is mapped, as large as `entry` needs, and nobody else's.
    pub unsafe fn new(
        stack_top: VirtAddr,
        entry: extern "C" fn(usize) -> !,
        argument: usize,
    ) -> Self {
        let mut kernel = KernelState {
            program_counter: thread_start as *const () as usize,
            stack_pointer: stack_top.raw(),
            ..KernelState::ZERO
        };
        kernel.registers[0] = entry as *const () as usize;
        kernel.registers[1] = argument;
        Self { kernel, user: None }
    }

    /// The same for a thread that will enter user mode: it has SIMD registers and a thread pointer, all
    /// zero at first.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub unsafe fn new_user(
        stack_top: VirtAddr,
        entry: extern "C" fn(usize) -> !,
        argument: usize,
    ) -> Self {
        let user = UserState {
            fpu: FpuState::ZERO,
            thread_pointer: 0,
        };
        // SAFETY:
        // 1. The caller promises what `new` asks for.
        let kernel = unsafe { Self::new(stack_top, entry, argument) };
        Self {
            user: Some(user),
            ..kernel
        }
    }

    /// For the thread that runs already, such as the one that boots: its first [`switch`] away fills
    /// this in.
    pub const fn running() -> Self {
        Self {
            kernel: KernelState::ZERO,
            user: None,
        }
    }
}

/// Stops the current thread into `from` and goes on with `to`; returns when somebody switches back.
///
/// # Safety
/// 1. Interrupts are off.
/// 2. `from` is the context of the current thread, `to` that of one that does not run and has not ended;
///    both stay valid and untouched until the thread is switched to again.
#[inline]
pub unsafe fn switch(from: *mut Context, to: *const Context) {
    // SAFETY:
    // 1. The caller promises that both are valid, and that nobody else uses them.
    unsafe {
        if let Some(user) = &mut (*from).user {
            user.fpu.save();
            user.thread_pointer = TPIDR_EL0.get();
        }
        if let Some(user) = &(*to).user {
            user.fpu.restore();
            TPIDR_EL0.set(user.thread_pointer);
        }
        switch_registers(&raw mut (*from).kernel, &raw const (*to).kernel);
    }
}

#[unsafe(naked)]
unsafe extern "C" fn switch_registers(from: *mut KernelState, to: *const KernelState) {
    naked_asm!(
        "mov x9, sp",
        "stp x19, x20, [x0, #0]",
        "stp x21, x22, [x0, #16]",
        "stp x23, x24, [x0, #32]",
        "stp x25, x26, [x0, #48]",
        "stp x27, x28, [x0, #64]",
        "stp x29, x30, [x0, #80]",
        "str x9, [x0, #96]",
        "ldp x19, x20, [x1, #0]",
        "ldp x21, x22, [x1, #16]",
        "ldp x23, x24, [x1, #32]",
        "ldp x25, x26, [x1, #48]",
        "ldp x27, x28, [x1, #64]",
        "ldp x29, x30, [x1, #80]",
        "ldr x9, [x1, #96]",
        "mov sp, x9",
        "ret",
    )
}

/// The first instructions of a thread: `x19(x20)`, with the end of the chain of frames above it.
#[unsafe(naked)]
unsafe extern "C" fn thread_start() {
    naked_asm!("mov x0, x20", "mov x29, xzr", "mov x30, xzr", "br x19")
}
