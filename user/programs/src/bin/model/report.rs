//! How far a round has come, and what is said about one that went wrong.

use alloc::format;
use core::fmt;

use model::{Mismatch, Step, vmo};
use zx::Status;

/// A step of either model.
#[derive(Clone, Copy)]
pub enum Happened {
    /// To a window and its regions.
    ToRegions(Step),
    /// To families of VMOs.
    ToFamilies(vmo::Step),
}

impl fmt::Debug for Happened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToRegions(step) => step.fmt(formatter),
            Self::ToFamilies(step) => step.fmt(formatter),
        }
    }
}

/// The step that is being taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    steps: usize,
    step: Option<Happened>,
}

impl Progress {
    /// Notes a step before it is taken, and how many were taken before it.
    pub const fn note(&mut self, steps: usize, step: Happened) {
        self.steps = steps;
        self.step = Some(step);
    }

    /// Says what went wrong with the noted step, and how to repeat it.
    pub fn report(&self, seed: u64) {
        let Self { steps, step } = self;
        rt::println!("model: step {steps} of seed {seed} went wrong: {step:x?}");
        rt::println!(
            "model: `make model SEED={seed} STEPS={}` repeats it, with ARCH and SMP as here",
            steps + 1
        );
    }
}

/// What is said about a call that should have succeeded.
pub fn unexpected(status: Status) -> Mismatch {
    Mismatch(format!("unexpected {status}"))
}
