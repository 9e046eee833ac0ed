//! Checks of `zx_vmo_create_child` and their order: `docs/spec/vmo.md` §7.1 to §7.4.

use zx::{
    AsHandleRef, CachePolicy, HandleBased, Rights, Status, Vmo, VmoChildOptions, VmoOptions, ok,
    sys,
};

use super::faces::{PAGE, REFERENCE, SLICE, SNAPSHOT};
use crate::fixtures::{
    BAD_ADDRESSES, bad_handles, numbered_vmo, resizable_vmo_of, vmo_of, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    a_size_that_cannot_be_rounded_comes_first,
    no_write_and_resizable_exclude_each_other_before_the_handle,
    refuses_what_is_no_vmo,
    needs_to_duplicate_and_read,
    refuses_options_that_exclude_each_other,
    discardable_vmos_have_no_children,
    offsets_are_page_aligned,
    refuses_more_than_a_vmo_can_have,
    a_child_that_nobody_can_be_told_of_is_gone,
    clones_need_cached_memory,
    a_slice_lies_in_its_parent,
    resizable_vmos_have_no_slices,
    slices_need_cached_memory,
    references_have_no_range,
    slices_have_no_references,
    references_resize_with_the_right_only,
    references_need_cached_memory,
    what_fails_changes_nothing,
];

const AT_LEAST: VmoChildOptions = VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE;
const MODIFIED: VmoChildOptions = VmoChildOptions::SNAPSHOT_MODIFIED;
const RESIZABLE: VmoChildOptions = VmoChildOptions::RESIZABLE;
const NO_WRITE: VmoChildOptions = VmoChildOptions::NO_WRITE;
const CLONES: [VmoChildOptions; 3] = [SNAPSHOT, AT_LEAST, MODIFIED];

/// The larger of sizes that every VMO can have, plus a page.
const TOO_LARGE: u64 = u64::MAX - 64 * PAGE + 1 + PAGE;

fn raw(vmo: u32, options: VmoChildOptions, offset: u64, size: u64) -> Result<(), Status> {
    let mut child = sys::ZX_HANDLE_INVALID;
    // SAFETY: `child` is a live local that the call may write.
    ok(unsafe { sys::zx_vmo_create_child(vmo, options.bits(), offset, size, &mut child) })?;
    // SAFETY: the kernel made the handle for this call, so nothing else owns it.
    drop(unsafe { zx::Handle::from_raw(child) });
    Ok(())
}

fn a_size_that_cannot_be_rounded_comes_first() -> Outcome {
    for size in [u64::MAX, u64::MAX - PAGE + 2] {
        for bad in bad_handles()? {
            check_refused(
                raw(bad, RESIZABLE | NO_WRITE, 1, size),
                Status::OUT_OF_RANGE,
            )?;
        }
        check_refused(
            raw(vmo_of(1)?.raw_handle(), SNAPSHOT, 0, size),
            Status::OUT_OF_RANGE,
        )?;
    }
    Ok(())
}

