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
use boot::{BootInfo, Handoff, MemoryKind};
use spin::Once;
use vm::addr::PhysRange;
use vm::cpu::CpuId;

#[cfg(not(test))]
use crate::options::LastWords;
use crate::options::{Options, ZeroScan};
use crate::{console, fault, loader, memory, object, panic, reclaim, sched, syscalls, user_space};

/// What the machine and the person who started it told the kernel.
static BOOT_INFO: Once<BootInfo> = Once::new();

/// What the command line asks for.
static OPTIONS: Once<Options<'static>> = Once::new();

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

/// What helps against most failures this early.
const MORE_MEMORY: &str = "give the machine more memory (MEMORY=)";

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
        let found = boot::discover(&handoff);
        done(
            "reading the machine's description",
            found,
            "is this machine supported?",
        )
    });
    let words = if info.is_command_line_cut() {
        Err("it is too long")
    } else {
        Ok(&info.command_line)
    };
    let words = done(
        "reading the command line",
        words,
        "give the kernel fewer words (CMDLINE=)",
    );
    let options = OPTIONS.call_once(|| {
        let advice = "correct the word (CMDLINE=)";
        done("reading the command line", Options::parse(words), advice)
    });
    user_space::set_placement(options.placement);

    let image = boot::image();
    done("setting up memory", memory::init(info, &image), MORE_MEMORY);
    if let Some(archive) = memory::initrd(info) {
        loader::set_archive(archive);
    }
    done("setting up devices", devices::init(info), MORE_MEMORY);
    done(
        "setting up threads",
        sched::join_as_idle(CpuId::BOOT),
        MORE_MEMORY,
    );
    let started = done(
        "starting the other CPUs",
        cpus::start_others(info),
        MORE_MEMORY,
    );
    banner::machine(info, started, handoff.first_tick);
    console::set_interaction(options.interaction);
    done(
        "making the root job",
        object::Job::create_root(),
        MORE_MEMORY,
    );
    if options.zero_scan == ZeroScan::On {
        let started = reclaim::start_scanner();
        done("starting the scan for zeros", started, MORE_MEMORY);
    }
    let main = sched::spawn("main", CpuId::BOOT, main_thread, 0);
    done("starting the first thread", main, MORE_MEMORY);
    sched::idle()
}

/// What `step` came to; if it failed, says so, why, and what to do, and ends the run.
fn done<T, E: fmt::Display>(step: &str, result: Result<T, E>, advice: &str) -> T {
    result.unwrap_or_else(|error| {
        println!("jacinth: {step} failed: {error}");
        println!("         {advice}");
        arch::power::exit(Verdict::Failed)
    })
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

/// Whether the kernel keeps any of these physical addresses to itself: they are memory, or a device that it
/// drives.
pub fn keeps(range: PhysRange) -> bool {
    let info = boot_info();
    let mut memory = info.memory.regions().iter();
    memory.any(|region| region.kind != MemoryKind::Reserved && region.range.overlaps(range))
        || info.startup_area.is_some_and(|area| area.overlaps(range))
        || devices::windows(info).any(|window| window.overlaps(range))
}

/// What the command line asks for.
///
/// # Panics
/// If the start has not come that far.
fn options() -> &'static Options<'static> {
    OPTIONS
        .get()
        .expect("threads start after the command line was read")
}

/// The first thread: runs the first program, or the tests, and ends the run.
#[cfg(not(test))]
fn main_thread(_: usize) {
    let options = options();
    let has_passed = |path, arguments| crate::monitor::run_path(path, arguments) == Ok(0);
    match options.last_words {
        LastWords::None => {}
        LastWords::Vmaps => crate::object::set_last_words(crate::monitor::show_at_end),
    }
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
    let options = options();
    arch::power::exit(crate::ktest::run_all(options.test_filter))
}
