//! `zx_object_get_property` and `zx_object_set_property` with NAME: `docs/spec/objects.md` §7.

use core::ptr;

use zx::{AsHandleRef, Name, Rights, Status, ok, sys};

use crate::fixtures::{BAD_ADDRESSES, bad_handles, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuse_what_is_no_handle,
    need_their_right,
    regions_have_no_names_to_read,
    refuse_unknown_properties,
    refuse_properties_of_other_types,
    get_refuses_a_short_buffer,
    refuse_bad_buffers,
    check_the_right_before_the_rest,
    get_fills_32_bytes_only,
    set_takes_any_length,
    set_stops_at_the_first_nul,
    set_cuts_after_31_bytes,
    set_is_seen_through_every_handle,
    processes_have_names,
];

fn get(handle: u32, property: u32, value: *mut u8, size: usize) -> Result<(), Status> {
    // SAFETY: the tests give their own buffers or addresses that the kernel refuses, which is what is
    // tested.
    ok(unsafe { sys::zx_object_get_property(handle, property, value, size) })
}

fn set(handle: u32, property: u32, value: *const u8, size: usize) -> Result<(), Status> {
    // SAFETY: as `get`.
    ok(unsafe { sys::zx_object_set_property(handle, property, value, size) })
}

fn set_name(handle: u32, name: &[u8]) -> Result<(), Status> {
    set(handle, sys::ZX_PROP_NAME, name.as_ptr(), name.len())
}

fn refuse_what_is_no_handle() -> Outcome {
    let mut buffer = [0; 32];
    for bad in bad_handles()? {
        let read = get(bad, sys::ZX_PROP_NAME, buffer.as_mut_ptr(), 32);
        check_refused(read, Status::BAD_HANDLE)?;
        check_refused(set_name(bad, b"x"), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn need_their_right() -> Outcome {
    let vmo = vmo_of(0)?;
    let unreadable = without_rights(&vmo, Rights::GET_PROPERTY)?;
    check_refused(unreadable.get_name(), Status::ACCESS_DENIED)?;
    unreadable.set_name(&Name::new_lossy("set"))?;
    let unwritable = without_rights(&vmo, Rights::SET_PROPERTY)?;
    check_refused(
        unwritable.set_name(&Name::new_lossy("no")),
        Status::ACCESS_DENIED,
    )?;
    check_eq(unwritable.get_name()?, Name::new_lossy("set"))
}

fn regions_have_no_names_to_read() -> Outcome {
    let root = rt::vmar_root_self();
    check_refused(root.get_name(), Status::ACCESS_DENIED)?;
    check_refused(root.set_name(&Name::new_lossy("no")), Status::ACCESS_DENIED)
}

fn refuse_unknown_properties() -> Outcome {
    let vmo = vmo_of(0)?;
    let mut buffer = [0; 64];
    for property in [0, 1, 100, u32::MAX] {
        let read = get(vmo.raw_handle(), property, buffer.as_mut_ptr(), 64);
        check_refused(read, Status::NOT_SUPPORTED)?;
        let written = set(vmo.raw_handle(), property, buffer.as_ptr(), 64);
        check_refused(written, Status::NOT_SUPPORTED)?;
    }
    Ok(())
}

fn refuse_properties_of_other_types() -> Outcome {
    let vmo = vmo_of(0)?;
    let mut buffer = [0; 8];
    let property = sys::ZX_PROP_PROCESS_DEBUG_ADDR;
    check_refused(
        get(vmo.raw_handle(), property, buffer.as_mut_ptr(), 8),
        Status::WRONG_TYPE,
    )?;
    check_refused(
        set(vmo.raw_handle(), property, buffer.as_ptr(), 8),
        Status::WRONG_TYPE,
    )
}

fn get_refuses_a_short_buffer() -> Outcome {
    let vmo = vmo_of(0)?;
    for size in [0, 1, 31] {
        let mut buffer = [0xaa; 32];
        let read = get(
            vmo.raw_handle(),
            sys::ZX_PROP_NAME,
            buffer.as_mut_ptr(),
            size,
        );
        check_refused(read, Status::BUFFER_TOO_SMALL)?;
        check_eq(buffer, [0xaa; 32])?;
    }
    Ok(())
}

fn refuse_bad_buffers() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.set_name(&Name::new_lossy("before"))?;
    for bad in BAD_ADDRESSES {
        let (property, handle) = (sys::ZX_PROP_NAME, vmo.raw_handle());
        let read = get(handle, property, ptr::without_provenance_mut(bad), 32);
        check_refused(read, Status::INVALID_ARGS)?;
        let written = set(handle, property, ptr::without_provenance(bad), 8);
        check_refused(written, Status::INVALID_ARGS)?;
    }
    check_eq(vmo.get_name()?, Name::new_lossy("before"))
}

fn check_the_right_before_the_rest() -> Outcome {
    let vmo = without_rights(&vmo_of(0)?, Rights::PROPERTY)?;
    for property in [sys::ZX_PROP_NAME, sys::ZX_PROP_PROCESS_DEBUG_ADDR, 100] {
        let read = get(vmo.raw_handle(), property, ptr::null_mut(), 0);
        check_refused(read, Status::ACCESS_DENIED)?;
        let written = set(vmo.raw_handle(), property, ptr::null(), 8);
        check_refused(written, Status::ACCESS_DENIED)?;
    }
    Ok(())
}

fn get_fills_32_bytes_only() -> Outcome {
    let vmo = vmo_of(0)?;
    set_name(vmo.raw_handle(), b"short")?;
    let mut buffer = [0xaa; 40];
    get(
        vmo.raw_handle(),
        sys::ZX_PROP_NAME,
        buffer.as_mut_ptr(),
        buffer.len(),
    )?;
    check_eq(&buffer[..5], &b"short"[..])?;
    check_eq(&buffer[5..32], &[0; 27][..])?;
    check_eq(&buffer[32..], &[0xaa; 8][..])
}

fn set_takes_any_length() -> Outcome {
    let vmo = vmo_of(0)?;
    set_name(vmo.raw_handle(), b"something")?;
    set_name(vmo.raw_handle(), b"")?;
    check_eq(vmo.get_name()?, Name::default())
}

fn set_stops_at_the_first_nul() -> Outcome {
    let vmo = vmo_of(0)?;
    set_name(vmo.raw_handle(), b"one\0two")?;
    check_eq(
        vmo.get_name()?.into_raw(),
        Name::new_lossy("one").into_raw(),
    )
}

fn set_cuts_after_31_bytes() -> Outcome {
    let vmo = vmo_of(0)?;
    for length in [31, 32, 33, 4096] {
        set_name(vmo.raw_handle(), &[b'n'; 4096][..length])?;
        check_eq(vmo.get_name()?.as_bytes(), &[b'n'; 31][..])?;
    }
    Ok(())
}

fn set_is_seen_through_every_handle() -> Outcome {
    let vmo = vmo_of(0)?;
    let other = vmo.duplicate(Rights::SAME_RIGHTS)?;
    vmo.set_name(&Name::new_lossy("shared"))?;
    check_eq(other.get_name()?, Name::new_lossy("shared"))?;
    check_eq(other.info()?.name, Name::new_lossy("shared"))
}

fn processes_have_names() -> Outcome {
    let process = rt::process_self();
    let before = process.get_name()?;
    process.set_name(&Name::new_lossy("renamed"))?;
    check_eq(process.get_name()?, Name::new_lossy("renamed"))?;
    process.set_name(&before).map_err(Into::into)
}
