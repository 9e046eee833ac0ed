//! Where regions and mappings go, as far as every choice of places agrees: `docs/spec/vmar.md` §4.
//!
//! These hold with any `aslr=`, at random as well as at the lowest places.

use zx::{AsHandleRef, HandleBased, Rights, Status, VmarFlags, sys};

use crate::calls::{AllocateCall, MapCall, unmap};
use crate::fixtures::{CAN_MAP_ALL, P, Region, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, tests};

pub const TESTS: &[Test] = tests![
    fifty_mappings_fit_under_a_limit_and_no_more,
    a_limit_counts_from_the_base_of_the_region,
    a_limit_of_the_whole_region_is_none,
    a_limit_that_leaves_no_room_is_refused,
    a_limit_below_what_is_full_finds_nothing,
    the_only_place_is_found,
    every_hole_is_found_until_none_is_left,
    every_alignment_is_respected_by_mappings,
    alignments_count_in_absolute_addresses,
    an_alignment_below_a_limit,
    the_largest_alignment_below_a_limit,
    a_region_too_small_for_an_alignment_has_no_place,
    a_compact_region_keeps_together,
    compact_is_of_the_region_around,
    a_place_is_free_again_after_unmapping,
];

/// A readable page of `vmo` below a limit.
fn below(region: &Region, vmo: &zx::Vmo, limit: usize) -> MapCall {
    let valid = MapCall::one_page(region, vmo);
    MapCall {
        options: valid.options | sys::ZX_VM_OFFSET_IS_UPPER_LIMIT,
        vmar_offset: limit,
        ..valid
    }
}

fn fifty_mappings_fit_under_a_limit_and_no_more() -> Outcome {
    let (region, vmo) = (Region::new(100)?, vmo_of(1)?);
    let call = below(&region, &vmo, 50 * P);
    for _ in 0..50 {
        let address = call.make()?;
        check(
            (region.at(0)..region.at(50)).contains(&address),
            "a place below the limit",
        )?;
    }
    region.refuses(Status::NO_RESOURCES, || call.make())?;
    // The other half of the region is as free as ever.
    below(&region, &vmo, 51 * P).make()?;
    region.refuses(Status::NO_RESOURCES, || below(&region, &vmo, 51 * P).make())
}

fn a_limit_counts_from_the_base_of_the_region() -> Outcome {
    let outer = Region::new(64)?;
    let inner = outer.child(32, 16)?;
    let vmo = vmo_of(1)?;
    for limit in [1, 2, 3] {
        let address = below(&inner, &vmo, limit * P).make()?;
        check_eq(address < inner.at(limit), true)?;
        check_eq(address >= inner.at(0), true)?;
    }
    Ok(())
}

fn a_limit_of_the_whole_region_is_none() -> Outcome {
    let (region, vmo) = (Region::new(3)?, vmo_of(1)?);
    let whole = MapCall {
        length: 3 * P,
        ..below(&region, &vmo, 3 * P)
    };
    check_eq(whole.make(), Ok(region.at(0)))?;
    unmap(region.raw_handle(), region.at(0), 3 * P)?;
    let beyond = below(&region, &vmo, 4 * P);
    region.refuses(Status::INVALID_ARGS, || beyond.make())
}

fn a_limit_that_leaves_no_room_is_refused() -> Outcome {
    let (region, vmo) = (Region::new(8)?, vmo_of(1)?);
    for (limit, pages) in [(0, 1), (1, 2), (7, 8), (8, 9)] {
        let call = MapCall {
            length: pages * P,
            ..below(&region, &vmo, limit * P)
        };
        region.refuses(Status::INVALID_ARGS, || call.make())?;
    }
    for limit in [1, P - 1, P + 1] {
        region.refuses(Status::INVALID_ARGS, || below(&region, &vmo, limit).make())?;
    }
    Ok(())
}

fn a_limit_below_what_is_full_finds_nothing() -> Outcome {
    let (region, vmo) = (Region::new(8)?, vmo_of(1)?);
    region.map_at(0, &vmo, 2)?;
    let call = below(&region, &vmo, 2 * P);
    region.refuses(Status::NO_RESOURCES, || call.make())?;
    // Half a page of room above the mapping is none.
    let call = MapCall {
        length: 2 * P,
        ..below(&region, &vmo, 3 * P)
    };
    region.refuses(Status::NO_RESOURCES, || call.make())?;
    check_eq(below(&region, &vmo, 3 * P).make(), Ok(region.at(2)))
}

fn the_only_place_is_found() -> Outcome {
    for pages in [1, 2, 7, 300] {
        let (region, vmo) = (Region::new(pages + 20)?, vmo_of(1)?);
        region.map_at(0, &vmo, 9)?;
        region.map_at(9 + pages, &vmo, 11)?;
        let call = MapCall {
            length: pages * P,
            ..MapCall::one_page(&region, &vmo)
        };
        check_eq(call.make(), Ok(region.at(9)))?;
        region.refuses(Status::NO_RESOURCES, || {
            MapCall::one_page(&region, &vmo).make()
        })?;
    }
    Ok(())
}

fn every_hole_is_found_until_none_is_left() -> Outcome {
    const HOLES: usize = 300;

    let (region, vmo) = (Region::new(2 * HOLES)?, vmo_of(1)?);
    for hole in 0..HOLES {
        region.map_at(2 * hole, &vmo, 1)?;
    }
    for _ in 0..HOLES {
        let address = MapCall::one_page(&region, &vmo).make()?;
        check((address - region.at(0)) / P % 2 == 1, "a hole")?;
    }
    region.refuses(Status::NO_RESOURCES, || {
        MapCall::one_page(&region, &vmo).make()
    })
}

