//! The records of `ZX_INFO_VMAR_MAPS` one by one: runs, bytes, and how many fit: `docs/spec/vmar.md` §13.

use alloc::vec;
use alloc::vec::Vec;
use core::mem::{MaybeUninit, size_of};

use zx::{AsHandleRef, MapInfo, Name, Rights, Status, Topic, VmarFlags, VmarFlagsExtended, sys};

use crate::calls;
use crate::fixtures::{
    P, READ_WRITE, Region, peek, poke, resizable_vmo_of, vmo_of, without_rights,
};
use crate::harness::{Failure, Outcome, Test, check, check_eq, check_refused, tests};
use crate::vmar_protect::protect;

pub const TESTS: &[Test] = tests![
    needs_inspect_and_no_other_right,
    says_how_many_there_are_for_every_capacity,
    writes_whole_records_only,
    is_zero_where_a_region_has_nothing_to_say,
    tells_only_permissions_of_what_a_mapping_is,
    shows_a_run_per_permission_on_every_page,
    shows_each_run_with_its_own_offset,
    shows_runs_at_both_ends,
    shows_one_run_where_two_became_equal,
    counts_bytes_run_by_run,
    counts_bytes_only_in_the_vmo,
    counts_bytes_after_reading_and_shrinking,
    shows_the_name_that_the_vmo_has_now,
    goes_on_behind_a_deep_region,
    sees_itself_in_the_whole_address_space,
    is_the_same_through_every_handle,
];

const RECORD: usize = size_of::<MapInfo>();

/// First page, pages and permissions of each mapping record, and the page of the VMO.
fn runs(region: &Region) -> Result<Vec<(usize, usize, u32, u64)>, Failure> {
    let shape = region.shape()?;
    let runs = shape.iter().filter_map(|line| {
        let shown = line.mapping?;
        let first = (line.base - region.at(0)) / P;
        Some((
            first,
            line.size / P,
            shown.permissions,
            shown.offset / P as u64,
        ))
    });
    Ok(runs.collect())
}

/// Asks into `bytes`, and returns how many records were written and how many there are.
fn ask(region: &Region, bytes: &mut [u8]) -> Result<(usize, usize), Status> {
    let (start, size) = (bytes.as_mut_ptr(), bytes.len());
    calls::ask(region.raw_handle(), Topic::VMAR_MAPS, start, size)
}

fn needs_inspect_and_no_other_right() -> Outcome {
    let region = Region::new(2)?;
    let without = without_rights(&*region, Rights::INSPECT)?;
    check_refused(without.info_maps_vec(), Status::ACCESS_DENIED)?;
    let only = crate::fixtures::with_rights(&*region, Rights::INSPECT)?;
    check_eq(only.info_maps_vec()?.len(), 1)
}

fn says_how_many_there_are_for_every_capacity() -> Outcome {
    let region = Region::new(8)?;
    for page in [0, 2, 4, 6] {
        region.map_at(page, &vmo_of(1)?, 1)?;
    }
    let all = region.info_maps_vec()?;
    check_eq(all.len(), 5)?;
    for capacity in 0..=7 {
        let mut buffer = vec![MaybeUninit::uninit(); capacity];
        let (filled, rest, available) = region.maps(&mut buffer)?;
        check_eq(available, 5)?;
        check_eq(
            (filled.len(), rest.len()),
            (capacity.min(5), capacity.saturating_sub(5)),
        )?;
        check_eq(&*filled, &all[..capacity.min(5)])?;
    }
    Ok(())
}

fn writes_whole_records_only() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    for (size, written) in [
        (1, 0),
        (RECORD - 1, 0),
        (RECORD, 1),
        (RECORD + 1, 1),
        (2 * RECORD - 1, 1),
        (2 * RECORD, 2),
        (3 * RECORD, 2),
    ] {
        let mut bytes = vec![0xaa; size];
        check_eq(ask(&region, &mut bytes), Ok((written, 2)))?;
        let untouched = bytes
            .iter()
            .skip(written * RECORD)
            .all(|byte| *byte == 0xaa);
        check(untouched, "nothing behind the last record")?;
    }
    Ok(())
}

fn is_zero_where_a_region_has_nothing_to_say() -> Outcome {
    let region = Region::new(2)?;
    let mut bytes = [0xaa; RECORD];
    check_eq(ask(&region, &mut bytes), Ok((1, 1)))?;
    check(
        bytes[60..].iter().all(|byte| *byte == 0),
        "zeros behind the type",
    )
}

fn tells_only_permissions_of_what_a_mapping_is() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(1)?;
    let flags = VmarFlags::PERM_READ
        | VmarFlags::SPECIFIC
        | VmarFlags::ALLOW_FAULTS
        | VmarFlags::MAP_RANGE
        | VmarFlags::ALIGN_4KB;
    region.map(0, &vmo, 0, P, flags)?;
    let maps = region.info_maps_vec()?;
    let mapping = maps.iter().find_map(MapInfo::as_mapping);
    let mapping = mapping.ok_or(Status::NOT_FOUND)?;
    check_eq(mapping.mmu_flags, VmarFlagsExtended::PERM_READ)
}

const R: u32 = sys::ZX_VM_PERM_READ;
const RW: u32 = R | sys::ZX_VM_PERM_WRITE;

fn shows_a_run_per_permission_on_every_page() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(8)?;
    region.map_at(0, &vmo, 8)?;
    let expected: Vec<_> = (0..8)
        .map(|page| (page, 1, [RW, R, 0][page % 3], page as u64))
        .collect();
    for &(page, _, permissions, _) in &expected {
        protect(&region, page, 1, permissions)?;
    }
    check_eq(runs(&region)?, expected)?;
    check_eq(vmo.info()?.num_mappings, 1)
}

