//! `vmaps`: draws an address space.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use vmaps::console::{Watcher, find_document};
use vmaps::text::{bytes, count};

/// Draws what the monitor's `vmaps --json` prints as an SVG picture.
#[derive(Parser)]
#[command(version, after_help = "The JSON is described in docs/monitor-json.md.")]
struct Arguments {
    /// The JSON to draw; `-` is standard input
    #[arg(default_value = "-")]
    input: PathBuf,

    /// Where the picture goes; `-` is standard output
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    output: PathBuf,

    /// About how many regions get a row of their own; the others stand in strips
    #[arg(long, default_value_t = vmaps::DEFAULT_ROWS, value_name = "COUNT")]
    rows: usize,

    /// The input is the console of a run: show it, and draw the last JSON in it
    #[arg(long)]
    console: bool,

    /// Keep the JSON in this file too
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("vmaps: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let input = &arguments.input;
    let json = if arguments.console {
        from_console(input)?
    } else {
        read_all(input)?
    };
    if let Some(file) = &arguments.save {
        write_all(file, &json)?;
    }
    let svg = vmaps::draw(&json, arguments.rows).map_err(|error| named(input, &error))?;
    write_all(&arguments.output, svg.as_bytes())?;
    if !is_standard(&arguments.output) {
        eprintln!(
            "vmaps: {} has {}",
            arguments.output.display(),
            bytes(svg.len() as u64)
        );
    }
    Ok(())
}

/// The last document in the output of a machine.
fn from_console(input: &Path) -> Result<Vec<u8>, String> {
    let mut echo = Echo {
        is_terminal: io::stderr().is_terminal(),
    };
    let found = if is_standard(input) {
        find_document(io::stdin().lock(), &mut echo)
    } else {
        fs::File::open(input).and_then(|file| find_document(io::BufReader::new(file), &mut echo))
    };
    let document = found.map_err(|error| named(input, &error))?;
    document.ok_or_else(|| {
        named(
            input,
            &"the run has printed no JSON; its kernel needs the word vmaps=exit, or its program `vmaps --json`",
        )
    })
}

/// Passes on what a machine prints, and says how far the document is.
struct Echo {
    is_terminal: bool,
}

impl Watcher for Echo {
    fn line(&mut self, line: &[u8]) {
        // Whoever closes the standard error output wants to see nothing.
        let _ = io::stderr().write_all(line);
    }

    fn progress(&mut self, rows: usize, length: usize) {
        // A log gets a line now and then, a person always the newest.
        let is_told = self.is_terminal || rows.is_multiple_of(100_000);
        if is_told {
            let end = if self.is_terminal { '\r' } else { '\n' };
            eprint!(
                "vmaps: {} regions, {}{end}",
                count(rows),
                bytes(length as u64)
            );
        }
    }
}

fn read_all(path: &Path) -> Result<Vec<u8>, String> {
    let read = if is_standard(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map_err(|error| named(path, &error))
}

fn write_all(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let written = if is_standard(path) {
        io::stdout().lock().write_all(bytes)
    } else {
        fs::write(path, bytes)
    };
    written.map_err(|error| named(path, &error))
}

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == OsStr::new("-")
}

/// A problem with the file at `path`.
fn named(path: &Path, problem: &impl std::fmt::Display) -> String {
    format!("{}: {problem}", path.display())
}
