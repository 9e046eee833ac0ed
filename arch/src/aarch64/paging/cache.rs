//! Instruction fetches see what was written (Arm ARM D7.5.9).

use core::arch::asm;

use boot::PHYSMAP_BASE;
use vm::addr::PhysAddr;
use vm::mmu::PageSize;

/// Makes the contents of a page, as the data caches have them, what is fetched and executed.
///
/// Done when a page is mapped executable. Whoever changes code after that does the same by itself: programs
/// may use these instructions too.
pub(super) fn make_executable(address: PhysAddr, size: PageSize) {
    // CTR_EL0.IDC and DIC: the caches do it by themselves.
    const COHERENT: u64 = 0b11 << 28;
    let geometry: u64;
    // SAFETY:
    // 1. Reads one register and nothing else.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) geometry, options(nomem, nostack, preserves_flags)) };
    if geometry & COHERENT == COHERENT {
        return;
    }
    // CTR_EL0.DminLine: the logarithm of the number of words in the smallest line.
    let line = 4usize << ((geometry >> 16) & 0xf);
    let start = PHYSMAP_BASE.raw() + address.raw();
    for line in (start..start + size.bytes()).step_by(line) {
        // SAFETY:
        // 1. Cleaning a line changes no contents; the direct map shows all memory that is mapped cached.
        unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY:
    // 1. Forgetting instructions makes CPUs fetch them again, which is always right.
    unsafe {
        asm!(
            "dsb ish",
            "ic ialluis",
            "dsb ish",
            "isb",
            options(nostack, preserves_flags)
        )
    };
}
