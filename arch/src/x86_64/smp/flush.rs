//! Having other CPUs forget translations.
//!
//! Each CPU has one [`FlushRequest`] of its own. To use it, it fills in what is stale, names itself to
//! each target ([`PerCpu::flush_callers`]), interrupts them, and waits until all of them have answered:
//!
//! ```text
//!   caller                                   target
//!   fill in, pending = targets
//!   target.flush_callers += caller  ──IPI──► take flush_callers
//!   wait for pending == 0                    invalidate what each caller's request says
//!                                  ◄──────── caller.pending -= target
//! ```
//!
//! CPUs that sleep are not woken: they forget everything when they wake ([`super::sleep`]).
//!
//! No lock is involved, so any number of CPUs may ask at once. One that waits goes on answering:
//! through its interrupts or, if they are off, by looking.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use vm::addr::{PageCount, VirtAddr, VirtRange};
use vm::counters::Event;
use vm::cpu::{CpuId, CpuSet};
use vm::mmu::{PageSize, StaleRange};

use crate::machine::paging::tlb::{self, Scope};
use crate::machine::record::{PerCpu, this_cpu};
use crate::machine::{apic, cpu, irq};

/// The most ranges that are passed on; more of them mean everything.
const RANGES: usize = 8;

/// What a CPU asks others to forget.
///
/// Written by its CPU while `pending` is zero, read by the CPUs in `pending`.
#[derive(Debug)]
pub(in crate::machine) struct FlushRequest {
    /// The CPUs that have not answered yet, one bit each.
    pending: AtomicU32,
    is_kernel: AtomicU32,
    /// How many ranges are meant; more than there is room for: everything.
    count: AtomicUsize,
    bases: [AtomicUsize; RANGES],
    pages: [AtomicUsize; RANGES],
    /// The size of page in each range: its place in [`SIZES`].
    sizes: [AtomicUsize; RANGES],
}

/// The sizes of page in their order.
const SIZES: [PageSize; 3] = [PageSize::Base, PageSize::Large, PageSize::Huge];

impl FlushRequest {
    pub(in crate::machine) const fn new() -> Self {
        Self {
            pending: AtomicU32::new(0),
            is_kernel: AtomicU32::new(0),
            count: AtomicUsize::new(0),
            bases: [const { AtomicUsize::new(0) }; RANGES],
            pages: [const { AtomicUsize::new(0) }; RANGES],
            sizes: [const { AtomicUsize::new(0) }; RANGES],
        }
    }

    /// Fills in what is stale: some ranges, or everything.
    fn fill_in(&self, scope: Scope, ranges: Option<&[StaleRange]>) {
        self.is_kernel
            .store(u32::from(scope == Scope::Kernel), Ordering::Relaxed);
        let ranges = ranges.filter(|ranges| ranges.len() <= RANGES);
        self.count.store(
            ranges.map_or(RANGES + 1, <[StaleRange]>::len),
            Ordering::Relaxed,
        );
        for (index, stale) in ranges.unwrap_or_default().iter().enumerate() {
            let StaleRange { range, size } = *stale;
            self.bases[index].store(range.base().raw(), Ordering::Relaxed);
            self.pages[index].store(range.pages().get(), Ordering::Relaxed);
            self.sizes[index].store(size as usize, Ordering::Relaxed);
        }
    }

    /// Does on this CPU what the request asks for.
    fn perform(&self) {
        let is_kernel = self.is_kernel.load(Ordering::Relaxed) != 0;
        let scope = if is_kernel {
            Scope::Kernel
        } else {
            Scope::User
        };
        let count = self.count.load(Ordering::Relaxed);
        if count > RANGES {
            return tlb::forget_everything(scope);
        }
        let range = |index: usize| {
            let base = VirtAddr::new(self.bases[index].load(Ordering::Relaxed));
            let pages = PageCount::new(self.pages[index].load(Ordering::Relaxed));
            let size = SIZES[self.sizes[index].load(Ordering::Relaxed) % SIZES.len()];
            VirtRange::new(base, pages).map(|range| StaleRange { range, size })
        };
        tlb::forget((0..count).filter_map(range));
    }
}

/// Makes the CPUs in `targets`, without the caller, forget `ranges` of `scope`, or everything of it.
///
/// When it returns none of them uses the old translations. The caller stays on its CPU meanwhile, because
/// the kernel does not preempt itself.
pub(in crate::machine) fn on_others(targets: CpuSet, scope: Scope, ranges: Option<&[StaleRange]>) {
    let record = this_cpu();
    let me = record.id();
    let others = targets.without(me);
    if others.is_empty() {
        return;
    }
    let is_awake = |target: &CpuId| !PerCpu::of(*target).sleep.make_stale();
    let targets = others.iter().filter(is_awake);
    let targets = targets.fold(CpuSet::EMPTY, CpuSet::with);
    let asleep = others.len() - targets.len();
    if asleep != 0 {
        record.counters.add(Event::ShootdownAsleep, asleep as u64);
    }
    if targets.is_empty() {
        return;
    }
    record.counters.count(Event::ShootdownSent);
    record
        .counters
        .add(Event::ShootdownCpu, targets.len() as u64);
    record.flush.fill_in(scope, ranges);
    let bits = targets.iter().fold(0, |bits, target| bits | bit(target));
    record.flush.pending.store(bits, Ordering::Release);
    for target in targets.iter() {
        let target = PerCpu::of(target);
        target.flush_callers.fetch_or(bit(me), Ordering::AcqRel);
        apic::send(
            target.hardware_id(),
            apic::Message::Interrupt(irq::MESSAGE_VECTOR),
        );
    }
    while record.flush.pending.load(Ordering::Acquire) != 0 {
        if !cpu::interrupts_enabled() {
            answer(record);
        }
        core::hint::spin_loop();
    }
}

/// Does what other CPUs ask of this one, whose record is `record`.
pub(super) fn answer(record: &PerCpu) {
    let callers = record.flush_callers.swap(0, Ordering::AcqRel);
    let me = bit(record.id());
    for caller in (0..u32::BITS as usize).filter_map(CpuId::new) {
        if callers & bit(caller) != 0 {
            let request = &PerCpu::of(caller).flush;
            request.perform();
            request.pending.fetch_and(!me, Ordering::Release);
        }
    }
}

const fn bit(cpu: CpuId) -> u32 {
    1 << cpu.index()
}
