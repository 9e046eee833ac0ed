//! Translations that CPUs remember, and making them forget.
//!
//! Intel SDM 3A, 4.10.4 "Invalidation of TLBs and Paging-Structure Caches". Address spaces are not
//! tagged: loading another root forgets everything but global translations, which are the kernel's.

use core::sync::atomic::{Ordering, fence};

use vm::addr::PhysAddr;
use vm::counters::Event;
use vm::cpu::{CpuId, CpuSet};
use vm::mmu::{Stale, StaleRange};
use x86_64::instructions::tlb;
use x86_64::registers::control::{Cr3, Cr4, Cr4Flags};

use crate::machine::features::{Features, features};
use crate::machine::record::{PerCpu, this_cpu};
use crate::machine::{cpu, smp};

/// From this many pages on it is cheaper to forget everything.
const SINGLE_PAGES: usize = 64;

/// Whose translations are meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::machine) enum Scope {
    /// Those of programs, under the root that is active.
    User,
    /// Those of the kernel, which are the same under every root.
    Kernel,
}

/// Makes every CPU that may remember something of `stale` forget it. `root` is that of the tables.
pub(super) fn invalidate(scope: Scope, root: PhysAddr, stale: Stale<'_>) {
    // Entries were changed before, and who uses the tables is read after: a CPU that is not seen using
    // them here sees the changes when it begins.
    fence(Ordering::SeqCst);
    let targets = match scope {
        Scope::Kernel => CpuSet::first(cpu::count()),
        Scope::User => users_of(root),
    };
    let ranges = few(stale.ranges);
    if !targets.is_empty() {
        this_cpu().counters.count(match ranges {
            Some(_) => Event::FlushPages,
            None => Event::FlushSpace,
        });
    }
    if targets.contains(this_cpu().id()) {
        match ranges {
            Some(ranges) => forget(ranges.iter().copied()),
            None => forget_everything(scope),
        }
    }
    smp::flush::on_others(targets, scope, ranges);
}

/// The ranges, if they are few pages.
fn few(ranges: Option<&[StaleRange]>) -> Option<&[StaleRange]> {
    let pages = |ranges: &[StaleRange]| {
        ranges
            .iter()
            .fold(0usize, |sum, range| sum.saturating_add(range.count()))
    };
    ranges.filter(|ranges| pages(ranges) <= SINGLE_PAGES)
}

/// The CPUs on which `root` is active or about to be.
fn users_of(root: PhysAddr) -> CpuSet {
    let uses = |cpu: &CpuId| {
        let record = PerCpu::of(*cpu);
        // In this order: what is about to be active becomes active before it stops to be about to.
        record.next_root.load(Ordering::SeqCst) == root.raw()
            || record.active_root.load(Ordering::SeqCst) == root.raw()
    };
    let running = (0..cpu::count()).filter_map(CpuId::new);
    running.filter(uses).fold(CpuSet::EMPTY, CpuSet::with)
}

/// Makes this CPU forget `ranges`, and all it remembers of upper levels. Any address of a large page stands
/// for all of it (4.10.4.1).
pub(in crate::machine) fn forget(ranges: impl Iterator<Item = StaleRange>) {
    for address in ranges.flat_map(StaleRange::into_addresses) {
        tlb::flush(x86_64::VirtAddr::new_truncate(address.raw() as u64));
    }
}

/// Makes this CPU forget everything of `scope`.
pub(in crate::machine) fn forget_everything(scope: Scope) {
    if scope == Scope::Kernel && features().contains(Features::GLOBAL_PAGES) {
        // Turning global pages off and on forgets all translations (4.10.4.1).
        let flags = Cr4::read();
        // SAFETY:
        // 1. Both values are valid; the first only makes global translations ordinary ones for a moment.
        unsafe {
            Cr4::write(flags - Cr4Flags::PAGE_GLOBAL);
            Cr4::write(flags);
        }
        return;
    }
    let (frame, flags) = Cr3::read();
    // SAFETY:
    // 1. The root stays the same.
    unsafe { Cr3::write(frame, flags) };
}
