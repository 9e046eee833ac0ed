//! Which mappings become one, and which stay apart: `docs/spec/vmar.md` §5.2, "merge".
//!
//! Only the VMO's count of mappings and the records tell.

use alloc::vec::Vec;

use zx::{AsHandleRef, Rights, Status, Vmo, sys};

use crate::calls::{self, MapCall, ProtectCall};
use crate::fixtures::{
    P, Probe, Region, numbered_vmo, peek, poke, resizable_vmo_of, vmo_of, without_rights,
};
use crate::harness::{Failure, Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    a_mapping_joins_the_one_below,
    a_mapping_joins_the_one_above,
    a_mapping_joins_both_sides,
    other_permissions_now_are_kept,
    options_that_the_mapping_forgets_do_not_matter,
    another_vmo_stays_apart,
    another_part_of_the_vmo_stays_apart,
    other_permissions_for_ever_stay_apart,
    another_way_to_find_the_place_stays_apart,
    a_gap_between_keeps_apart,
    a_region_between_keeps_apart,
    a_border_of_a_region_keeps_apart,
    what_was_split_joins_again,
    overwriting_a_part_with_the_same_leaves_parts,
    protecting_does_not_split,
    a_joined_mapping_is_cut_anywhere,
    a_joined_mapping_follows_its_vmo,
];

const SPECIFIC: u32 = sys::ZX_VM_SPECIFIC;
const OVERWRITE: u32 = sys::ZX_VM_SPECIFIC_OVERWRITE;
const READ: u32 = sys::ZX_VM_PERM_READ;
const READ_WRITE: u32 = READ | sys::ZX_VM_PERM_WRITE;

/// Maps one page, at the page of the region and of the VMO with the number `page`.
fn map_page(region: &Region, vmo: &Vmo, page: usize, options: u32) -> Result<usize, Status> {
    let call = MapCall {
        options,
        vmar_offset: page * P,
        vmo_offset: (page * P) as u64,
        ..MapCall::one_page(region, vmo)
    };
    call.make()
}

/// How many mappings show the VMO.
fn mappings(vmo: &Vmo) -> Result<usize, Status> {
    Ok(vmo.info()?.num_mappings)
}

/// The records of mappings in the region: first page, pages, permissions.
fn records(region: &Region) -> Result<Vec<(usize, usize, u32)>, Failure> {
    let shape = region.shape()?;
    let mappings = shape.iter().filter_map(|line| {
        let first = (line.base - region.at(0)) / P;
        Some((first, line.size / P, line.mapping?.permissions))
    });
    Ok(mappings.collect())
}

/// Maps pages in this order, and expects one mapping in the end.
fn joins(order: &[usize]) -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(4, 1)?;
    for &page in order {
        map_page(&region, &vmo, page, READ_WRITE | SPECIFIC)?;
        check_eq(usize::from(peek(region.at(page))), page + 1)?;
    }
    check_eq(mappings(&vmo)?, 1)?;
    check_eq(records(&region)?.len(), 1)?;
    for &page in order {
        check_eq(usize::from(peek(region.at(page))), page + 1)?;
    }
    Ok(())
}

fn a_mapping_joins_the_one_below() -> Outcome {
    joins(&[0, 1, 2, 3])
}

fn a_mapping_joins_the_one_above() -> Outcome {
    joins(&[3, 2, 1, 0])
}

fn a_mapping_joins_both_sides() -> Outcome {
    joins(&[0, 2, 1])?;
    joins(&[3, 1, 2, 0])
}

