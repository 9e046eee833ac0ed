//! Clearing and copying whole pages, and how the direct map shows them.
//!
//! Sixteen bytes at a time go through `xmm0`, half as many instructions as with general registers. The
//! kernel has no other use for vector registers, so what is in `xmm0` belongs to the program whose thread
//! runs: it is saved here and restored, and nothing switches threads in between.

use core::arch::asm;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use vm::addr::PAGE_SIZE;
use vm::pages::PageOperations;

use super::paging::direct_map;

/// The quickest way that this CPU has.
///
/// For CPUs that have been through [`trap::init_early`](super::trap::init_early) or its like, which
/// turns SSE on.
pub fn operations() -> PageOperations {
    PageOperations {
        zero,
        copy,
        direct_map: direct_map::OPERATIONS,
    }
}

/// Bytes per round of a loop.
const ROUND: usize = PAGE_SIZE / 4;

/// Room for `xmm0`.
#[repr(align(16))]
struct Saved(#[expect(dead_code, reason = "only the assembly uses it")] [u8; 16]);

/// # Safety
/// As [`PageOperations::zero`].
unsafe fn zero(page: NonNull<u8>) {
    let mut saved = MaybeUninit::<Saved>::uninit();
    // SAFETY:
    // 1. The stores are to the page, which the caller grants, and to `saved`.
    // 2. `xmm0` holds at the end what it held at the beginning. Interrupt handlers do not use it, and the
    //    kernel is not preempted.
    unsafe {
        asm!(
            "movaps [{saved}], xmm0",
            "xorps xmm0, xmm0",
            "2:",
            ".set page_offset, 0",
            ".rept {round} / 16",
            "movaps [{page} + page_offset], xmm0",
            ".set page_offset, page_offset + 16",
            ".endr",
            "add {page}, {round}",
            "cmp {page}, {end}",
            "jne 2b",
            "movaps xmm0, [{saved}]",
            saved = in(reg) saved.as_mut_ptr(),
            page = inout(reg) page.as_ptr() => _,
            end = in(reg) page.as_ptr().wrapping_add(PAGE_SIZE),
            round = const ROUND,
            options(nostack),
        );
    }
}

/// # Safety
/// As [`PageOperations::copy`].
unsafe fn copy(from: NonNull<u8>, to: NonNull<u8>) {
    let mut saved = MaybeUninit::<Saved>::uninit();
    // SAFETY:
    // 1. The loads are from one page and the stores to another, which the caller grants, and to `saved`.
    // 2. `xmm0` holds at the end what it held at the beginning; see `zero`.
    unsafe {
        asm!(
            "movaps [{saved}], xmm0",
            "2:",
            ".set page_offset, 0",
            ".rept {round} / 16",
            "movaps xmm0, [{from} + page_offset]",
            "movaps [{to} + page_offset], xmm0",
            ".set page_offset, page_offset + 16",
            ".endr",
            "add {from}, {round}",
            "add {to}, {round}",
            "cmp {to}, {end}",
            "jne 2b",
            "movaps xmm0, [{saved}]",
            saved = in(reg) saved.as_mut_ptr(),
            from = inout(reg) from.as_ptr() => _,
            to = inout(reg) to.as_ptr() => _,
            end = in(reg) to.as_ptr().wrapping_add(PAGE_SIZE),
            round = const ROUND,
            options(nostack),
        );
    }
}
