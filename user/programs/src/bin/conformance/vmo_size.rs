//! `zx_vmo_get_size` and `zx_vmo_set_size`: `docs/spec/vmo.md` §4.

use core::ptr;

use zx::{AsHandleRef, HandleBased, Rights, Status, Vmo, VmoInfoFlags, ok, sys};

use crate::fixtures::{
    BAD_ADDRESSES, P, Probe, Region, bad_handles, peek, poke, resizable_vmo_of, vmo_of,
    without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuse_what_is_no_handle,
    refuse_what_is_no_vmo,
    get_size_needs_no_right,
    get_size_refuses_bad_result_addresses,
    set_size_needs_write,
    set_size_refuses_a_fixed_vmo,
    set_size_needs_resize,
    set_size_refuses_what_overflows,
    set_size_checks_write_first,
    set_size_checks_the_kind_before_the_size,
    set_size_rounds_up,
    shrinking_frees_pages,
    growing_reads_zero,
    an_unaligned_end_clears_the_rest_of_its_page,
    shrinking_takes_mapped_pages_away,
    growing_makes_a_larger_mapping_work,
    resizable_is_visible,
];

const PAGE: u64 = P as u64;

fn get_size(vmo: u32) -> Result<u64, Status> {
    let mut size = 0;
    // SAFETY: `size` is a live local that the call may write.
    ok(unsafe { sys::zx_vmo_get_size(vmo, &mut size) })?;
    Ok(size)
}

fn set_size(vmo: u32, size: u64) -> Result<(), Status> {
    // SAFETY: the tests resize only VMOs of their own, which they read through `peek` alone.
    ok(unsafe { sys::zx_vmo_set_size(vmo, size) })
}

