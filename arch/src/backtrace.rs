//! Walking the chain of frame pointers.
//!
//! Both architectures leave the same record where the frame pointer points, because everything is
//! compiled with frame pointers:
//!
//! ```text
//!   frame pointer ─► [ caller's frame pointer ][ return address ]   (8 bytes each)
//! ```
//!
//! The walk may run while everything is broken, so it believes nothing: it reads through
//! [`crate::trap::probe`], which answers `None` instead of faulting, wants each record above the one
//! before, and ends after [`MAX_DEPTH`] steps.

use vm::addr::VirtAddr;

use crate::{cpu, paging, trap};

/// The longest chain that a walk follows.
pub const MAX_DEPTH: usize = 64;

/// The most bytes that one function's frame is believed to have.
const MAX_FRAME_BYTES: usize = 0x10000;

const WORD: usize = size_of::<usize>();

/// Calls `visit` with the return address of each frame, innermost first.
///
/// A return address is where the caller goes on: the call itself lies just before it.
pub fn walk(frame_pointer: VirtAddr, visit: &mut dyn FnMut(VirtAddr)) {
    let mut record = frame_pointer;
    for _ in 0..MAX_DEPTH {
        let Some((caller, return_address)) = read_record(record) else {
            return;
        };
        visit(return_address);
        match caller.checked_sub(record) {
            Some(1..=MAX_FRAME_BYTES) => record = caller,
            _ => return,
        }
    }
}

/// Like [`walk`], from the function that calls this one.
#[inline(always)]
pub fn walk_here(visit: &mut dyn FnMut(VirtAddr)) {
    walk(cpu::frame_pointer(), visit);
}

/// The caller's frame pointer and the return address in `record`, if that is a record at all.
fn read_record(record: VirtAddr) -> Option<(VirtAddr, VirtAddr)> {
    if record < paging::KERNEL_BASE || !record.raw().is_multiple_of(WORD) {
        return None;
    }
    let caller = trap::probe(record)?;
    let return_address = VirtAddr::new(trap::probe(record.checked_add(WORD)?)?);
    (return_address >= paging::KERNEL_BASE).then_some((VirtAddr::new(caller), return_address))
}
