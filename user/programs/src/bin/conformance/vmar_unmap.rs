//! `zx_vmar_unmap`: what it refuses, in the order of `docs/spec/vmar.md` §6, and what it removes.

pub mod pairs;

use zx::{AsHandleRef, Rights, Status};

use crate::calls::{self, MapCall};
use crate::fixtures::{P, Probe, Region, bad_handles, numbered_vmo, peek, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_region,
    refuses_unaligned_addresses,
    refuses_length_zero,
    refuses_lengths_that_overflow,
    refuses_destroyed_regions,
    refuses_ranges_beyond_the_region,
    refuses_to_cut_a_region,
    refuses_to_reach_into_a_region,
    needs_op_children_to_remove_a_region,
    checks_the_range_before_the_state,
    checks_the_state_before_the_bounds,
    needs_no_right_for_mappings,
    removes_the_beginning,
    removes_the_end,
    removes_the_middle,
    removes_across_two_mappings,
    removes_a_region_and_its_contents,
    removes_after_a_leading_gap,
    removes_nothing_from_a_gap,
    rounds_the_length_up,
    takes_access_away_at_once,
    makes_the_place_free,
    never_shows_old_bytes,
];

fn unmap(region: &Region, page: usize, pages: usize) -> Result<(), Status> {
    calls::unmap(region.raw_handle(), region.at(page), pages * P)
}

fn refuses_what_is_no_handle() -> Outcome {
    let region = Region::new(4)?;
    for bad in bad_handles()? {
        check_refused(calls::unmap(bad, region.at(0), P), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_region() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    check_refused(
        calls::unmap(vmo.raw_handle(), region.at(0), P),
        Status::WRONG_TYPE,
    )
}

fn refuses_unaligned_addresses() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    for offset in [1, P - 1, P + 1] {
        let address = region.at(0) + offset;
        region.refuses(Status::INVALID_ARGS, || {
            calls::unmap(region.raw_handle(), address, P)
        })?;
    }
    Ok(())
}

fn refuses_length_zero() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    region.refuses(Status::INVALID_ARGS, || unmap(&region, 0, 0))
}

fn refuses_lengths_that_overflow() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    for length in [usize::MAX, usize::MAX - P + 2, usize::MAX - P + 1] {
        let address = region.at(0);
        region.refuses(Status::INVALID_ARGS, || {
            calls::unmap(region.raw_handle(), address, length)
        })?;
    }
    Ok(())
}

fn refuses_destroyed_regions() -> Outcome {
    let region = Region::destroyed(4)?;
    check_refused(unmap(&region, 0, 1), Status::BAD_STATE)
}

fn refuses_ranges_beyond_the_region() -> Outcome {
    let parent = Region::new(8)?;
    let region = parent.child(2, 4)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    let addresses = [
        (region.at(0) - P, P),
        (region.at(0) - P, 2 * P),
        (region.at(4), P),
        (region.at(3), 2 * P),
        (region.at(3), P + 1),
        (region.at(0) - P, 6 * P),
        (0, P),
        (usize::MAX - P + 1, P),
    ];
    for (address, length) in addresses {
        parent.refuses(Status::INVALID_ARGS, || {
            calls::unmap(region.raw_handle(), address, length)
        })?;
    }
    Ok(())
}

fn refuses_to_cut_a_region() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    let _child = region.child(8, 4)?;
    for (page, pages) in [(1, 9), (8, 3), (8, 1), (11, 1), (9, 2)] {
        region.refuses(Status::INVALID_ARGS, || unmap(&region, page, pages))?;
    }
    Ok(())
}

fn refuses_to_reach_into_a_region() -> Outcome {
    let region = Region::new(8)?;
    let child = region.child(2, 4)?;
    child.map_at(1, &vmo_of(1)?, 1)?;
    region.refuses(Status::INVALID_ARGS, || unmap(&region, 3, 1))?;
    unmap(&child, 1, 1).map_err(Into::into)
}

fn needs_op_children_to_remove_a_region() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    let child = region.child(2, 2)?;
    let weaker = without_rights(&*region, Rights::OP_CHILDREN)?;
    let whole = (region.at(0), 8 * P);
    region.refuses(Status::INVALID_ARGS, || {
        calls::unmap(weaker.raw_handle(), whole.0, whole.1)
    })?;
    calls::unmap(region.raw_handle(), whole.0, whole.1)?;
    check_refused(child.map_at(0, &vmo_of(1)?, 1), Status::BAD_STATE)
}

fn checks_the_range_before_the_state() -> Outcome {
    let region = Region::destroyed(4)?;
    let handle = region.raw_handle();
    check_refused(
        calls::unmap(handle, region.at(0) + 1, P),
        Status::INVALID_ARGS,
    )?;
    check_refused(calls::unmap(handle, region.at(0), 0), Status::INVALID_ARGS)?;
    check_refused(
        calls::unmap(handle, region.at(0), usize::MAX),
        Status::INVALID_ARGS,
    )
}

