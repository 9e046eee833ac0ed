//! `vmaps`: draws an address space.

use std::process::ExitCode;

use clap::Parser;
use drawing::command::{Files, Program};
use vmaps::document::FORMAT;

/// Draws what the monitor's `vmaps --json` prints as an SVG picture.
#[derive(Parser)]
#[command(version, after_help = "The JSON is described in docs/monitor-json.md.")]
struct Arguments {
    #[command(flatten)]
    files: Files,

    /// About how many regions get a row of their own; the others stand in strips
    #[arg(long, default_value_t = vmaps::DEFAULT_ROWS, value_name = "COUNT")]
    rows: usize,
}

/// This program.
const PROGRAM: Program = Program {
    name: "vmaps",
    format: FORMAT,
    advice: "its kernel needs the word vmaps=exit, or its program `vmaps --json`",
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    PROGRAM.run(&arguments.files, |json| vmaps::draw(json, arguments.rows))
}
