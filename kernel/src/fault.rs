//! What happens when a program does what it cannot do.
//!
//! A page fault asks the address space of the process. If that has no answer, or for any other
//! exception, a report says who did what, where, and what the address space looks like around it;
//! then the process ends, and everything else goes on.

use arch::handlers::{Exception, Origin, PageFault};
use arch::trap::TrapFrame;
use syscall::Status;
use vm::addr::VirtAddr;
use vm::mmu::Access;

use crate::monitor::explain;
use crate::object::{EXCEPTION_KILL, Process};
use crate::{reclaim, sched};

/// Makes the page present that was missed, or says why not; called by trap code.
///
/// # Errors
/// The status with which the access failed: nothing is mapped, it is not allowed, or there is no page.
pub fn page_fault(fault: &PageFault) -> Result<(), Status> {
    bring_in(fault.address, fault.access)?;
    match fault.origin {
        Origin::User => sched::before_user(),
        // A copy inside a system call: its thread may hold whatever it likes but locks, and goes on.
        Origin::Kernel => (),
    }
    Ok(())
}

/// Makes `access` to `address` possible in the address space of the process that runs. No lock is held.
///
/// # Errors
/// As [`page_fault`].
#[inline]
pub fn bring_in(address: VirtAddr, access: Access) -> Result<(), Status> {
    let thread = sched::current();
    let process = thread.process().ok_or(Status::NOT_FOUND)?;
    match process.space().fault(address, access) {
        Err(Status::NO_MEMORY) => bring_in_with_less(process, address, access),
        outcome => outcome,
    }
}

/// As [`bring_in`], when there was no memory for it.
#[cold]
#[inline(never)]
fn bring_in_with_less(process: &Process, address: VirtAddr, access: Access) -> Result<(), Status> {
    reclaim::retrying(|| process.space().fault(address, access))
}

/// Reports what a program did and ends it; called by trap code.
pub fn exception(frame: &mut TrapFrame, exception: Exception) {
    let thread = sched::current();
    if let Some(process) = thread.process() {
        report(process, frame, exception);
        process.begin_exit(EXCEPTION_KILL);
    }
    sched::before_user();
}

fn report(process: &Process, frame: &TrapFrame, exception: Exception) {
    let thread = sched::current();
    println!();
    println!(
        "process `{}` (koid {}), thread `{}` (koid {}) is ended:",
        process.name(),
        process.header().koid().raw_koid(),
        thread.name(),
        thread.header().koid().raw_koid(),
    );
    match exception {
        Exception::PageFault(fault, status) => {
            println!(
                "  cannot {} {}: {status}",
                verb(fault.access),
                fault.address
            );
            explain::print(process.space(), fault.address, fault.access, status);
        }
        Exception::UndefinedInstruction
        | Exception::Breakpoint
        | Exception::Debug
        | Exception::Arithmetic
        | Exception::Alignment(_)
        | Exception::General { .. } => println!("  {exception} at pc {}", frame.program_counter()),
    }
    println!("{frame}");
}

/// What a program tried to do at an address.
fn verb(access: Access) -> &'static str {
    if access.contains(Access::EXECUTE) {
        "execute code at"
    } else if access.contains(Access::WRITE) {
        "write to"
    } else {
        "read from"
    }
}
