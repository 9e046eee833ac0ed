//! The tests that run inside the kernel.
//!
//! `#[ktest]` puts a [`Test`] into a section of the image; [`run_all`] finds them there, runs each on a
//! kernel thread of its own, and looks afterwards whether all frames and all heap came back
//! ([`Baseline`]). A panic ends the thread of the test and nothing else.
//!
//! Lines for machines, one per test and one at the end:
//!
//! ```text
//! KTEST ok|fail|ignored MODULE::NAME FILE:LINE MICROSECONDS us
//! KTEST-RESULT passed=N failed=N ignored=N
//! ```

mod baseline;

use alloc::vec::Vec;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arch::verdict::Verdict;
use linkme::distributed_slice;
use spin::Mutex;

use crate::object::Start;
use crate::start::boot_info;
use crate::{memory, sched};
use baseline::Baseline;

/// What the attribute knows about a test.
pub struct Test {
    /// The module, as a path that begins with the crate.
    pub module: &'static str,
    /// The function.
    pub name: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
    /// What is expected.
    pub mode: Mode,
    /// The test itself.
    pub run: fn(),
}

/// What is expected of a test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// It returns.
    Run,
    /// It panics.
    ShouldPanic,
    /// It is not run.
    Ignore,
}

/// Every test of the image, in no order that means anything.
#[distributed_slice]
pub static TESTS: [Test];

/// The test that runs, for its thread to find.
static RUNNING: Mutex<Option<&'static Test>> = Mutex::new(None);

/// The koid of the thread that runs the tests one after the other; zero before it does.
static RUNNER: AtomicU64 = AtomicU64::new(0);

/// Whether a thread of the test panicked.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// How many tests ended how.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
}

/// Runs every test whose name contains `filter`, and says whether all went well.
pub fn run_all(filter: &str) -> Verdict {
    RUNNER.store(
        sched::current().header().koid().raw_koid(),
        Ordering::Relaxed,
    );
    memory::split_direct_map(boot_info()).expect("the machine has just started");
    let mut tests: Vec<&'static Test> = TESTS.iter().filter(|test| test.matches(filter)).collect();
    tests.sort_unstable_by_key(|test| (test.module, test.line));
    let mut tally = Tally::default();
    for test in tests {
        run(test, &mut tally);
    }
    let Tally {
        passed,
        failed,
        ignored,
    } = tally;
    println!("KTEST-RESULT passed={passed} failed={failed} ignored={ignored}");
    if failed == 0 && passed > 0 {
        Verdict::Passed
    } else {
        Verdict::Failed
    }
}

impl Test {
    /// Whether the full name contains `filter`.
    fn matches(&self, filter: &str) -> bool {
        let Some(rest) = filter.strip_prefix(self.module) else {
            return self.module.contains(filter) || self.name.contains(filter);
        };
        rest.strip_prefix("::")
            .is_some_and(|name| self.name.contains(name))
    }

    /// Prints the line for machines.
    fn report(&self, outcome: &str, nanoseconds: u64) {
        let Self {
            module,
            name,
            file,
            line,
            ..
        } = self;
        println!(
            "KTEST {outcome} {module}::{name} {file}:{line} {} us",
            nanoseconds / 1000
        );
    }
}

/// Runs one test and counts how it ended.
fn run(test: &'static Test, tally: &mut Tally) {
    if test.mode == Mode::Ignore {
        tally.ignored += 1;
        test.report("ignored", 0);
        return;
    }
    let before = Baseline::take();
    let start = sched::now();
    let panicked = run_on_thread(test);
    let nanoseconds = sched::now() - start;
    // A thread that panicked has not run its destructors: what it had is lost, and that is no news.
    let leak = if panicked { None } else { before.leak() };
    if let Some(leak) = &leak {
        println!("    {leak}");
    }
    if panicked == (test.mode == Mode::ShouldPanic) && leak.is_none() {
        tally.passed += 1;
        test.report("ok", nanoseconds);
    } else {
        if !panicked && test.mode == Mode::ShouldPanic {
            println!("    did not panic");
        }
        tally.failed += 1;
        test.report("fail", nanoseconds);
    }
}

/// Runs the test on a thread, waits for its end, and says whether it panicked.
fn run_on_thread(test: &'static Test) -> bool {
    *RUNNING.lock() = Some(test);
    PANICKED.store(false, Ordering::Relaxed);
    let thread = sched::spawn(test.name, arch::cpu::current(), enter, 0);
    let thread = thread.expect("there is memory for a thread between tests");
    sched::join(thread);
    *RUNNING.lock() = None;
    PANICKED.load(Ordering::Relaxed)
}

/// The first function of a test's thread.
fn enter(_: usize) {
    let test = *RUNNING.lock();
    (test.expect("the runner has chosen a test").run)();
}

/// Ends the current thread if it is a test's, or one that a test has started; called by the panic
/// handler.
///
/// Interrupts may be off and locks may be held: the test left them like that, and other tests may
/// stumble over it. That is the price of going on without unwinding.
pub fn fail_current_test(info: &PanicInfo<'_>) {
    if !sched::has_current() || matches!(sched::current().start(), Start::Boot) {
        return;
    }
    let runner = RUNNER.load(Ordering::Relaxed);
    let Some(test) = RUNNING.try_lock().and_then(|running| *running) else {
        return;
    };
    if runner == sched::current().header().koid().raw_koid() {
        return;
    }
    if test.mode != Mode::ShouldPanic {
        println!("    {info}");
    }
    PANICKED.store(true, Ordering::Relaxed);
    arch::cpu::enable_interrupts();
    sched::exit_current();
}
