//! This CPU: who it is, its own record, its interrupts.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use aarch64_cpu::registers::{
    CNTKCTL_EL1, CPACR_EL1, MDSCR_EL1, Readable, SCTLR_EL1, TPIDR_EL1, TPIDRRO_EL0, Writeable,
};
use vm::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use vm::counters::Counters;
use vm::cpu::{CpuId, MAX_CPUS};

use super::features as detection;
pub use super::features::{Features, features};
use super::trap;
pub use crate::irq_lock::{InterruptsOff, IrqLock, without_interrupts};
use crate::requests::Mailbox;

/// The architecture's name, as in `ARCH=`.
pub const ARCHITECTURE: &str = "aarch64";

/// `e_machine` of the ELF files that this CPU executes (`EM_AARCH64`).
pub const ELF_MACHINE: u16 = 183;

/// What belongs to one CPU. `TPIDR_EL1` points to it.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct PerCpu {
    /// Set by [`init`]; zero before, so that the records need no room in the image.
    index: AtomicU8,
    /// A word for the kernel, such as a pointer to the current thread.
    pub kernel_slot: AtomicUsize,
    /// A flag for the kernel, such as that the current thread shall come to a safe point.
    pub kernel_flag: AtomicBool,
    kernel_stack: AtomicUsize,
    has_emergency: AtomicBool,
    pub(super) mailbox: Mailbox,
    /// What it has done in memory management.
    pub counters: Counters,
}

/// The second time that a CPU has no stack.
#[derive(Debug)]
pub(super) struct AlreadyInEmergency;

impl PerCpu {
    const fn new() -> Self {
        Self {
            index: AtomicU8::new(0),
            kernel_slot: AtomicUsize::new(0),
            kernel_flag: AtomicBool::new(false),
            kernel_stack: AtomicUsize::new(0),
            has_emergency: AtomicBool::new(false),
            mailbox: Mailbox::new(),
            counters: Counters::new(),
        }
    }

    /// Which CPU this is the record of.
    #[inline]
    pub fn id(&self) -> CpuId {
        let index = usize::from(self.index.load(Ordering::Relaxed));
        CpuId::new(index).unwrap_or(CpuId::BOOT)
    }

    /// Where the stack of the current thread begins when it comes from user mode.
    #[inline]
    pub(super) fn kernel_stack(&self) -> VirtAddr {
        VirtAddr::new(self.kernel_stack.load(Ordering::Relaxed))
    }

    /// Notes that the emergency stack is in use.
    pub(super) fn enter_emergency(&self) -> Result<(), AlreadyInEmergency> {
        if self.has_emergency.swap(true, Ordering::Relaxed) {
            return Err(AlreadyInEmergency);
        }
        Ok(())
    }
}

const EMERGENCY_STACK_BYTES: usize = 7 * PAGE_SIZE;

/// A CPU's record, with the emergency stack growing down from it towards a guard page. `vectors.s` takes
/// the record's address as the top of that stack.
#[repr(C, align(4096))]
struct CpuArea {
    guard: [u8; PAGE_SIZE],
    emergency_stack: UnsafeCell<[u8; EMERGENCY_STACK_BYTES]>,
    record: PerCpu,
}

// SAFETY:
// 1. Rust code never touches the cell; only its CPU writes there, as a stack.
unsafe impl Sync for CpuArea {}

static AREAS: [CpuArea; MAX_CPUS] = [const { CpuArea::new() }; MAX_CPUS];

impl CpuArea {
    const fn new() -> Self {
        Self {
            guard: [0; PAGE_SIZE],
            emergency_stack: UnsafeCell::new([0; EMERGENCY_STACK_BYTES]),
            record: PerCpu::new(),
        }
    }
}

/// The pages under the stacks on which this machine reports that another stack ran over.
pub fn guard_pages() -> impl Iterator<Item = VirtRange> {
    AREAS.iter().filter_map(|area| {
        let base = VirtAddr::new((&raw const area.guard).addr());
        VirtRange::new(base, PageCount::new(1))
    })
}

/// Sets this CPU up as `cpu`: its record, its vectors, and what programs may do.
///
/// Its threads come from user mode to `kernel_stack_top` until
/// [`set_kernel_stack`] says otherwise.
pub fn init(cpu: CpuId, kernel_stack_top: VirtAddr) {
    let record = record(cpu);
    record.index.store(cpu.index() as u8, Ordering::Relaxed);
    TPIDR_EL1.set((&raw const *record).addr() as u64);
    TPIDRRO_EL0.set(0);
    set_kernel_stack(kernel_stack_top);
    trap::install_vectors();
    let found = detection::detect();
    SCTLR_EL1.set(SCTLR_EL1.get() & !SCTLR_OFF | SCTLR_ON | extra_control(found));
    // Programs may use SIMD (FPEN), but not SVE; the kernel uses neither.
    CPACR_EL1.set(0b11 << 20);
    // Programs may read the virtual counter (EL0VCTEN), and touch no timer.
    CNTKCTL_EL1.set(1 << 1);
    MDSCR_EL1.set(0);
    detection::set_privileged_access_never(found);
    // SAFETY:
    // 1. The barrier only makes the above take effect.
    unsafe { asm!("isb", options(nostack, preserves_flags)) };
}

