//! `ZX_INFO_VMAR_MAPS`: `docs/spec/vmar.md` §13.

use core::mem::{MaybeUninit, size_of};
use core::ptr;

use zx::{AsHandleRef, MapDetails, MapInfo, Name, Status, Topic, VmarFlags, VmarFlagsExtended};

use crate::calls;
use crate::fixtures::{P, Region, poke, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_destroyed_regions,
    refuses_bad_buffers,
    accepts_a_buffer_of_size_zero,
    cuts_the_answer_to_the_buffer,
    an_empty_region_is_one_record,
    lists_in_order_of_address_and_depth,
    tells_what_a_mapping_shows,
    counts_committed_bytes_of_the_range,
    names_regions_and_mappings,
    the_whole_address_space_is_consistent,
    two_answers_are_equal,
    unmerged_neighbours_are_two_records,
    contiguous_neighbours_are_one_record,
];

fn refuses_destroyed_regions() -> Outcome {
    check_refused(Region::destroyed(4)?.info_maps_vec(), Status::BAD_STATE)
}

/// Asks for the maps of `region` with any buffer; returns the number of records written and existing.
fn ask(region: &Region, buffer: *mut u8, size: usize) -> Result<(usize, usize), Status> {
    calls::ask(region.raw_handle(), Topic::VMAR_MAPS, buffer, size)
}

fn refuses_bad_buffers() -> Outcome {
    let region = Region::new(4)?;
    for bad in crate::fixtures::BAD_ADDRESSES {
        let answer = ask(
            &region,
            ptr::without_provenance_mut(bad),
            size_of::<MapInfo>(),
        );
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn accepts_a_buffer_of_size_zero() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    for buffer in [ptr::null_mut(), ptr::without_provenance_mut(usize::MAX)] {
        check_eq(ask(&region, buffer, 0), Ok((0, 2)))?;
    }
    Ok(())
}

fn cuts_the_answer_to_the_buffer() -> Outcome {
    let region = Region::new(8)?;
    for page in [0, 2, 4] {
        region.map_at(page, &vmo_of(1)?, 1)?;
    }
    let all = region.info_maps_vec()?;
    check_eq(all.len(), 4)?;
    let mut buffer = [MaybeUninit::uninit(); 2];
    let (filled, rest, available) = region.maps(&mut buffer)?;
    check_eq((rest.len(), available), (0, 4))?;
    check_eq(&*filled, &all[..2])?;
    // What does not make a whole record is left alone.
    let mut bytes = [0xaa_u8; 2 * size_of::<MapInfo>() - 1];
    check_eq(ask(&region, bytes.as_mut_ptr(), bytes.len()), Ok((1, 4)))?;
    check(
        bytes[size_of::<MapInfo>()..]
            .iter()
            .all(|byte| *byte == 0xaa),
        "no further bytes",
    )
}

fn an_empty_region_is_one_record() -> Outcome {
    let region = Region::new(4)?;
    let maps = region.info_maps_vec()?;
    check_eq(maps.len(), 1)?;
    check_eq(
        (maps[0].base, maps[0].size, maps[0].depth),
        (region.at(0), 4 * P, 0),
    )?;
    check_eq(maps[0].details(), MapDetails::Vmar)
}

fn lists_in_order_of_address_and_depth() -> Outcome {
    let region = Region::new(16)?;
    let child = region.child(4, 8)?;
    let grandchild = child.child(2, 2)?;
    let vmo = vmo_of(1)?;
    region.map_at(14, &vmo, 1)?;
    grandchild.map_at(1, &vmo, 1)?;
    child.map_at(0, &vmo, 1)?;
    region.map_at(1, &vmo, 1)?;
    let lines = region.info_maps_vec()?.into_iter().map(|record| {
        let page = (record.base - region.at(0)) / P;
        (
            record.depth,
            page,
            record.size / P,
            record.as_mapping().is_some(),
        )
    });
    let expected = [
        (0, 0, 16, false),
        (1, 1, 1, true),
        (1, 4, 8, false),
        (2, 4, 1, true),
        (2, 6, 2, false),
        (3, 7, 1, true),
        (1, 14, 1, true),
    ];
    check_eq(lines.collect::<alloc::vec::Vec<_>>(), expected.into())
}

fn tells_what_a_mapping_shows() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(P, &vmo, 2 * P as u64, 2 * P, flags)?;
    let maps = region.info_maps_vec()?;
    check_eq(maps.len(), 2)?;
    check_eq(
        (maps[1].base, maps[1].size, maps[1].depth),
        (region.at(1), 2 * P, 1),
    )?;
    let Some(mapping) = maps[1].as_mapping() else {
        return check(false, "a mapping");
    };
    check_eq(mapping.mmu_flags, VmarFlagsExtended::PERM_READ)?;
    check_eq(
        (mapping.vmo_koid, mapping.vmo_offset),
        (vmo.get_koid()?, 2 * P as u64),
    )
}

