//! What the programs do around their drawing: reading, saving, writing, saying what is wrong.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::console::{Watcher, find_document};
use crate::format::{Format, ReadError};
use crate::text::{bytes, count};

/// Where the JSON comes from and where the picture goes.
#[derive(Args, Debug)]
pub struct Files {
    /// The JSON to draw; `-` is standard input
    #[arg(default_value = "-")]
    input: PathBuf,

    /// Where the picture goes; `-` is standard output
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    output: PathBuf,

    /// The input is the console of a run: show it, and draw the last JSON in it
    #[arg(long)]
    console: bool,

    /// Keep the JSON in this file too
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// A program that draws.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    /// What it reads.
    pub format: &'static Format,
    /// What to do if a run has printed no document.
    pub advice: &'static str,
}

impl Program {
    /// Reads a document, has it drawn by `draw` and writes the picture; complaints go to standard error.
    pub fn run(
        &self,
        files: &Files,
        draw: impl FnOnce(&[u8]) -> Result<String, ReadError>,
    ) -> ExitCode {
        match self.try_run(files, draw) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                eprintln!("{}: {problem}", self.name);
                ExitCode::FAILURE
            }
        }
    }

    fn try_run(
        &self,
        files: &Files,
        draw: impl FnOnce(&[u8]) -> Result<String, ReadError>,
    ) -> Result<(), String> {
        let input = &files.input;
        let json = if files.console {
            self.read_console(input)?
        } else {
            read_all(input)?
        };
        if let Some(file) = &files.save {
            write_all(file, &json)?;
        }
        let svg = draw(&json).map_err(|error| named(input, &error))?;
        write_all(&files.output, svg.as_bytes())?;
        if !is_standard(&files.output) {
            let (output, size) = (files.output.display(), bytes(svg.len() as u64));
            eprintln!("{}: {output} has {size}", self.name);
        }
        Ok(())
    }

    /// The last document in the output of a machine.
    fn read_console(&self, input: &Path) -> Result<Vec<u8>, String> {
        let mut echo = Echo {
            name: self.name,
            is_terminal: io::stderr().is_terminal(),
        };
        let found = if is_standard(input) {
            find_document(io::stdin().lock(), self.format, &mut echo)
        } else {
            fs::File::open(input)
                .and_then(|file| find_document(io::BufReader::new(file), self.format, &mut echo))
        };
        let document = found.map_err(|error| named(input, &error))?;
        let advice = self.advice;
        document.ok_or_else(|| {
            named(
                input,
                &format_args!("the run has printed no JSON; {advice}"),
            )
        })
    }
}

/// Passes on what a machine prints, and says how far the document is.
struct Echo {
    name: &'static str,
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
            let (name, rows) = (self.name, count(rows));
            eprint!("{name}: {rows} rows, {}{end}", bytes(length as u64));
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
fn named(path: &Path, problem: &impl Display) -> String {
    format!("{}: {problem}", path.display())
}
