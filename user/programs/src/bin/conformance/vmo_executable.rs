//! `zx_vmo_replace_as_executable`: `docs/spec/vmo.md` §13.

use core::ptr;

use zx::{AsHandleRef, Handle, HandleBased, Rights, Status, VmarFlags, Vmo, ok, sys};

use crate::fixtures::{
    BAD_ADDRESSES, P, Region, bad_handles, executable, vmo_of, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_vmo,
    refuses_what_is_no_resource,
    refuses_a_resource_for_something_else,
    refuses_bad_result_addresses,
    always_takes_the_handle,
    adds_nothing_but_execute,
    needs_no_right,
    gives_another_handle_to_the_same_vmo,
    an_executable_vmo_can_be_mapped_so,
    other_handles_stay_as_they_are,
];

fn replace(vmo: u32, vmex: u32) -> Result<u32, Status> {
    let mut replacement = sys::ZX_HANDLE_INVALID;
    // SAFETY: `replacement` is a live local; the tests give up what they replace.
    ok(unsafe { sys::zx_vmo_replace_as_executable(vmo, vmex, &mut replacement) })?;
    Ok(replacement)
}

fn refuses_what_is_no_vmo() -> Outcome {
    for bad in bad_handles()? {
        check_refused(replace(bad, 0), Status::BAD_HANDLE)?;
    }
    let region = Region::new(1)?;
    let other = without_rights(&*region, Rights::NONE)?.into_raw();
    check_refused(replace(other, 0), Status::BAD_HANDLE)?;
    check_refused(Handle::check_raw_valid(other), Status::BAD_HANDLE)
}

fn refuses_what_is_no_resource() -> Outcome {
    check_refused(replace(vmo_of(1)?.into_raw(), u32::MAX), Status::BAD_HANDLE)?;
    let other = vmo_of(1)?;
    let answer = replace(vmo_of(1)?.into_raw(), other.raw_handle());
    check_refused(answer, Status::WRONG_TYPE)?;
    let same = vmo_of(1)?.into_raw();
    check_refused(replace(same, same), Status::WRONG_TYPE)?;
    // What is no VMO counts first.
    check_refused(replace(0, other.raw_handle()), Status::BAD_HANDLE)
}

fn refuses_a_resource_for_something_else() -> Outcome {
    // The resource of programs covers DEBUG and INFO.
    let resource = rt::system_resource();
    let answer = vmo_of(1)?.replace_as_executable(&resource);
    check_refused(answer, Status::OUT_OF_RANGE)
}

fn refuses_bad_result_addresses() -> Outcome {
    for bad in BAD_ADDRESSES {
        let vmo = vmo_of(1)?.into_raw();
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw =
            unsafe { sys::zx_vmo_replace_as_executable(vmo, 0, ptr::without_provenance_mut(bad)) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
        check_refused(Handle::check_raw_valid(vmo), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn always_takes_the_handle() -> Outcome {
    let other = vmo_of(1)?;
    for vmex in [0, u32::MAX, other.raw_handle()] {
        let vmo = vmo_of(1)?.into_raw();
        if let Ok(replacement) = replace(vmo, vmex) {
            // SAFETY: the kernel made the handle for this call, so nothing else owns it.
            drop(unsafe { Handle::from_raw(replacement) });
        }
        check_refused(Handle::check_raw_valid(vmo), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn adds_nothing_but_execute() -> Outcome {
    for rights in [
        Rights::NONE,
        Rights::READ | Rights::MAP,
        Rights::VMO_DEFAULT,
    ] {
        let vmo = executable(with_rights(&vmo_of(1)?, rights)?)?;
        check_eq(vmo.basic_info()?.rights, rights | Rights::EXECUTE)?;
        // Twice changes nothing more.
        check_eq(
            executable(vmo)?.basic_info()?.rights,
            rights | Rights::EXECUTE,
        )?;
    }
    Ok(())
}

fn needs_no_right() -> Outcome {
    let vmo = executable(vmo_of(1)?.replace_handle(Rights::NONE)?)?;
    check_eq(vmo.basic_info()?.rights, Rights::EXECUTE)
}

fn gives_another_handle_to_the_same_vmo() -> Outcome {
    let vmo = vmo_of(1)?;
    vmo.write(&[7], 0)?;
    let koid = vmo.get_koid()?;
    let vmo = executable(vmo)?;
    check_eq((vmo.get_koid()?, vmo.count_info()?.handle_count), (koid, 1))?;
    check_eq(vmo.read_to_object::<u8>(0)?, 7)
}

fn an_executable_vmo_can_be_mapped_so() -> Outcome {
    let region = Region::new(2)?;
    let vmo: Vmo = executable(vmo_of(1)?)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::PERM_EXECUTE;
    region.map(0, &vmo, 0, P, flags)?;
    let lines = region.shape()?;
    let shown = lines.iter().find_map(|line| line.mapping);
    check_eq(shown.map(|mapping| mapping.permissions), Some(flags.bits()))
}

fn other_handles_stay_as_they_are() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(1)?;
    let other = vmo.duplicate_handle(Rights::SAME_RIGHTS)?;
    let executable = executable(vmo)?;
    check_eq(other.basic_info()?.rights, Rights::VMO_DEFAULT)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::PERM_EXECUTE;
    region.refuses(Status::ACCESS_DENIED, || region.map(0, &other, 0, P, flags))?;
    region
        .map(0, &executable, 0, P, flags)
        .map(drop)
        .map_err(Into::into)
}