fn every_alignment_is_respected_by_mappings() -> Outcome {
    let vmo = vmo_of(1)?;
    let root = rt::vmar_root_self();
    for exponent in 10..=32 {
        let call = MapCall {
            vmar: root.raw_handle(),
            options: sys::ZX_VM_PERM_READ | exponent << 24,
            vmar_offset: 0,
            vmo: vmo.raw_handle(),
            vmo_offset: 0,
            length: P,
        };
        let address = call.make()?;
        unmap(root.raw_handle(), address, P)?;
        let alignment = 1 << exponent.max(12);
        check(address.is_multiple_of(alignment), "an aligned place")?;
    }
    Ok(())
}

fn alignments_count_in_absolute_addresses() -> Outcome {
    // Of 48 pages, three are aligned to 16, wherever the first one is.
    let outer = Region::new(64)?;
    let vmo = vmo_of(1)?;
    for first in 0..16 {
        let inner = outer.child(first, 48)?;
        let valid = MapCall::one_page(&inner, &vmo);
        let call = MapCall {
            options: valid.options | sys::ZX_VM_ALIGN_64KB,
            ..valid
        };
        for _ in 0..3 {
            let address = call.make()?;
            check(address.is_multiple_of(16 * P), "an aligned place")?;
        }
        inner.refuses(Status::NO_RESOURCES, || call.make())?;
        crate::calls::destroy(inner.raw_handle())?;
    }
    Ok(())
}

fn an_alignment_below_a_limit() -> Outcome {
    let (region, vmo) = (Region::new(256)?, vmo_of(1)?);
    let first = region.at(0).next_multiple_of(32 * P) - region.at(0);
    let call = |limit: usize| {
        let valid = below(&region, &vmo, limit);
        MapCall {
            options: valid.options | sys::ZX_VM_ALIGN_128KB,
            ..valid
        }
    };
    // One page below the first aligned place and its page, there is none.
    if first > 0 {
        region.refuses(Status::NO_RESOURCES, || call(first).make())?;
    }
    check_eq(call(first + P).make(), Ok(region.at(0) + first))?;
    region.refuses(Status::NO_RESOURCES, || call(first + P).make())?;
    check_eq(
        call(first + 33 * P).make(),
        Ok(region.at(0) + first + 32 * P),
    )
}

fn the_largest_alignment_below_a_limit() -> Outcome {
    const GIB: usize = 1 << 30;

    let region = Region::new(16 * GIB / P)?;
    let limit = 9 * GIB;
    let call = AllocateCall {
        options: sys::ZX_VM_OFFSET_IS_UPPER_LIMIT | sys::ZX_VM_ALIGN_4GB,
        offset: limit,
        ..AllocateCall::one_page(&region)
    };
    // Nine GiB contain two or three multiples of four.
    let mut found = 0;
    while let Ok((_, address)) = call.make() {
        check(address.is_multiple_of(4 * GIB), "an aligned place")?;
        check(address < region.at(0) + limit, "a place below the limit")?;
        found += 1;
    }
    check((2..=3).contains(&found), "two or three places")?;
    region.refuses(Status::NO_RESOURCES, || call.make())
}

fn a_region_too_small_for_an_alignment_has_no_place() -> Outcome {
    // Of four pages, one is aligned to four; the region without it has none.
    let outer = Region::new(8)?;
    let aligned = outer.at(0).next_multiple_of(4 * P);
    let inner = outer.child((aligned - outer.at(0)) / P + 1, 3)?;
    let call = AllocateCall {
        options: sys::ZX_VM_ALIGN_16KB,
        ..AllocateCall::one_page(&inner)
    };
    inner.refuses(Status::NO_RESOURCES, || call.make())
}

fn a_compact_region_keeps_together() -> Outcome {
    const MAPPINGS: usize = 40;

    let flags = CAN_MAP_ALL | VmarFlags::COMPACT;
    let (region, vmo) = (Region::with_flags(1 << 18, flags)?, vmo_of(1)?);
    for _ in 0..MAPPINGS {
        let address = MapCall::one_page(&region, &vmo).make()?;
        // One of the lowest 256 free pages; at most as many as there are mappings are not free.
        let page = (address - region.at(0)) / P;
        check(page < 256 + MAPPINGS, "a place near the others")?;
    }
    Ok(())
}

fn compact_is_of_the_region_around() -> Outcome {
    // A compact region inside an ordinary one: its own place is as free as any.
    let region = Region::new(1 << 18)?;
    let call = AllocateCall {
        options: sys::ZX_VM_COMPACT | sys::ZX_VM_CAN_MAP_READ,
        ..AllocateCall::one_page(&region)
    };
    let mut highest = 0;
    for _ in 0..20 {
        highest = highest.max(call.make()?.1);
    }
    // With places at random, the chance of staying this low is less than one in 2^100.
    let is_random = highest > region.at(256 + 20);
    let is_lowest = highest == region.at(19);
    check(is_random || is_lowest, "a place of an ordinary region")
}

fn a_place_is_free_again_after_unmapping() -> Outcome {
    let (region, vmo) = (Region::new(1)?, vmo_of(1)?);
    let weak = region.duplicate_handle(Rights::SAME_RIGHTS)?;
    for _ in 0..3 {
        check_eq(MapCall::one_page(&region, &vmo).make(), Ok(region.at(0)))?;
        region.refuses(Status::NO_RESOURCES, || {
            MapCall::one_page(&region, &vmo).make()
        })?;
        unmap(weak.raw_handle(), region.at(0), P)?;
    }
    Ok(())
}
