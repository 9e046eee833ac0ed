//! Running out of frames on purpose.
//!
//! Compiled in for tests only; otherwise no allocation is ever made to fail.

use syscall::Result;

use super::PageDatabase;

#[cfg(any(test, feature = "fault-injection"))]
mod plan {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use syscall::{Result, Status};

    use super::PageDatabase;

    /// How many more allocations succeed.
    #[derive(Debug)]
    pub struct FaultPlan(AtomicUsize);

    /// No allocation is to fail.
    const NEVER: usize = usize::MAX;

    impl FaultPlan {
        pub const fn new() -> Self {
            Self(AtomicUsize::new(NEVER))
        }

        #[inline]
        pub fn check(&self) -> Result<()> {
            if self.0.load(Ordering::Relaxed) == NEVER {
                return Ok(());
            }
            let step = |left| {
                if left == NEVER {
                    None
                } else {
                    usize::checked_sub(left, 1)
                }
            };
            match self
                .0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
            {
                Err(0) => Err(Status::NO_MEMORY),
                Ok(_) | Err(_) => Ok(()),
            }
        }
    }

    /// Lets allocations fail until it is dropped.
    #[must_use = "allocations fail only as long as it lives"]
    pub struct FaultGuard<'a>(&'a FaultPlan);

    impl Drop for FaultGuard<'_> {
        fn drop(&mut self) {
            self.0.0.store(NEVER, Ordering::Relaxed);
        }
    }

    impl PageDatabase {
        /// Lets the next `successes` allocations, of single frames or of runs, go on as usual and makes all
        /// later ones fail with `NO_MEMORY`, until the guard is dropped. On all processors.
        pub fn fail_after(&self, successes: usize) -> FaultGuard<'_> {
            self.fault_plan.0.store(successes, Ordering::Relaxed);
            FaultGuard(&self.fault_plan)
        }
    }
}

#[cfg(not(any(test, feature = "fault-injection")))]
mod plan {
    use syscall::Result;

    /// Nothing fails.
    #[derive(Debug)]
    pub struct FaultPlan;

    impl FaultPlan {
        pub const fn new() -> Self {
            Self
        }

        #[inline]
        pub const fn check(&self) -> Result<()> {
            Ok(())
        }
    }
}

#[cfg(any(test, feature = "fault-injection"))]
pub use plan::FaultGuard;
pub use plan::FaultPlan;

impl PageDatabase {
    #[inline]
    pub(super) fn injected_failure(&self) -> Result<()> {
        self.fault_plan.check()
    }
}
