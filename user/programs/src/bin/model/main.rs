//! Random calls on regions, against a flat map of pages.
//!
//! ```text
//!   seed ─► Generator ─► Step ─┬─► Window: the raw calls ─► the kernel ─► answer, records, bytes
//!                              └─► Model ◄─────────────────────────────────────┘
//! ```
//!
//! Words: a seed and how many steps to take, in decimal: `args=SEED COUNT`. The steps go in rounds; each
//! has a window of its own, and the seed of the round before plus one. After every step the answer and the
//! records of VMAR_MAPS must be those of the model, and now and then all bytes.
//!
//! Where the kernel chooses places at random, a seed does not choose all; `aslr=off` makes the same run
//! the same to the bit.
//!
//! The output is that of `conformance`.

#![no_std]
#![no_main]

extern crate alloc;

mod window;

use alloc::format;
use alloc::string::String;

use model::{Generator, Mismatch, Model, Shape, Step};
use programs::memory::Memory;
use zx::Status;

use window::Window;

rt::main!(main);

/// Steps of a round.
const ROUND: usize = 250;

/// After so many steps all bytes are compared.
const LOOK_EVERY: usize = 25;

/// After so many rounds a line says how far it is.
const TELL_EVERY: usize = 20;

/// Why a round ended early.
struct Failure {
    /// How many steps had gone well.
    steps: usize,
    /// The step after those.
    step: Option<Step>,
    text: String,
}

fn main() -> Result<i64, Status> {
    let mut words = rt::args().map(str::parse::<u64>);
    let seed = words.next().and_then(Result::ok).unwrap_or(1);
    let count = words.next().and_then(Result::ok).unwrap_or(5000) as usize;
    rt::println!("model: {count} steps from seed {seed}");
    // The heaps of program and kernel get the size that they need.
    let warm_up = round(seed, ROUND.min(count));
    let before = Memory::measure()?;
    let result = warm_up.map_or_else(|failure| Err((seed, failure)), |()| rounds(seed, count));
    let mut failed = 0;
    if let Err((seed, failure)) = result {
        failed += 1;
        rt::println!(
            "TEST fail model::calls_behave_like_a_flat_map {}",
            failure.text
        );
        let Failure { steps, step, .. } = failure;
        rt::println!("model: step {steps} of seed {seed} went wrong: {step:x?}");
        rt::println!(
            "model: `make model SEED={seed} STEPS={}` repeats it, with ARCH and SMP as here",
            steps + 1
        );
    } else {
        rt::println!("TEST ok model::calls_behave_like_a_flat_map");
    }
    match Memory::measure()?.compare(&before) {
        Ok(()) => rt::println!("TEST ok model::memory_is_given_back"),
        Err(text) => {
            failed += 1;
            rt::println!("TEST fail model::memory_is_given_back {text}");
        }
    }
    rt::println!("TEST-RESULT passed={} failed={failed}", 2 - failed);
    Ok(failed)
}

/// Takes `count` steps, in rounds; answers the seed of the round that failed.
fn rounds(seed: u64, count: usize) -> Result<(), (u64, Failure)> {
    for (number, begin) in (0..count).step_by(ROUND).enumerate() {
        let seed = seed.wrapping_add(number as u64);
        round(seed, ROUND.min(count - begin)).map_err(|failure| (seed, failure))?;
        if (number + 1).is_multiple_of(TELL_EVERY) {
            rt::println!("model: {} steps", (number + 1) * ROUND);
        }
    }
    Ok(())
}

/// Takes `count` steps on a fresh window.
fn round(seed: u64, count: usize) -> Result<(), Failure> {
    let shape = Shape::of_seed(seed);
    let mut failure = Failure {
        steps: 0,
        step: None,
        text: String::new(),
    };
    let result = play(&mut Generator::new(seed, shape), shape, count, &mut failure);
    result.map_err(|Mismatch(text)| Failure { text, ..failure })
}

/// Takes the steps, and notes each in `last` before.
fn play(
    generator: &mut Generator,
    shape: Shape,
    count: usize,
    last: &mut Failure,
) -> Result<(), Mismatch> {
    let mut window = Window::new(shape).map_err(unexpected)?;
    let mut model = Model::new(window.base(), shape);
    for number in 0..count {
        let step = generator.step(&model);
        (last.steps, last.step) = (number, Some(step));
        let answer = window.perform(&step, &model);
        model.judge(&step, answer)?;
        model.compare(&window.records().map_err(unexpected)?)?;
        if number.is_multiple_of(LOOK_EVERY) {
            window.compare_bytes(&model)?;
        }
    }
    window.compare_bytes(&model)
}

fn unexpected(status: Status) -> Mismatch {
    Mismatch(format!("unexpected {status}"))
}
