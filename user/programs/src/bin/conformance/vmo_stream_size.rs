//! `zx_vmo_get_stream_size`, `zx_vmo_set_stream_size` and the property: `docs/spec/vmo.md` §4.

use core::ptr;

use zx::{AsHandleRef, HandleBased, Rights, Status, VmarFlags, Vmo, VmoOptions, ok, sys};

use crate::fixtures::{
    BAD_ADDRESSES, P, Probe, READ_WRITE, Region, bad_handles, numbered_vmo, peek, poke,
    resizable_vmo_of, vmo_of, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuse_what_is_no_handle,
    refuse_what_is_no_vmo,
    get_needs_no_right,
    get_refuses_bad_result_addresses,
    begins_as_the_size_that_was_asked_for,
    follows_the_size,
    set_needs_write,
    set_refuses_what_is_beyond_the_end,
    set_checks_the_right_first,
    what_lies_beyond_becomes_zero,
    the_same_size_changes_nothing,
    mappings_that_fault_beyond_follow_at_once,
    the_property_is_the_same,
    the_property_needs_write_too,
    the_property_needs_eight_bytes,
    the_property_is_for_vmos,
    mapping_beyond_needs_to_allow_faults,
];

const PAGE: u64 = P as u64;

fn set(vmo: u32, size: u64) -> Result<(), Status> {
    // SAFETY: the tests change only VMOs of their own, which they read through `peek` alone.
    ok(unsafe { sys::zx_vmo_set_stream_size(vmo, size) })
}

fn get(vmo: u32) -> Result<u64, Status> {
    let mut size = 0;
    // SAFETY: `size` is a live local that the call may write.
    ok(unsafe { sys::zx_vmo_get_stream_size(vmo, &mut size) })?;
    Ok(size)
}