fn counts_committed_bytes_of_the_range() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    let base = region.map_at(0, &vmo, 2)?;
    poke(base, 1);
    vmo.write(&[1], 3 * P as u64)?;
    let maps = region.info_maps_vec()?;
    let Some(mapping) = maps.get(1).and_then(MapInfo::as_mapping) else {
        return check(false, "a mapping");
    };
    check_eq(mapping.committed_bytes, P)?;
    check_eq(mapping.populated_bytes, P)?;
    check_eq(mapping.committed_private_bytes, P)?;
    check_eq(mapping.committed_scaled_bytes, P)?;
    check_eq(mapping.committed_fractional_scaled_bytes, 0)
}

fn names_regions_and_mappings() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    vmo.set_name(&Name::new_lossy("named-by-test"))?;
    region.map_at(0, &vmo, 1)?;
    let maps = region.info_maps_vec()?;
    check_eq(maps[0].name, Name::new_lossy("useralloc"))?;
    check_eq(maps[1].name, Name::new_lossy("named-by-test"))?;
    check_eq(
        rt::vmar_root_self().info_maps_vec()?[0].name,
        Name::new_lossy("root"),
    )
}

fn the_whole_address_space_is_consistent() -> Outcome {
    let maps = rt::vmar_root_self().info_maps_vec()?;
    let mut parents: alloc::vec::Vec<MapInfo> = alloc::vec::Vec::new();
    for record in maps {
        check(record.depth <= parents.len(), "a depth that grows by one")?;
        parents.truncate(record.depth);
        if let Some(parent) = parents.last() {
            let inside = record.base >= parent.base
                && record.base - parent.base <= parent.size - record.size;
            check(inside, "a record inside its parent")?;
            check(parent.as_mapping().is_none(), "no record inside a mapping")?;
        }
        check(
            record.base % P == 0 && record.size % P == 0 && record.size > 0,
            "whole pages",
        )?;
        if let Some(mapping) = record.as_mapping() {
            let both = VmarFlagsExtended::PERM_WRITE | VmarFlagsExtended::PERM_EXECUTE;
            check(
                !mapping.mmu_flags.contains(both),
                "nothing writable and executable",
            )?;
        }
        parents.push(record);
    }
    Ok(())
}

fn two_answers_are_equal() -> Outcome {
    let region = Region::new(8)?;
    let _child = region.child(2, 2)?;
    region.map_at(5, &vmo_of(2)?, 2)?;
    check_eq(region.info_maps_vec()?, region.info_maps_vec()?)
}

fn unmerged_neighbours_are_two_records() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    region.map_at(1, &vmo_of(1)?, 1)?;
    check_eq(region.shape()?.len(), 3)
}

fn contiguous_neighbours_are_one_record() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(2)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &vmo, 0, P, flags)?;
    region.map(P, &vmo, P as u64, P, flags)?;
    check_eq(region.mapped_pages()?, [(0, 0), (1, 1)].into())?;
    check_eq(region.shape()?.len(), 2)?;
    check_eq(vmo.info()?.num_mappings, 1)
}
