//! Caches of data and of instructions (Arm ARM D7.5).

use core::arch::asm;
use core::ptr::NonNull;

use boot::PHYSMAP_BASE;
use vm::addr::PhysAddr;
use vm::mmu::PageSize;
use vm::pages::CacheOp;

/// Does something to the line of the data caches with the address in a register.
macro_rules! data_cache {
    ($operation:literal, $first:expr, $len:expr) => {
        for line in lines($first, $len) {
            // SAFETY:
            // 1. The line is mapped: lines do not cross pages, and whoever calls promises the bytes.
            // 2. Neither cleaning a line nor invalidating it after that changes contents.
            unsafe {
                asm!(
                    concat!("dc ", $operation, ", {}"),
                    in(reg) line,
                    options(nostack, preserves_flags),
                )
            }
        }
    };
}

/// Makes the contents of a page, as the data caches have them, what is fetched and executed.
///
/// Done when a page is mapped executable. Whoever changes code after that does the same by itself: programs
/// may use these instructions too.
pub(super) fn make_executable(address: PhysAddr, size: PageSize) {
    let start = core::ptr::without_provenance_mut(PHYSMAP_BASE.raw() + address.raw());
    if let Some(start) = NonNull::new(start) {
        // SAFETY:
        // 1. The direct map shows all memory that is mapped cached.
        unsafe { maintain(start, size.bytes(), CacheOp::Sync) };
    }
}

/// Does `op` to so many bytes, in the caches of all CPUs, whatever the memory type of the addresses
/// (D7.5.9).
///
/// # Safety
/// The bytes are mapped.
pub(super) unsafe fn maintain(first: NonNull<u8>, len: usize, op: CacheOp) {
    match op {
        CacheOp::Sync if instructions_see_stores() => {}
        CacheOp::Sync => {
            data_cache!("cvau", first, len);
            forget_instructions();
        }
        CacheOp::Clean => {
            data_cache!("cvac", first, len);
            wait_for_memory();
        }
        CacheOp::CleanInvalidate => {
            data_cache!("civac", first, len);
            wait_for_memory();
        }
    }
}

/// The addresses of the lines with these bytes.
fn lines(first: NonNull<u8>, len: usize) -> impl Iterator<Item = usize> {
    // CTR_EL0.DminLine: the logarithm of the number of words in the smallest line.
    let line = 4usize << ((cache_type() >> 16) & 0xf);
    let start = first.addr().get();
    (start & !(line - 1)..start + len).step_by(line)
}

/// Whether the caches keep instruction fetches and stores together by themselves: CTR_EL0.IDC and DIC.
fn instructions_see_stores() -> bool {
    const COHERENT: u64 = 0b11 << 28;
    cache_type() & COHERENT == COHERENT
}

/// `CTR_EL0`, the cache type register.
fn cache_type() -> u64 {
    let value: u64;
    // SAFETY:
    // 1. Reads one register and nothing else.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// All CPUs fetch instructions anew, after what was cleaned.
fn forget_instructions() {
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

/// Waits until what was cleaned is in memory, also for devices.
fn wait_for_memory() {
    // SAFETY:
    // 1. A barrier touches nothing.
    unsafe { asm!("dsb sy", options(nostack, preserves_flags)) };
}
