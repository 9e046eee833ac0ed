//! How one operation is measured: many times, one at a time, and the middle one counts.

use alloc::vec::Vec;

use rt::println;
use zx::{Resource, Status, Unowned, sys};

use crate::machine;
use crate::population::Population;

/// How often most operations run.
pub const RUNS: usize = 255;

/// Something to be measured.
///
/// The three functions are called in turn, once for each run; only [`run`](Self::run) is counted.
pub trait Operation {
    /// How often it runs.
    const RUNS: usize = RUNS;

    /// Makes ready what the run needs.
    ///
    /// # Errors
    /// Whatever went wrong; it ends the measurement.
    fn prepare(&mut self) -> Result<(), Status> {
        Ok(())
    }

    /// What is measured. A negative answer ends the measurement.
    fn run(&mut self) -> sys::zx_status_t;

    /// Takes away what the run left.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    fn clean(&mut self) -> Result<(), Status> {
        Ok(())
    }
}

/// What an operation takes: so many instructions for so many pages, or whatever the row counts.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Instructions of the middle run.
    pub median: u64,
    /// What to divide them by.
    pub divisor: u64,
}

/// Whether operations are counted, or watched from outside.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Mode {
    /// The counter says what they take.
    Measure,
    /// The last run waits for a key: somebody traces it.
    Trace,
}

/// Where measurements take place.
pub struct Bench {
    /// The mappings that are there besides the measured one.
    pub population: Population,
    system: Unowned<'static, Resource>,
    mode: Mode,
    /// What the runs took; it never grows while something is measured.
    samples: Vec<u64>,
    /// What reading the counter twice takes.
    overhead: u64,
}

impl Bench {
    /// With no mappings yet, and room for `most`.
    ///
    /// # Errors
    /// - `NO_MEMORY`: not even for this.
    pub fn new(mode: Mode, most: usize) -> Result<Self, Status> {
        let mut bench = Self {
            population: Population::new(most)?,
            system: rt::system_resource(),
            mode: Mode::Measure,
            samples: Vec::with_capacity(RUNS),
            overhead: 0,
        };
        bench.overhead = bench.median(&mut Nothing)?;
        bench.mode = mode;
        Ok(bench)
    }

    /// Sees to it that `mappings` exist.
    ///
    /// # Errors
    /// What mapping answers.
    pub fn grow(&mut self, mappings: usize) -> Result<(), Status> {
        self.population.grow(&self.system, mappings)
    }

    /// What `operation` takes.
    ///
    /// # Errors
    /// What it answers itself.
    pub fn cost(&mut self, operation: &mut impl Operation) -> Result<Cost, Status> {
        self.cost_per(1, operation)
    }

    /// What `operation` takes for each of `divisor` things that it does.
    ///
    /// # Errors
    /// What it answers itself.
    pub fn cost_per(
        &mut self,
        divisor: usize,
        operation: &mut impl Operation,
    ) -> Result<Cost, Status> {
        Ok(Cost {
            median: self.median(operation)?,
            divisor: divisor as u64,
        })
    }

    fn median<O: Operation>(&mut self, operation: &mut O) -> Result<u64, Status> {
        self.samples.clear();
        for index in 0..O::RUNS.min(RUNS) {
            operation.prepare()?;
            if self.mode == Mode::Trace && index + 1 == O::RUNS.min(RUNS) {
                self.wait_for_key()?;
            }
            let ticks = timed(operation)?;
            operation.clean()?;
            self.samples.push(ticks);
        }
        self.samples.sort_unstable();
        Ok(self.samples[self.samples.len() / 2].saturating_sub(self.overhead))
    }

    fn wait_for_key(&self) -> Result<(), Status> {
        println!("BENCH ready");
        self.system.debug_read(&mut [0]).map(|_| ())
    }
}

/// Runs `operation` once between two looks at the counter.
///
/// A trace recognises the run by the two calls of [`machine::ticks`].
#[inline(never)]
fn timed(operation: &mut impl Operation) -> Result<u64, Status> {
    let begin = machine::ticks();
    let status = operation.run();
    let end = machine::ticks();
    zx::ok(status)?;
    Ok(end - begin)
}

/// Shows what measuring itself takes.
struct Nothing;

impl Operation for Nothing {
    fn run(&mut self) -> sys::zx_status_t {
        sys::ZX_OK
    }
}