fn shows_each_run_with_its_own_offset() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(16)?;
    region.map(
        P,
        &vmo,
        5 * P as u64,
        6 * P,
        READ_WRITE | VmarFlags::SPECIFIC,
    )?;
    protect(&region, 3, 2, R)?;
    check_eq(
        runs(&region)?,
        [(1, 2, RW, 5), (3, 2, R, 7), (5, 2, RW, 9)].into(),
    )?;
    calls::unmap(region.raw_handle(), region.at(4), P)?;
    check_eq(
        runs(&region)?,
        [(1, 2, RW, 5), (3, 1, R, 7), (5, 2, RW, 9)].into(),
    )?;
    check_eq(vmo.info()?.num_mappings, 2)
}

fn shows_runs_at_both_ends() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(8)?, 8)?;
    protect(&region, 0, 1, R)?;
    protect(&region, 7, 1, 0)?;
    check_eq(
        runs(&region)?,
        [(0, 1, R, 0), (1, 6, RW, 1), (7, 1, 0, 7)].into(),
    )
}

fn shows_one_run_where_two_became_equal() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(8)?, 8)?;
    for page in [1, 3, 5, 2, 4] {
        protect(&region, page, 1, R)?;
    }
    check_eq(
        runs(&region)?,
        [(0, 1, RW, 0), (1, 5, R, 1), (6, 2, RW, 6)].into(),
    )?;
    protect(&region, 0, 8, R)?;
    check_eq(runs(&region)?, [(0, 8, R, 0)].into())
}

/// The committed bytes of each mapping record.
fn committed(region: &Region) -> Result<Vec<usize>, Status> {
    let maps = region.info_maps_vec()?;
    let mappings = maps.iter().filter_map(MapInfo::as_mapping);
    Ok(mappings.map(|mapping| mapping.committed_bytes).collect())
}

fn counts_bytes_run_by_run() -> Outcome {
    let region = Region::new(6)?;
    region.map_at(0, &vmo_of(6)?, 6)?;
    for page in [0, 2, 3, 5] {
        poke(region.at(page), 1);
    }
    protect(&region, 2, 3, R)?;
    check_eq(committed(&region)?, [P, 2 * P, P].into())
}

fn counts_bytes_only_in_the_vmo() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(2)?;
    vmo.write(&[1], 0)?;
    vmo.write(&[1], P as u64)?;
    region.map(0, &vmo, P as u64, 4 * P, READ_WRITE | VmarFlags::SPECIFIC)?;
    region.map(
        4 * P,
        &vmo,
        7 * P as u64,
        P,
        READ_WRITE | VmarFlags::SPECIFIC,
    )?;
    check_eq(committed(&region)?, [P, 0].into())
}

fn counts_bytes_after_reading_and_shrinking() -> Outcome {
    let region = Region::new(4)?;
    let vmo = resizable_vmo_of(4)?;
    region.map_at(0, &vmo, 4)?;
    check_eq(peek(region.at(0)), 0)?;
    check_eq(committed(&region)?, [0].into())?;
    for page in 0..4 {
        poke(region.at(page), 1);
    }
    check_eq(committed(&region)?, [4 * P].into())?;
    vmo.set_size(P as u64)?;
    check_eq(committed(&region)?, [P].into())
}

fn shows_the_name_that_the_vmo_has_now() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(1)?;
    region.map_at(0, &vmo, 1)?;
    let longest = "0123456789012345678901234567890";
    for name in ["", "first", longest] {
        vmo.set_name(&Name::new_lossy(name))?;
        let shape = region.shape()?;
        check_eq(
            shape.last().map(|line| line.name),
            Some(Name::new_lossy(name)),
        )?;
    }
    Ok(())
}

fn goes_on_behind_a_deep_region() -> Outcome {
    let region = Region::new(8)?;
    let child = region.child(0, 4)?;
    let grandchild = child.child(0, 2)?;
    let bottom = grandchild.child(0, 1)?;
    let vmo = vmo_of(1)?;
    for (of, page) in [(&bottom, 0), (&grandchild, 1), (&child, 3), (&region, 5)] {
        of.map_at(page, &vmo, 1)?;
    }
    let seen = region.info_maps_vec()?;
    let seen = seen
        .iter()
        .map(|record| (record.depth, (record.base - region.at(0)) / P));
    let expected = [
        (0, 0),
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 0),
        (3, 1),
        (2, 3),
        (1, 5),
    ];
    check_eq(seen.collect::<Vec<_>>(), expected.into())?;
    let below = child.info_maps_vec()?;
    let below = below
        .iter()
        .map(|record| (record.depth, (record.base - region.at(0)) / P));
    let expected = [(0, 0), (1, 0), (2, 0), (3, 0), (2, 1), (1, 3)];
    check_eq(below.collect::<Vec<_>>(), expected.into())
}

fn sees_itself_in_the_whole_address_space() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    region.map_at(1, &vmo, 1)?;
    let whole = rt::vmar_root_self().info_maps_vec()?;
    let at = whole.iter().position(|record| record.base == region.at(0));
    let at = at.ok_or(Status::NOT_FOUND)?;
    let seen = whole.get(at..at + 2).unwrap_or_default();
    let depths = seen.iter().map(|record| (record.depth, record.size));
    check_eq(depths.collect::<Vec<_>>(), [(1, 4 * P), (2, P)].into())
}

fn is_the_same_through_every_handle() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(1, &vmo_of(1)?, 1)?;
    let other = without_rights(&*region, Rights::READ | Rights::WRITE | Rights::OP_CHILDREN)?;
    check_eq(other.info_maps_vec()?, region.info_maps_vec()?)
}
