//! Commands for the person at the console.
//!
//! Programs pass a line to [`execute`] through `debug_send_command`; the answer goes to the console.
//! A command is a row of [`COMMANDS`] and a function.

mod crash;
pub mod explain;
mod free;
mod json;
mod run;
mod show;
mod stat;
mod vmaps;
mod vmo;
mod vmos;
mod walk;
mod words;

use core::str::SplitWhitespace;

use syscall::{Result, Status};

#[cfg(not(test))]
pub use run::run_path;
#[cfg(not(test))]
pub use vmaps::show_at_end;

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
        arguments: "[PROCESS] [--json]",
        help: "show an address space, by default the kernel's",
        run: vmaps::vmaps,
    },
    Command {
        name: "walk",
        arguments: "[PROCESS] ADDRESS [--json]",
        help: "show how an address is translated, and why an access works or fails",
        run: walk::walk,
    },
    Command {
        name: "stat",
        arguments: "[--json]",
        help: "count faults, page tables, flushes, shootdowns and reclaimed pages since the start",
        run: stat::stat,
    },
    Command {
        name: "vmos",
        arguments: "[PROCESS] [--json]",
        help: "list VMOs, by default those of all processes and of the kernel",
        run: vmos::vmos,
    },
    Command {
        name: "vmo",
        arguments: "KOID [--json]",
        help: "show the family of a VMO, who has which of its pages, and its mappings",
        run: vmo::vmo,
    },
    Command {
        name: "free",
        arguments: "[--json]",
        help: "show whose the memory is",
        run: free::free,
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
    println!("  PROCESS is a koid, a name, or `kernel`; ADDRESS is hexadecimal, like 0x400000.");
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
        assert_eq!(execute("vmaps --xml"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("vmaps kernel kernel"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("walk"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("walk 400000"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("walk 0x1 0x2 0x3"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("walk no-such-process 0x1"), Err(Status::NOT_FOUND));
        assert_eq!(execute("stat kernel"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("free kernel"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("vmos kernel kernel"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("vmos no-such-process"), Err(Status::NOT_FOUND));
        assert_eq!(execute("vmo"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("vmo 0x400"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("vmo 1024 1025"), Err(Status::INVALID_ARGS));
        assert_eq!(execute("vmo 0"), Err(Status::NOT_FOUND));
    }

    #[ktest]
    fn commands_that_only_show_something_succeed() {
        let commands = [
            "help",
            "ls",
            "ps",
            "free",
            "free --json",
            "vmos",
            "vmos kernel --json",
            "vmaps",
            "vmaps kernel --json",
            "walk 0x400000",
            "walk kernel 0xffffffffffffffff --json",
            "stat",
            "stat --json",
        ];
        for command in commands {
            assert_eq!(execute(command), Ok(()), "{command}");
        }
    }
}
