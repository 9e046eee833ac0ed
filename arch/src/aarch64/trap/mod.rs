//! Exceptions and interrupts: from the vectors (`vectors.s`) to [`crate::handlers`].
//!
//! ```text
//!   svc ───────────► system_call ────► Handlers::system_call
//!   user abort ────► user_exception ─► Handlers::page_fault, ::exception
//!   kernel abort ──► kernel_exception ► Handlers::page_fault (user copies), ::kernel_fault
//!   interrupt ─────► irq::dispatch ──► Handlers::tick, ::reschedule, ::interrupt
//! ```
//!
//! A user copy that captures its faults is told of them before anybody else is: its caller may hold locks.
//!
//! Every trap is handled on the stack of the thread that was running. If that stack has no room left, an
//! exception in the kernel moves to the CPU's emergency stack, reports, and does not return.

mod frame;
mod syndrome;

use core::arch::{asm, global_asm};

use aarch64_cpu::registers::{VBAR_EL1, Writeable};
use vm::addr::VirtAddr;
use vm::cpu::CpuId;

pub use frame::TrapFrame;

use self::syndrome::Cause;
use super::{cpu, irq, paging, power, user};
use crate::handlers::{self, Exception, KernelFault, Origin, PageFault};
use crate::user_memory::End;
use crate::verdict::Verdict;

global_asm!(
    include_str!("vectors.s"),
    system_call = sym system_call,
    user_exception = sym user_exception,
    user_interrupt = sym user_interrupt,
    kernel_exception = sym kernel_exception,
    kernel_interrupt = sym kernel_interrupt,
    system_error = sym system_error,
    stack_overflow = sym stack_overflow,
    impossible = sym impossible,
);

unsafe extern "C" {
    static exception_vectors: u8;
    static probe_word: u8;
    static probe_failed: u8;
}

/// Makes the boot CPU report its exceptions, from the first instruction that has a console.
pub fn init_early() {
    cpu::init(CpuId::BOOT, VirtAddr::default());
}

/// Installs the vectors on this CPU.
pub(super) fn install_vectors() {
    VBAR_EL1.set((&raw const exception_vectors).addr() as u64);
}

/// The word at `address` in the kernel's half; `None` if it cannot be read.
pub fn probe(address: VirtAddr) -> Option<usize> {
    if address < paging::KERNEL_BASE || !address.is_aligned_to(3) {
        return None;
    }
    let readable: usize;
    let word: usize;
    // SAFETY:
    // 1. The function reads one word; if that faults, `kernel_exception` makes it return zero.
    // 2. It changes x0, x1 and x30 only.
    unsafe {
        asm!(
            "bl {}",
            sym probe_word,
            inlateout("x0") address.raw() => readable,
            lateout("x1") word,
            lateout("x30") _,
            options(nostack, readonly),
        );
    }
    (readable != 0).then_some(word)
}

extern "C" fn system_call(number: usize, arguments: &[usize; 8]) -> usize {
    (handlers::installed().system_call)(number, arguments)
}

/// A program did something. Interrupts are masked on entry and exit.
extern "C" fn user_exception(frame: &mut TrapFrame) {
    let cause = syndrome::cause(frame);
    cpu::enable_interrupts();
    let exception = match cause {
        Cause::Page(fault) => match (handlers::installed().page_fault)(&fault) {
            Ok(()) => None,
            Err(status) => Some(Exception::PageFault(fault, status)),
        },
        Cause::Other(exception) => Some(exception),
    };
    if let Some(exception) = exception {
        (handlers::installed().exception)(frame, exception);
    }
    cpu::disable_interrupts();
}

/// The kernel did something: a user copy or a probe met its fault, or there is a mistake in it.
extern "C" fn kernel_exception(frame: &mut TrapFrame) {
    let cause = syndrome::cause(frame);
    let pc = frame.program_counter().raw();
    if pc == (&raw const probe_word).addr() {
        frame.program_counter = (&raw const probe_failed).addr() as u64;
        return;
    }
    if user::is_in_loop(pc) {
        match cause {
            Cause::Page(fault) if paging::USER.contains(fault.address) => {
                return user_access_fault(frame, &fault);
            }
            // Such as a misaligned access to a program's device memory.
            Cause::Other(Exception::Alignment(address)) if paging::USER.contains(address) => {
                return user::leave_loop(frame, End::Refused, address);
            }
            Cause::Page(_) | Cause::Other(_) => {}
        }
    }
    let fault = KernelFault::Exception(cause.unresolved());
    (handlers::installed().kernel_fault)(frame, fault)
}

/// A fault of a user copy ends the copy if that captures its faults, or if it cannot be resolved.
fn user_access_fault(frame: &mut TrapFrame, fault: &PageFault) {
    if user::captures_faults(frame) {
        user::leave_loop(frame, End::Captured, fault.address);
    } else if !resolve(frame, fault) {
        user::leave_loop(frame, End::Refused, fault.address);
    }
}

/// Has the kernel resolve a fault of a user copy. The copy began with interrupts on, or the fault is
/// refused.
fn resolve(frame: &TrapFrame, fault: &PageFault) -> bool {
    if frame.had_interrupts_masked() {
        return false;
    }
    cpu::enable_interrupts();
    let result = (handlers::installed().page_fault)(fault);
    cpu::disable_interrupts();
    result.is_ok()
}

extern "C" fn user_interrupt() {
    irq::dispatch(Origin::User);
}

extern "C" fn kernel_interrupt() {
    irq::dispatch(Origin::Kernel);
}

/// The memory system reports an error of its own (Arm ARM D1.3.4).
extern "C" fn system_error(frame: &TrapFrame) -> ! {
    let fault = KernelFault::Machine("SError", frame.syndrome);
    (handlers::installed().kernel_fault)(frame, fault)
}

/// Runs on the emergency stack.
extern "C" fn stack_overflow(frame: &TrapFrame) -> ! {
    if cpu::local().enter_emergency().is_err() {
        // The report itself failed.
        power::exit(Verdict::Failed);
    }
    let near = frame
        .stack_pointer()
        .raw()
        .abs_diff(frame.fault_address as usize);
    let fault = match syndrome::cause(frame) {
        Cause::Page(fault) if near < STACK_NEIGHBOURHOOD => {
            KernelFault::StackOverflow(fault.address)
        }
        cause => KernelFault::Exception(cause.unresolved()),
    };
    (handlers::installed().kernel_fault)(frame, fault)
}

/// A fault this close to a stack pointer with no room under it was a push.
const STACK_NEIGHBOURHOOD: usize = 2 << 12;

/// A vector that nothing should lead to. Runs on the emergency stack.
extern "C" fn impossible(frame: &TrapFrame, vector: u64) -> ! {
    let fault = KernelFault::Machine("impossible exception vector", vector);
    (handlers::installed().kernel_fault)(frame, fault)
}
