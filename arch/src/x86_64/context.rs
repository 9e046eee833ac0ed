//! Switching between threads: their kernel stacks, their floating-point state, their bases of FS and GS.
//!
//! A thread that does not run has its callee-saved registers on its kernel stack, and everything else in
//! its [`Context`]. Floating-point state is switched whenever a user thread comes or goes: that is two
//! instructions, and no thread can ever see another's.

use core::arch::{asm, global_asm};

use vm::addr::VirtAddr;
use x86_64::instructions::segmentation::{FS, Segment64};
use x86_64::registers::model_specific::KernelGsBase;

use super::features::{Features, features};

/// The states that `XSAVE` keeps (XCR0): x87, SSE, AVX. There is room for just these.
const SAVED_STATES: u32 = 0b111;

/// Legacy area, header, upper halves of the AVX registers (Intel SDM 1, 13.4).
const STATE_BYTES: usize = 512 + 64 + 256;

/// The initial x87 control word, and where it lies (Intel SDM 1, 8.1.5 and table 13-1).
const INITIAL_X87_CONTROL: u16 = 0x37f;

/// The initial SSE control and status, and where it lies (Intel SDM 1, 10.2.3 and table 13-1).
const INITIAL_SSE_CONTROL: u32 = 0x1f80;
const SSE_CONTROL_OFFSET: usize = 24;

/// The saved processor state of a thread's user side.
#[repr(C, align(64))]
struct UserState([u8; STATE_BYTES]);

impl UserState {
    /// What a thread starts with: everything zero but the two control words.
    const INITIAL: Self = {
        let mut bytes = [0; STATE_BYTES];
        let x87 = INITIAL_X87_CONTROL.to_le_bytes();
        bytes[0] = x87[0];
        bytes[1] = x87[1];
        let sse = INITIAL_SSE_CONTROL.to_le_bytes();
        bytes[SSE_CONTROL_OFFSET] = sse[0];
        bytes[SSE_CONTROL_OFFSET + 1] = sse[1];
        Self(bytes)
    };
}

/// What a thread in user mode has besides its general registers.
#[repr(C)]
struct UserSide {
    state: UserState,
    fs_base: u64,
    gs_base: u64,
}

/// A thread that does not run at the moment.
pub struct Context {
    /// Where its registers lie on its kernel stack.
    stack_pointer: usize,
    /// Threads that stay in the kernel have none: it is compiled without floating point.
    user: Option<UserSide>,
}

impl Context {
    /// For the thread that runs already, such as the one that boots: its first [`switch`] away fills
    /// this in.
    pub const fn running() -> Self {
        Self {
            stack_pointer: 0,
            user: None,
        }
    }

    /// A thread of the kernel that will run `entry(argument)` on the stack that ends at `stack_top`.
    ///
    /// It starts with interrupts off, as every thread comes out of a [`switch`].
    ///
    /// # Safety
    /// 1. The stack is mapped, as large as `entry` needs, aligned to 16 bytes, and nobody else's.
    pub unsafe fn new(
        stack_top: VirtAddr,
        entry: extern "C" fn(usize) -> !,
        argument: usize,
    ) -> Self {
        let start = Start {
            frame: StartFrame {
                r15: 0,
                r14: 0,
                r13: entry as *const () as usize,
                r12: argument,
                rbx: 0,
                rbp: 0,
                return_address: context_start as *const () as usize,
            },
            end: [0; 2],
        };
        let place = stack_top.raw() - size_of::<Start>();
        // SAFETY:
        // 1. The place lies inside the stack, which is ours by the caller's promise.
        unsafe { (place as *mut Start).write(start) };
        Self {
            stack_pointer: place,
            user: None,
        }
    }

    /// The same for a thread that will enter user mode: it has floating-point state and bases of FS and
    /// GS, which start as after a reset.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub unsafe fn new_user(
        stack_top: VirtAddr,
        entry: extern "C" fn(usize) -> !,
        argument: usize,
    ) -> Self {
        // SAFETY:
        // 1. The caller promises what `new` asks for.
        let kernel = unsafe { Self::new(stack_top, entry, argument) };
        let user = UserSide {
            state: UserState::INITIAL,
            fs_base: 0,
            gs_base: 0,
        };
        Self {
            user: Some(user),
            ..kernel
        }
    }
}

