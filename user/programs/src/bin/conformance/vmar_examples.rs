//! The worked examples: one test per row of `docs/spec/vmar.md` §14, in its order.

use alloc::vec::Vec;

use zx::{AsHandleRef, Rights, Status, VmarFlags, sys};

use crate::calls::{self, MapCall, ProtectCall};
use crate::fixtures::{
    P, Probe, READ_WRITE, Region, numbered_vmo, peek, resizable_vmo_of, vmo_of, without_rights,
};
use crate::harness::{Failure, Outcome, Test, check_eq, check_refused, tests};
use crate::vmar_protect::protect;

pub const TESTS: &[Test] = tests![
    unmapping_the_first_two_of_four_keeps_the_others,
    unmapping_the_middle_leaves_two_mappings,
    unmapping_across_two_mappings_trims_both,
    unmapping_over_a_region_destroys_it,
    unmapping_a_part_of_a_region_changes_nothing,
    unmapping_may_begin_in_a_hole,
    protecting_goes_over_three_mappings,
    one_mapping_that_may_not_write_stops_protecting,
    protecting_does_not_go_over_a_hole,
    protecting_goes_through_a_full_region,
    a_parent_only_takes_permissions_away,
    a_taken_place_is_refused,
    overwriting_the_middle_keeps_the_outside,
    a_mapping_longer_than_its_vmo_faults_beyond,
    odd_lengths_act_on_whole_pages,
];

const READ: u32 = sys::ZX_VM_PERM_READ;
const WRITE: u32 = sys::ZX_VM_PERM_WRITE;

/// The region of the examples.
fn region() -> Result<Region, Status> {
    Region::new(12)
}

/// Maps all of a fresh VMO of four pages at page `page`.
fn map_four(region: &Region, page: usize) -> Result<(), Status> {
    region.map_at(page, &numbered_vmo(4, 1)?, 4).map(drop)
}

fn unmap(region: &Region, page: usize, pages: usize) -> Result<(), Status> {
    calls::unmap(region.raw_handle(), region.at(page), pages * P)
}

/// The pages that are mapped, and nothing else is.
fn mapped(region: &Region) -> Result<Vec<usize>, Failure> {
    let pages: Vec<_> = region
        .mapped_pages()?
        .iter()
        .map(|(page, _)| *page)
        .collect();
    let probe = Probe::new()?;
    for page in 0..12 {
        check_eq(probe.is_readable(region.at(page))?, pages.contains(&page))?;
    }
    Ok(pages)
}

/// The pages that can be written.
fn writable(region: &Region) -> Result<Vec<usize>, Failure> {
    let probe = Probe::new()?;
    let mut pages = Vec::new();
    for page in 0..12 {
        if probe.is_writable(region.at(page))? {
            pages.push(page);
        }
    }
    Ok(pages)
}

fn unmapping_the_first_two_of_four_keeps_the_others() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    unmap(&region, 0, 2)?;
    check_eq(mapped(&region)?, [2, 3].into())
}

fn unmapping_the_middle_leaves_two_mappings() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    unmap(&region, 1, 2)?;
    check_eq(mapped(&region)?, [0, 3].into())?;
    check_eq(region.shape()?.len(), 3)?;
    check_eq(peek(region.at(3)), 4)
}

fn unmapping_across_two_mappings_trims_both() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    map_four(&region, 4)?;
    unmap(&region, 2, 3)?;
    check_eq(mapped(&region)?, [0, 1, 5, 6, 7].into())
}

fn unmapping_over_a_region_destroys_it() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    map_four(&region, 8)?;
    let child = region.child(4, 4)?;
    let vmo = vmo_of(1)?;
    child.map_at(0, &vmo, 1)?;
    unmap(&region, 0, 9)?;
    check_eq(mapped(&region)?, [9, 10, 11].into())?;
    check_refused(child.map_at(1, &vmo, 1), Status::BAD_STATE)
}

fn unmapping_a_part_of_a_region_changes_nothing() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    map_four(&region, 4)?;
    let child = region.child(8, 4)?;
    child.map_at(0, &vmo_of(1)?, 1)?;
    region.refuses(Status::INVALID_ARGS, || unmap(&region, 1, 10))?;
    check_eq(mapped(&region)?, (0..9).collect())
}