/// `SCTLR_EL1` (Arm ARM D19.2.131): stack alignment is checked at both levels (SA, SA0); programs may
/// clean caches, read their geometry, zero lines and wait (UCI, UCT, DZE, nTWE, nTWI).
const SCTLR_ON: u64 = 1 << 3 | 1 << 4 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 26;

/// Unaligned accesses are fine (A), writable pages may be executable for programs (WXN), exceptions set PAN
/// (SPAN), data are little endian (E0E, EE).
const SCTLR_OFF: u64 = 1 << 1 | 1 << 19 | 1 << 23 | 1 << 24 | 1 << 25;

/// Execute-only pages of programs count as their pages for PAN too (EPAN).
fn extra_control(found: Features) -> u64 {
    if found.contains(Features::EPAN) {
        1 << 57
    } else {
        0
    }
}

/// The record of `cpu`.
#[inline]
pub fn record(cpu: CpuId) -> &'static PerCpu {
    &AREAS[cpu.index()].record
}

/// The counters of every CPU that runs.
pub fn counters() -> impl Iterator<Item = (CpuId, &'static Counters)> {
    super::smp::online()
        .iter()
        .map(|cpu| (cpu, &record(cpu).counters))
}

/// This CPU's record.
#[inline]
pub fn local() -> &'static PerCpu {
    let record = core::ptr::with_exposed_provenance::<PerCpu>(TPIDR_EL1.get() as usize);
    // SAFETY:
    // 1. `init` runs before anything else of this crate on each CPU, and points the register to a static
    //    record, of which there are only shared references.
    unsafe { &*record }
}

/// Which CPU this is. It may be another one right after, unless interrupts are off.
#[inline]
pub fn current() -> CpuId {
    local().id()
}

/// The bits of a physical address (Arm ARM, `ID_AA64MMFR0_EL1.PARange`), up to what descriptors have.
pub fn physical_bits() -> u32 {
    detection::physical_bits()
}

/// How many CPUs run.
pub fn count() -> usize {
    super::smp::online().len()
}

/// From here on, threads of this CPU come from user mode to the stack that ends at `top`.
#[inline]
pub fn set_kernel_stack(top: VirtAddr) {
    local().kernel_stack.store(top.raw(), Ordering::Relaxed);
}

/// Whether device interrupts reach this CPU (`PSTATE.I`; Arm ARM C5.2.2).
#[inline]
pub fn interrupts_enabled() -> bool {
    const MASKED: u64 = 1 << 7;
    let flags: u64;
    // SAFETY:
    // 1. Reads one register and nothing else. It is not `nomem`, so that memory accesses stay on their
    //    side of it.
    unsafe { asm!("mrs {}, daif", out(reg) flags, options(nostack, preserves_flags)) };
    flags & MASKED == 0
}

/// Lets device interrupts reach this CPU.
#[inline]
pub fn enable_interrupts() {
    // SAFETY:
    // 1. The vectors are installed before anything enables interrupts, and handlers restore all registers.
    unsafe { asm!("msr daifclr, #3", options(nostack, preserves_flags)) };
}

/// Keeps device interrupts from this CPU.
#[inline]
pub fn disable_interrupts() {
    // SAFETY:
    // 1. Masking interrupts changes nothing that the compiler relies on.
    unsafe { asm!("msr daifset, #3", options(nostack, preserves_flags)) };
}

/// Waits for an interrupt. To be called with interrupts off; returns with interrupts on.
///
/// An interrupt that came since they were turned off ends the wait at once (Arm ARM D1.6.2), so
/// whatever was checked before cannot be missed.
#[inline]
pub fn idle() {
    // SAFETY:
    // 1. Waiting touches nothing; masked interrupts wake the CPU too and are taken after.
    unsafe {
        asm!(
            "dsb sy",
            "wfi",
            "msr daifclr, #3",
            options(nostack, preserves_flags)
        )
    };
}

/// A random number from the CPU's generator, or from a counter mixed well where it has none.
///
/// The latter is hard to predict only as far as the time of the call is. `None` if the generator has
/// nothing to give at the moment.
pub fn random() -> Option<u64> {
    if features().contains(Features::RNDR) {
        return detection::random();
    }
    Some(super::timer::mixed_counter())
}

/// The frame pointer of the function that this is inlined into.
#[inline(always)]
pub fn frame_pointer() -> VirtAddr {
    let value: usize;
    // SAFETY:
    // 1. Reads one register and nothing else.
    unsafe { asm!("mov {}, x29", out(reg) value, options(nomem, nostack, preserves_flags)) };
    VirtAddr::new(value)
}
