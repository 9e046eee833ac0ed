//! What is asked of the caches, which the simulated machine has none of.

use core::ptr::NonNull;
use std::cell::RefCell;
use std::vec::Vec;

use crate::pages::{CacheOp, DirectMapOperations};

/// An operation on so many bytes at an address of the direct map.
pub type Maintained = (NonNull<u8>, usize, CacheOp);

std::thread_local! {
    static MAINTAINED: RefCell<Vec<Maintained>> = const { RefCell::new(Vec::new()) };
}

/// Notes operations on caches. The types of pages the database knows itself.
pub(super) const OPERATIONS: DirectMapOperations = DirectMapOperations {
    maintain: |first, len, op| MAINTAINED.with_borrow_mut(|all| all.push((first, len, op))),
    ..DirectMapOperations::COHERENT
};

/// The operations on caches that this thread has asked for since it was last asked.
pub fn take_maintained() -> Vec<Maintained> {
    MAINTAINED.take()
}
