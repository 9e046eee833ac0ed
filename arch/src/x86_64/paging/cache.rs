//! Caches of data. Those of instructions need nothing: they see every store (Intel SDM 3A, 12.6).

use core::arch::asm;
use core::ptr::NonNull;

use raw_cpuid::CpuId;
use spin::Once;
use vm::pages::CacheOp;

/// Does `op` to so many bytes.
///
/// # Safety
/// They are mapped.
pub(super) unsafe fn maintain(first: NonNull<u8>, len: usize, op: CacheOp) {
    match op {
        // On its way back to the program the CPU drops what it has fetched too early.
        CacheOp::Sync => {}
        CacheOp::Clean | CacheOp::CleanInvalidate => {
            // SAFETY: As the caller promises.
            unsafe { flush_lines(first, len) }
        }
    }
}

/// Writes back and drops every line with one of these bytes, on all CPUs.
///
/// `CLFLUSH` reaches all caches of the machine, whatever the memory type of the address (volume 2A).
///
/// # Safety
/// The bytes are mapped.
unsafe fn flush_lines(first: NonNull<u8>, len: usize) {
    let line = line_bytes();
    let start = first.addr().get();
    fence();
    for line in (start & !(line - 1)..start + len).step_by(line) {
        // SAFETY:
        // 1. The line is mapped: lines do not cross pages.
        // 2. Flushing changes no contents.
        unsafe { asm!("clflush [{}]", in(reg) line, options(nostack, preserves_flags)) };
    }
    fence();
}

/// How many bytes `CLFLUSH` deals with. Every 64-bit CPU has it; one that does not say more has the least.
fn line_bytes() -> usize {
    /// The smallest line of any CPU.
    const LEAST: usize = 32;
    /// In which CPUID counts, here.
    const UNIT: usize = 8;
    static LINE: Once<usize> = Once::new();
    *LINE.call_once(|| {
        let units = CpuId::new()
            .get_feature_info()
            .map_or(0, |info| info.cflush_cache_line_size());
        match usize::from(units) * UNIT {
            bytes if bytes.is_power_of_two() => bytes,
            _ => LEAST,
        }
    })
}

/// What was stored before is stored, and what follows comes after.
fn fence() {
    // SAFETY:
    // 1. A barrier touches nothing.
    unsafe { asm!("mfence", options(nostack, preserves_flags)) };
}
