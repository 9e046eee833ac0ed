//! Asking the kernel for records.

use alloc::vec::Vec;
use core::mem::{MaybeUninit, size_of_val};
use core::slice;

use zerocopy::{FromBytes, IntoBytes};

use crate::{HandleRef, Koid, ObjectType, Rights, Status, Topic, ok, sys};

/// A topic and the record in which the kernel answers it.
pub trait ObjectQuery {
    /// The topic.
    const TOPIC: Topic;
    /// The record; any bytes the kernel writes are a valid one.
    type InfoTy: Copy + FromBytes + IntoBytes;
}

/// Declares query types and their topics.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident: $topic:ident -> $record:ty;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;

            impl $crate::ObjectQuery for $name {
                const TOPIC: $crate::Topic = $crate::Topic::$topic;
                type InfoTy = $record;
            }
        )*
    };
}

pub(crate) use queries;

queries! {
    /// Koid, type and rights.
    HandleBasic: HANDLE_BASIC -> sys::zx_info_handle_basic_t;
    /// The number of handles.
    HandleCount: HANDLE_COUNT -> sys::zx_info_handle_count_t;
}

/// Asks for the one record of a topic.
///
/// # Errors
/// Those of the topic: `BAD_HANDLE`, `WRONG_TYPE`, `ACCESS_DENIED`, `BAD_STATE`.
pub fn object_get_info_single<Q: ObjectQuery>(handle: HandleRef<'_>) -> Result<Q::InfoTy, Status> {
    let mut record = [MaybeUninit::uninit()];
    match object_get_info::<Q>(handle, &mut record)? {
        ([record], ..) => Ok(*record),
        _ => Err(Status::INTERNAL),
    }
}

/// Asks for as many records of a topic as `buffer` holds.
///
/// Returns the records written, the rest of the buffer, and how many records there are in all.
///
/// # Errors
/// Those of the topic: `BAD_HANDLE`, `WRONG_TYPE`, `ACCESS_DENIED`, `BAD_STATE`.
#[allow(
    clippy::type_complexity,
    reason = "the signature is that of the reference generation"
)]
pub fn object_get_info<'a, Q: ObjectQuery>(
    handle: HandleRef<'_>,
    buffer: &'a mut [MaybeUninit<Q::InfoTy>],
) -> Result<(&'a mut [Q::InfoTy], &'a mut [MaybeUninit<Q::InfoTy>], usize), Status> {
    let mut actual = 0;
    let mut available = 0;
    // SAFETY:
    // 1. `buffer` is borrowed for writing and the length in bytes is its own.
    // 2. `actual` and `available` are live locals.
    // 3. Asking changes neither handles nor address space.
    ok(unsafe {
        sys::zx_object_get_info(
            handle.raw_handle(),
            Q::TOPIC.into_raw(),
            buffer.as_mut_ptr().cast(),
            size_of_val(buffer),
            &mut actual,
            &mut available,
        )
    })?;
    let (filled, rest) = buffer
        .split_at_mut_checked(actual)
        .ok_or(Status::INTERNAL)?;
    // SAFETY:
    // 1. The kernel has written the first `actual` records.
    // 2. `FromBytes` makes any bytes a valid record.
    // 3. The pointer and length are those of `filled`, whose borrow ends here.
    let filled = unsafe { slice::from_raw_parts_mut(filled.as_mut_ptr().cast(), filled.len()) };
    Ok((filled, rest, available))
}

/// Asks for all records of a topic, with a larger buffer as long as the last one was too small.
///
/// # Errors
/// - Those of the topic: `BAD_HANDLE`, `WRONG_TYPE`, `ACCESS_DENIED`, `BAD_STATE`.
/// - `NO_MEMORY`: no room for the records.
pub fn object_get_info_vec<Q: ObjectQuery>(
    handle: HandleRef<'_>,
) -> Result<Vec<Q::InfoTy>, Status> {
    const FIRST_CAPACITY: usize = 16;

    let mut records: Vec<Q::InfoTy> = Vec::new();
    let mut capacity = FIRST_CAPACITY;
    loop {
        records
            .try_reserve_exact(capacity)
            .map_err(|_| Status::NO_MEMORY)?;
        let (filled, _, available) =
            object_get_info::<Q>(handle.clone(), records.spare_capacity_mut())?;
        let written = filled.len();
        if written >= available {
            // SAFETY: the kernel has written the first `written` records of the spare capacity.
            unsafe { records.set_len(written) };
            return Ok(records);
        }
        // The tree may grow between two calls: leave room for some more.
        capacity = available.saturating_add(FIRST_CAPACITY);
    }
}

/// The object's identity and what the handle allows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HandleBasicInfo {
    /// The object.
    pub koid: Koid,
    /// What the handle allows.
    pub rights: Rights,
    /// The type of the object.
    pub object_type: ObjectType,
    /// The object's parent or peer; `Koid::INVALID` if it has none.
    pub related_koid: Koid,
    /// Zero.
    pub reserved: u32,
}

impl From<sys::zx_info_handle_basic_t> for HandleBasicInfo {
    fn from(record: sys::zx_info_handle_basic_t) -> Self {
        Self {
            koid: Koid::from_raw(record.koid),
            rights: Rights::from_bits_retain(record.rights),
            object_type: ObjectType::from_raw(record.object_type),
            related_koid: Koid::from_raw(record.related_koid),
            reserved: record.reserved,
        }
    }
}

/// How many handles name an object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct HandleCountInfo {
    /// The number, over all processes and messages under way.
    pub handle_count: u32,
}

impl From<sys::zx_info_handle_count_t> for HandleCountInfo {
    fn from(record: sys::zx_info_handle_count_t) -> Self {
        Self {
            handle_count: record.handle_count,
        }
    }
}
