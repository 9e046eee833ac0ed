//! One row per system call on memory, handles and the system. The statuses are those that `docs/spec/` documents for it.

use syscall::SystemCall;
use zx::{Status, sys};

use super::arguments::{
    anything, copy, handle, info, op_range, property, region, replacement, rights, signal, vmo,
    wait_one,
};
use super::{Answer, Effect, Kind, Made, kind, refusals};
use crate::world::SCRATCH_BYTES;

/// Options that regions and mappings may have.
const PLACEMENT: &[u32] = &[
    sys::ZX_VM_SPECIFIC,
    sys::ZX_VM_SPECIFIC,
    sys::ZX_VM_OFFSET_IS_UPPER_LIMIT,
    sys::ZX_VM_COMPACT,
    sys::ZX_VM_CAN_MAP_SPECIFIC,
    sys::ZX_VM_CAN_MAP_READ,
    sys::ZX_VM_CAN_MAP_WRITE,
];

/// Options that mappings may have.
const MAPPING: &[u32] = &[
    sys::ZX_VM_PERM_READ,
    sys::ZX_VM_PERM_READ,
    sys::ZX_VM_PERM_WRITE,
    sys::ZX_VM_SPECIFIC,
    sys::ZX_VM_SPECIFIC_OVERWRITE,
    sys::ZX_VM_MAP_RANGE,
    sys::ZX_VM_ALLOW_FAULTS,
];

/// Permissions.
const PERMISSIONS: &[u32] = &[
    sys::ZX_VM_PERM_READ,
    sys::ZX_VM_PERM_READ,
    sys::ZX_VM_PERM_WRITE,
    sys::ZX_VM_PERM_EXECUTE,
];

/// Options of VMOs.
const VMO: &[u32] = &[
    sys::ZX_VMO_RESIZABLE,
    sys::ZX_VMO_DISCARDABLE,
    sys::ZX_VMO_UNBOUNDED,
];

