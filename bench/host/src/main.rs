//! Makes the table that compares the region tree with other structures.
//!
//! ```text
//! bench-host [--sizes N,N…] [--json] [--record FILE] [--times DIRECTORY]
//! bench-host run STRUCTURE N          what is counted: does everything once
//! ```
//!
//! For each structure and size this program runs itself under callgrind. `--times` names criterion's directory, whose
//! estimates then go into a second table; `--record` writes both tables into the marked part of a file.

mod count;
mod report;
mod times;

use std::process::ExitCode;

use bench_host::measure::Trial;
use bench_host::structures::{Ours, Ranges, RedBlack, StandardMap, Structure, WavlCrate};

/// The numbers of regions that are measured, unless others are asked for.
const SIZES: [usize; 4] = [10, 1_000, 100_000, 1_000_000];

/// The structures, ours first.
const STRUCTURES: [Contestant; 5] = [
    Contestant::new::<Ours>(),
    Contestant::new::<StandardMap>(),
    Contestant::new::<Ranges>(),
    Contestant::new::<RedBlack>(),
    Contestant::new::<WavlCrate>(),
];

/// A structure, as far as this program cares.
#[derive(Clone, Copy)]
struct Contestant {
    name: &'static str,
    /// Does everything once with so many regions. Answers the number of operations of each kind.
    run: fn(usize) -> [usize; 4],
}

impl Contestant {
    const fn new<S: Structure>() -> Self {
        Self {
            name: S::NAME,
            run: |count| Trial::<S>::new(count).run(),
        }
    }
}

/// What the command line asks for.
struct Options {
    sizes: Vec<usize>,
    format: report::Format,
    record: Option<String>,
    times: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["run", structure, count] => run(structure, count),
        _ => parse(&words).and_then(|options| compare(&options)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Does everything once, and prints the number of operations of each kind.
fn run(structure: &str, count: &str) -> Result<(), String> {
    let contestant = STRUCTURES
        .into_iter()
        .find(|contestant| contestant.name == structure)
        .ok_or(format!("there is no structure {structure:?}"))?;
    let [insert, lookup, gap, remove] = (contestant.run)(number(count)?);
    println!("{insert} {lookup} {gap} {remove}");
    Ok(())
}

fn compare(options: &Options) -> Result<(), String> {
    let counts = count::all(
        &STRUCTURES.map(|contestant| contestant.name),
        &options.sizes,
    )?;
    let times = match &options.times {
        Some(directory) => times::read(directory, &STRUCTURES.map(|contestant| contestant.name))?,
        None => Vec::new(),
    };
    let report = report::Report { counts, times };
    println!("{}", report.print(options.format));
    match &options.record {
        Some(file) => report.record(file),
        None => Ok(()),
    }
}

fn parse(words: &[&str]) -> Result<Options, String> {
    let mut options = Options {
        sizes: SIZES.to_vec(),
        format: report::Format::Text,
        record: None,
        times: None,
    };
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word {
            "--json" => options.format = report::Format::Json,
            "--sizes" => {
                options.sizes = value()?.split(',').map(number).collect::<Result<_, _>>()?;
            }
            "--record" => options.record = Some(value()?.to_string()),
            "--times" => options.times = Some(value()?.to_string()),
            _ => {
                return Err(format!(
                    "{word:?} is not known; allowed: --json, --sizes, --record, --times"
                ));
            }
        }
    }
    Ok(options)
}

/// A number of regions.
fn number(text: &str) -> Result<usize, String> {
    match text.replace('_', "").parse() {
        Ok(count @ 1..=10_000_000) => Ok(count),
        _ => Err(format!(
            "{text:?} is not a number of regions up to ten million"
        )),
    }
}