fn refuse_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(get_size(bad), Status::BAD_HANDLE)?;
        check_refused(set_size(bad, 0), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuse_what_is_no_vmo() -> Outcome {
    let root = rt::vmar_root_self().raw_handle();
    check_refused(get_size(root), Status::WRONG_TYPE)?;
    check_refused(set_size(root, 0), Status::WRONG_TYPE)
}

fn get_size_needs_no_right() -> Outcome {
    let powerless = vmo_of(3)?.replace_handle(Rights::NONE)?;
    check_eq(powerless.get_size()?, 3 * PAGE)
}

fn get_size_refuses_bad_result_addresses() -> Outcome {
    let vmo = vmo_of(1)?;
    for bad in BAD_ADDRESSES {
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw =
            unsafe { sys::zx_vmo_get_size(vmo.raw_handle(), ptr::without_provenance_mut(bad)) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn set_size_needs_write() -> Outcome {
    let vmo = resizable_vmo_of(1)?;
    let weaker = without_rights(&vmo, Rights::WRITE)?;
    check_refused(weaker.set_size(0), Status::ACCESS_DENIED)?;
    check_eq(vmo.get_size()?, PAGE)
}

fn set_size_refuses_a_fixed_vmo() -> Outcome {
    let vmo = vmo_of(1)?;
    for size in [0, PAGE, 2 * PAGE] {
        check_refused(vmo.set_size(size), Status::UNAVAILABLE)?;
    }
    check_eq(vmo.get_size()?, PAGE)
}

fn set_size_needs_resize() -> Outcome {
    let vmo = resizable_vmo_of(1)?;
    let weaker = without_rights(&vmo, Rights::RESIZE)?;
    check_refused(weaker.set_size(0), Status::ACCESS_DENIED)?;
    check_eq(vmo.get_size()?, PAGE)
}

fn set_size_refuses_what_overflows() -> Outcome {
    let vmo = resizable_vmo_of(1)?;
    for size in [u64::MAX, u64::MAX - PAGE + 2, u64::MAX - PAGE + 1] {
        check_refused(vmo.set_size(size), Status::OUT_OF_RANGE)?;
    }
    check_eq(vmo.get_size()?, PAGE)
}

fn set_size_checks_write_first() -> Outcome {
    let fixed = without_rights(&vmo_of(1)?, Rights::WRITE)?;
    check_refused(fixed.set_size(u64::MAX), Status::ACCESS_DENIED)
}

fn set_size_checks_the_kind_before_the_size() -> Outcome {
    check_refused(vmo_of(1)?.set_size(u64::MAX), Status::UNAVAILABLE)?;
    let weaker = without_rights(&resizable_vmo_of(1)?, Rights::RESIZE)?;
    check_refused(weaker.set_size(u64::MAX), Status::ACCESS_DENIED)
}

fn set_size_rounds_up() -> Outcome {
    let vmo = resizable_vmo_of(1)?;
    for (asked, given) in [
        (PAGE + 1, 2 * PAGE),
        (1, PAGE),
        (0, 0),
        (3 * PAGE, 3 * PAGE),
    ] {
        vmo.set_size(asked)?;
        check_eq(vmo.get_size()?, given)?;
    }
    Ok(())
}

/// A resizable VMO of four pages full of ones.
fn full_vmo() -> Result<Vmo, Status> {
    let vmo = resizable_vmo_of(4)?;
    for page in 0..4 {
        vmo.write(&[1; P], page * PAGE)?;
    }
    Ok(vmo)
}

fn shrinking_frees_pages() -> Outcome {
    let vmo = full_vmo()?;
    check_eq(vmo.info()?.committed_bytes, 4 * PAGE)?;
    vmo.set_size(PAGE)?;
    check_eq(vmo.info()?.committed_bytes, PAGE)?;
    check_refused(vmo.read_to_object::<u8>(PAGE), Status::OUT_OF_RANGE)
}

fn growing_reads_zero() -> Outcome {
    let vmo = full_vmo()?;
    vmo.set_size(PAGE)?;
    vmo.set_size(4 * PAGE)?;
    check_eq(vmo.read_to_array::<u8, 4>(PAGE - 2)?, [1, 1, 0, 0])?;
    check_eq(vmo.read_to_object::<u8>(4 * PAGE - 1)?, 0)?;
    check_eq(vmo.info()?.committed_bytes, PAGE)
}

fn an_unaligned_end_clears_the_rest_of_its_page() -> Outcome {
    let vmo = full_vmo()?;
    vmo.set_size(PAGE + 100)?;
    check_eq(vmo.get_size()?, 2 * PAGE)?;
    check_eq(vmo.read_to_array::<u8, 4>(PAGE + 98)?, [1, 1, 0, 0])?;
    check_eq(vmo.read_to_object::<u8>(2 * PAGE - 1)?, 0)
}

fn shrinking_takes_mapped_pages_away() -> Outcome {
    let region = Region::new(4)?;
    let vmo = full_vmo()?;
    let base = region.map_at(0, &vmo, 4)?;
    for page in 0..4 {
        check_eq(peek(base + page * P), 1)?;
    }
    vmo.set_size(2 * PAGE)?;
    let probe = Probe::new()?;
    check_eq([peek(base), peek(base + P)], [1, 1])?;
    probe.check_faults(base + 2 * P)?;
    probe.check_faults(base + 3 * P)
}

fn growing_makes_a_larger_mapping_work() -> Outcome {
    let region = Region::new(2)?;
    let vmo = resizable_vmo_of(1)?;
    let base = region.map_at(0, &vmo, 2)?;
    Probe::new()?.check_faults(base + P)?;
    vmo.set_size(2 * PAGE)?;
    poke(base + P, 6);
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 6)
}

fn resizable_is_visible() -> Outcome {
    let flags = resizable_vmo_of(1)?.info()?.flags;
    check_eq(
        flags,
        VmoInfoFlags::PAGED | VmoInfoFlags::VIA_HANDLE | VmoInfoFlags::RESIZABLE,
    )
}
