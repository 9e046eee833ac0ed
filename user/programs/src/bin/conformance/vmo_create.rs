//! `zx_vmo_create`: `docs/spec/vmo.md` §2.

use core::ptr;

use zx::{
    AsHandleRef, CachePolicy, Handle, HandleBased, Koid, ObjectType, Rights, Status, Vmo,
    VmoInfoFlags, VmoOptions, ok, sys,
};

use crate::fixtures::{BAD_ADDRESSES, P};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_resizable_and_unbounded,
    refuses_sizes_that_overflow,
    refuses_undefined_options,
    refuses_bad_result_addresses,
    checks_the_pair_before_the_size,
    checks_the_size_before_the_options,
    creates_the_largest,
    rounds_the_size_up,
    creates_an_empty_one,
    gives_the_documented_rights,
    starts_out_untouched,
    gives_fresh_koids,
    unbounded_is_large_and_fixed,
];

/// Makes the call with any arguments.
fn create(size: u64, options: u32) -> Result<Vmo, Status> {
    let mut vmo = sys::ZX_HANDLE_INVALID;
    // SAFETY: `vmo` is a live local that the call may write.
    ok(unsafe { sys::zx_vmo_create(size, options, &mut vmo) })?;
    // SAFETY: the kernel made the handle for this call, so nothing else owns it.
    Ok(Vmo::from_handle(unsafe { Handle::from_raw(vmo) }))
}

const OVERFLOWING: [u64; 3] = [u64::MAX, u64::MAX - 1, u64::MAX - P as u64 + 2];

fn refuses_resizable_and_unbounded() -> Outcome {
    let options = sys::ZX_VMO_RESIZABLE | sys::ZX_VMO_UNBOUNDED;
    check_refused(create(0, options), Status::INVALID_ARGS)
}

fn refuses_sizes_that_overflow() -> Outcome {
    for size in OVERFLOWING {
        check_refused(create(size, 0), Status::OUT_OF_RANGE)?;
        check_refused(create(size, sys::ZX_VMO_RESIZABLE), Status::OUT_OF_RANGE)?;
    }
    // Rounds to the last page of all, which is beyond the largest size.
    check_refused(create(u64::MAX - P as u64 + 1, 0), Status::OUT_OF_RANGE)
}

fn refuses_undefined_options() -> Outcome {
    let defined = sys::ZX_VMO_RESIZABLE | sys::ZX_VMO_DISCARDABLE | sys::ZX_VMO_UNBOUNDED;
    for bit in (0..32).map(|bit| 1 << bit).filter(|bit| defined & bit == 0) {
        check_refused(create(0, bit), Status::INVALID_ARGS)?;
        check_refused(create(0, sys::ZX_VMO_RESIZABLE | bit), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn refuses_bad_result_addresses() -> Outcome {
    for bad in BAD_ADDRESSES {
        // SAFETY: wild result addresses are refused, which is what is tested.
        let raw = unsafe { sys::zx_vmo_create(0, 0, ptr::without_provenance_mut(bad)) };
        check_eq(Status::from_raw(raw), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn checks_the_pair_before_the_size() -> Outcome {
    let options = sys::ZX_VMO_RESIZABLE | sys::ZX_VMO_UNBOUNDED;
    check_refused(create(u64::MAX, options), Status::INVALID_ARGS)
}

fn checks_the_size_before_the_options() -> Outcome {
    check_refused(create(u64::MAX, 1), Status::OUT_OF_RANGE)
}

fn creates_the_largest() -> Outcome {
    let size = 0_u64.wrapping_sub(64 * P as u64);
    let vmo = create(size, 0)?;
    check_eq(vmo.get_size()?, size)?;
    vmo.write(&[1], size - 1)?;
    check_eq(vmo.read_to_object::<u8>(size - 1)?, 1)?;
    check_eq(vmo.info()?.committed_bytes, P as u64)
}

fn rounds_the_size_up() -> Outcome {
    for (asked, given) in [(1, P), (P - 1, P), (P, P), (P + 1, 2 * P)] {
        check_eq(create(asked as u64, 0)?.get_size()?, given as u64)?;
    }
    Ok(())
}

fn creates_an_empty_one() -> Outcome {
    check_eq(create(0, 0)?.get_size()?, 0)
}

fn gives_the_documented_rights() -> Outcome {
    let fixed = create(1, 0)?.basic_info()?;
    check_eq(fixed.rights, Rights::VMO_DEFAULT)?;
    check_eq(fixed.object_type, ObjectType::VMO)?;
    let resizable = create(1, sys::ZX_VMO_RESIZABLE)?.basic_info()?;
    check_eq(resizable.rights, Rights::VMO_DEFAULT | Rights::RESIZE)
}

fn starts_out_untouched() -> Outcome {
    let vmo = create(P as u64 + 1, 0)?;
    let info = vmo.info()?;
    check_eq(info.koid, vmo.get_koid()?)?;
    check(info.name.is_empty(), "an empty name")?;
    check_eq(info.size_bytes, 2 * P as u64)?;
    check_eq(info.parent_koid, Koid::INVALID)?;
    check_eq(
        [info.num_children, info.num_mappings, info.share_count],
        [0, 0, 0],
    )?;
    check_eq(info.flags, VmoInfoFlags::PAGED | VmoInfoFlags::VIA_HANDLE)?;
    check_eq(
        [
            info.committed_bytes,
            info.populated_bytes,
            info.metadata_bytes,
        ],
        [0, 0, 0],
    )?;
    check_eq(info.handle_rights, Rights::VMO_DEFAULT)?;
    check_eq(info.cache_policy, CachePolicy::Cached)?;
    check_eq(vmo.read_to_array::<u8, 16>(P as u64)?, [0; 16])
}

fn gives_fresh_koids() -> Outcome {
    let first = create(0, 0)?.get_koid()?;
    let second = create(0, 0)?.get_koid()?;
    check(
        first >= Koid::FIRST && second >= Koid::FIRST,
        "koids from 1024 on",
    )?;
    check(first != second, "koids that are never used again")
}

fn unbounded_is_large_and_fixed() -> Outcome {
    let vmo = Vmo::create_with_opts(VmoOptions::UNBOUNDED, 1)?;
    check(
        vmo.get_size()? >= 0_u64.wrapping_sub(64 * P as u64),
        "the largest size",
    )?;
    check_refused(vmo.set_size(0), Status::UNAVAILABLE)
}
