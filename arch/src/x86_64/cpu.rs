//! This CPU: who it is, its own record, its interrupts.

use core::arch::asm;
use core::sync::atomic::{AtomicUsize, Ordering};

use vm::addr::{VirtAddr, VirtRange};
use vm::counters::Counters;
use vm::cpu::CpuId;
use x86_64::instructions::interrupts;

pub use super::features::{Features, features};
pub use super::record::PerCpu;
use super::record::{set_kernel_stack as note_kernel_stack, this_cpu};
use super::segments;
pub use crate::irq_lock::{InterruptsOff, IrqLock, without_interrupts};

/// The architecture's name, as in `ARCH=`.
pub const ARCHITECTURE: &str = "x86_64";

/// `e_machine` of the ELF files that this CPU executes (`EM_X86_64`).
pub const ELF_MACHINE: u16 = 62;

/// How many CPUs run.
static STARTED: AtomicUsize = AtomicUsize::new(1);

/// Which CPU this is. It may be another one right after, unless interrupts are off.
#[inline]
pub fn current() -> CpuId {
    this_cpu().id()
}

/// This CPU's own record.
#[inline]
pub fn local() -> &'static PerCpu {
    this_cpu()
}

/// The record of `cpu`.
#[inline]
pub fn record(cpu: CpuId) -> &'static PerCpu {
    PerCpu::of(cpu)
}

/// The bits of a physical address (SDM volume 3A, 4.1.4).
pub fn physical_bits() -> u32 {
    /// What every CPU with the paging that the kernel uses has.
    const LEAST: u32 = 36;
    let sizes = raw_cpuid::CpuId::new().get_processor_capacity_feature_info();
    sizes.map_or(LEAST, |sizes| u32::from(sizes.physical_address_bits()))
}

/// How many CPUs run; they have the numbers below.
pub fn count() -> usize {
    STARTED.load(Ordering::Acquire)
}

/// The counters of every CPU that runs.
pub fn counters() -> impl Iterator<Item = (CpuId, &'static Counters)> {
    (0..count())
        .filter_map(CpuId::new)
        .map(|cpu| (cpu, &PerCpu::of(cpu).counters))
}

/// The pages under the stacks on which this machine reports that another stack ran over.
pub fn guard_pages() -> impl Iterator<Item = VirtRange> {
    segments::guard_pages()
}

/// Counts one more CPU.
pub(super) fn note_started() {
    STARTED.fetch_add(1, Ordering::AcqRel);
}

/// From here on, threads of this CPU come from user mode to the stack that ends at `top`.
#[inline]
pub fn set_kernel_stack(top: VirtAddr) {
    note_kernel_stack(top);
}

/// Whether device interrupts reach this CPU.
#[inline]
pub fn interrupts_enabled() -> bool {
    interrupts::are_enabled()
}

/// Lets device interrupts reach this CPU.
#[inline]
pub fn enable_interrupts() {
    interrupts::enable();
}

/// Keeps device interrupts from this CPU.
#[inline]
pub fn disable_interrupts() {
    interrupts::disable();
}

/// Waits for an interrupt. To be called with interrupts off; returns with interrupts on.
///
/// `sti` takes effect after the next instruction (Intel SDM 2B), so an interrupt that came since they
/// were turned off ends the wait at once, and whatever was checked before cannot be missed.
#[inline]
pub fn idle() {
    let sleep = &this_cpu().sleep;
    sleep.fall_asleep();
    interrupts::enable_and_hlt();
    sleep.wake();
}

/// A random number from the CPU's generators, or from the time stamp counter, mixed, where it has none.
///
/// The latter is hard to predict only as far as the time of the call is. `None` if the generators have
/// nothing to give at the moment.
pub fn random() -> Option<u64> {
    /// Intel SDM 1, 7.3.17.1: a generator that works answers within ten tries.
    const TRIES: usize = 10;
    let generators = features() & (Features::RDSEED | Features::RDRAND);
    if generators.is_empty() {
        return Some(super::timer::mixed_counter());
    }
    (0..TRIES).find_map(|_| match generators.contains(Features::RDSEED) {
        true => seed().or_else(|| generators.contains(Features::RDRAND).then(draw)?),
        false => draw(),
    })
}

/// A number of the entropy source, for seeding others; `None` if it is exhausted. Needs RDSEED.
fn seed() -> Option<u64> {
    let mut value = 0;
    // SAFETY:
    // 1. The caller has checked that the CPU has the instruction.
    let is_valid = unsafe { core::arch::x86_64::_rdseed64_step(&mut value) };
    (is_valid == 1).then_some(value)
}

/// A number of the generator; `None` if it is exhausted. Needs RDRAND.
fn draw() -> Option<u64> {
    let mut value = 0;
    // SAFETY:
    // 1. The caller has checked that the CPU has the instruction.
    let is_valid = unsafe { core::arch::x86_64::_rdrand64_step(&mut value) };
    (is_valid == 1).then_some(value)
}

/// The frame pointer of the function that this is inlined into.
#[inline(always)]
pub fn frame_pointer() -> VirtAddr {
    let value: usize;
    // SAFETY:
    // 1. Reads one register and nothing else.
    unsafe { asm!("mov {}, rbp", out(reg) value, options(nomem, nostack, preserves_flags)) };
    VirtAddr::new(value)
}
