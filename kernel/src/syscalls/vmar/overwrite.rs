//! Whether the result of a call can be told, before the call does what cannot be undone.

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::VmOptions;
use syscall::kernel::UserOut;
use vm::addr::VirtAddr;
use vm::aspace::AddressSpace;
use vm::mmu::{Access, Domain};
use vm::vmar::{MapRequest, Vmar};

use super::super::{caller, user_memory};

/// Whether the caller will be able to write `address` once `request`, which overwrites, is done.
///
/// Pages that stay are made writable in the page table, so that this keeps true; no byte changes. Pages in
/// the place that is overwritten will be what the new mapping makes of them.
pub fn can_be_told(
    region: &Arc<Vmar<Tables>>,
    request: &MapRequest<Tables>,
    address: UserOut<usize>,
) -> bool {
    if user_memory::range(address.address(), size_of::<usize>()).is_err() {
        return false;
    }
    let first = VirtAddr::new(address.address());
    let last = VirtAddr::new(address.address() + size_of::<usize>() - 1);
    let process = caller();
    let space = process.space();
    let is_own = Arc::ptr_eq(region.owner(), space);
    let can_be_written = |page| match offset_in_place(region, request, page) {
        Some(offset) if is_own => will_be_writable(request, offset),
        Some(_) | None => can_write(space, page),
    };
    let (first, last) = (first.page_base(), last.page_base());
    can_be_written(first) && (first == last || can_be_written(last))
}

/// How far `page` is from the base of the place that `request` names, if it is in it.
fn offset_in_place(
    region: &Vmar<Tables>,
    request: &MapRequest<Tables>,
    page: VirtAddr,
) -> Option<usize> {
    let base = region.range().base().checked_add(request.offset)?;
    let offset = page.checked_sub(base)?;
    (offset < request.length).then_some(offset)
}

/// Whether the page `offset` bytes from the base of the new mapping will be writable.
fn will_be_writable(request: &MapRequest<Tables>, offset: usize) -> bool {
    let faults_beyond = request
        .options
        .contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
    let end = if faults_beyond {
        request.vmo.stream_size()
    } else {
        request.vmo.size()
    };
    let shown = request.vmo_offset.checked_add(offset as u64);
    request.options.contains(VmOptions::PERM_WRITE) && shown.is_some_and(|shown| shown < end)
}

/// Whether `page` can be written: it can already, or a fault there is resolved.
fn can_write(space: &AddressSpace<Tables>, page: VirtAddr) -> bool {
    let entered = space.mmu().query(page);
    let is_writable = entered.is_some_and(|entered| {
        entered.flags.domain == Domain::User && entered.flags.access.contains(Access::WRITE)
    });
    is_writable || space.fault(page, Access::WRITE).is_ok()
}