/// The top of a stack on which nothing has run yet.
#[repr(C)]
struct Start {
    frame: StartFrame,
    /// Makes the stack pointer a multiple of 16 where `context_start` begins.
    end: [usize; 2],
}

/// What `context_switch` pops for a thread that has not run yet.
#[repr(C)]
struct StartFrame {
    r15: usize,
    r14: usize,
    r13: usize,
    r12: usize,
    rbx: usize,
    rbp: usize,
    return_address: usize,
}

/// Stops the current thread, whose context is `from`, and goes on with the one in `to`.
///
/// Returns, with interrupts off, when somebody switches to `from` again, perhaps on another CPU.
///
/// # Safety
/// 1. Interrupts are off.
/// 2. `from` is the context of the current thread, `to` that of one that does not run and has not ended;
///    both stay valid and untouched until the thread is switched to again.
#[inline]
pub unsafe fn switch(from: *mut Context, to: *const Context) {
    // SAFETY:
    // 1. Both contexts are valid and nobody else uses them, by the caller's second promise.
    // 2. The kernel uses no floating point, so the registers hold the state of the last user thread that
    //    ran: that of `from`, if it is one.
    unsafe {
        if let Some(user) = &mut (*from).user {
            user.save();
        }
        if let Some(user) = &(*to).user {
            user.restore();
        }
        context_switch(&raw mut (*from).stack_pointer, (*to).stack_pointer);
    }
}

impl UserSide {
    /// Takes over what is in the CPU (Intel SDM 1, 13.7 "Operation of XSAVE").
    #[inline]
    fn save(&mut self) {
        let area = &raw mut self.state;
        if features().contains(Features::FSGSBASE) {
            self.fs_base = FS::read_base().as_u64();
            self.gs_base = KernelGsBase::read().as_u64();
        }
        // SAFETY:
        // 1. The area is as large and aligned as the instructions want it, and exclusively ours.
        // 2. Each instruction is used only if the CPU has it.
        unsafe {
            if features().contains(Features::XSAVE) {
                asm!(
                    "xsave64 [{}]", in(reg) area, in("eax") SAVED_STATES, in("edx") 0,
                    options(nostack, preserves_flags)
                );
            } else {
                asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags));
            }
        }
    }

    /// Puts into the CPU what was saved (Intel SDM 1, 13.8 "Operation of XRSTOR").
    #[inline]
    fn restore(&self) {
        let area = &raw const self.state;
        // SAFETY:
        // 1. The area holds what `save` got from a CPU of this machine, or the initial state.
        // 2. The bases are such that a CPU held them before, hence canonical, or zero. That of GS goes to
        //    where `swapgs` takes the user's from; the kernel's stays.
        // 3. Each instruction is used only if the CPU has it.
        unsafe {
            if features().contains(Features::FSGSBASE) {
                FS::write_base(x86_64::VirtAddr::new_truncate(self.fs_base));
                KernelGsBase::write(x86_64::VirtAddr::new_truncate(self.gs_base));
            }
            if features().contains(Features::XSAVE) {
                asm!(
                    "xrstor64 [{}]", in(reg) area, in("eax") SAVED_STATES, in("edx") 0,
                    options(nostack, preserves_flags)
                );
            } else {
                asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags));
            }
        }
    }
}

unsafe extern "C" {
    fn context_switch(save: *mut usize, load: usize);
    fn context_start() -> !;
}

global_asm!(
    // void context_switch(usize *save, usize load)
    ".section .text.context_switch, \"ax\", @progbits",
    ".global context_switch, context_start",
    "context_switch:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "mov [rdi], rsp",
    "mov rsp, rsi",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    // The first function of every thread: entry in r13, its argument in r12.
    "context_start:",
    "mov rdi, r12",
    "xor ebp, ebp",
    "call r13",
    "ud2",
);
