//! Moving contents from a VMO to another one. Source: `docs/spec/vmo.md` §14.

use syscall::{HandleValue, PAGE_SIZE, Result, Rights, Status, TransferDataOptions};
use vm::vmo::{Transfer, TransferRequest};

use crate::object::VmoObject;
use crate::reclaim::retrying;
use crate::sched;
use crate::syscalls::caller;

/// A place in a VMO.
#[derive(Clone, Copy)]
pub struct Place {
    /// The VMO.
    pub vmo: HandleValue,
    /// The first byte.
    pub offset: u64,
}

/// Moves `length` bytes from `source` to `destination`.
///
/// # Errors
/// As the table of `docs/spec/vmo.md` §14, in its order; `CANCELED` if the thread is to end.
pub fn transfer_data(
    destination: Place,
    options: TransferDataOptions,
    length: u64,
    source: Place,
) -> Result<()> {
    let is_aligned = |bytes: u64| bytes.is_multiple_of(PAGE_SIZE as u64);
    let are_aligned = [destination.offset, source.offset, length].map(is_aligned);
    if !options.is_empty() || are_aligned.contains(&false) {
        return Err(Status::INVALID_ARGS);
    }
    let process = caller();
    let (to, _) = process.object::<VmoObject>(destination.vmo, Rights::WRITE)?;
    let (from, _) = process.object::<VmoObject>(source.vmo, Rights::READ | Rights::WRITE)?;
    if to.header().koid() == from.header().koid() && destination.offset == source.offset {
        return Ok(());
    }
    let mut transfer = Transfer::new(&TransferRequest {
        source: from.vmo(),
        source_offset: source.offset,
        destination: to.vmo(),
        destination_offset: destination.offset,
        length,
    })?;
    // Each attempt goes on where the one before stopped.
    retrying(|| transfer.go_on(|| sched::pause().map_err(|_| Status::CANCELED)))
}
