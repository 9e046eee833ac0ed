//! Random calls on regions, against a flat map of pages, and on families of VMOs, against copies.
//!
//! ```text
//!   seed ─► Generator ─► Step ─┬─► Window:   the raw calls ─► the kernel ─► answer, records, bytes
//!                              └─► Model ◄─────────────────────────────────────┘
//!
//!   seed ─► Generator ─► Step ─┬─► Families: the raw calls ─► the kernel ─► answer, info, bytes
//!                              └─► Families of the model ◄─────────────────────┘
//! ```
//!
//! Words: a seed and how many steps to take in each of the two parts, in decimal: `args=SEED COUNT`. The
//! steps go in rounds; each has windows of its own, and the seed of the round before plus one. After every
//! step the answer and what the kernel tells must be as the model has it, and now and then all bytes.
//!
//! Where the kernel chooses places at random, a seed does not choose all; `aslr=off` makes the same run
//! the same to the bit.
//!
//! The output is that of `conformance`.

#![no_std]
#![no_main]

extern crate alloc;

mod access;
mod families;
mod regions;
mod report;
mod window;

use alloc::vec;
use alloc::vec::Vec;

use model::Mismatch;
use programs::memory::Memory;
use zx::{Status, Vmo};

use report::Progress;

rt::main!(main);

/// Steps of a round.
const ROUND: usize = 250;

/// After so many rounds a line says how far it is.
const TELL_EVERY: usize = 20;

/// More handles than a round has at the same time.
const HANDLES: usize = 64;

/// More bytes than a model takes.
const HEAP_BYTES: usize = 4 << 20;

/// One half of what the program does.
struct Part {
    name: &'static str,
    /// Takes so many steps of a seed.
    round: fn(u64, usize, &mut Progress) -> Result<(), Mismatch>,
}

const PARTS: [Part; 2] = [
    Part {
        name: "calls_behave_like_a_flat_map",
        round: regions::round,
    },
    Part {
        name: "families_behave_like_copies",
        round: families::round,
    },
];

fn main() -> Result<i64, Status> {
    let mut words = rt::args().map(str::parse::<u64>);
    let seed = words.next().and_then(Result::ok).unwrap_or(1);
    let count = words.next().and_then(Result::ok).unwrap_or(5000) as usize;
    rt::println!("model: twice {count} steps from seed {seed}");
    let mut failed = 0;
    for part in &PARTS {
        failed += part.run(seed, count)?;
    }
    let passed = 2 * PARTS.len() as i64 - failed;
    rt::println!("TEST-RESULT passed={passed} failed={failed}");
    Ok(failed)
}

impl Part {
    /// Takes the steps, and sees whether all memory comes back; answers how many of the two went wrong.
    fn run(&self, seed: u64, count: usize) -> Result<i64, Status> {
        let mut failed = 0;
        // The heaps of program and kernel get the size that they need.
        let warm_up = self.round(seed, ROUND.min(count));
        stretch();
        let before = Memory::measure()?;
        match warm_up.and_then(|()| self.rounds(seed, count)) {
            Ok(()) => rt::println!("TEST ok model::{}", self.name),
            Err(Failure {
                seed,
                progress,
                text,
            }) => {
                failed += 1;
                rt::println!("TEST fail model::{} {}", self.name, text.0);
                progress.report(seed);
            }
        }
        match Memory::measure()?.compare(&before) {
            Ok(()) => rt::println!("TEST ok model::memory_is_given_back_when_{}", self.name),
            Err(text) => {
                failed += 1;
                rt::println!(
                    "TEST fail model::memory_is_given_back_when_{} {text}",
                    self.name
                );
            }
        }
        Ok(failed)
    }

    /// Takes `count` steps, in rounds.
    fn rounds(&self, seed: u64, count: usize) -> Result<(), Failure> {
        for (number, begin) in (0..count).step_by(ROUND).enumerate() {
            let seed = seed.wrapping_add(number as u64);
            self.round(seed, ROUND.min(count - begin))?;
            if (number + 1).is_multiple_of(TELL_EVERY) {
                rt::println!("model: {} steps", (number + 1) * ROUND);
            }
        }
        Ok(())
    }

    fn round(&self, seed: u64, count: usize) -> Result<(), Failure> {
        let mut progress = Progress::default();
        (self.round)(seed, count, &mut progress).map_err(|text| Failure {
            seed,
            progress,
            text,
        })
    }
}

/// Has as many handles and as much heap as ever. The kernel keeps a slot for each handle, and nodes for the pages
/// of the heap, from then on.
fn stretch() {
    drop((0..HANDLES).map(|_| Vmo::create(0)).collect::<Vec<_>>());
    drop(vec![1_u8; HEAP_BYTES]);
}

/// A round that went wrong.
struct Failure {
    seed: u64,
    progress: Progress,
    text: Mismatch,
}
