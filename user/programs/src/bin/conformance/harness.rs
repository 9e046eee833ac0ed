//! What a test is, how it says that it failed, and how all are run.

use alloc::format;
use alloc::string::String;
use core::fmt::Debug;
use core::panic::Location;

use zx::Status;

/// A named test.
pub struct Test {
    /// Path of the function, beginning with the crate.
    pub path: &'static str,
    /// Does the test.
    pub run: fn() -> Outcome,
}

/// How a test went.
pub type Outcome = Result<(), Failure>;

/// Where and why a test failed.
pub struct Failure {
    location: &'static Location<'static>,
    text: String,
}

impl From<Status> for Failure {
    /// A status that the test did not expect.
    #[track_caller]
    fn from(status: Status) -> Self {
        Self {
            location: Location::caller(),
            text: format!("unexpected {status}"),
        }
    }
}

/// Lists the tests of a module.
macro_rules! tests {
    ($($name:ident,)*) => {
        &[$(crate::harness::Test {
            path: concat!(module_path!(), "::", stringify!($name)),
            run: $name,
        },)*]
    };
}

pub(crate) use tests;

/// Fails the test unless both values are equal.
#[track_caller]
pub fn check_eq<T: Debug + PartialEq>(actual: T, expected: T) -> Outcome {
    if actual == expected {
        return Ok(());
    }
    fail(format!("expected {expected:?} got {actual:?}"))
}

/// Fails the test unless `holds`.
#[track_caller]
pub fn check(holds: bool, what: &str) -> Outcome {
    if holds {
        Ok(())
    } else {
        fail(format!("expected {what}"))
    }
}

/// Fails the test unless `result` is the error `expected`.
#[track_caller]
pub fn check_refused<T>(result: Result<T, Status>, expected: Status) -> Outcome {
    check_eq(result.map(drop), Err(expected))
}

/// Fails the test.
#[track_caller]
pub fn fail(text: String) -> Outcome {
    Err(Failure {
        location: Location::caller(),
        text,
    })
}

/// Runs the tests that the program's words select; returns the exit code.
pub fn run(modules: &[&[Test]]) -> i64 {
    let (mut passed, mut failed) = (0, 0);
    for test in modules.iter().copied().flatten() {
        let name = test
            .path
            .split_once("::")
            .map_or(test.path, |(_, name)| name);
        if !is_selected(name) {
            continue;
        }
        match run_and_clean(test) {
            Ok(()) => {
                passed += 1;
                rt::println!("TEST ok {name}");
            }
            Err(failure) => {
                failed += 1;
                let Failure { location, text } = failure;
                rt::println!(
                    "TEST fail {name} {}:{} {text}",
                    location.file(),
                    location.line()
                );
            }
        }
    }
    rt::println!("TEST-RESULT passed={passed} failed={failed}");
    i64::from(failed > 0)
}

fn is_selected(name: &str) -> bool {
    rt::args().next().is_none() || rt::args().any(|word| name.contains(word))
}

/// Runs one test and checks that it has left nothing in the address space.
fn run_and_clean(test: &Test) -> Outcome {
    let before = records_outside_the_heap()?;
    (test.run)()?;
    check_eq(records_outside_the_heap()?, before)
}

/// How many regions and mappings the process has, without what the heap grows by.
fn records_outside_the_heap() -> Result<usize, Failure> {
    let records = rt::vmar_root_self().info_maps_vec()?;
    Ok(records
        .iter()
        .filter(|record| record.name != "heap")
        .count())
}
