//! Handles: close, duplicate, replace, check: `docs/spec/objects.md` §2.

use core::ptr;

use zx::{AsHandleRef, Handle, HandleBased, Rights, Status, Vmo, ok, sys};

use crate::fixtures::{BAD_ADDRESSES, bad_handles, vmo_of, with_rights, without_rights};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    close_accepts_the_invalid_value,
    close_refuses_what_is_no_handle,
    close_happens_once,
    values_are_never_zero_and_have_low_bits_set,
    check_valid_knows_handles,
    duplicate_refuses_what_is_no_handle,
    duplicate_needs_its_right,
    duplicate_refuses_rights_that_are_not_held,
    duplicate_refuses_the_marker_with_company,
    duplicate_refuses_bad_result_addresses,
    duplicate_checks_the_right_before_the_subset,
    duplicate_gives_the_same_rights_or_fewer,
    duplicate_names_the_same_object,
    replace_refuses_what_is_no_handle,
    replace_consumes_on_refusal,
    replace_gives_another_value,
    replace_needs_no_right,
    replace_with_a_bad_result_address_leaves_no_handle,
    the_object_lives_until_the_last_handle,
    ten_thousand_handles_differ,
];

fn close(handle: u32) -> Result<(), Status> {
    // SAFETY: the tests close only handles of their own or values that name none.
    ok(unsafe { sys::zx_handle_close(handle) })
}

fn duplicate(handle: u32, rights: u32) -> Result<Vmo, Status> {
    let mut duplicate = sys::ZX_HANDLE_INVALID;
    // SAFETY: `duplicate` is a live local that the call may write.
    ok(unsafe { sys::zx_handle_duplicate(handle, rights, &mut duplicate) })?;
    // SAFETY: the kernel made the handle for this call, so nothing else owns it.
    Ok(Vmo::from_handle(unsafe { Handle::from_raw(duplicate) }))
}

fn replace(handle: u32, rights: u32) -> Result<Vmo, Status> {
    let mut replacement = sys::ZX_HANDLE_INVALID;
    // SAFETY: `replacement` is a live local that the call may write.
    ok(unsafe { sys::zx_handle_replace(handle, rights, &mut replacement) })?;
    // SAFETY: the kernel made the handle for this call, so nothing else owns it.
    Ok(Vmo::from_handle(unsafe { Handle::from_raw(replacement) }))
}

fn close_accepts_the_invalid_value() -> Outcome {
    check_eq(close(sys::ZX_HANDLE_INVALID), Ok(()))
}