fn other_permissions_now_are_kept() -> Outcome {
    let region = Region::new(3)?;
    let vmo = vmo_of(3)?;
    map_page(&region, &vmo, 0, READ_WRITE | SPECIFIC)?;
    map_page(&region, &vmo, 2, SPECIFIC)?;
    map_page(&region, &vmo, 1, READ | SPECIFIC)?;
    check_eq(mappings(&vmo)?, 1)?;
    check_eq(
        records(&region)?,
        [(0, 1, READ_WRITE), (1, 1, READ), (2, 1, 0)].into(),
    )?;
    let probe = Probe::new()?;
    for (page, readable, writable) in [(0, true, true), (1, true, false), (2, false, false)] {
        check_eq(probe.is_readable(region.at(page))?, readable)?;
        check_eq(probe.is_writable(region.at(page))?, writable)?;
    }
    Ok(())
}

fn options_that_the_mapping_forgets_do_not_matter() -> Outcome {
    let forgotten = [
        sys::ZX_VM_MAP_RANGE,
        sys::ZX_VM_ALLOW_FAULTS,
        sys::ZX_VM_REQUIRE_NON_RESIZABLE,
        sys::ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED,
        sys::ZX_VM_ALIGN_4KB,
    ];
    for options in forgotten {
        let region = Region::new(2)?;
        let vmo = vmo_of(2)?;
        map_page(&region, &vmo, 0, READ | SPECIFIC)?;
        map_page(&region, &vmo, 1, READ | SPECIFIC | options)?;
        check_eq(mappings(&vmo)?, 1)?;
    }
    Ok(())
}

fn another_vmo_stays_apart() -> Outcome {
    let region = Region::new(2)?;
    let (first, second) = (vmo_of(2)?, vmo_of(2)?);
    map_page(&region, &first, 0, READ | SPECIFIC)?;
    map_page(&region, &second, 1, READ | SPECIFIC)?;
    check_eq([mappings(&first)?, mappings(&second)?], [1, 1])?;
    check_eq(records(&region)?.len(), 2)
}

fn another_part_of_the_vmo_stays_apart() -> Outcome {
    // The page before, the same page, and the one after the next.
    for offset in [0, 1, 3] {
        let region = Region::new(2)?;
        let vmo = vmo_of(4)?;
        let valid = MapCall {
            options: READ | SPECIFIC,
            vmo_offset: P as u64,
            ..MapCall::one_page(&region, &vmo)
        };
        valid.make()?;
        let call = MapCall {
            vmar_offset: P,
            vmo_offset: offset * P as u64,
            ..valid
        };
        call.make()?;
        check_eq(mappings(&vmo)?, 2)?;
    }
    Ok(())
}

fn other_permissions_for_ever_stay_apart() -> Outcome {
    let region = Region::new(3)?;
    let vmo = vmo_of(3)?;
    let weaker_vmo = without_rights(&vmo, Rights::WRITE)?;
    let weaker_region = without_rights(&*region, Rights::WRITE)?;
    map_page(&region, &vmo, 1, READ | SPECIFIC)?;
    map_page(&region, &weaker_vmo, 0, READ | SPECIFIC)?;
    let call = MapCall {
        vmar: weaker_region.raw_handle(),
        options: READ | SPECIFIC,
        vmar_offset: 2 * P,
        vmo_offset: 2 * P as u64,
        ..MapCall::one_page(&region, &vmo)
    };
    call.make()?;
    check_eq(mappings(&vmo)?, 3)?;
    check_eq(records(&region)?.len(), 3)
}

fn another_way_to_find_the_place_stays_apart() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    map_page(&region, &vmo, 0, READ | SPECIFIC)?;
    map_page(&region, &vmo, 1, READ | OVERWRITE)?;
    map_page(&region, &vmo, 2, READ | OVERWRITE)?;
    check_eq(mappings(&vmo)?, 2)?;
    // Only the last page is left to choose.
    let call = MapCall {
        options: READ,
        vmo_offset: 3 * P as u64,
        ..MapCall::one_page(&region, &vmo)
    };
    check_eq(call.make(), Ok(region.at(3)))?;
    check_eq(mappings(&vmo)?, 3)
}

