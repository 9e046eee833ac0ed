//! Clearing and copying whole pages, and how the direct map shows them.

use core::arch::asm;
use core::ptr::NonNull;

use vm::addr::PAGE_SIZE;
use vm::pages::PageOperations;

use super::paging::direct_map;

/// The quickest way that this CPU has.
pub fn operations() -> PageOperations {
    let zero = if zeroes_blocks_of_64() {
        zero
    } else {
        PageOperations::PORTABLE.zero
    };
    PageOperations {
        zero,
        direct_map: direct_map::OPERATIONS,
        ..PageOperations::PORTABLE
    }
}

/// Whether `dc zva` is allowed and clears 64 bytes (`DCZID_EL0`; Arm ARM D19.2.35).
fn zeroes_blocks_of_64() -> bool {
    /// DZP and BS: not prohibited, and a block of 2^4 words of 4 bytes.
    const FIELDS: u64 = 0b11111;
    const ALLOWED_64_BYTES: u64 = 4;
    let identifier: u64;
    // SAFETY:
    // 1. Reads one register and nothing else.
    unsafe {
        asm!(
            "mrs {}, dczid_el0",
            out(reg) identifier,
            options(nomem, nostack, preserves_flags),
        );
    }
    identifier & FIELDS == ALLOWED_64_BYTES
}

/// Bytes per round of the loop.
const ROUND: usize = PAGE_SIZE / 4;

/// # Safety
/// As [`PageOperations::zero`], on a CPU of which [`zeroes_blocks_of_64`] holds.
unsafe fn zero(page: NonNull<u8>) {
    // SAFETY:
    // 1. The page, which the caller grants, is as many blocks of 64 bytes, and ordinary memory in the
    //    direct map.
    unsafe {
        asm!(
            "2:",
            ".rept {round} / 64",
            "dc zva, {page}",
            "add {page}, {page}, #64",
            ".endr",
            "cmp {page}, {end}",
            "b.ne 2b",
            page = inout(reg) page.as_ptr() => _,
            end = in(reg) page.as_ptr().wrapping_add(PAGE_SIZE),
            round = const ROUND,
            options(nostack),
        );
    }
}
