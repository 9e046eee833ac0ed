//! Tests of everything together: programs in user mode, started from the initrd.

use alloc::sync::Arc;

use arch::paging;
use ktest::ktest;
use syscall::Rights;

use crate::handle::Handle;
use crate::loader;
use crate::object::{EXCEPTION_KILL, Phase, Process};
use crate::sched::{Deadline, Interrupted, now, yield_now};

/// The program that does what its argument says.
const PROBE: &str = "bin/probe";

pub(super) fn probe(arguments: &str) -> Arc<Process> {
    let started = loader::start(PROBE, arguments);
    started.unwrap_or_else(|error| panic!("{PROBE} {arguments}: {error}"))
}

pub(super) fn code_of(process: &Process) -> i64 {
    process
        .wait_ended(Deadline::NEVER)
        .expect("nobody kills the thread of a test")
}

#[ktest]
fn the_code_of_a_program_comes_back() {
    assert_eq!(code_of(&probe("exit 0")), 0);
    assert_eq!(code_of(&probe("exit -7")), -7);
    assert_eq!(code_of(&probe("exit 9223372036854775807")), i64::MAX);
}

#[ktest]
fn a_program_that_spins_is_preempted_and_killed() {
    let spinning = [probe("spin"), probe("spin")];
    // This thread gets its turn although neither program ever enters the kernel by itself.
    assert_eq!(code_of(&probe("exit 3")), 3);
    for process in &spinning {
        assert_eq!(process.phase(), Phase::Running);
        process.begin_exit(5);
    }
    assert_eq!(spinning.each_ref().map(|process| code_of(process)), [5, 5]);
}

#[ktest]
fn programs_keep_their_vector_registers_apart() {
    let programs = ["registers 1", "registers 2", "registers 3"].map(probe);
    assert_eq!(programs.each_ref().map(|process| code_of(process)), [0; 3]);
}

#[ktest]
fn a_program_that_sleeps_is_killed() {
    let sleeping = probe("sleep");
    // Whether it is asleep already when it is killed does not matter for what must come of it.
    let soon = Deadline::at(now() + 20_000_000);
    assert_eq!(sleeping.wait_ended(soon), Err(Interrupted::TimedOut));
    sleeping.begin_exit(6);
    sleeping.begin_exit(7);
    assert_eq!(code_of(&sleeping), 6, "the first code counts");
}

#[ktest]
fn programs_that_go_where_they_must_not_end_and_nothing_else() {
    let kernel = paging::PHYSMAP_BASE.raw();
    let beyond = paging::USER.end().raw();
    for address in [0, kernel, beyond, beyond - 1, usize::MAX] {
        let forms = [
            alloc::format!("write {address:x}"),
            alloc::format!("jump {address:x}"),
        ];
        for arguments in forms {
            assert_eq!(code_of(&probe(&arguments)), EXCEPTION_KILL, "{arguments}");
        }
    }
    assert_eq!(code_of(&probe("exit 1")), 1);
}

#[ktest]
fn a_program_cannot_write_to_its_own_code() {
    // The linker puts programs at 4 MiB; their first segments are read-only data and code.
    assert_eq!(code_of(&probe("write 400000")), EXCEPTION_KILL);
}

#[ktest]
fn the_handles_of_a_program_go_with_it() {
    let process = probe("sleep");
    assert_eq!(process.handle_count(), 7);
    let outside = Handle::new(Arc::clone(&process), Rights::PROCESS_DEFAULT);
    assert_eq!(process.header().handle_count(), 2);
    yield_now();
    process.begin_exit(0);
    assert_eq!(code_of(&process), 0);
    assert_eq!(process.handle_count(), 0);
    assert_eq!(process.header().handle_count(), 1);
    drop(outside);
}
