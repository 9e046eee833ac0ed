//! `SPECIFIC_OVERWRITE` on a place that is taken: `docs/spec/vmar.md` §5.3.

use alloc::vec::Vec;
use core::ptr;

use zx::{Rights, Status, VmarFlags, sys};

use crate::calls::MapCall;
use crate::fixtures::{BAD_ADDRESSES, P, Region, numbered_vmo, peek, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    takes_a_free_place,
    replaces_the_middle_and_keeps_the_outside,
    replaces_a_whole_mapping,
    replaces_parts_of_several_mappings,
    refuses_any_touch_of_a_region,
    gives_back_the_old_vmo,
    keeps_what_is_there_if_the_address_cannot_be_told,
    tells_other_errors_before_a_bad_result_address,
    writes_the_address_into_what_replaces_the_old_place,
];

/// A call that overwrites `pages` pages from page `page` on.
fn overwrite(region: &Region, page: usize, vmo: &zx::Vmo, pages: usize) -> MapCall {
    let valid = MapCall::one_page(region, vmo);
    MapCall {
        options: valid.options | sys::ZX_VM_SPECIFIC_OVERWRITE,
        vmar_offset: page * P,
        length: pages * P,
        ..valid
    }
}

/// The first byte of each page from page 0 on.
fn first_bytes<const N: usize>(region: &Region) -> [u8; N] {
    core::array::from_fn(|page| peek(region.at(page)))
}

fn takes_a_free_place() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(1, 1)?;
    check_eq(overwrite(&region, 2, &vmo, 1).make(), Ok(region.at(2)))?;
    check_eq(region.mapped_pages()?, [(2, 0)].into())
}

fn replaces_the_middle_and_keeps_the_outside() -> Outcome {
    let region = Region::new(4)?;
    let (old, new) = (numbered_vmo(4, 1)?, numbered_vmo(2, 101)?);
    region.map_at(0, &old, 4)?;
    check_eq(first_bytes(&region), [1, 2, 3, 4])?;
    check_eq(overwrite(&region, 1, &new, 2).make(), Ok(region.at(1)))?;
    check_eq(first_bytes(&region), [1, 101, 102, 4])?;
    check_eq(
        region.mapped_pages()?,
        [(0, 0), (1, 0), (2, 1), (3, 3)].into(),
    )
}

fn replaces_a_whole_mapping() -> Outcome {
    let region = Region::new(4)?;
    let (old, new) = (numbered_vmo(2, 1)?, numbered_vmo(2, 101)?);
    region.map_at(1, &old, 2)?;
    overwrite(&region, 1, &new, 2).make()?;
    check_eq([peek(region.at(1)), peek(region.at(2))], [101, 102])?;
    check_eq(region.shape()?.len(), 2)
}

fn replaces_parts_of_several_mappings() -> Outcome {
    let region = Region::new(8)?;
    let new = numbered_vmo(5, 101)?;
    for (page, first) in [(0, 1), (3, 11), (5, 21)] {
        region.map_at(page, &numbered_vmo(2, first)?, 2)?;
    }
    overwrite(&region, 1, &new, 5).make()?;
    check_eq(first_bytes(&region), [1, 101, 102, 103, 104, 105, 22])
}

fn refuses_any_touch_of_a_region() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(8)?;
    let child = region.child(3, 2)?;
    child.map_at(0, &vmo, 1)?;
    region.map_at(1, &vmo, 2)?;
    for (page, pages) in [(3, 2), (2, 2), (4, 2), (3, 1), (0, 8)] {
        region.refuses(Status::INVALID_ARGS, || {
            overwrite(&region, page, &vmo, pages).make()
        })?;
    }
    check_eq(child.info()?.base, region.at(3))
}

fn gives_back_the_old_vmo() -> Outcome {
    let region = Region::new(2)?;
    let (old, new) = (vmo_of(1)?, vmo_of(1)?);
    region.map_at(0, &old, 1)?;
    check_eq(old.info()?.num_mappings, 1)?;
    overwrite(&region, 0, &new, 1).make()?;
    check_eq([old.info()?.num_mappings, new.info()?.num_mappings], [0, 1])
}

/// Result addresses that cannot be written: wild ones, a page that is only readable, and one that ends a
/// page before such a page.
fn bad_results(readable: &Region) -> Vec<*mut usize> {
    let more = [readable.at(1), readable.at(1) - 1, readable.at(1) + P - 1];
    let all = BAD_ADDRESSES.into_iter().chain(more);
    all.map(ptr::with_exposed_provenance_mut).collect()
}

/// A page to write, and one to read directly above, then nothing.
fn half_readable() -> Result<Region, Status> {
    let region = Region::new(3)?;
    let vmo = vmo_of(2)?;
    region.map_at(0, &vmo, 1)?;
    region.map(
        P,
        &vmo,
        P as u64,
        P,
        VmarFlags::SPECIFIC | VmarFlags::PERM_READ,
    )?;
    Ok(region)
}

fn keeps_what_is_there_if_the_address_cannot_be_told() -> Outcome {
    let region = Region::new(4)?;
    let (old, new) = (numbered_vmo(4, 1)?, numbered_vmo(2, 101)?);
    region.map_at(0, &old, 4)?;
    let results = half_readable()?;
    for result in bad_results(&results) {
        region.refuses(Status::INVALID_ARGS, || {
            overwrite(&region, 1, &new, 2).make_into(result)
        })?;
        check_eq(first_bytes(&region), [1, 2, 3, 4])?;
    }
    // In the place itself, which would become read-only, or reach beyond the new VMO.
    let inside = ptr::with_exposed_provenance_mut(region.at(2));
    let call = overwrite(&region, 1, &new, 2);
    let read_only = MapCall {
        options: call.options & !sys::ZX_VM_PERM_WRITE,
        ..call
    };
    let beyond = MapCall {
        vmo_offset: P as u64,
        ..call
    };
    for call in [read_only, beyond] {
        region.refuses(Status::INVALID_ARGS, || call.make_into(inside))?;
        check_eq(first_bytes(&region), [1, 2, 3, 4])?;
    }
    Ok(())
}

fn tells_other_errors_before_a_bad_result_address() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    region.map_at(0, &vmo, 4)?;
    let unwritable = without_rights(&vmo, Rights::WRITE)?;
    let valid = overwrite(&region, 1, &vmo, 1);
    let denied = overwrite(&region, 1, &unwritable, 1);
    let too_long = MapCall {
        length: usize::MAX,
        ..valid
    };
    for (call, status) in [
        (valid, Status::INVALID_ARGS),
        (denied, Status::ACCESS_DENIED),
        (too_long, Status::OUT_OF_RANGE),
    ] {
        region.refuses(status, || call.make_into(ptr::null_mut()))?;
    }
    Ok(())
}

fn writes_the_address_into_what_replaces_the_old_place() -> Outcome {
    let region = Region::new(4)?;
    let (old, new) = (numbered_vmo(4, 1)?, vmo_of(2)?);
    region.map(
        0,
        &old,
        0,
        4 * P,
        VmarFlags::SPECIFIC | VmarFlags::PERM_READ,
    )?;
    let inside = ptr::with_exposed_provenance_mut(region.at(2));
    overwrite(&region, 1, &new, 2).make_into(inside)?;
    let mut told = [0; size_of::<usize>()];
    new.read(&mut told, P as u64)?;
    check_eq(usize::from_ne_bytes(told), region.at(1))
}
