//! Reading and changing properties.

use core::mem::size_of;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::{HandleRef, Name, Property, Status, ok, sys};

/// A property and the type of its value.
pub trait PropertyQuery {
    /// The property.
    const PROPERTY: Property;
    /// The value, whose bytes are what the kernel reads and writes.
    type PropTy: Copy + FromBytes + Immutable + IntoBytes;
}

/// The name of an object.
pub(crate) struct NameProperty;

impl PropertyQuery for NameProperty {
    const PROPERTY: Property = Property::NAME;
    type PropTy = Name;
}

/// The stream size of a VMO.
pub(crate) struct ContentSizeProperty;

impl PropertyQuery for ContentSizeProperty {
    const PROPERTY: Property = Property::VMO_CONTENT_SIZE;
    type PropTy = u64;
}

/// Reads a property.
///
/// # Errors
/// - `ACCESS_DENIED`: no `GET_PROPERTY` right.
/// - `WRONG_TYPE`: the object has no such property.
/// - `NOT_SUPPORTED`: no object has.
pub fn object_get_property<Q: PropertyQuery>(handle: HandleRef<'_>) -> Result<Q::PropTy, Status> {
    let mut value = Q::PropTy::new_zeroed();
    // SAFETY:
    // 1. `value` is a live local of the given size, and any bytes in it are a value.
    // 2. Asking changes neither handles nor address space.
    ok(unsafe {
        sys::zx_object_get_property(
            handle.raw_handle(),
            Q::PROPERTY.into_raw(),
            (&raw mut value).cast(),
            size_of::<Q::PropTy>(),
        )
    })?;
    Ok(value)
}

/// Changes a property.
///
/// # Errors
/// - `ACCESS_DENIED`: no `SET_PROPERTY` right.
/// - `WRONG_TYPE`: the object has no such property.
/// - `NOT_SUPPORTED`: no object has.
pub fn object_set_property<Q: PropertyQuery>(
    handle: HandleRef<'_>,
    value: &Q::PropTy,
) -> Result<(), Status> {
    let bytes = value.as_bytes();
    // SAFETY:
    // 1. `bytes` is borrowed for reading and the length is its own.
    // 2. A property changes neither handles nor address space.
    ok(unsafe {
        sys::zx_object_set_property(
            handle.raw_handle(),
            Q::PROPERTY.into_raw(),
            bytes.as_ptr(),
            bytes.len(),
        )
    })
}
