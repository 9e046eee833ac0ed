//! Fills its address space with regions, so that there is something to draw: `make vmaps`.
//!
//! ```text
//!   crowd [COUNT]     makes at least so many regions, 60 if nothing is said
//! ```
//!
//! The regions come in families, such as the stack of a thread with its guard, each in a region of its own at
//! a place that the kernel chooses. A million of them share five VMOs, so that only the regions cost memory.

#![no_std]
#![no_main]

extern crate alloc;

mod family;

use alloc::format;
use alloc::string::String;

use family::{FAMILIES, Stock};
use rt::println;
use zx::Status;

/// How many regions are made if nobody says how many.
const DEFAULT_COUNT: usize = 60;

/// After how many regions the program says how far it is.
const REPORT_EVERY: usize = 100_000;

rt::main!(main);

fn main() -> Result<(), String> {
    let wanted = wanted()?;
    let stock = Stock::new().map_err(|status| format!("no VMOs to map: {status:?}"))?;
    let mut made = 0;
    let mut next_report = REPORT_EVERY;
    for family in FAMILIES.iter().cycle() {
        if made >= wanted {
            break;
        }
        match stock.settle(family) {
            Ok(regions) => made += regions,
            Err(status @ (Status::NO_MEMORY | Status::NO_RESOURCES)) => {
                println!("crowd: {made} regions are all that there is room for: {status:?}");
                return Ok(());
            }
            Err(status) => return Err(format!("after {made} regions: {status:?}")),
        }
        if made >= next_report {
            println!("crowd: {made} regions");
            next_report += REPORT_EVERY;
        }
    }
    println!("crowd: made {made} regions");
    Ok(())
}

/// How many regions are asked for.
fn wanted() -> Result<usize, String> {
    match rt::args().next() {
        None => Ok(DEFAULT_COUNT),
        Some(word) => word
            .parse()
            .map_err(|_| format!("`{word}` is no count of regions; try `crowd 1000`")),
    }
}
