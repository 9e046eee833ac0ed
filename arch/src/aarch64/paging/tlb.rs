//! Making CPUs forget translations (Arm ARM D8.16). The hardware tells the other CPUs.

use core::arch::asm;

use vm::addr::{PAGE_SHIFT, VirtAddr};
use vm::counters::Event;
use vm::mmu::{Stale, StaleRange};

use super::super::cpu;
use super::asid::Asid;

/// From this many pages on it is cheaper to forget the whole address space.
const MANY_PAGES: usize = 64;

/// A `tlbi` instruction with an operand, or without.
macro_rules! tlbi {
    ($operation:literal, $operand:expr) => {
        // SAFETY:
        // 1. Forgetting translations makes CPUs walk the tables again, which is always right.
        unsafe {
            asm!(
                concat!("tlbi ", $operation, ", {}"),
                in(reg) $operand,
                options(nostack, preserves_flags),
            )
        }
    };
    ($operation:literal) => {
        // SAFETY:
        // 1. Forgetting translations makes CPUs walk the tables again, which is always right.
        unsafe { asm!(concat!("tlbi ", $operation), options(nostack, preserves_flags)) }
    };
}

/// Makes all CPUs forget what is `stale` of the address space that `asid` belongs to.
pub(super) fn forget(asid: &Asid, stale: Stale<'_>) {
    // Whoever never used the tables remembers nothing of them.
    let Some(identifier) = asid.identifier() else {
        return;
    };
    let tag = u64::from(identifier) << 48;
    publish_tables();
    match counted(few(stale.ranges)) {
        None => tlbi!("aside1is", tag),
        Some(ranges) if stale.has_tables => {
            for_each_page(ranges, |page| tlbi!("vae1is", tag | page));
        }
        Some(ranges) => for_each_page(ranges, |page| tlbi!("vale1is", tag | page)),
    }
    wait();
}

/// Makes all CPUs forget what is `stale` of the kernel's half.
pub(super) fn forget_kernel(stale: Stale<'_>) {
    publish_tables();
    match counted(few(stale.ranges)) {
        None => tlbi!("vmalle1is"),
        Some(ranges) if stale.has_tables => {
            for_each_page(ranges, |page| tlbi!("vaae1is", page));
        }
        Some(ranges) => for_each_page(ranges, |page| tlbi!("vaale1is", page)),
    }
    wait();
}

/// Makes all CPUs forget one page of the address space that `asid` belongs to.
pub(super) fn forget_page(asid: &Asid, address: VirtAddr) {
    let Some(identifier) = asid.identifier() else {
        return;
    };
    count(Event::FlushPages);
    publish_tables();
    tlbi!(
        "vale1is",
        u64::from(identifier) << 48 | page_operand(address)
    );
    wait();
}

/// Makes all CPUs forget one page of the kernel's half.
pub(super) fn forget_kernel_page(address: VirtAddr) {
    count(Event::FlushPages);
    publish_tables();
    tlbi!("vaale1is", page_operand(address));
    wait();
}

/// Makes all CPUs forget everything about the address space that `asid` belongs to.
pub(super) fn forget_space(asid: &Asid) {
    forget(
        asid,
        Stale {
            ranges: None,
            has_tables: true,
        },
    );
}

/// Makes all CPUs forget everything.
pub(super) fn forget_everything() {
    count(Event::FlushSpace);
    publish_tables();
    tlbi!("vmalle1is");
    wait();
}

/// Counts a flush of these ranges, or of everything.
#[inline]
fn counted(ranges: Option<&[StaleRange]>) -> Option<&[StaleRange]> {
    count(match ranges {
        Some(_) => Event::FlushPages,
        None => Event::FlushSpace,
    });
    ranges
}

/// Counts a flush, which the hardware tells all CPUs.
#[inline]
fn count(event: Event) {
    let counters = &cpu::local().counters;
    counters.count(event);
    counters.count(Event::ShootdownBroadcast);
}

/// The ranges, if they are few pages.
fn few(ranges: Option<&[StaleRange]>) -> Option<&[StaleRange]> {
    let pages = |ranges: &[StaleRange]| ranges.iter().map(StaleRange::count).sum::<usize>();
    ranges.filter(|ranges| pages(ranges) < MANY_PAGES)
}

/// Any address of a large page stands for all of it.
fn for_each_page(ranges: &[StaleRange], mut forget: impl FnMut(u64)) {
    for address in ranges.iter().copied().flat_map(StaleRange::into_addresses) {
        forget(page_operand(address));
    }
}

/// Bits 55 to 12 of the address, from bit 0 on.
fn page_operand(address: VirtAddr) -> u64 {
    (address.raw() as u64 >> PAGE_SHIFT) & ((1 << 44) - 1)
}

/// What was written to tables is seen by every walk from here on.
fn publish_tables() {
    // SAFETY:
    // 1. A barrier touches nothing.
    unsafe { asm!("dsb ishst", options(nostack, preserves_flags)) };
}

/// Waits until every CPU has forgotten, and has finished what it began with what it knew.
fn wait() {
    // SAFETY:
    // 1. Barriers touch nothing.
    unsafe { asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
}
