//! System calls by number, with what no stub can say: `docs/spec/objects.md` §12.

use syscall::SystemCall;
use zx::{AsHandleRef, Status, sys};

use crate::fixtures::vmo_of;
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    unknown_numbers_are_refused,
    high_halves_of_narrow_arguments_are_ignored,
    registers_beyond_the_arguments_are_ignored,
];

/// Rubbish that sets every bit of the high half.
const HIGH: usize = 0xffff_ffff_0000_0000;

/// Makes a call by number; for calls that take no pointer, or numbers that are no call.
fn call(number: usize, arguments: [usize; 8]) -> Status {
    // SAFETY: without pointers, and on handles of the test's own, no call touches what Rust relies on.
    Status::from_raw(unsafe { sys::raw_system_call(number, arguments) } as i32)
}

fn unknown_numbers_are_refused() -> Outcome {
    let count = SystemCall::COUNT;
    for number in [
        count,
        count + 1,
        1000,
        1 << 31,
        1 << 32,
        usize::MAX >> 1,
        usize::MAX,
    ] {
        check_eq(call(number, [0; 8]), Status::BAD_SYSCALL)?;
        check_eq(call(number, [usize::MAX; 8]), Status::BAD_SYSCALL)?;
    }
    // A number whose low half is a call is not that call.
    let check_valid = SystemCall::handle_check_valid.number();
    check_eq(call(HIGH | check_valid, [0; 8]), Status::BAD_SYSCALL)
}

fn high_halves_of_narrow_arguments_are_ignored() -> Outcome {
    let vmo = vmo_of(0)?;
    let handle = vmo.raw_handle() as usize;
    let number = SystemCall::handle_check_valid.number();
    check_eq(
        call(number, [HIGH | handle, 0, 0, 0, 0, 0, 0, 0]),
        Status::OK,
    )?;
    check_eq(
        call(number, [HIGH, 0, 0, 0, 0, 0, 0, 0]),
        Status::BAD_HANDLE,
    )
}

fn registers_beyond_the_arguments_are_ignored() -> Outcome {
    let vmo = vmo_of(0)?;
    let rubbish = usize::MAX;
    let mut arguments = [rubbish; 8];
    arguments[0] = vmo.raw_handle() as usize;
    check_eq(
        call(SystemCall::handle_check_valid.number(), arguments),
        Status::OK,
    )
}
