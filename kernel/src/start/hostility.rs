//! Tests of programs that mean harm: whatever they do ends at most themselves.
//!
//! What they do is in the program `probe`. The tests' own checks of frames and heap show that the kernel
//! gets everything back.

use alloc::format;

use arch::paging;
use ktest::ktest;
use syscall::Status;

use super::tests::{code_of, probe};
use crate::object::{EXCEPTION_KILL, processes};

/// What `probe` ends with when it has no deed of that number.
const NO_SUCH_DEED: i64 = 100;

/// Has every deed of `verb` done, and checks that there are some and that each ends with `expected`.
fn each_ends_with(verb: &str, expected: i64) {
    let deeds = (0..).map(|number| {
        let arguments = format!("{verb} {number}");
        let code = code_of(&probe(&arguments));
        (arguments, code)
    });
    let mut count = 0;
    for (arguments, code) in deeds.take_while(|(_, code)| *code != NO_SUCH_DEED) {
        assert_eq!(code, expected, "probe {arguments}");
        count += 1;
    }
    assert!(count > 0, "probe {verb} knows no deed");
}

#[ktest]
fn what_no_program_may_do_ends_the_program() {
    each_ends_with("trap", EXCEPTION_KILL);
    assert_eq!(code_of(&probe("execute")), EXCEPTION_KILL);
    assert_eq!(code_of(&probe("overflow")), EXCEPTION_KILL);
}

#[ktest]
fn code_that_is_execute_only_runs_and_cannot_be_read() {
    assert_eq!(code_of(&probe("hide run")), 0);
    assert_eq!(code_of(&probe("hide ask")), 0);
    let expected = if paging::can_execute_only() {
        EXCEPTION_KILL
    } else {
        0
    };
    assert_eq!(code_of(&probe("hide read")), expected);
}

#[ktest]
fn odd_states_of_registers_do_no_harm() {
    each_ends_with("harmless", 0);
}

#[ktest]
fn random_bytes_for_a_bad_buffer_end_the_program() {
    let kernel = paging::PHYSMAP_BASE.raw();
    let beyond = paging::USER.end().raw();
    // The last one is the program's own code.
    for address in [0, kernel, beyond - 4, beyond, usize::MAX, 0x40_0000] {
        let arguments = format!("draw {address:x}");
        assert_eq!(code_of(&probe(&arguments)), EXCEPTION_KILL, "{arguments}");
    }
}

#[ktest]
fn a_program_that_wants_all_memory_is_refused_and_gives_it_back() {
    let refused = i64::from(Status::NO_MEMORY.into_raw());
    assert_eq!(code_of(&probe("greed pages")), refused);
    assert_eq!(code_of(&probe("greed faults")), EXCEPTION_KILL);
    assert_eq!(code_of(&probe("exit 1")), 1);
}

#[ktest]
fn a_program_that_wants_all_handles_is_refused() {
    let refused = i64::from(Status::NO_MEMORY.into_raw());
    assert_eq!(code_of(&probe("greed handles")), refused);
}

#[ktest]
fn a_program_that_wants_all_processes_is_refused_and_gives_them_back() {
    let refused = i64::from(Status::NO_MEMORY.into_raw());
    let alive = || processes().expect("memory for a list").len();
    let before = alive();
    assert_eq!(code_of(&probe("greed processes")), refused);
    assert_eq!(alive(), before);
}

#[ktest]
fn many_regions_and_mappings_are_cleaned_up() {
    assert_eq!(code_of(&probe("greed regions")), 0);
    assert_eq!(code_of(&probe("greed mappings")), 0);
}
