//! Time: the time stamp counter as the clock, the timer of each local APIC for deadlines.
//!
//! Both run at rates that only measuring tells, so [`init`] counts them against the ACPI timer or, where
//! there is none, the programmable interval timer. The counters of all CPUs are taken to run together,
//! as they do on every machine with a steady counter.

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};

use boot::{BootInfo, InterruptController};

use super::clock_source::{ClockSource, Rates};
use super::record::{PerCpu, this_cpu};
use super::{apic, irq};
use crate::irq_lock::without_interrupts;

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// What the counter showed when time began.
static START: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds per tick of the counter, as a fixed-point number.
static NANOSECONDS_PER_TICK: AtomicU64 = AtomicU64::new(1 << FRACTION_BITS);

/// Ticks of the APIC timer per nanosecond, as a fixed-point number.
static TIMER_TICKS_PER_NANOSECOND: AtomicU64 = AtomicU64::new(0);

const FRACTION_BITS: u32 = 32;

/// A rate that is assumed where nothing can be measured.
const ASSUMED_HERTZ: u64 = 1_000_000_000;

/// Measures the rates, and starts the clock. Called once, on the boot CPU, after `irq::init`.
pub fn init(info: &BootInfo) {
    let port = match &info.interrupt_controller {
        InterruptController::Apic(apic) => apic.timer_port,
        InterruptController::GicV2 { .. } | InterruptController::GicV3 { .. } => None,
    };
    let measured =
        without_interrupts(|| ClockSource::find(port).and_then(|source| source.measure()));
    let rates = measured.unwrap_or(Rates {
        counter: ASSUMED_HERTZ,
        timer: ASSUMED_HERTZ,
    });
    NANOSECONDS_PER_TICK.store(
        fraction(NANOSECONDS_PER_SECOND, rates.counter),
        Ordering::Relaxed,
    );
    TIMER_TICKS_PER_NANOSECOND.store(
        fraction(rates.timer, NANOSECONDS_PER_SECOND),
        Ordering::Relaxed,
    );
    START.store(ticks(), Ordering::Relaxed);
}

/// `numerator / denominator` as a fixed-point number.
fn fraction(numerator: u64, denominator: u64) -> u64 {
    let wide = (u128::from(numerator) << FRACTION_BITS) / u128::from(denominator.max(1));
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// `value` times the fixed-point number `factor`.
#[inline]
fn scale(value: u64, factor: u64) -> u64 {
    ((u128::from(value) * u128::from(factor)) >> FRACTION_BITS) as u64
}

/// Makes the timer of this CPU ready. Called on every CPU, after [`irq::init_cpu`].
pub fn init_cpu() {
    set_deadline(None);
}

/// The time since [`init`] in nanoseconds. It never goes backwards.
#[inline]
pub fn now() -> u64 {
    let elapsed = ticks().saturating_sub(START.load(Ordering::Relaxed));
    scale(elapsed, NANOSECONDS_PER_TICK.load(Ordering::Relaxed))
}

/// The counter behind [`now`], in ticks of its own rate.
#[inline]
pub fn ticks() -> u64 {
    // SAFETY:
    // 1. Every 64-bit CPU has the instruction, and CR4.TSD, which could forbid it to programs, does not
    //    concern the kernel.
    unsafe { _rdtsc() }
}

/// The counter with its bits mixed (the finaliser of SplitMix64).
pub(super) fn mixed_counter() -> u64 {
    let mut value = ticks();
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// Asks for a tick on this CPU at `time` ([`now`]'s nanoseconds), or for none. One that lies in the past
/// comes at once.
pub fn set_deadline(time: Option<u64>) {
    without_interrupts(|| {
        let deadline = &this_cpu().deadline;
        match time {
            Some(time) => {
                deadline.store(time, Ordering::Relaxed);
                arm(time);
            }
            None => {
                deadline.store(u64::MAX, Ordering::Relaxed);
                apic::stop_timer();
            }
        }
    });
}

/// Whether the deadline of this CPU, whose record is `record`, has passed; it is over then.
///
/// The timer cannot count as far as the clock, so it may ring early and is wound up again.
pub(super) fn has_expired(record: &PerCpu) -> bool {
    let deadline = record.deadline.load(Ordering::Relaxed);
    if deadline == u64::MAX {
        return false;
    }
    if now() < deadline {
        arm(deadline);
        return false;
    }
    record.deadline.store(u64::MAX, Ordering::Relaxed);
    true
}

/// Sets the timer to ring at `time`, or as late before it as it can count.
fn arm(time: u64) {
    let left = time.saturating_sub(now());
    let factor = TIMER_TICKS_PER_NANOSECOND.load(Ordering::Relaxed);
    let ticks = u32::try_from(scale(left, factor).saturating_add(1)).unwrap_or(u32::MAX);
    apic::start_timer(ticks, irq::TIMER_VECTOR);
}

/// Waits for `nanoseconds`, doing nothing.
pub(super) fn pause(nanoseconds: u64) {
    let end = now().saturating_add(nanoseconds);
    while now() < end {
        core::hint::spin_loop();
    }
}
