//! Where regions and mappings go: `docs/spec/vmar.md` §4.

use zx::{AsHandleRef, Status, VmarFlags, sys};

use crate::calls::{AllocateCall, MapCall};
use crate::fixtures::{P, Region, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, tests};

pub const TESTS: &[Test] = tests![
    any_place_is_inside_and_free,
    fifty_pages_fit_under_a_limit_and_no_more,
    mappings_respect_a_limit_too,
    every_alignment_is_respected,
    an_alignment_that_does_not_fit_is_refused,
    a_compact_region_takes_as_much_as_another,
    places_are_not_predictable,
];

fn any_place_is_inside_and_free() -> Outcome {
    let region = Region::new(16)?;
    for _ in 0..16 {
        let (_, address) = AllocateCall::one_page(&region).make()?;
        check(
            (region.at(0)..region.at(16)).contains(&address),
            "a place in the parent",
        )?;
    }
    region.refuses(Status::NO_RESOURCES, || {
        AllocateCall::one_page(&region).make()
    })?;
    check_eq(region.shape()?.len(), 17)
}

fn fifty_pages_fit_under_a_limit_and_no_more() -> Outcome {
    let region = Region::new(100)?;
    let call = AllocateCall {
        options: sys::ZX_VM_OFFSET_IS_UPPER_LIMIT,
        offset: 50 * P,
        ..AllocateCall::one_page(&region)
    };
    for _ in 0..50 {
        let (_, address) = call.make()?;
        check(address < region.at(50), "a place below the limit")?;
    }
    region.refuses(Status::NO_RESOURCES, || call.make())?;
    AllocateCall::one_page(&region)
        .make()
        .map(drop)
        .map_err(Into::into)
}

fn mappings_respect_a_limit_too() -> Outcome {
    let region = Region::new(20)?;
    let vmo = vmo_of(1)?;
    let valid = MapCall::one_page(&region, &vmo);
    let call = MapCall {
        options: valid.options | sys::ZX_VM_OFFSET_IS_UPPER_LIMIT,
        vmar_offset: 10 * P,
        ..valid
    };
    for _ in 0..10 {
        check(call.make()? < region.at(10), "a place below the limit")?;
    }
    region.refuses(Status::NO_RESOURCES, || call.make())
}

fn every_alignment_is_respected() -> Outcome {
    for exponent in 10..=32 {
        let call = AllocateCall {
            parent: rt::vmar_root_self().raw_handle(),
            options: exponent << 24,
            offset: 0,
            size: P,
        };
        let (region, address) = call.make()?;
        crate::calls::destroy(region.raw_handle())?;
        check(
            address.is_multiple_of(1 << exponent.max(12)),
            "an aligned place",
        )?;
    }
    Ok(())
}

fn an_alignment_that_does_not_fit_is_refused() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    // Four pages contain at most one multiple of 16 KiB.
    let options = sys::ZX_VM_ALIGN_16KB;
    let (_, address) = AllocateCall {
        options,
        ..AllocateCall::one_page(&region)
    }
    .make()?;
    check(address.is_multiple_of(4 * P), "an aligned place")?;
    let valid = MapCall::one_page(&region, &vmo);
    region.refuses(Status::NO_RESOURCES, || {
        MapCall {
            options: valid.options | options,
            ..valid
        }
        .make()
    })
}

fn a_compact_region_takes_as_much_as_another() -> Outcome {
    let region = Region::with_flags(8, VmarFlags::COMPACT | VmarFlags::CAN_MAP_READ)?;
    for _ in 0..8 {
        AllocateCall::one_page(&region).make()?;
    }
    region.refuses(Status::NO_RESOURCES, || {
        AllocateCall::one_page(&region).make()
    })
}

fn places_are_not_predictable() -> Outcome {
    const TRIES: usize = 8;

    let region = Region::new(1 << 20)?;
    let mut addresses = [0; TRIES];
    for address in &mut addresses {
        (_, *address) = AllocateCall::one_page(&region).make()?;
    }
    // With over a million places, a run of neighbours has a chance of less than one in 2^100.
    let neighbours = addresses
        .windows(2)
        .all(|pair| pair[0].abs_diff(pair[1]) == P);
    check(!neighbours, "places all over the parent")
}
