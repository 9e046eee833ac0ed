//! From the hand-off of `boot` to the first program.
//!
//! Each step below needs the ones before it. A step that fails says what failed and what can be done
//! about it, and ends the run.
//!
//! ```text
//!   console, traps ─► what machine is this? ─► memory ─► devices, clock ─► CPUs ─► threads ─► program
//! ```

mod banner;
mod cpus;
mod devices;
#[cfg(test)]
mod hostility;
#[cfg(test)]
mod tests;

use core::fmt;

use arch::handlers::Handlers;
use arch::verdict::Verdict;
use boot::{BootInfo, Handoff};
use spin::Once;
use vm::cpu::CpuId;

use crate::options::Options;
use crate::{console, fault, loader, memory, panic, sched, syscalls, user_space};

/// What the machine and the person who started it told the kernel.
static BOOT_INFO: Once<BootInfo> = Once::new();

/// What traps call.
static HANDLERS: Handlers = Handlers {
    system_call: syscalls::system_call,
    page_fault: fault::page_fault,
    exception: fault::exception,
    tick: sched::interrupted,
    reschedule: sched::interrupted,
    interrupt: devices::interrupt,
    kernel_fault: panic::kernel_fault,
};

/// Where `boot` hands over: on the boot CPU, in the kernel's half, interrupts off.
#[allow(unsafe_code, reason = "`boot` calls this function by its name")]
#[unsafe(no_mangle)]
extern "Rust" fn kernel_main(handoff: Handoff) -> ! {
    if let Some(device) = boot::console(&handoff) {
        arch::console::init_early(device);
    }
    arch::trap::init_early();
    arch::handlers::install(&HANDLERS);
    banner::title();

    let info = BOOT_INFO.call_once(|| {
        boot::discover(&handoff).unwrap_or_else(|error| {
            fail(
                "reading the machine's description",
                error,
                "is this machine supported?",
            )
        })
    });
    if info.is_command_line_cut() {
        fail(
            "reading the command line",
            "it is too long",
            "give the kernel fewer words (CMDLINE=)",
        );
    }
    let options = Options::parse(&info.command_line);
    user_space::set_placement(options.placement);

    let image = boot::image();
    if let Err(error) = memory::init(info, &image) {
        fail(
            "setting up memory",
            error,
            "give the machine more memory (MEMORY=)",
        );
    }
    if let Some(archive) = memory::initrd(info) {
        loader::set_archive(archive);
    }
    if let Err(error) = devices::init(info) {
        fail(
            "setting up devices",
            error,
            "give the machine more memory (MEMORY=)",
        );
    }
    if let Err(error) = sched::join_as_idle(CpuId::BOOT) {
        fail(
            "setting up threads",
            error,
            "give the machine more memory (MEMORY=)",
        );
    }
    let started = cpus::start_others(info).unwrap_or_else(|error| {
        fail(
            "starting the other CPUs",
            error,
            "give the machine more memory (MEMORY=)",
        )
    });
    banner::machine(info, started);
    console::set_interaction(options.interaction);
    if let Err(error) = sched::spawn("main", CpuId::BOOT, main_thread, 0) {
        fail(
            "starting the first thread",
            error,
            "give the machine more memory (MEMORY=)",
        );
    }
    sched::idle()
}

/// Says which step of the start failed, why, and what to do, and ends the run.
fn fail(step: &str, error: impl fmt::Display, advice: &str) -> ! {
    println!("jacinth: {step} failed: {error}");
    println!("         {advice}");
    arch::power::exit(Verdict::Failed)
}

/// What the machine and the person who started it told the kernel.
///
/// # Panics
/// If the start has not come that far.
pub fn boot_info() -> &'static BootInfo {
    BOOT_INFO
        .get()
        .expect("threads start after the machine's description was read")
}

/// The first thread: runs the first program, or the tests, and ends the run.
#[cfg(not(test))]
fn main_thread(_: usize) {
    let options = Options::parse(&boot_info().command_line);
    let has_passed = |path, arguments| crate::monitor::run_path(path, arguments) == Ok(0);
    let mut passed = has_passed(options.init, options.arguments);
    if let Some(shell) = options.shell {
        passed &= has_passed(shell, "");
    }
    arch::power::exit(if passed {
        Verdict::Passed
    } else {
        Verdict::Failed
    })
}

/// The first thread: runs the first program, or the tests, and ends the run.
#[cfg(test)]
fn main_thread(_: usize) {
    let options = Options::parse(&boot_info().command_line);
    arch::power::exit(crate::ktest::run_all(options.test_filter))
}
