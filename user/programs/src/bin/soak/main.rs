//! Works on regions, mappings and VMOs for a while, and checks that the kernel gets all memory back.
//!
//! Words: `seconds=N` (60 by default), or `steps=N` for a run that is the same each time; `seed=N`.
//! Every ten seconds a line says how far it is. The output is that of `conformance`.

#![no_std]
#![no_main]

extern crate alloc;

mod load;

use alloc::format;
use alloc::string::String;

use programs::memory::Memory;
use zx::{MonotonicDuration, MonotonicInstant, Status};

use load::Load;

rt::main!(main);

/// Steps that bring the heaps of program and kernel to the size they need, before anything is counted.
const WARM_UP_STEPS: u64 = 1000;

/// The clock is looked at after so many steps.
const STEPS_PER_LOOK: u64 = 64;

/// How often a line says how far it is.
const TELL_EVERY: MonotonicDuration = MonotonicDuration::from_seconds(10);

/// When to stop.
#[derive(Clone, Copy)]
enum Limit {
    Time(MonotonicDuration),
    Steps(u64),
}

/// What the words of the program choose.
struct Settings {
    seed: u64,
    limit: Limit,
}

impl Settings {
    /// Reads the words; what is not understood is left as it is by default.
    fn from_words() -> Self {
        let mut settings = Self {
            seed: 1,
            limit: Limit::Time(MonotonicDuration::from_seconds(60)),
        };
        let numbers = rt::args().filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            Some((key, value.parse::<u32>().ok()?))
        });
        for (key, number) in numbers {
            match key {
                "seed" => settings.seed = number.into(),
                "seconds" => {
                    let time = MonotonicDuration::from_seconds(number.into());
                    settings.limit = Limit::Time(time);
                }
                "steps" => settings.limit = Limit::Steps(number.into()),
                _ => (),
            }
        }
        settings
    }
}

fn main() -> Result<i64, Status> {
    let Settings { seed, limit } = Settings::from_words();
    match limit {
        Limit::Time(time) => rt::println!("soak: seed {seed}, {} s", time.into_seconds()),
        Limit::Steps(steps) => rt::println!("soak: seed {seed}, {steps} steps"),
    }
    let warm_up = work(seed, Limit::Steps(WARM_UP_STEPS));
    let before = Memory::measure()?;
    let worked = warm_up.and_then(|()| work(seed, limit));
    let given_back = Memory::measure()?.compare(&before);
    let results = [
        ("work_goes_on", worked),
        ("memory_is_given_back", given_back),
    ];
    let mut failed = 0;
    for (name, result) in &results {
        match result {
            Ok(()) => rt::println!("TEST ok soak::{name}"),
            Err(text) => {
                failed += 1;
                rt::println!("TEST fail soak::{name} {text}");
            }
        }
    }
    rt::println!("TEST-RESULT passed={} failed={failed}", 2 - failed);
    Ok(failed)
}

/// Works until the limit, and gives everything back.
fn work(seed: u64, limit: Limit) -> Result<(), String> {
    let mut load = Load::new(seed).map_err(|status| format!("cannot begin: {status}"))?;
    let start = MonotonicInstant::get();
    let mut next_line = start + TELL_EVERY;
    let mut steps = 0;
    while !is_over(limit, start, steps) {
        load.step()
            .map_err(|(name, status)| format!("step {steps}, {name}: {status}"))?;
        steps += 1;
        if steps.is_multiple_of(STEPS_PER_LOOK) && MonotonicInstant::get() >= next_line {
            let elapsed = MonotonicInstant::get() - start;
            rt::println!("soak: {} s, {steps} steps, {load}", elapsed.into_seconds());
            next_line += TELL_EVERY;
        }
    }
    // Those who have nothing to do would show no leak.
    load.check_variety(steps)
}

fn is_over(limit: Limit, start: MonotonicInstant, steps: u64) -> bool {
    match limit {
        Limit::Steps(limit) => steps >= limit,
        Limit::Time(time) => {
            steps.is_multiple_of(STEPS_PER_LOOK) && MonotonicInstant::get() >= start + time
        }
    }
}
