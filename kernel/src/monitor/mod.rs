//! Commands for the person at the console.
//!
//! Programs pass a line to [`execute`] through `debug_send_command`; the answer goes to the console.
//! A command is a row of [`COMMANDS`] and a function.

mod crash;
pub mod explain;
mod run;
mod show;

use core::str::SplitWhitespace;

use syscall::{Result, Status};

#[cfg(not(test))]
pub use run::run_path;

/// A command.
struct Command {
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    run: fn(SplitWhitespace<'_>) -> Result<()>,
}

/// Every command, in the order in which `help` lists them.
const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        arguments: "",
        help: "list the commands",
        run: help,
    },
    Command {
        name: "ls",
        arguments: "",
        help: "list the programs in the initrd",
        run: show::ls,
    },
    Command {
        name: "ps",
        arguments: "",
        help: "list the processes",
        run: show::ps,
    },
    Command {
        name: "vmaps",
        arguments: "[KOID|NAME]",
        help: "show an address space, by default the kernel's",
        run: show::vmaps,
    },
    Command {
        name: "free",
        arguments: "",
        help: "show where the memory is",
        run: show::free,
    },
    Command {
        name: "run",
        arguments: "PROGRAM [ARGUMENTS]",
        help: "start a program and wait for its end",
        run: run::run,
    },
    Command {
        name: "crash",
        arguments: "panic|write|execute|stack",
        help: "make the kernel fail, to see its report",
        run: crash::crash,
    },
];

/// Carries out a command line; an empty one does nothing.
///
/// # Errors
/// - `NOT_FOUND`: there is no such command.
/// - Whatever the command says; the console shows it too.
pub fn execute(line: &str) -> Result<()> {
    let mut words = line.split_whitespace();
    let Some(name) = words.next() else {
        return Ok(());
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        println!("{name}: no such command; try `help`");
        return Err(Status::NOT_FOUND);
    };
    (command.run)(words)
}

fn help(_: SplitWhitespace<'_>) -> Result<()> {
    for Command {
        name,
        arguments,
        help,
        ..
    } in COMMANDS
    {
        println!("  {name:<6} {arguments:<26} {help}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ktest::ktest;
    use syscall::Status;

    use super::execute;

    #[ktest]
    fn an_empty_line_does_nothing_and_an_unknown_command_is_not_found() {
        assert_eq!(execute(""), Ok(()));
        assert_eq!(execute("  "), Ok(()));
        assert_eq!(execute("no-such-command"), Err(Status::NOT_FOUND));
        assert_eq!(execute("run bin/no-such-program"), Err(Status::NOT_FOUND));
        assert_eq!(execute("vmaps no-such-process"), Err(Status::NOT_FOUND));
        assert_eq!(execute("crash nothing"), Err(Status::INVALID_ARGS));
    }

    #[ktest]
    fn commands_that_only_show_something_succeed() {
        for command in ["help", "ls", "ps", "vmaps", "free"] {
            assert_eq!(execute(command), Ok(()), "{command}");
        }
    }
}
