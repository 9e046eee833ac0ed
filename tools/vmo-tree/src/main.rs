//! `vmo-tree`: draws a family of VMOs.

use std::process::ExitCode;

use clap::Parser;
use drawing::command::{Files, Program};
use vmo_tree::document::FORMAT;

/// Draws what the monitor's `vmo KOID --json` prints as an SVG picture.
#[derive(Parser)]
#[command(version, after_help = "The JSON is described in docs/monitor-json.md.")]
struct Arguments {
    #[command(flatten)]
    files: Files,

    /// How many members are drawn at most
    #[arg(long, default_value_t = vmo_tree::DEFAULT_ROWS, value_name = "COUNT")]
    rows: usize,
}

/// This program.
const PROGRAM: Program = Program {
    name: "vmo-tree",
    format: FORMAT,
    advice: "its program needs to ask for `vmo KOID --json`, as `bin/family` does",
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    PROGRAM.run(&arguments.files, |json| {
        vmo_tree::draw(json, arguments.rows)
    })
}
