//! What happens when the kernel cannot go on.
//!
//! The report is written without locks and without memory: message, place, the registers if a fault
//! was the cause, and the calls that led there, with names from the image's own symbol table. Then
//! the other CPUs stop and QEMU ends with a failing status.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};

use arch::handlers::KernelFault;
use arch::trap::TrapFrame;
use arch::verdict::Verdict;
use vm::addr::VirtAddr;

use crate::console::print_unlocked;
use crate::sched;
use crate::symbols::Symbols;

/// How many reports were begun on all CPUs.
static REPORTS: AtomicU32 = AtomicU32::new(0);

/// Where a report stands when another one begins.
enum Nesting {
    /// Nothing went wrong before.
    First,
    /// The report itself failed; only the message is worth trying.
    InReport,
    /// Even that failed.
    Hopeless,
}

macro_rules! report {
    ($($arguments:tt)*) => {
        print_unlocked(format_args!("{}\n", format_args!($($arguments)*)))
    };
}

/// Called for every `panic!`.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    #[cfg(test)]
    crate::ktest::fail_current_test(info);
    match begin() {
        Nesting::First => {
            report!("\nKERNEL PANIC on CPU {}", arch::cpu::current());
            report_thread();
            report_message(info);
            report_calls();
        }
        Nesting::InReport => report_message(info),
        Nesting::Hopeless => (),
    }
    end()
}

/// Called by trap code when the kernel itself has done something impossible.
pub fn kernel_fault(frame: &TrapFrame, fault: KernelFault) -> ! {
    match begin() {
        Nesting::First => {
            report!("\nKERNEL FAULT on CPU {}: {fault}", arch::cpu::current());
            report_thread();
            report!("{frame}");
            report!("calls, innermost first:");
            report_call(frame.program_counter());
            arch::backtrace::walk(frame.frame_pointer(), &mut report_caller);
        }
        Nesting::InReport => report!("while reporting: {fault}"),
        Nesting::Hopeless => (),
    }
    end()
}

/// Stops the others, unless this report is about a failed report.
fn begin() -> Nesting {
    arch::cpu::disable_interrupts();
    match REPORTS.fetch_add(1, Ordering::AcqRel) {
        0 => {
            arch::smp::halt_others();
            seize_console();
            Nesting::First
        }
        1 => {
            seize_console();
            Nesting::InReport
        }
        _ => Nesting::Hopeless,
    }
}

/// Opens the console if this CPU had it when the mistake happened.
#[allow(
    unsafe_code,
    reason = "a report must not wait for what it reports about"
)]
fn seize_console() {
    // SAFETY:
    // 1. The other CPUs are halted, with no such lock held: they serve the request with interrupts on.
    // 2. This CPU ends with its report, so it never goes on with what it did.
    unsafe { arch::console::seize() }
}

fn end() -> ! {
    arch::power::exit(Verdict::Failed)
}

fn report_message(info: &PanicInfo<'_>) {
    report!("{}", info.message());
    if let Some(location) = info.location() {
        report!("  at {location}");
    }
}

/// The thread that ran.
fn report_thread() {
    if sched::has_current() {
        // The name is behind a lock that may be held; the number is not.
        report!(
            "  in thread {}",
            sched::current().header().koid().raw_koid()
        );
    }
}

/// The calls that led here.
#[inline(never)]
fn report_calls() {
    report!("calls, innermost first:");
    arch::backtrace::walk_here(&mut report_caller);
}

/// Reports a call by the address it returns to.
fn report_caller(return_address: VirtAddr) {
    // The call is the instruction before, which may be the last one of its function.
    report_call(VirtAddr::new(return_address.raw().saturating_sub(1)));
}

fn report_call(address: VirtAddr) {
    match Symbols::new(boot::image().ksyms).find(address.raw()) {
        Some(symbol) => report!("  {address}  {}+{:#x}", symbol.name, symbol.offset),
        None => report!("  {address}  ?"),
    }
}
