//! The benchmark: what each operation costs, in executed instructions.
//!
//! `make bench` boots this program on a machine whose counter counts instructions, and makes a table of the
//! lines it prints. The operations are in [`rows`], how one is measured is in [`measure`], and the mappings
//! that are there besides the measured one are in [`population`].
//!
//! ```text
//! args=run MAPPINGS [NAME…]      every operation, or those named, with up to so many mappings
//! args=trace NAME MAPPINGS       one operation; waits for a key before the last run of it
//! ```
//!
//! | line | says |
//! |---|---|
//! | `BENCH start TICKS` | the counter when the program began |
//! | `BENCH row NAME MAPPINGS MEDIAN DIVISOR` | an operation took `MEDIAN / DIVISOR` instructions |
//! | `BENCH progress MAPPINGS` | so many mappings exist by now |
//! | `BENCH ready` | the program waits for a key |
//! | `BENCH done` | everything was measured |

#![no_std]
#![no_main]

extern crate alloc;

mod calls;
mod commit;
mod contents;
mod faults;
mod generations;
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod machine;
mod maps;
mod measure;
mod population;
mod protect;
mod rows;
mod snapshots;
mod window;

use rt::println;
use zx::Status;

use crate::measure::{Bench, Mode};
use crate::rows::{ROWS, Row, STAGES};

/// Bytes in a page.
const PAGE: usize = 4096;

rt::main!(main);

fn main() -> Result<(), Status> {
    let start = machine::ticks();
    println!("BENCH start {start}");
    let mut words = rt::args();
    match words.next() {
        Some("run") => {
            let most = number(words.next())?;
            run(most, &|row| {
                let mut names = rt::args().skip(2).peekable();
                names.peek().is_none() || names.any(|name| name == row.name)
            })
        }
        Some("trace") => trace(
            words.next().ok_or(Status::INVALID_ARGS)?,
            number(words.next())?,
        ),
        _ => {
            println!("bench: args=run MAPPINGS [NAME…], or args=trace NAME MAPPINGS");
            Err(Status::INVALID_ARGS)
        }
    }
}

/// Measures what `is_wanted`, with up to `most` mappings.
fn run(most: usize, is_wanted: &dyn Fn(&Row) -> bool) -> Result<(), Status> {
    let mut bench = Bench::new(Mode::Measure, most)?;
    for &mappings in STAGES.iter().filter(|&&mappings| mappings <= most) {
        bench.grow(mappings)?;
        for row in ROWS.iter().filter(|row| row.stages.contains(&mappings)) {
            if is_wanted(row) {
                let cost = (row.measure)(&mut bench)?;
                println!(
                    "BENCH row {} {mappings} {} {}",
                    row.name, cost.median, cost.divisor
                );
            }
        }
    }
    println!("BENCH done");
    Ok(())
}

/// Runs the operation called `name` once more after somebody pressed a key.
fn trace(name: &str, mappings: usize) -> Result<(), Status> {
    let Some(row) = ROWS.iter().find(|row| row.name == name) else {
        println!("bench: there is no operation `{name}`; there are:");
        ROWS.iter().for_each(|row| println!("  {}", row.name));
        return Err(Status::NOT_FOUND);
    };
    let mut bench = Bench::new(Mode::Trace, mappings)?;
    bench.grow(mappings)?;
    let cost = (row.measure)(&mut bench)?;
    println!(
        "BENCH row {name} {mappings} {} {}",
        cost.median, cost.divisor
    );
    println!("BENCH done");
    Ok(())
}

fn number(word: Option<&str>) -> Result<usize, Status> {
    word.and_then(|word| word.parse().ok())
        .filter(|&number| number > 0)
        .ok_or(Status::INVALID_ARGS)
}