fn refuse_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(get(bad), Status::BAD_HANDLE)?;
        check_refused(set(bad, 0), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuse_what_is_no_vmo() -> Outcome {
    let root = rt::vmar_root_self().raw_handle();
    check_refused(get(root), Status::WRONG_TYPE)?;
    check_refused(set(root, 0), Status::WRONG_TYPE)
}

fn get_needs_no_right() -> Outcome {
    let powerless = Vmo::create(5)?.replace_handle(Rights::NONE)?;
    check_eq(powerless.get_stream_size()?, 5)
}

fn get_refuses_bad_result_addresses() -> Outcome {
    let vmo = vmo_of(1)?;
    for bad in BAD_ADDRESSES {
        let place = ptr::without_provenance_mut(bad);
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw = unsafe { sys::zx_vmo_get_stream_size(vmo.raw_handle(), place) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn begins_as_the_size_that_was_asked_for() -> Outcome {
    for size in [0, 1, PAGE - 1, PAGE, PAGE + 1] {
        check_eq(Vmo::create(size)?.get_stream_size()?, size)?;
        let unbounded = Vmo::create_with_opts(VmoOptions::UNBOUNDED, size)?;
        check_eq(unbounded.get_stream_size()?, size)?;
    }
    Ok(())
}

fn follows_the_size() -> Outcome {
    let vmo = resizable_vmo_of(2)?;
    vmo.set_stream_size(3)?;
    for size in [PAGE + 1, 4 * PAGE, 0] {
        vmo.set_size(size)?;
        check_eq(vmo.get_stream_size()?, size)?;
    }
    Ok(())
}

fn set_needs_write() -> Outcome {
    let vmo = vmo_of(1)?;
    let weaker = without_rights(&vmo, Rights::WRITE)?;
    check_refused(weaker.set_stream_size(0), Status::ACCESS_DENIED)?;
    // The size stays, so no right to resize is needed.
    let fixed = without_rights(&resizable_vmo_of(1)?, Rights::RESIZE)?;
    fixed.set_stream_size(0)?;
    check_eq(
        [vmo.get_stream_size()?, fixed.get_stream_size()?],
        [PAGE, 0],
    )
}

fn set_refuses_what_is_beyond_the_end() -> Outcome {
    let vmo = vmo_of(2)?;
    for size in [2 * PAGE + 1, 3 * PAGE, u64::MAX] {
        check_refused(vmo.set_stream_size(size), Status::OUT_OF_RANGE)?;
    }
    for size in [0, 1, 2 * PAGE, PAGE] {
        vmo.set_stream_size(size)?;
        check_eq([vmo.get_stream_size()?, vmo.get_size()?], [size, 2 * PAGE])?;
    }
    // The end is that of whole pages.
    let odd = Vmo::create(10)?;
    odd.set_stream_size(PAGE)?;
    check_refused(odd.set_stream_size(PAGE + 1), Status::OUT_OF_RANGE)
}

fn set_checks_the_right_first() -> Outcome {
    let weaker = without_rights(&vmo_of(1)?, Rights::WRITE)?;
    check_refused(weaker.set_stream_size(u64::MAX), Status::ACCESS_DENIED)?;
    check_refused(weaker.set_stream_size(PAGE), Status::ACCESS_DENIED)
}

fn what_lies_beyond_becomes_zero() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    vmo.write(&[1; 4 * P], 0)?;
    let base = region.map_at(0, &vmo, 4)?;
    check_eq(peek(base + 3 * P), 1)?;
    vmo.set_stream_size(PAGE + 7)?;
    let seen = |offset| peek(base + offset);
    check_eq([seen(P + 6), seen(P + 7), seen(2 * P - 1)], [1, 0, 0])?;
    check_eq([seen(2 * P), seen(3 * P)], [0, 0])?;
    check_eq(vmo.info()?.committed_bytes, 2 * PAGE)?;
    poke(base + P + 8, 5);
    poke(base + 2 * P, 5);
    vmo.set_stream_size(4 * PAGE)?;
    check_eq([seen(P + 6), seen(P + 8), seen(2 * P)], [1, 0, 0])
}

fn the_same_size_changes_nothing() -> Outcome {
    let vmo = vmo_of(2)?;
    vmo.set_stream_size(PAGE)?;
    vmo.write(&[4], PAGE)?;
    vmo.set_stream_size(PAGE)?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 4)
}

const BEYOND: VmarFlags = VmarFlags::ALLOW_FAULTS.union(VmarFlags::FAULT_BEYOND_STREAM_SIZE);

fn mappings_that_fault_beyond_follow_at_once() -> Outcome {
    let region = Region::new(8)?;
    let vmo = numbered_vmo(4, 1)?;
    let base = region.map(0, &vmo, 0, 4 * P, READ_WRITE | VmarFlags::SPECIFIC | BEYOND)?;
    let plain = region.map_at(4, &vmo, 4)?;
    let probe = Probe::new()?;
    for page in 0..4 {
        check_eq(peek(base + page * P), page as u8 + 1)?;
    }
    for (size, readable) in [
        (3 * PAGE, 3),
        (PAGE + 1, 2),
        (PAGE, 1),
        (0, 0),
        (2 * PAGE, 2),
    ] {
        vmo.set_stream_size(size)?;
        for page in 0..4 {
            let address = base + page * P;
            if page < readable {
                check_eq(probe.is_readable(address)?, true)?;
            } else {
                probe.check_faults(address)?;
            }
            check_eq(probe.is_readable(plain + page * P)?, true)?;
        }
    }
    poke(base + P, 9);
    check_eq(peek(plain + P), 9)
}

fn the_property_is_the_same() -> Outcome {
    let vmo = Vmo::create(PAGE + 5)?;
    check_eq(vmo.get_content_size()?, PAGE + 5)?;
    vmo.write(&[3; 10], 0)?;
    vmo.set_content_size(&4)?;
    check_eq([vmo.get_stream_size()?, vmo.get_content_size()?], [4, 4])?;
    check_eq(vmo.read_to_array::<u8, 6>(0)?, [3, 3, 3, 3, 0, 0])?;
    check_refused(vmo.set_content_size(&(2 * PAGE + 1)), Status::OUT_OF_RANGE)?;
    vmo.set_stream_size(7)?;
    check_eq(vmo.get_content_size()?, 7)
}

fn the_property_needs_write_too() -> Outcome {
    let vmo = vmo_of(1)?;
    for right in [Rights::WRITE, Rights::SET_PROPERTY] {
        let weaker = without_rights(&vmo, right)?;
        check_refused(weaker.set_content_size(&0), Status::ACCESS_DENIED)?;
        check_eq(weaker.get_content_size()?, PAGE)?;
    }
    let weaker = without_rights(&vmo, Rights::GET_PROPERTY)?;
    check_refused(weaker.get_content_size(), Status::ACCESS_DENIED)?;
    weaker.set_content_size(&9)?;
    check_eq(vmo.get_content_size()?, 9)
}

fn set_property(handle: u32, value: *const u8, size: usize) -> Result<(), Status> {
    let property = sys::ZX_PROP_VMO_CONTENT_SIZE;
    // SAFETY: the tests give their own buffers or addresses that the kernel refuses.
    ok(unsafe { sys::zx_object_set_property(handle, property, value, size) })
}

fn the_property_needs_eight_bytes() -> Outcome {
    let vmo = vmo_of(1)?;
    let value = [0_u8; 16];
    for size in [0, 1, 7] {
        let set = set_property(vmo.raw_handle(), value.as_ptr(), size);
        check_refused(set, Status::BUFFER_TOO_SMALL)?;
    }
    for bad in BAD_ADDRESSES {
        let set = set_property(vmo.raw_handle(), ptr::without_provenance(bad), 8);
        check_refused(set, Status::INVALID_ARGS)?;
    }
    check_eq(vmo.get_content_size()?, PAGE)?;
    set_property(vmo.raw_handle(), value.as_ptr(), 16)?;
    check_eq(vmo.get_content_size()?, 0)
}

fn the_property_is_for_vmos() -> Outcome {
    let process = rt::process_self().raw_handle();
    let value = 0_u64.to_le_bytes();
    let set = set_property(process, value.as_ptr(), 8);
    check_refused(set, Status::WRONG_TYPE)
}

fn mapping_beyond_needs_to_allow_faults() -> Outcome {
    let region = Region::new(1)?;
    let vmo = vmo_of(1)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    let alone = flags | VmarFlags::FAULT_BEYOND_STREAM_SIZE;
    region.refuses(Status::INVALID_ARGS, || region.map(0, &vmo, 0, P, alone))?;
    region.map(0, &vmo, 0, P, flags | BEYOND)?;
    check_eq(peek(region.at(0)), 0)
}