fn no_write_and_resizable_exclude_each_other_before_the_handle() -> Outcome {
    for bad in bad_handles()? {
        let options = SNAPSHOT | RESIZABLE | NO_WRITE;
        check_refused(raw(bad, options, 0, PAGE), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn refuses_what_is_no_vmo() -> Outcome {
    for bad in bad_handles()? {
        check_refused(raw(bad, VmoChildOptions::empty(), 1, 1), Status::BAD_HANDLE)?;
    }
    let root = rt::vmar_root_self().raw_handle();
    check_refused(
        raw(root, VmoChildOptions::empty(), 1, 1),
        Status::WRONG_TYPE,
    )
}

fn needs_to_duplicate_and_read() -> Outcome {
    let vmo = vmo_of(1)?;
    for right in [Rights::DUPLICATE, Rights::READ] {
        let weak = without_rights(&vmo, right)?;
        for options in [SNAPSHOT, SLICE, VmoChildOptions::empty()] {
            check_refused(weak.create_child(options, 0, PAGE), Status::ACCESS_DENIED)?;
        }
    }
    let least = vmo.duplicate_handle(Rights::DUPLICATE | Rights::READ)?;
    least.create_child(SNAPSHOT, 0, PAGE).map(drop)?;
    Ok(())
}

fn refuses_options_that_exclude_each_other() -> Outcome {
    let vmos = [vmo_of(1)?, discardable()?];
    for vmo in &vmos {
        for options in [
            VmoChildOptions::empty(),
            RESIZABLE,
            NO_WRITE,
            SNAPSHOT | AT_LEAST,
            SNAPSHOT | MODIFIED,
            AT_LEAST | MODIFIED,
            SLICE | SNAPSHOT,
            SLICE | AT_LEAST,
            SLICE | MODIFIED,
            SLICE | REFERENCE,
            SLICE | RESIZABLE,
            SNAPSHOT | VmoChildOptions::from_bits_retain(1 << 1),
            SNAPSHOT | VmoChildOptions::from_bits_retain(1 << 8),
            SNAPSHOT | VmoChildOptions::from_bits_retain(1 << 31),
        ] {
            check_refused(
                vmo.create_child(options, 1, TOO_LARGE),
                Status::INVALID_ARGS,
            )?;
        }
    }
    Ok(())
}

fn discardable() -> Result<Vmo, Status> {
    Vmo::create_with_opts(VmoOptions::DISCARDABLE, PAGE)
}

fn discardable_vmos_have_no_children() -> Outcome {
    let vmo = discardable()?;
    for options in [SNAPSHOT, AT_LEAST, MODIFIED, SLICE, REFERENCE] {
        check_refused(
            vmo.create_child(options, 1, TOO_LARGE),
            Status::NOT_SUPPORTED,
        )?;
    }
    Ok(())
}

fn offsets_are_page_aligned() -> Outcome {
    let vmo = vmo_of(2)?;
    for options in CLONES.into_iter().chain([SLICE]) {
        for offset in [1, PAGE - 1, PAGE + 1] {
            check_refused(
                vmo.create_child(options, offset, TOO_LARGE),
                Status::INVALID_ARGS,
            )?;
        }
    }
    Ok(())
}

fn refuses_more_than_a_vmo_can_have() -> Outcome {
    let vmo = vmo_of(2)?;
    for options in CLONES.into_iter().chain([SLICE]) {
        check_refused(
            vmo.create_child(options, 0, TOO_LARGE),
            Status::OUT_OF_RANGE,
        )?;
    }
    vmo.create_child(SNAPSHOT, 0, TOO_LARGE - PAGE).map(drop)?;
    check_refused(
        vmo.create_child(SLICE, 0, TOO_LARGE - PAGE),
        Status::INVALID_ARGS,
    )
}

fn a_child_that_nobody_can_be_told_of_is_gone() -> Outcome {
    let vmo = vmo_of(1)?;
    for address in BAD_ADDRESSES {
        // SAFETY: the kernel finds that nothing can be written there.
        let status = ok(unsafe {
            sys::zx_vmo_create_child(
                vmo.raw_handle(),
                SNAPSHOT.bits(),
                0,
                PAGE,
                address as *mut sys::zx_handle_t,
            )
        });
        check_refused(status, Status::INVALID_ARGS)?;
        check_eq(vmo.info()?.num_children, 0)?;
    }
    Ok(())
}

/// A VMO whose memory is not cached.
fn uncached() -> Result<Vmo, Status> {
    let vmo = vmo_of(2)?;
    vmo.set_cache_policy(CachePolicy::UnCached)?;
    Ok(vmo)
}

fn clones_need_cached_memory() -> Outcome {
    let vmo = uncached()?;
    for options in CLONES {
        check_refused(vmo.create_child(options, 0, PAGE), Status::BAD_STATE)?;
        // What does not depend on the memory comes first.
        check_refused(vmo.create_child(options, 1, PAGE), Status::INVALID_ARGS)?;
    }
    vmo.set_cache_policy(CachePolicy::Cached)?;
    vmo.create_child(SNAPSHOT, 0, PAGE).map(drop)?;
    Ok(())
}

fn a_slice_lies_in_its_parent() -> Outcome {
    let vmo = numbered_vmo(3, 1)?;
    for (offset, size) in [
        (0, 3 * PAGE + 1),
        (3 * PAGE, 1),
        (4 * PAGE, 0),
        (2 * PAGE, 2 * PAGE),
        (u64::MAX - PAGE + 1, 2 * PAGE),
    ] {
        check_refused(vmo.create_child(SLICE, offset, size), Status::INVALID_ARGS)?;
    }
    for (offset, size) in [(0, 0), (3 * PAGE, 0), (2 * PAGE, 1), (0, 3 * PAGE)] {
        let slice = vmo.create_child(SLICE, offset, size)?;
        check_eq(slice.get_size()?, size.next_multiple_of(PAGE))?;
        check_eq(slice.get_stream_size()?, size)?;
    }
    Ok(())
}

fn resizable_vmos_have_no_slices() -> Outcome {
    let vmo = resizable_vmo_of(2)?;
    check_refused(vmo.create_child(SLICE, 0, 3 * PAGE), Status::INVALID_ARGS)?;
    check_refused(vmo.create_child(SLICE, 0, PAGE), Status::NOT_SUPPORTED)
}

fn slices_need_cached_memory() -> Outcome {
    let vmo = uncached()?;
    check_refused(vmo.create_child(SLICE, 0, PAGE), Status::BAD_STATE)?;
    check_refused(vmo.create_child(SLICE, 0, 3 * PAGE), Status::INVALID_ARGS)
}

fn references_have_no_range() -> Outcome {
    let vmo = vmo_of(2)?;
    for (offset, size) in [(PAGE, 0), (0, PAGE), (1, 0), (0, 1)] {
        check_refused(
            vmo.create_child(REFERENCE, offset, size),
            Status::INVALID_ARGS,
        )?;
    }
    vmo.create_child(REFERENCE, 0, 0).map(drop)?;
    Ok(())
}

fn slices_have_no_references() -> Outcome {
    let vmo = vmo_of(2)?;
    let slice = vmo.create_child(SLICE, 0, PAGE)?;
    check_refused(slice.create_child(REFERENCE, 0, 0), Status::NOT_SUPPORTED)?;
    check_refused(slice.create_child(REFERENCE, PAGE, 0), Status::INVALID_ARGS)
}

fn references_resize_with_the_right_only() -> Outcome {
    let fixed = vmo_of(1)?;
    check_refused(
        fixed.create_child(REFERENCE | RESIZABLE, 0, 0),
        Status::ACCESS_DENIED,
    )?;
    let resizable = resizable_vmo_of(1)?;
    let weak = without_rights(&resizable, Rights::RESIZE)?;
    check_refused(
        weak.create_child(REFERENCE | RESIZABLE, 0, 0),
        Status::ACCESS_DENIED,
    )?;
    let reference = resizable.create_child(REFERENCE | RESIZABLE, 0, 0)?;
    reference.set_size(3 * PAGE)?;
    check_eq(resizable.get_size()?, 3 * PAGE)?;
    let plain = resizable.create_child(REFERENCE, 0, 0)?;
    check_refused(plain.set_size(PAGE), Status::ACCESS_DENIED)
}

fn references_need_cached_memory() -> Outcome {
    let vmo = uncached()?;
    check_refused(vmo.create_child(REFERENCE, 0, 0), Status::BAD_STATE)?;
    check_refused(
        vmo.create_child(REFERENCE | RESIZABLE, 0, 0),
        Status::ACCESS_DENIED,
    )
}

fn what_fails_changes_nothing() -> Outcome {
    let vmo = numbered_vmo(2, 1)?;
    let before = vmo.info()?;
    check_refused(
        vmo.create_child(SNAPSHOT | SLICE, 0, PAGE),
        Status::INVALID_ARGS,
    )?;
    check_refused(vmo.create_child(SNAPSHOT, 1, PAGE), Status::INVALID_ARGS)?;
    check_refused(vmo.create_child(SLICE, 0, 3 * PAGE), Status::INVALID_ARGS)?;
    let after = vmo.info()?;
    check_eq(after.num_children, before.num_children)?;
    check_eq(
        after.committed_private_bytes,
        before.committed_private_bytes,
    )
}
