//! One row per system call on whole VMOs and what they are made with. The statuses are those that `docs/spec/`
//! documents for it.

use syscall::SystemCall;
use zx::{Status, sys};

use super::arguments::{device, handle, vmo};
use super::{Answer, Arguments, Effect, Kind, Made, kind, refusals};
use crate::picker::Picker;
use crate::world::DEVICE_ADDRESS;

/// Options of children.
const CHILD: &[u32] = &[
    sys::ZX_VMO_CHILD_SNAPSHOT,
    sys::ZX_VMO_CHILD_SLICE,
    sys::ZX_VMO_CHILD_REFERENCE,
    sys::ZX_VMO_CHILD_NO_WRITE,
    sys::ZX_VMO_CHILD_RESIZABLE,
];

/// Operations on ranges of VMOs.
const OPERATIONS: [u32; 13] = [
    sys::ZX_VMO_OP_COMMIT,
    sys::ZX_VMO_OP_DECOMMIT,
    sys::ZX_VMO_OP_LOCK,
    sys::ZX_VMO_OP_UNLOCK,
    sys::ZX_VMO_OP_CACHE_SYNC,
    sys::ZX_VMO_OP_CACHE_INVALIDATE,
    sys::ZX_VMO_OP_CACHE_CLEAN,
    sys::ZX_VMO_OP_CACHE_CLEAN_INVALIDATE,
    sys::ZX_VMO_OP_ZERO,
    sys::ZX_VMO_OP_TRY_LOCK,
    sys::ZX_VMO_OP_DONT_NEED,
    sys::ZX_VMO_OP_ALWAYS_NEED,
    sys::ZX_VMO_OP_PREFETCH,
];

/// Every call on whole VMOs, and on resources, IOMMUs and devices.
pub const KINDS: &[Kind] = &[
    kind!(
        vmo_op_range,
        Effect::None,
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            OUT_OF_RANGE,
            NOT_SUPPORTED,
            BAD_STATE,
            UNAVAILABLE,
            NO_MEMORY
        ]),
        op_range
    ),
    kind!(
        vmo_create_child,
        Effect::Makes(4, Made::Vmo),
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            OUT_OF_RANGE,
            NOT_SUPPORTED,
            BAD_STATE,
            NO_MEMORY
        ]),
        |picker| {
            let options = picker.options(CHILD);
            let options = picker.narrow(options);
            let range = [picker.offset(), picker.length()];
            let child = picker.buffer();
            [vmo(picker), options, range[0], range[1], child, 0, 0, 0]
        }
    ),
    kind!(
        vmo_set_cache_policy,
        Effect::None,
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            BAD_STATE,
            NOT_SUPPORTED
        ]),
        |picker| {
            let policy = picker.random.below(5) as u32;
            [vmo(picker), picker.narrow(policy), 0, 0, 0, 0, 0, 0]
        }
    ),
    kind!(
        vmo_create_contiguous,
        Effect::Makes(3, Made::Vmo),
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            OUT_OF_RANGE,
            NOT_SUPPORTED,
            NO_MEMORY
        ]),
        |picker| {
            let alignment = match picker.random.below(4) {
                0 => picker.random.next() as u32,
                1 => picker.random.below(70) as u32,
                _ => picker.random.pick(&[0, 12, 13, 16]),
            };
            let rest = [picker.length(), picker.narrow(alignment), picker.buffer()];
            [device(picker), rest[0], rest[1], rest[2], 0, 0, 0, 0]
        }
    ),
    kind!(
        vmo_create_physical,
        Effect::Makes(3, Made::Vmo),
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            OUT_OF_RANGE,
            NO_MEMORY
        ]),
        |picker| {
            let address = device_address(picker);
            let rest = [address, picker.length(), picker.buffer()];
            [device(picker), rest[0], rest[1], rest[2], 0, 0, 0, 0]
        }
    ),
    kind!(
        vmo_transfer_data,
        Effect::None,
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            OUT_OF_RANGE,
            NOT_SUPPORTED,
            BAD_STATE,
            NO_MEMORY
        ]),
        |picker| {
            let options = u32::from(picker.random.once_in(12));
            let options = picker.narrow(options);
            let range = [picker.offset(), picker.length()];
            let source = [vmo(picker), picker.offset()];
            let destination = vmo(picker);
            [
                destination,
                options,
                range[0],
                range[1],
                source[0],
                source[1],
                0,
                0,
            ]
        }
    ),
    kind!(
        resource_create,
        Effect::Makes(6, Made::Any),
        Answer::Status(refusals![
            INVALID_ARGS,
            ACCESS_DENIED,
            NOT_SUPPORTED,
            NO_MEMORY
        ]),
        |picker| {
            let options = match picker.random.below(8) {
                0 => picker.random.next() as u32,
                1 => picker.random.below(8) as u32 | sys::ZX_RSRC_FLAG_EXCLUSIVE,
                2 => sys::ZX_RSRC_KIND_SYSTEM,
                _ => sys::ZX_RSRC_KIND_MMIO,
            };
            let options = picker.narrow(options);
            let range = [device_address(picker), picker.length()];
            let name = [picker.buffer(), picker.length()];
            let made = picker.buffer();
            [
                device(picker),
                options,
                range[0],
                range[1],
                name[0],
                name[1],
                made,
                0,
            ]
        }
    ),
    kind!(
        iommu_create,
        Effect::Makes(4, Made::Any),
        Answer::Status(refusals![INVALID_ARGS, NOT_SUPPORTED, NO_MEMORY]),
        |picker| {
            let kind = u32::from(picker.random.once_in(8));
            let kind = picker.narrow(kind);
            let size = if picker.random.once_in(3) {
                picker.length()
            } else {
                1
            };
            let rest = [picker.buffer(), size, picker.buffer()];
            [device(picker), kind, rest[0], rest[1], rest[2], 0, 0, 0]
        }
    ),
    kind!(
        bti_create,
        Effect::Makes(3, Made::Any),
        Answer::Status(refusals![INVALID_ARGS, NO_MEMORY]),
        |picker| {
            let options = u32::from(picker.random.once_in(8));
            let rest = [picker.narrow(options), picker.offset(), picker.buffer()];
            [device(picker), rest[0], rest[1], rest[2], 0, 0, 0, 0]
        }
    ),
];

fn op_range(picker: &mut Picker) -> Arguments {
    let op = match picker.random.below(12) {
        0 => picker.random.next() as u32,
        1 => picker.random.below(16) as u32,
        _ => picker.random.pick(&OPERATIONS),
    };
    let op = picker.narrow(op);
    let range = [picker.offset(), picker.length()];
    let buffer = [picker.buffer(), picker.length()];
    let vmo = if picker.random.once_in(12) {
        handle(picker)
    } else {
        vmo(picker)
    };
    [vmo, op, range[0], range[1], buffer[0], buffer[1], 0, 0]
}

/// Mostly one near the addresses that hostile calls may be shown.
fn device_address(picker: &mut Picker) -> usize {
    match picker.random.below(4) {
        0 => picker.address(),
        _ => DEVICE_ADDRESS.wrapping_add(picker.offset()),
    }
}
