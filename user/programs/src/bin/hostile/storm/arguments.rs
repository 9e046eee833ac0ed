//! Arguments that several calls share, or that take more than a line.

use zx::sys;

use super::Arguments;
use crate::picker::Picker;

/// Topics that exist, some of them only elsewhere.
const TOPICS: [u32; 22] = [
    sys::ZX_INFO_HANDLE_VALID,
    sys::ZX_INFO_HANDLE_BASIC,
    sys::ZX_INFO_HANDLE_COUNT,
    sys::ZX_INFO_VMAR,
    sys::ZX_INFO_VMAR_MAPS,
    sys::ZX_INFO_VMAR_MAPS,
    sys::ZX_INFO_VMO,
    sys::ZX_INFO_VMO,
    sys::ZX_INFO_KMEM_STATS,
    sys::ZX_INFO_PROCESS,
    sys::ZX_INFO_PROCESS_V1,
    sys::ZX_INFO_PROCESS_MAPS,
    sys::ZX_INFO_PROCESS_MAPS_V1,
    sys::ZX_INFO_PROCESS_MAPS_V2,
    sys::ZX_INFO_PROCESS_VMOS,
    sys::ZX_INFO_PROCESS_VMOS_V1,
    sys::ZX_INFO_PROCESS_VMOS_V2,
    sys::ZX_INFO_PROCESS_VMOS_V3,
    sys::ZX_INFO_TASK_STATS,
    sys::ZX_INFO_TASK_STATS_V1,
    sys::ZX_INFO_JOB_PROCESSES,
    sys::ZX_INFO_HANDLE_TABLE,
];

/// Operations on ranges of addresses.
const OPERATIONS: [u32; 7] = [
    sys::ZX_VMAR_OP_COMMIT,
    sys::ZX_VMAR_OP_DECOMMIT,
    sys::ZX_VMAR_OP_MAP_RANGE,
    sys::ZX_VMAR_OP_ZERO,
    sys::ZX_VMAR_OP_DONT_NEED,
    sys::ZX_VMAR_OP_ALWAYS_NEED,
    sys::ZX_VMAR_OP_PREFETCH,
];

/// A handle in a register.
pub fn handle(picker: &mut Picker) -> usize {
    let handle = picker.handle();
    picker.narrow(handle)
}

/// A handle for calls about regions in a register.
pub fn region(picker: &mut Picker) -> usize {
    let handle = picker.region();
    picker.narrow(handle)
}

/// A handle for calls about VMOs in a register.
pub fn vmo(picker: &mut Picker) -> usize {
    let handle = picker.vmo();
    picker.narrow(handle)
}

/// A handle for calls about processes and jobs in a register.
pub fn task(picker: &mut Picker) -> usize {
    let handle = picker.task();
    picker.narrow(handle)
}

/// A handle for calls about devices in a register.
pub fn device(picker: &mut Picker) -> usize {
    let handle = picker.device();
    picker.narrow(handle)
}

/// Where a count goes, if anybody wants to know.
pub fn count_place(picker: &mut Picker) -> usize {
    if picker.random.once_in(2) {
        0
    } else {
        picker.buffer()
    }
}

/// For `vmar_op_range`.
pub fn op_range(picker: &mut Picker) -> Arguments {
    let op = match picker.random.below(12) {
        0 => picker.random.next() as u32,
        1 => picker.random.below(16) as u32,
        _ => picker.random.pick(&OPERATIONS),
    };
    let op = picker.narrow(op);
    let range = [picker.address(), picker.length()];
    let buffer = if picker.random.once_in(12) {
        [picker.buffer(), picker.length()]
    } else {
        [0, 0]
    };
    let region = region(picker);
    [region, op, range[0], range[1], buffer[0], buffer[1], 0, 0]
}

/// For `vmo_read` and `vmo_write`.
pub fn copy(picker: &mut Picker) -> Arguments {
    let rest = [picker.buffer(), picker.offset(), picker.length()];
    [vmo(picker), rest[0], rest[1], rest[2], 0, 0, 0, 0]
}

/// For `process_read_memory` and `process_write_memory`.
pub fn memory(picker: &mut Picker) -> Arguments {
    let rest = [picker.address(), picker.buffer(), picker.length()];
    let actual = picker.buffer();
    [task(picker), rest[0], rest[1], rest[2], actual, 0, 0, 0]
}

/// For `handle_duplicate` and `handle_replace`.
pub fn rights(picker: &mut Picker) -> Arguments {
    let rights = match picker.random.below(4) {
        0 => picker.random.next() as u32,
        1 => picker.random.next() as u32 & sys::ZX_DEFAULT_VMO_RIGHTS,
        2 => sys::ZX_RIGHTS_BASIC | sys::ZX_RIGHTS_IO,
        _ => sys::ZX_RIGHT_SAME_RIGHTS,
    };
    let rights = picker.narrow(rights);
    [handle(picker), rights, picker.buffer(), 0, 0, 0, 0, 0]
}

/// For `vmo_replace_as_executable`; half of the calls bring no resource.
pub fn replacement(picker: &mut Picker) -> Arguments {
    let resource = match picker.random.below(2) {
        0 => sys::ZX_HANDLE_INVALID as usize,
        _ => handle(picker),
    };
    [handle(picker), resource, picker.buffer(), 0, 0, 0, 0, 0]
}

/// Signals, most of them of programs, in a register.
fn signals(picker: &mut Picker) -> usize {
    let word = match picker.random.below(6) {
        0 => picker.random.next() as u32,
        1 => sys::ZX_VMO_ZERO_CHILDREN | sys::ZX_SIGNAL_HANDLE_CLOSED,
        2 => 0,
        _ => picker.random.next() as u32 & sys::ZX_USER_SIGNAL_ALL,
    };
    picker.narrow(word)
}

/// For `object_signal`.
pub fn signal(picker: &mut Picker) -> Arguments {
    let masks = [signals(picker), signals(picker)];
    [handle(picker), masks[0], masks[1], 0, 0, 0, 0, 0]
}

/// For `object_wait_one`, with a deadline that has passed; others would be waited for.
pub fn wait_one(picker: &mut Picker) -> Arguments {
    let deadline = picker.random.pick(&[0, 1, i64::MIN as usize, usize::MAX]);
    let (wanted, observed) = (signals(picker), count_place(picker));
    [handle(picker), wanted, deadline, observed, 0, 0, 0, 0]
}

/// For calls about properties.
pub fn property(picker: &mut Picker) -> Arguments {
    let property = match picker.random.below(4) {
        0 => picker.random.next() as u32,
        1 => picker.random.below(24) as u32,
        2 => sys::ZX_PROP_VMO_CONTENT_SIZE,
        _ => sys::ZX_PROP_NAME,
    };
    let property = picker.narrow(property);
    let rest = [picker.buffer(), picker.length()];
    [handle(picker), property, rest[0], rest[1], 0, 0, 0, 0]
}

/// Any eight numbers.
pub fn anything(picker: &mut Picker) -> Arguments {
    core::array::from_fn(|_| picker.random.next() as usize)
}

/// For `object_get_info`.
pub fn info(picker: &mut Picker) -> Arguments {
    let topic = match picker.random.below(8) {
        0 => picker.random.next() as u32 & 0xf000_003f,
        _ => picker.random.pick(&TOPICS),
    };
    let buffer = [picker.buffer(), picker.length()];
    let counts = [count_place(picker), count_place(picker)];
    let topic = picker.narrow(topic);
    [
        handle(picker),
        topic,
        buffer[0],
        buffer[1],
        counts[0],
        counts[1],
        0,
        0,
    ]
}
