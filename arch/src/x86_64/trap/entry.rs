//! The assembly of `entry.s`, and what it calls.

use core::arch::global_asm;
use core::sync::atomic::AtomicBool;

use super::frame::TrapFrame;
use crate::handlers;
use crate::machine::record::{KERNEL_STACK_OFFSET, USER_STACK_OFFSET};

/// The bytes from one vector's stub to the next.
pub(super) const STUB_BYTES: usize = 16;

/// Whether `clac` exists and is needed. Set before user code runs, and never cleared.
#[unsafe(no_mangle)]
pub(in crate::machine) static SMAP_ON: AtomicBool = AtomicBool::new(false);

global_asm!(
    include_str!("entry.s"),
    stub_bytes = const STUB_BYTES,
    smap_on = sym SMAP_ON,
    kernel_stack = const KERNEL_STACK_OFFSET,
    user_stack = const USER_STACK_OFFSET,
    trap = sym super::trap,
    system_call = sym system_call,
    user_page_fault = sym super::user_page_fault,
    refused_page_fault = sym super::refused_page_fault,
    options(att_syntax)
);

unsafe extern "C" {
    static trap_stubs: u8;
    static probe_word_start: u8;
    static probe_word_end: u8;
    static probe_word_failed: u8;
    fn system_call_entry();
    fn probe_word(address: usize, word: *mut usize) -> usize;
    fn trap_leave(frame: *const TrapFrame) -> !;
}

/// Hands a system call to the kernel.
extern "C" fn system_call(number: usize, arguments: &[usize; 8]) -> usize {
    (handlers::installed().system_call)(number, arguments)
}

/// The address of the stub for `vector`.
pub(super) fn stub(vector: u8) -> usize {
    (&raw const trap_stubs).addr() + usize::from(vector) * STUB_BYTES
}

/// The address for `IA32_LSTAR`.
pub(super) fn system_call_address() -> usize {
    system_call_entry as *const () as usize
}

/// The word at `address`; `None` if it cannot be read.
pub(super) fn read_word(address: usize) -> Option<usize> {
    let mut word = 0;
    // SAFETY:
    // 1. The function reads one word at `address`, and a fault there makes it answer zero; see
    //    `recovery_of_probe`.
    // 2. `word` is ours.
    let was_read = unsafe { probe_word(address, &raw mut word) };
    (was_read != 0).then_some(word)
}

/// Where to go on after a fault at `rip`, if `rip` lies in `probe_word`.
pub(super) fn recovery_of_probe(rip: usize) -> Option<usize> {
    let reading = (&raw const probe_word_start).addr()..(&raw const probe_word_end).addr();
    reading
        .contains(&rip)
        .then(|| (&raw const probe_word_failed).addr())
}

/// Goes on with the registers in `frame`.
///
/// # Safety
/// 1. `frame` describes a state of user mode with interrupts on.
/// 2. Interrupts are off, and this CPU's kernel stack is set.
/// 3. Nothing on the current stack is needed any more.
pub(in crate::machine) unsafe fn leave(frame: &TrapFrame) -> ! {
    // SAFETY:
    // 1. All three are what the caller promises.
    unsafe { trap_leave(frame) }
}
