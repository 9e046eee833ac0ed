//! Letting a chosen allocation fail, so that tests can try every one.
//!
//! On the host each thread has its own count, so that tests can run side by side. In the kernel there
//! is one count, for tests that run alone.

#[cfg(not(test))]
use core::sync::atomic::{AtomicUsize, Ordering};

#[cfg(test)]
std::thread_local! {
    /// How many more allocations succeed before one fails; `None` lets all succeed.
    static REMAINING: core::cell::Cell<Option<usize>> = const { core::cell::Cell::new(None) };
}

/// How many more allocations succeed before one fails, plus one; zero lets all succeed.
#[cfg(not(test))]
static REMAINING: AtomicUsize = AtomicUsize::new(0);

/// Runs `attempt` once for each allocation that it makes, with that one failing, and once with none.
///
/// `attempt` gets the number of allocations that succeed before the one that fails.
pub fn fail_each_in_turn(mut attempt: impl FnMut(usize)) {
    for successes in 0.. {
        let guard = fail_after(successes);
        attempt(successes);
        if !guard.has_struck() {
            return;
        }
    }
}

/// Lets the allocation after the next `successes` ones fail, and only that one.
///
/// Dropping the guard calls it off.
pub fn fail_after(successes: usize) -> FaultGuard {
    set(Some(successes));
    FaultGuard(())
}

/// A failure that is planned or has happened. See [`fail_after`].
#[must_use = "dropping the guard calls the failure off"]
pub struct FaultGuard(());

impl FaultGuard {
    /// Whether the failure has happened.
    pub fn has_struck(&self) -> bool {
        remaining().is_none()
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        set(None);
    }
}

/// Counts an allocation; whether it is the one to fail.
pub(super) fn strikes() -> bool {
    let Some(remaining) = remaining() else {
        return false;
    };
    set(remaining.checked_sub(1));
    remaining == 0
}

#[cfg(test)]
fn remaining() -> Option<usize> {
    REMAINING.get()
}

#[cfg(test)]
fn set(remaining: Option<usize>) {
    REMAINING.set(remaining);
}

#[cfg(not(test))]
fn remaining() -> Option<usize> {
    REMAINING.load(Ordering::Relaxed).checked_sub(1)
}

#[cfg(not(test))]
fn set(remaining: Option<usize>) {
    REMAINING.store(
        remaining.map_or(0, |remaining| remaining + 1),
        Ordering::Relaxed,
    );
}
