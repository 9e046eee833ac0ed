//! Making a call again that found no free frame.

use syscall::kernel::{MAX_ARGUMENTS, dispatch};
use syscall::{Status, SystemCall};

use super::Calls;
use crate::reclaim::Patience;

/// What the result register has when there was no memory.
pub const NO_MEMORY: usize = Status::NO_MEMORY.into_raw() as isize as usize;

/// Makes call `number`, which has answered `NO_MEMORY`, again if that may help, as long as pages can be reclaimed;
/// returns the last result.
#[cold]
#[inline(never)]
pub fn make(number: usize, arguments: &[usize; MAX_ARGUMENTS]) -> usize {
    let mut result = NO_MEMORY;
    if SystemCall::from_number(number).is_some_and(is_repeatable) {
        let mut patience = Patience::new();
        while result == NO_MEMORY && patience.reclaim() {
            result = dispatch(&Calls, number, arguments);
        }
    }
    result
}

/// Whether a call that answers `NO_MEMORY` has changed nothing, or only what it does again anyway.
///
/// Calls that copy or move bytes would not come to the same a second time if source and destination
/// overlap: they reclaim page by page. Calls that consume a handle cannot be made with it again.
const fn is_repeatable(call: SystemCall) -> bool {
    match call {
        SystemCall::vmar_allocate
        | SystemCall::vmar_map
        | SystemCall::vmar_unmap
        | SystemCall::vmar_protect
        | SystemCall::vmar_destroy
        | SystemCall::vmar_op_range
        | SystemCall::vmo_create
        | SystemCall::vmo_create_child
        | SystemCall::vmo_create_contiguous
        | SystemCall::vmo_create_physical
        | SystemCall::vmo_get_size
        | SystemCall::vmo_set_size
        | SystemCall::vmo_get_stream_size
        | SystemCall::vmo_set_stream_size
        | SystemCall::vmo_op_range
        | SystemCall::vmo_set_cache_policy
        | SystemCall::handle_duplicate
        | SystemCall::handle_check_valid
        | SystemCall::object_get_info
        | SystemCall::object_get_property
        | SystemCall::object_set_property
        | SystemCall::object_signal
        | SystemCall::process_create
        | SystemCall::resource_create
        | SystemCall::iommu_create
        | SystemCall::bti_create => true,
        SystemCall::vmo_read
        | SystemCall::vmo_write
        | SystemCall::vmo_transfer_data
        | SystemCall::process_read_memory
        | SystemCall::process_write_memory
        | SystemCall::handle_close
        | SystemCall::handle_replace
        | SystemCall::vmo_replace_as_executable
        | SystemCall::object_wait_one
        | SystemCall::process_exit
        | SystemCall::task_kill
        | SystemCall::debug_write
        | SystemCall::debug_read
        | SystemCall::debug_send_command
        | SystemCall::clock_get_monotonic
        | SystemCall::nanosleep
        | SystemCall::system_get_page_size
        | SystemCall::system_get_num_cpus
        | SystemCall::system_get_physmem
        | SystemCall::system_get_version_string
        | SystemCall::system_get_features
        | SystemCall::cprng_draw => false,
    }
}