fn a_gap_between_keeps_apart() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    map_page(&region, &vmo, 0, READ | SPECIFIC)?;
    map_page(&region, &vmo, 2, READ | SPECIFIC)?;
    check_eq(mappings(&vmo)?, 2)
}

fn a_region_between_keeps_apart() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    let _child = region.child(1, 1)?;
    map_page(&region, &vmo, 0, READ | SPECIFIC)?;
    let call = MapCall {
        options: READ | SPECIFIC,
        vmar_offset: 2 * P,
        vmo_offset: P as u64,
        ..MapCall::one_page(&region, &vmo)
    };
    call.make()?;
    check_eq(mappings(&vmo)?, 2)
}

fn a_border_of_a_region_keeps_apart() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    let child = region.child(1, 2)?;
    map_page(&region, &vmo, 0, READ | SPECIFIC)?;
    map_page(&region, &vmo, 3, READ | SPECIFIC)?;
    let call = MapCall {
        options: READ | SPECIFIC,
        vmo_offset: P as u64,
        length: 2 * P,
        ..MapCall::one_page(&child, &vmo)
    };
    call.make()?;
    check_eq(mappings(&vmo)?, 3)
}

fn what_was_split_joins_again() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(4, 1)?;
    region.map_at(0, &vmo, 4)?;
    calls::unmap(region.raw_handle(), region.at(1), P)?;
    check_eq(mappings(&vmo)?, 2)?;
    map_page(&region, &vmo, 1, READ_WRITE | SPECIFIC)?;
    check_eq(mappings(&vmo)?, 1)?;
    for page in 0..4 {
        check_eq(usize::from(peek(region.at(page))), page + 1)?;
    }
    Ok(())
}

fn overwriting_a_part_with_the_same_leaves_parts() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(4, 1)?;
    region.map_at(0, &vmo, 4)?;
    map_page(&region, &vmo, 2, READ_WRITE | OVERWRITE)?;
    check_eq(mappings(&vmo)?, 3)?;
    for page in 0..4 {
        check_eq(usize::from(peek(region.at(page))), page + 1)?;
    }
    Ok(())
}

fn protecting_does_not_split() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    region.map_at(0, &vmo, 4)?;
    ProtectCall::read_only(&region, 1).make()?;
    check_eq(mappings(&vmo)?, 1)?;
    check_eq(
        records(&region)?,
        [(0, 1, READ_WRITE), (1, 1, READ), (2, 2, READ_WRITE)].into(),
    )
}

fn a_joined_mapping_is_cut_anywhere() -> Outcome {
    let region = Region::new(6)?;
    let vmo = numbered_vmo(6, 1)?;
    for page in 0..6 {
        map_page(&region, &vmo, page, READ_WRITE | SPECIFIC)?;
    }
    // Across what once was a border, and at it.
    calls::unmap(region.raw_handle(), region.at(1), 2 * P)?;
    calls::unmap(region.raw_handle(), region.at(4), P)?;
    check_eq(mappings(&vmo)?, 3)?;
    check_eq(region.mapped_pages()?, [(0, 0), (3, 3), (5, 5)].into())?;
    check_eq([0, 3, 5].map(|page| peek(region.at(page))), [1, 4, 6])
}

fn a_joined_mapping_follows_its_vmo() -> Outcome {
    let region = Region::new(4)?;
    let vmo = resizable_vmo_of(4)?;
    for page in [0, 2, 1, 3] {
        map_page(&region, &vmo, page, READ_WRITE | SPECIFIC)?;
        poke(region.at(page), 1);
    }
    vmo.set_size(P as u64)?;
    let probe = Probe::new()?;
    check_eq(probe.is_readable(region.at(0))?, true)?;
    for page in 1..4 {
        probe.check_faults(region.at(page))?;
    }
    vmo.set_size(4 * P as u64)?;
    check_eq([1, 2, 3].map(|page| peek(region.at(page))), [0, 0, 0])
}