fn unmapping_may_begin_in_a_hole() -> Outcome {
    let region = region()?;
    map_four(&region, 1)?;
    unmap(&region, 0, 5)?;
    check_eq(mapped(&region)?, [].into())
}

fn protecting_goes_over_three_mappings() -> Outcome {
    let region = region()?;
    for page in [0, 4, 8] {
        map_four(&region, page)?;
    }
    protect(&region, 1, 10, READ)?;
    check_eq(mapped(&region)?, (0..12).collect())?;
    check_eq(writable(&region)?, [0, 11].into())
}

fn one_mapping_that_may_not_write_stops_protecting() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    map_four(&region, 8)?;
    let read_only = without_rights(&vmo_of(4)?, Rights::WRITE)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(4 * P, &read_only, 0, 4 * P, flags)?;
    protect(&region, 0, 12, READ)?;
    region.refuses(Status::ACCESS_DENIED, || {
        protect(&region, 1, 10, READ | WRITE)
    })?;
    check_eq(writable(&region)?, [].into())
}

fn protecting_does_not_go_over_a_hole() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    map_four(&region, 8)?;
    region.refuses(Status::NOT_FOUND, || protect(&region, 1, 10, READ))?;
    check_eq(writable(&region)?, [0, 1, 2, 3, 8, 9, 10, 11].into())
}

fn protecting_goes_through_a_full_region() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    map_four(&region, 8)?;
    let child = region.child(4, 4)?;
    map_four(&child, 0)?;
    protect(&region, 1, 10, READ)?;
    check_eq(writable(&region)?, [0, 11].into())
}

fn a_parent_only_takes_permissions_away() -> Outcome {
    let region = region()?;
    let child = region.child(4, 1)?;
    child.map(0, &vmo_of(1)?, 0, P, READ_WRITE)?;
    protect(&region, 4, 1, READ)?;
    region.refuses(Status::ACCESS_DENIED, || {
        protect(&region, 4, 1, READ | WRITE)
    })?;
    check_eq(writable(&region)?, [].into())?;
    protect(&child, 0, 1, READ | WRITE)?;
    check_eq(writable(&region)?, [4].into())
}

fn a_taken_place_is_refused() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    let _child = region.child(6, 4)?;
    let vmo = vmo_of(4)?;
    for (page, pages) in [
        (0, 4),
        (3, 1),
        (3, 2),
        (5, 2),
        (6, 4),
        (7, 1),
        (9, 2),
        (0, 12),
    ] {
        region.refuses(Status::ALREADY_EXISTS, || region.map_at(page, &vmo, pages))?;
    }
    Ok(())
}

fn overwriting_the_middle_keeps_the_outside() -> Outcome {
    let region = region()?;
    map_four(&region, 0)?;
    let other = numbered_vmo(2, 101)?;
    let valid = MapCall::one_page(&region, &other);
    let call = MapCall {
        options: valid.options | sys::ZX_VM_SPECIFIC_OVERWRITE,
        vmar_offset: P,
        length: 2 * P,
        ..valid
    };
    check_eq(call.make(), Ok(region.at(1)))?;
    check_eq(
        [0, 1, 2, 3].map(|page| peek(region.at(page))),
        [1, 101, 102, 4],
    )
}

fn a_mapping_longer_than_its_vmo_faults_beyond() -> Outcome {
    let region = region()?;
    let vmo = resizable_vmo_of(1)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::MAP_RANGE | VmarFlags::SPECIFIC;
    let address = region.map(0, &vmo, 0, 2 * P, flags)?;
    check_eq(peek(address), 0)?;
    Probe::new()?.check_faults(address + P)
}

fn odd_lengths_act_on_whole_pages() -> Outcome {
    let region = region()?;
    for page in [0, 4, 8] {
        map_four(&region, page)?;
    }
    let call = ProtectCall {
        length: 4 * P - 1,
        ..ProtectCall::read_only(&region, 4)
    };
    call.make()?;
    check_eq(writable(&region)?, [0, 1, 2, 3, 8, 9, 10, 11].into())?;
    calls::unmap(region.raw_handle(), region.at(4), 4 * P - 1)?;
    check_eq(mapped(&region)?, [0, 1, 2, 3, 8, 9, 10, 11].into())
}
