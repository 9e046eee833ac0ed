//! The generic timer (Arm ARM D11): a counter that all CPUs share, and one alarm per CPU.
//!
//! The virtual timer is used, because EL2 leaves it to us. Times are in nanoseconds since [`init`].

use core::sync::atomic::{AtomicU64, Ordering};

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{
    CNTFRQ_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0, CNTVCT_EL0, Readable, Writeable,
};
use boot::BootInfo;

use super::irq;

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// Both factors are fixed-point numbers with this many bits behind the point.
const FRACTION_BITS: u32 = 32;

/// The counter's value when the clock began.
static START: AtomicU64 = AtomicU64::new(0);
static NANOSECONDS_PER_TICK: AtomicU64 = AtomicU64::new(0);
static TICKS_PER_NANOSECOND: AtomicU64 = AtomicU64::new(0);

/// Starts the clock at zero. Once, on the boot CPU, after [`irq::init`].
pub fn init(info: &BootInfo) {
    // Firmware that leaves the frequency zero breaks every system; 62.5 MHz is QEMU's.
    let frequency = match CNTFRQ_EL0.get() {
        0 => 62_500_000,
        frequency => frequency,
    };
    let ratio = |above: u64, below: u64| {
        let value = (u128::from(above) << FRACTION_BITS) / u128::from(below);
        u64::try_from(value).unwrap_or(u64::MAX)
    };
    NANOSECONDS_PER_TICK.store(ratio(NANOSECONDS_PER_SECOND, frequency), Ordering::Relaxed);
    TICKS_PER_NANOSECOND.store(ratio(frequency, NANOSECONDS_PER_SECOND), Ordering::Relaxed);
    START.store(ticks(), Ordering::Relaxed);
    irq::set_timer_line(info.timer_line);
}

/// Sets up the alarm of this CPU: off, its interrupt enabled. Called on every CPU.
pub fn init_cpu() {
    set_deadline(None);
    irq::enable_timer();
}

/// The counter that all CPUs share. It counts at `CNTFRQ_EL0`, and never backwards.
#[inline]
pub fn ticks() -> u64 {
    // Without the barrier the counter may be read earlier than what comes before in the program.
    barrier::isb(barrier::SY);
    CNTVCT_EL0.get()
}

/// Nanoseconds since [`init`].
#[inline]
pub fn now() -> u64 {
    let elapsed = ticks().wrapping_sub(START.load(Ordering::Relaxed));
    scale(elapsed, NANOSECONDS_PER_TICK.load(Ordering::Relaxed))
}

/// Has this CPU interrupted once when [`now`] reaches `deadline`, at once if it has; never for `None`. The
/// deadline before is forgotten.
pub fn set_deadline(deadline: Option<u64>) {
    const ENABLE: u64 = 1;
    let Some(deadline) = deadline else {
        CNTV_CTL_EL0.set(0);
        barrier::isb(barrier::SY);
        return;
    };
    // One more, so that it is not early by a rounded-off part of a tick.
    let elapsed = scale(deadline, TICKS_PER_NANOSECOND.load(Ordering::Relaxed)).saturating_add(1);
    // The hardware compares signed differences, so "never" has to stay within half of the range.
    let elapsed = elapsed.min(u64::MAX / 4);
    CNTV_CVAL_EL0.set(START.load(Ordering::Relaxed).wrapping_add(elapsed));
    CNTV_CTL_EL0.set(ENABLE);
    barrier::isb(barrier::SY);
}

/// The counter with its bits well spread (the finalizer of SplitMix64).
pub(super) fn mixed_counter() -> u64 {
    let mut value = ticks().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn scale(value: u64, factor: u64) -> u64 {
    let product = (u128::from(value) * u128::from(factor)) >> FRACTION_BITS;
    u64::try_from(product).unwrap_or(u64::MAX)
}