fn checks_the_state_before_the_bounds() -> Outcome {
    let region = Region::destroyed(4)?;
    check_refused(unmap(&region, 9, 1), Status::BAD_STATE)
}

fn needs_no_right_for_mappings() -> Outcome {
    let region = Region::new(4)?;
    let powerless = crate::fixtures::with_rights(&*region, Rights::NONE)?;
    region.map_at(0, &vmo_of(2)?, 2)?;
    calls::unmap(powerless.raw_handle(), region.at(0), P)?;
    check_eq(region.mapped_pages()?, [(1, 1)].into())
}

fn removes_the_beginning() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &numbered_vmo(4, 1)?, 4)?;
    unmap(&region, 0, 2)?;
    check_eq(region.mapped_pages()?, [(2, 2), (3, 3)].into())?;
    check_eq([peek(region.at(2)), peek(region.at(3))], [3, 4])
}

fn removes_the_end() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &numbered_vmo(4, 1)?, 4)?;
    unmap(&region, 2, 10)?;
    check_eq(region.mapped_pages()?, [(0, 0), (1, 1)].into())
}

fn removes_the_middle() -> Outcome {
    let region = Region::new(12)?;
    let vmo = numbered_vmo(4, 1)?;
    region.map_at(0, &vmo, 4)?;
    check_eq(peek(region.at(3)), 4)?;
    unmap(&region, 1, 2)?;
    check_eq(region.mapped_pages()?, [(0, 0), (3, 3)].into())?;
    check_eq([peek(region.at(0)), peek(region.at(3))], [1, 4])?;
    check_eq(vmo.info()?.num_mappings, 2)
}

fn removes_across_two_mappings() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    region.map_at(4, &vmo_of(4)?, 4)?;
    unmap(&region, 2, 3)?;
    check_eq(
        region.mapped_pages()?,
        [(0, 0), (1, 1), (5, 1), (6, 2), (7, 3)].into(),
    )
}

fn removes_a_region_and_its_contents() -> Outcome {
    let region = Region::new(12)?;
    let vmo = vmo_of(4)?;
    region.map_at(0, &vmo, 4)?;
    region.map_at(8, &vmo, 4)?;
    let child = region.child(4, 4)?;
    child.map_at(0, &vmo, 4)?;
    unmap(&region, 0, 9)?;
    check_eq(region.mapped_pages()?, [(9, 1), (10, 2), (11, 3)].into())?;
    let later = MapCall::one_page(&child, &vmo);
    check_refused(later.make(), Status::BAD_STATE)?;
    check_eq(vmo.info()?.num_mappings, 1)
}

fn removes_after_a_leading_gap() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(1, &vmo_of(4)?, 4)?;
    unmap(&region, 0, 5)?;
    check_eq(region.mapped_pages()?, [].into())
}

fn removes_nothing_from_a_gap() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    let before = region.shape()?;
    unmap(&region, 1, 11)?;
    check_eq(region.shape()?, before)
}

fn rounds_the_length_up() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(8)?, 8)?;
    calls::unmap(region.raw_handle(), region.at(1), 4 * P - 1)?;
    check_eq(
        region.mapped_pages()?,
        [(0, 0), (5, 5), (6, 6), (7, 7)].into(),
    )?;
    calls::unmap(region.raw_handle(), region.at(6), 1)?;
    check_eq(region.mapped_pages()?, [(0, 0), (5, 5), (7, 7)].into())
}

fn takes_access_away_at_once() -> Outcome {
    let region = Region::new(4)?;
    let probe = Probe::new()?;
    region.map_at(0, &numbered_vmo(4, 1)?, 4)?;
    for page in 0..4 {
        check_eq(usize::from(peek(region.at(page))), page + 1)?;
    }
    unmap(&region, 1, 2)?;
    for (page, readable) in [true, false, false, true].into_iter().enumerate() {
        check_eq(probe.is_readable(region.at(page))?, readable)?;
    }
    Ok(())
}

fn makes_the_place_free() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    unmap(&region, 1, 2)?;
    let vmo = numbered_vmo(2, 9)?;
    check_eq(
        region.map(0, &vmo, 0, 2 * P, crate::fixtures::READ_WRITE),
        Ok(region.at(1)),
    )?;
    check_eq(peek(region.at(1)), 9)
}

fn never_shows_old_bytes() -> Outcome {
    let region = Region::new(1)?;
    for _ in 0..8 {
        let address = region.map_at(0, &vmo_of(1)?, 1)?;
        check_eq(peek(address), 0)?;
        crate::fixtures::poke(address, 0xee);
        unmap(&region, 0, 1)?;
    }
    Ok(())
}
