//! CPUs that wait for an interrupt: whoever changes page tables need not wake them.
//!
//! ```text
//!   awake ──fall_asleep──► asleep ──make_stale──► asleep, stale
//!     ▲                      │                         │
//!     └──────────────────────┴────────── wake ─────────┘  forgets everything, if stale
//! ```
//!
//! A CPU that sleeps uses no translation: from `fall_asleep` until `wake`, which the interrupt that ends the
//! wait does first, it touches only the image and its own stack, whose mappings do not change.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::machine::paging::tlb::{self, Scope};

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
const ASLEEP_AND_STALE: u32 = 2;

/// Whether a CPU sleeps, and what it has missed.
#[derive(Debug)]
pub(in crate::machine) struct Sleep(AtomicU32);

impl Sleep {
    pub(in crate::machine) const fn new() -> Self {
        Self(AtomicU32::new(AWAKE))
    }

    /// Says that this CPU will wait for an interrupt. Interrupts are off.
    #[inline]
    pub(in crate::machine) fn fall_asleep(&self) {
        self.0.store(ASLEEP, Ordering::SeqCst);
    }

    /// Says that this CPU, which may have slept, goes on.
    #[inline]
    pub(in crate::machine) fn wake(&self) {
        if self.0.load(Ordering::Relaxed) != AWAKE {
            self.catch_up();
        }
    }

    fn catch_up(&self) {
        if self.0.swap(AWAKE, Ordering::SeqCst) == ASLEEP_AND_STALE {
            // Turning global pages off and on forgets the translations of programs too.
            tlb::forget_everything(Scope::Kernel);
        }
    }

    /// If the CPU sleeps, has it forget everything when it wakes. Answers whether it does.
    #[inline]
    pub(super) fn make_stale(&self) -> bool {
        let to_stale =
            self.0
                .compare_exchange(ASLEEP, ASLEEP_AND_STALE, Ordering::SeqCst, Ordering::SeqCst);
        to_stale.unwrap_or_else(|state| state) != AWAKE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sleeping_cpu_can_miss_something() {
        let sleep = Sleep::new();
        assert!(!sleep.make_stale());
        sleep.fall_asleep();
        assert!(sleep.make_stale());
        assert!(sleep.make_stale());
        assert_eq!(sleep.0.load(Ordering::Relaxed), ASLEEP_AND_STALE);
    }

    #[test]
    fn a_cpu_that_missed_nothing_wakes_without_more_ado() {
        let sleep = Sleep::new();
        sleep.fall_asleep();
        sleep.wake();
        assert!(!sleep.make_stale());
    }
}