/// Every call but those of `tasks`, those of `vmos` and those that end the caller.
pub const KINDS: &[Kind] = &[
    kind!(
        vmar_allocate,
        Effect::Makes(4, Made::Region),
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            BAD_STATE,
            ALREADY_EXISTS,
            NO_RESOURCES,
            NO_MEMORY
        ]),
        |picker| {
            let options = picker.options(PLACEMENT);
            let offset = picker.offset();
            let size = picker.length();
            let outs = [picker.buffer(), picker.buffer()];
            [
                region(picker),
                picker.narrow(options),
                offset,
                size,
                outs[0],
                outs[1],
                0,
                0,
            ]
        }
    ),
    kind!(
        vmar_map,
        Effect::Overwrites,
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            BAD_STATE,
            ALREADY_EXISTS,
            NO_RESOURCES,
            NO_MEMORY,
            NOT_SUPPORTED,
            OUT_OF_RANGE
        ]),
        |picker| {
            let options = picker.options(MAPPING);
            let offset = picker.offset();
            let vmo = vmo(picker);
            let rest = [picker.offset(), picker.length(), picker.buffer()];
            [
                region(picker),
                picker.narrow(options),
                offset,
                vmo,
                rest[0],
                rest[1],
                rest[2],
                0,
            ]
        }
    ),
    kind!(
        vmar_unmap,
        Effect::Regions,
        Answer::Status(refusals![INVALID_ARGS, BAD_STATE, NO_MEMORY]),
        |picker| [
            region(picker),
            picker.address(),
            picker.length(),
            0,
            0,
            0,
            0,
            0
        ]
    ),
    kind!(
        vmar_protect,
        Effect::Regions,
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            BAD_STATE,
            NOT_FOUND,
            NO_MEMORY
        ]),
        |picker| {
            let options = picker.options(PERMISSIONS);
            let range = [picker.address(), picker.length()];
            [
                region(picker),
                picker.narrow(options),
                range[0],
                range[1],
                0,
                0,
                0,
                0,
            ]
        }
    ),
    kind!(
        vmar_destroy,
        Effect::Regions,
        Answer::Status(refusals![ACCESS_DENIED, BAD_STATE, NOT_SUPPORTED]),
        |picker| [region(picker), 0, 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        vmar_op_range,
        // One that fails may have dealt with mappings before, but changes no region.
        Effect::None,
        Answer::Status(refusals![
            INVALID_ARGS,
            OUT_OF_RANGE,
            BAD_STATE,
            ACCESS_DENIED,
            NOT_SUPPORTED,
            NO_MEMORY
        ]),
        op_range
    ),
    kind!(
        vmo_create,
        Effect::Makes(2, Made::Vmo),
        Answer::Status(&[
            Status::INVALID_ARGS,
            Status::OUT_OF_RANGE,
            Status::NO_MEMORY
        ]),
        |picker| {
            let options = picker.options(VMO);
            [
                picker.length(),
                picker.narrow(options),
                picker.buffer(),
                0,
                0,
                0,
                0,
                0,
            ]
        }
    ),
    kind!(vmo_read, Effect::None, COPY, copy),
    kind!(vmo_write, Effect::None, COPY, copy),
    kind!(
        vmo_get_size,
        Effect::None,
        Answer::Status(refusals![INVALID_ARGS]),
        |picker| [vmo(picker), picker.buffer(), 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        vmo_set_size,
        Effect::None,
        Answer::Status(refusals![
            ACCESS_DENIED,
            UNAVAILABLE,
            OUT_OF_RANGE,
            NO_MEMORY
        ]),
        |picker| [vmo(picker), picker.length(), 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        vmo_get_stream_size,
        Effect::None,
        Answer::Status(refusals![INVALID_ARGS]),
        |picker| [vmo(picker), picker.buffer(), 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        vmo_set_stream_size,
        Effect::None,
        Answer::Status(refusals![
            ACCESS_DENIED,
            NOT_SUPPORTED,
            OUT_OF_RANGE,
            NO_MEMORY
        ]),
        |picker| [vmo(picker), picker.length(), 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        vmo_replace_as_executable,
        Effect::Makes(2, Made::Any),
        Answer::Status(refusals![INVALID_ARGS, OUT_OF_RANGE, NO_MEMORY]),
        replacement
    ),
    kind!(
        handle_close,
        Effect::None,
        Answer::Status(&[Status::BAD_HANDLE]),
        |picker| [handle(picker), 0, 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        handle_duplicate,
        Effect::Makes(2, Made::Any),
        Answer::Status(&[
            Status::BAD_HANDLE,
            Status::ACCESS_DENIED,
            Status::INVALID_ARGS,
            Status::NO_MEMORY
        ]),
        rights
    ),
    kind!(
        handle_replace,
        Effect::Makes(2, Made::Any),
        Answer::Status(&[Status::BAD_HANDLE, Status::INVALID_ARGS, Status::NO_MEMORY]),
        rights
    ),
    kind!(
        handle_check_valid,
        Effect::None,
        Answer::Status(&[Status::BAD_HANDLE]),
        |picker| [handle(picker), 0, 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        object_get_info,
        Effect::None,
        Answer::Status(refusals![
            ACCESS_DENIED,
            INVALID_ARGS,
            BAD_STATE,
            BUFFER_TOO_SMALL,
            NOT_SUPPORTED,
            OUT_OF_RANGE,
            NO_MEMORY
        ]),
        info
    ),
    kind!(
        object_signal,
        Effect::None,
        Answer::Status(&[
            Status::BAD_HANDLE,
            Status::ACCESS_DENIED,
            Status::INVALID_ARGS
        ]),
        signal
    ),
    kind!(
        object_wait_one,
        Effect::None,
        Answer::Status(&[
            Status::BAD_HANDLE,
            Status::ACCESS_DENIED,
            Status::INVALID_ARGS,
            Status::TIMED_OUT
        ]),
        wait_one
    ),
    kind!(object_get_property, Effect::None, PROPERTY, property),
    kind!(object_set_property, Effect::None, PROPERTY, property),
    kind!(
        debug_write,
        Effect::None,
        Answer::Status(&[Status::INVALID_ARGS]),
        |picker| {
            // What can be read would be printed.
            let buffer = picker.unreadable();
            let size = if picker.random.once_in(8) {
                0
            } else {
                picker.length()
            };
            [buffer, size, 0, 0, 0, 0, 0, 0]
        }
    ),
    kind!(
        debug_read,
        Effect::None,
        Answer::Refusal(refusals![ACCESS_DENIED, INVALID_ARGS, OUT_OF_RANGE]),
        |picker| {
            // With a buffer, somebody would have to type.
            let buffer = [picker.unreadable(), 1 << 48];
            [
                handle(picker),
                buffer[0],
                buffer[1],
                picker.buffer(),
                0,
                0,
                0,
                0,
            ]
        }
    ),
    kind!(
        debug_send_command,
        Effect::None,
        Answer::Status(refusals![INVALID_ARGS, OUT_OF_RANGE]),
        |picker| {
            let size = if picker.random.once_in(8) {
                0
            } else {
                picker.length()
            };
            [handle(picker), picker.unreadable(), size, 0, 0, 0, 0, 0]
        }
    ),
    kind!(clock_get_monotonic, Effect::None, Answer::Number, anything),
    kind!(nanosleep, Effect::None, Answer::Status(&[]), |picker| {
        // An instant that has passed; others would be waited for.
        let instant = picker.random.pick(&[0, 1, i64::MIN as usize, usize::MAX]);
        [instant, 0, 0, 0, 0, 0, 0, 0]
    }),
    kind!(system_get_page_size, Effect::None, Answer::Number, anything),
    kind!(system_get_num_cpus, Effect::None, Answer::Number, anything),
    kind!(system_get_physmem, Effect::None, Answer::Number, anything),
    kind!(
        system_get_version_string,
        Effect::None,
        Answer::Status(&[Status::INVALID_ARGS, Status::BUFFER_TOO_SMALL]),
        |picker| [picker.buffer(), picker.length(), 0, 0, 0, 0, 0, 0]
    ),
    kind!(
        system_get_features,
        Effect::None,
        Answer::Status(&[Status::NOT_SUPPORTED, Status::INVALID_ARGS]),
        |picker| {
            let kind = picker.random.below(6) as u32;
            [picker.narrow(kind), picker.buffer(), 0, 0, 0, 0, 0, 0]
        }
    ),
    kind!(cprng_draw, Effect::None, Answer::Nothing, |picker| {
        let start = picker.random.below(SCRATCH_BYTES);
        let size = picker.random.below(SCRATCH_BYTES - start + 1);
        [picker.world.buffers.scratch + start, size, 0, 0, 0, 0, 0, 0]
    }),
    Kind {
        name: "unknown_numbers",
        call: None,
        arguments: anything,
        answer: Answer::Refusal(&[Status::BAD_SYSCALL]),
        effect: Effect::None,
    },
];

/// What copies into and out of VMOs answer.
const COPY: Answer = Answer::Status(refusals![
    ACCESS_DENIED,
    OUT_OF_RANGE,
    BAD_STATE,
    NOT_FOUND,
    NO_MEMORY
]);

/// What calls about properties answer.
const PROPERTY: Answer = Answer::Status(refusals![
    ACCESS_DENIED,
    NOT_SUPPORTED,
    BUFFER_TOO_SMALL,
    INVALID_ARGS,
    OUT_OF_RANGE
]);
