//! Starting programs from the console.

use core::str::SplitWhitespace;

use syscall::{Result, Status};

use crate::loader;
use crate::sched::Deadline;

/// Where programs lie whose name has no slash.
const PROGRAM_DIRECTORY: &str = "bin/";

/// The longest command line of a program.
const LINE_BYTES: usize = 256;

/// `run PROGRAM [ARGUMENTS]`: starts the program and shows how it ended.
///
/// # Errors
/// - `INVALID_ARGS`: no program is named.
/// - `OUT_OF_RANGE`: path or arguments are too long.
/// - Those of [`run_path`].
pub fn run(mut words: SplitWhitespace<'_>) -> Result<()> {
    let Some(program) = words.next() else {
        println!("run: which program? `ls` lists them");
        return Err(Status::INVALID_ARGS);
    };
    let mut path = arrayvec::ArrayString::<LINE_BYTES>::new();
    let directory = if program.contains('/') {
        ""
    } else {
        PROGRAM_DIRECTORY
    };
    let mut arguments = arrayvec::ArrayString::<LINE_BYTES>::new();
    let fits = path
        .try_push_str(directory)
        .and_then(|()| path.try_push_str(program))
        .is_ok()
        && words
            .try_for_each(|word| append_word(&mut arguments, word))
            .is_some();
    if !fits {
        println!("run: the line is too long");
        return Err(Status::OUT_OF_RANGE);
    }
    run_path(&path, &arguments).map(drop)
}

/// Starts the program at `path`, waits for its end, shows how it ended and returns its code.
///
/// # Errors
/// - Those of [`loader::start`].
/// - `CANCELED`: the waiting thread is to end.
pub fn run_path(path: &str, arguments: &str) -> Result<i64> {
    let process = loader::start(path, arguments).map_err(|error| {
        println!("cannot run `{path}`: {error}");
        Status::from(error)
    })?;
    let code = process
        .wait_ended(Deadline::NEVER)
        .map_err(|_| Status::CANCELED)?;
    println!("{path}: ended with code {code}");
    Ok(code)
}

/// Adds a word and the space before it; `None` if there is no room.
fn append_word(line: &mut arrayvec::ArrayString<LINE_BYTES>, word: &str) -> Option<()> {
    if !line.is_empty() {
        line.try_push(' ').ok()?;
    }
    line.try_push_str(word).ok()
}