fn close_refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()?.into_iter().filter(|bad| *bad != 0) {
        check_refused(close(bad), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn close_happens_once() -> Outcome {
    let raw = vmo_of(0)?.into_raw();
    check_eq(close(raw), Ok(()))?;
    check_refused(close(raw), Status::BAD_HANDLE)
}

fn values_are_never_zero_and_have_low_bits_set() -> Outcome {
    for _ in 0..100 {
        let vmo = vmo_of(0)?;
        check(vmo.raw_handle() != 0, "a value other than zero")?;
        check_eq(vmo.raw_handle() & 3, 3)?;
    }
    Ok(())
}

fn check_valid_knows_handles() -> Outcome {
    let vmo = vmo_of(0)?.replace_handle(Rights::NONE)?;
    check_eq(Handle::check_raw_valid(vmo.raw_handle()), Ok(()))?;
    for bad in bad_handles()? {
        check_refused(Handle::check_raw_valid(bad), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn duplicate_refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(
            duplicate(bad, sys::ZX_RIGHT_SAME_RIGHTS),
            Status::BAD_HANDLE,
        )?;
    }
    Ok(())
}

fn duplicate_needs_its_right() -> Outcome {
    let vmo = without_rights(&vmo_of(0)?, Rights::DUPLICATE)?;
    for rights in [sys::ZX_RIGHT_SAME_RIGHTS, sys::ZX_RIGHT_NONE] {
        check_refused(duplicate(vmo.raw_handle(), rights), Status::ACCESS_DENIED)?;
    }
    check_eq(vmo.count_info()?.handle_count, 1)
}

fn duplicate_refuses_rights_that_are_not_held() -> Outcome {
    let vmo = vmo_of(0)?;
    let held = vmo.basic_info()?.rights.bits();
    let missing = (0..31).map(|bit| 1 << bit).filter(|bit| held & bit == 0);
    for right in missing {
        check_refused(duplicate(vmo.raw_handle(), right), Status::INVALID_ARGS)?;
        check_refused(
            duplicate(vmo.raw_handle(), held | right),
            Status::INVALID_ARGS,
        )?;
    }
    check_eq(vmo.count_info()?.handle_count, 1)
}

fn duplicate_refuses_the_marker_with_company() -> Outcome {
    let vmo = vmo_of(0)?;
    for rights in [sys::ZX_RIGHT_READ, u32::MAX >> 1] {
        let rights = sys::ZX_RIGHT_SAME_RIGHTS | rights;
        check_refused(duplicate(vmo.raw_handle(), rights), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn duplicate_refuses_bad_result_addresses() -> Outcome {
    let vmo = vmo_of(0)?;
    for bad in BAD_ADDRESSES {
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw = unsafe {
            sys::zx_handle_duplicate(
                vmo.raw_handle(),
                sys::ZX_RIGHT_SAME_RIGHTS,
                ptr::without_provenance_mut(bad),
            )
        };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    check_eq(vmo.count_info()?.handle_count, 1)
}

fn duplicate_checks_the_right_before_the_subset() -> Outcome {
    let vmo = without_rights(&vmo_of(0)?, Rights::DUPLICATE)?;
    check_refused(duplicate(vmo.raw_handle(), 1 << 30), Status::ACCESS_DENIED)
}

fn duplicate_gives_the_same_rights_or_fewer() -> Outcome {
    let vmo = vmo_of(0)?;
    let same = vmo.duplicate_handle(Rights::SAME_RIGHTS)?;
    check_eq(same.basic_info()?.rights, vmo.basic_info()?.rights)?;
    for rights in [Rights::NONE, Rights::READ, Rights::BASIC] {
        check_eq(with_rights(&vmo, rights)?.basic_info()?.rights, rights)?;
    }
    Ok(())
}

fn duplicate_names_the_same_object() -> Outcome {
    let vmo = vmo_of(1)?;
    let other = vmo.duplicate_handle(Rights::SAME_RIGHTS)?;
    check(vmo.raw_handle() != other.raw_handle(), "two values")?;
    check_eq(vmo.get_koid()?, other.get_koid()?)?;
    check_eq(vmo.count_info()?.handle_count, 2)?;
    vmo.write(&[7], 0)?;
    check_eq(other.read_to_object::<u8>(0)?, 7)
}

fn replace_refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(replace(bad, sys::ZX_RIGHT_SAME_RIGHTS), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn replace_consumes_on_refusal() -> Outcome {
    let vmo = vmo_of(0)?;
    for rights in [
        sys::ZX_RIGHT_EXECUTE,
        sys::ZX_RIGHT_SAME_RIGHTS | sys::ZX_RIGHT_READ,
        1 << 30,
    ] {
        let raw = vmo.duplicate_handle(Rights::SAME_RIGHTS)?.into_raw();
        check_refused(replace(raw, rights), Status::INVALID_ARGS)?;
        check_refused(Handle::check_raw_valid(raw), Status::BAD_HANDLE)?;
    }
    check_eq(vmo.count_info()?.handle_count, 1)
}

fn replace_gives_another_value() -> Outcome {
    let vmo = vmo_of(0)?;
    let (old, koid) = (vmo.raw_handle(), vmo.get_koid()?);
    let vmo = vmo.replace_handle(Rights::INSPECT | Rights::READ)?;
    check(vmo.raw_handle() != old, "another value")?;
    check_refused(Handle::check_raw_valid(old), Status::BAD_HANDLE)?;
    check_eq(vmo.get_koid()?, koid)?;
    check_eq(vmo.basic_info()?.rights, Rights::INSPECT | Rights::READ)?;
    check_eq(vmo.count_info()?.handle_count, 1)
}

fn replace_needs_no_right() -> Outcome {
    let powerless = vmo_of(0)?.replace_handle(Rights::NONE)?;
    let again = powerless.replace_handle(Rights::SAME_RIGHTS)?;
    check_eq(again.basic_info()?.rights, Rights::NONE)
}

fn replace_with_a_bad_result_address_leaves_no_handle() -> Outcome {
    let vmo = vmo_of(0)?;
    for bad in BAD_ADDRESSES {
        let handle = vmo.duplicate_handle(Rights::SAME_RIGHTS)?.into_raw();
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw = unsafe {
            sys::zx_handle_replace(
                handle,
                sys::ZX_RIGHT_SAME_RIGHTS,
                ptr::without_provenance_mut(bad),
            )
        };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
        check_eq(vmo.count_info()?.handle_count, 1)?;
    }
    Ok(())
}

fn the_object_lives_until_the_last_handle() -> Outcome {
    let vmo = vmo_of(1)?;
    vmo.write(&[3], 0)?;
    let last = vmo.duplicate_handle(Rights::SAME_RIGHTS)?;
    drop(vmo);
    check_eq(last.count_info()?.handle_count, 1)?;
    check_eq(last.read_to_object::<u8>(0)?, 3)
}

fn ten_thousand_handles_differ() -> Outcome {
    const COUNT: usize = 10_000;

    let vmo = vmo_of(0)?;
    let mut handles = alloc::vec::Vec::new();
    for _ in 0..COUNT {
        handles.push(vmo.duplicate_handle(Rights::SAME_RIGHTS)?);
    }
    check_eq(vmo.count_info()?.handle_count as usize, COUNT + 1)?;
    handles.sort_unstable();
    check(handles.is_sorted_by(|a, b| a < b), "values that all differ")?;
    drop(handles);
    check_eq(vmo.count_info()?.handle_count, 1)
}
