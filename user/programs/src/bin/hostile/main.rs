//! Throws hostile register values at every system call, and checks that the kernel takes no harm.
//!
//! ```text
//!   Picker (values that hurt) ─► storm (one row per call) ─► kernel ─► a documented status, or the test fails
//!          └── knows the World: valid, closed and foreign handles, good and bad buffers
//! ```
//!
//! Words: `seed=N` and `calls=N`, calls of each kind, in decimal. The same seed makes the same calls.
//! The output is that of `conformance`: a line `TEST ok|fail NAME` for each kind of call, and a last line
//! that counts them.
//!
//! `process_exit` and a bad buffer for `cprng_draw` end the caller; `probe` tries those.

#![no_std]
#![no_main]

extern crate alloc;

mod picker;
mod storm;
mod world;

use alloc::string::String;

use model::Random;
use programs::memory::Memory;
use zx::Status;

use picker::Picker;
use storm::Kind;
use world::World;

rt::main!(main);

/// Calls that bring the heaps of program and kernel to the size they need, before anything is counted.
const WARM_UP_CALLS: u32 = 300;

/// What the words of the program choose.
struct Settings {
    seed: u64,
    calls: u32,
}

impl Settings {
    /// Reads the words; what is not understood is left as it is by default.
    fn from_words() -> Self {
        let mut settings = Self {
            seed: 0x4a61_6369_6e74,
            calls: 1000,
        };
        for (key, value) in rt::args().filter_map(|word| word.split_once('=')) {
            match key {
                "seed" => settings.seed = value.parse().unwrap_or(settings.seed),
                "calls" => settings.calls = value.parse().unwrap_or(settings.calls),
                _ => (),
            }
        }
        settings
    }
}

/// How many tests passed and failed.
#[derive(Default)]
struct Score {
    passed: u32,
    failed: u32,
}

impl Score {
    fn add(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => {
                self.passed += 1;
                rt::println!("TEST ok hostile::{name}");
            }
            Err(text) => {
                self.failed += 1;
                rt::println!("TEST fail hostile::{name} {text}");
            }
        }
    }
}

fn main() -> Result<i64, Status> {
    let Settings { seed, calls } = Settings::from_words();
    rt::println!(
        "hostile: {calls} calls of each kind; CMDLINE=\"init=bin/hostile args=seed={seed} calls={calls}\" repeats them"
    );
    let mut score = Score::default();
    let mut picker = Picker::new(World::new()?);
    storm_all(&mut picker, seed, WARM_UP_CALLS.min(calls), |_, _| ())?;
    let before = Memory::measure()?;
    storm_all(&mut picker, seed, calls, |kind, result| {
        score.add(kind.name, result)
    })?;
    score.add("memory_is_given_back", Memory::measure()?.compare(&before));
    let Score { passed, failed } = score;
    rt::println!("TEST-RESULT passed={passed} failed={failed}");
    Ok(i64::from(failed > 0))
}

/// Throws `calls` calls of each kind, and leaves the world as it was at its beginning.
fn storm_all(
    picker: &mut Picker,
    seed: u64,
    calls: u32,
    mut report: impl FnMut(&Kind, Result<(), String>),
) -> Result<(), Status> {
    for kind in storm::kinds() {
        // Each kind begins with the same numbers, whatever came before.
        picker.random = Random::new(seed);
        report(kind, storm::run(kind, picker, calls)?);
    }
    picker.world.reset()
}
