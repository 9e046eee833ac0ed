//! Commands of the monitor, by the statuses that programs get. What they print is for people and scripts.

use alloc::format;

use zx::Status;

use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    commands_that_show_something_succeed,
    commands_say_what_is_wrong_with_their_words,
    a_process_that_is_not_there_is_not_found,
    a_vmo_is_found_as_long_as_anybody_needs_it,
];

/// The size of a page in bytes.
const PAGE: u64 = 4096;

/// What the monitor answers to `command`.
fn answer(command: &str) -> Result<(), Status> {
    rt::system_resource().debug_send_command(command)
}

fn commands_that_show_something_succeed() -> Outcome {
    for command in [
        "vmaps kernel",
        "vmaps kernel --json",
        "walk 0x400000",
        "walk --json 0x400000",
        "walk kernel 0xffffffffffffffff",
        "walk 0x0",
        "stat",
        "stat --json",
        "free",
        "free --json",
        "vmos",
        "vmos kernel",
        "vmos --json",
    ] {
        check_eq(answer(command), Ok(()))?;
    }
    Ok(())
}

fn commands_say_what_is_wrong_with_their_words() -> Outcome {
    for command in [
        "vmaps --xml",
        "vmaps kernel kernel",
        "walk",
        "walk 400000",
        "walk 0x",
        "walk 0x10000000000000000",
        "walk kernel kernel",
        "walk 0x1 0x2 0x3",
        "stat now",
        "free now",
        "vmos --xml",
        "vmos kernel kernel",
        "vmo",
        "vmo 0x400",
        "vmo 1024 1025",
        "vmo -1",
    ] {
        check_eq(answer(command), Err(Status::INVALID_ARGS))?;
    }
    check_eq(answer("no-such-command"), Err(Status::NOT_FOUND))
}

fn a_process_that_is_not_there_is_not_found() -> Outcome {
    check_eq(answer("vmaps no-such-process"), Err(Status::NOT_FOUND))?;
    check_eq(answer("vmos no-such-process"), Err(Status::NOT_FOUND))?;
    check_eq(answer("vmo 18446744073709551615"), Err(Status::NOT_FOUND))?;
    check_eq(answer("walk 1 0x400000"), Err(Status::NOT_FOUND))
}

fn a_vmo_is_found_as_long_as_anybody_needs_it() -> Outcome {
    let show = |koid: zx::Koid| {
        let text = answer(&format!("vmo {}", koid.raw_koid()));
        let json = answer(&format!("vmo --json {}", koid.raw_koid()));
        if text == json {
            text
        } else {
            Err(Status::INTERNAL)
        }
    };
    let owner = zx::Vmo::create(3 * PAGE)?;
    owner.write(b"here", PAGE)?;
    let koid = owner.koid()?;
    check_eq(show(koid), Ok(()))?;
    // Its slice needs it, and nobody has a handle to it any more.
    let slice = owner.create_child(zx::VmoChildOptions::SLICE, PAGE, PAGE)?;
    let slice_koid = slice.koid()?;
    drop(owner);
    check_eq(show(koid), Ok(()))?;
    check_eq(show(slice_koid), Ok(()))?;
    drop(slice);
    check_eq(show(slice_koid), Err(Status::NOT_FOUND))?;
    check_eq(show(koid), Err(Status::NOT_FOUND))
}
