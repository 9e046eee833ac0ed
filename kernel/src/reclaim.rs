//! What the kernel does when memory runs short.
//!
//! **No frame is free.** A call or a fault that gets `NO_MEMORY` has changed nothing. So [`retrying`] has
//! discardable VMOs give their pages back, with nothing locked, and makes it again. Only when nobody has
//! anything to give, the program learns of it: from the call, or by an exception at the fault.
//!
//! **Memory is low**, less than a sixteenth is free, and has been for a while. A thread of the kernel's own
//! looks for pages that are all zeros, a few at a time, and gives them back. It goes on until there is enough
//! again or it has been everywhere and found nothing, and then sleeps until more memory is taken. So it
//! costs nothing on a machine that has memory to spare, or that is idle. `zero-scan=off` on the command line
//! keeps it from being started.
//!
//! Pages of zeros are not looked for when a call finds no free frame: a program that fills memory with zeros
//! would then never be told that there is no more.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use spin::Once;
use syscall::{Result, Status};
use vm::addr::PageCount;
use vm::cpu::CpuId;

use crate::memory::pages;
use crate::object::Thread;
use crate::sched::{self, Deadline};

/// A call is made again at most so often: others may take what was reclaimed for it.
pub const MOST_RETRIES: usize = 16;

/// Reclaimed at once, so that not every page that is taken needs it: 1 MiB.
const LEAST_RECLAIMED: PageCount = PageCount::new(256);

/// How long memory is low before the thread does anything, and how long it rests between two rounds, in
/// nanoseconds. A program that fills memory for a moment is left alone.
const PATIENCE: u64 = 1_000_000_000;

/// How long the thread sleeps between two steps, in nanoseconds.
const REST: u64 = 20_000_000;

/// Pages that it looks at in one step. So it looks at most at 6,400 pages, 25 MiB, in a second.
const STEP: PageCount = PageCount::new(128);

/// Makes an `attempt`; when it fails because no frame is free, reclaims pages and makes it again, as long
/// as there is something to reclaim.
///
/// The caller holds no lock. An attempt that answers `NO_MEMORY` has changed nothing, or only what the next
/// one does anyway.
///
/// # Errors
/// Those of the last attempt.
#[inline]
pub fn retrying<T>(mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let mut patience = Patience::new();
    loop {
        match attempt() {
            Err(Status::NO_MEMORY) if patience.reclaim() => (),
            outcome => return outcome,
        }
    }
}

/// How often something has been tried for which there was no memory.
///
/// Whoever succeeds at once pays nothing for it. So the first failure only shows that memory was lacking; what
/// kind, and how much, is known after the second.
pub struct Patience {
    retries: usize,
    /// How many frames had been missed when the last attempt began.
    missed: u64,
}

impl Patience {
    /// Nothing has been tried yet.
    #[inline]
    pub const fn new() -> Self {
        let (retries, missed) = (0, 0);
        Self { retries, missed }
    }

    /// Reclaims pages after an attempt that answered `NO_MEMORY`; whether another one is worth while.
    ///
    /// The caller holds no lock.
    #[cold]
    pub fn reclaim(&mut self) -> bool {
        let before = self.missed;
        self.missed = pages().missed_frames();
        self.retries += 1;
        if self.retries == 1 {
            return true;
        }
        if self.missed == before || self.retries > MOST_RETRIES {
            // It was not for want of frames, or others are quicker.
            return false;
        }
        let wanted = PageCount::new((self.missed - before) as usize).max(LEAST_RECLAIMED);
        let reclaimed = pages().reclaimer().reclaim(wanted);
        // Another CPU may just have reclaimed what there was; that is worth one more attempt.
        reclaimed != PageCount::ZERO || self.retries == 2
    }
}

/// The thread that looks for pages of zeros.
static SCANNER: Once<Arc<Thread>> = Once::new();

/// Whether it sleeps until somebody takes memory.
static IS_ASLEEP: AtomicBool = AtomicBool::new(false);

/// Starts the thread that looks for pages of zeros while memory is low.
///
/// # Errors
/// - `NO_MEMORY`: no memory for the thread or its stack.
pub fn start_scanner() -> Result<()> {
    let thread = sched::spawn("zero scan", CpuId::BOOT, scan_for_ever, 0)?;
    SCANNER.call_once(|| thread);
    pages().tell_when_low(wake_scanner);
    Ok(())
}

/// Called in the middle of allocations. Takes only the lock of a CPU's queue, under which nobody allocates.
fn wake_scanner() {
    if IS_ASLEEP.load(Ordering::Relaxed)
        && IS_ASLEEP.swap(false, Ordering::AcqRel)
        && let Some(thread) = SCANNER.get()
    {
        sched::wake(thread);
    }
}

fn scan_for_ever(_: usize) {
    loop {
        sleep_until_low();
        loop {
            sleep_for(PATIENCE);
            if !pages().is_low() || !scan_round(|| sleep_for(REST)) {
                break;
            }
        }
    }
}

/// Looks at all pages of all VMOs once, or until memory is not low any more; whether it gave some back.
///
/// `rest` is called after each step.
pub fn scan_round(mut rest: impl FnMut()) -> bool {
    let reclaimer = pages().reclaimer();
    let vmos = reclaimer.scanned_vmos();
    let (mut ended, mut freed) = (0, PageCount::ZERO);
    while ended < vmos && pages().is_low() {
        let scan = reclaimer.scan(STEP);
        if scan == Default::default() {
            break;
        }
        ended += scan.ended;
        freed = freed.saturating_add(scan.freed);
        rest();
    }
    freed != PageCount::ZERO
}

/// Sleeps until somebody takes memory while it is low.
fn sleep_until_low() {
    IS_ASLEEP.store(true, Ordering::Release);
    while IS_ASLEEP.load(Ordering::Acquire) {
        sched::block(Deadline::NEVER);
    }
}

fn sleep_for(nanoseconds: u64) {
    let deadline = Deadline::at(sched::now().saturating_add(nanoseconds));
    while !deadline.has_passed(sched::now()) {
        sched::block(deadline);
    }
}
