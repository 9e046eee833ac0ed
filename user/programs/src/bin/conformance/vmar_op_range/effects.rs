//! What each operation does.

use zx::{VmarFlags, VmarOp};

use super::{ALL, committed_pages, operate};
use crate::fixtures::{P, Probe, Region, numbered_vmo, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    commit_makes_every_page,
    commit_keeps_what_is_there,
    commit_works_under_any_permission,
    decommit_frees_pages_that_then_read_zero,
    zero_frees_whole_pages,
    what_is_cleared_is_zero_in_every_mapping,
    entering_makes_no_pages,
    hints_change_nothing,
    no_operation_changes_regions_or_permissions,
    the_zx_wrapper_does_the_same,
];

fn commit_makes_every_page() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(8)?;
    region.map_at(0, &vmo, 8)?;
    operate(&region, VmarOp::COMMIT, 2, 5)?;
    check_eq(committed_pages(&vmo)?, 5)?;
    for page in 0..8 {
        check_eq(peek(region.at(page)), 0)?;
    }
    check_eq(committed_pages(&vmo)?, 5)?;
    operate(&region, VmarOp::COMMIT, 2, 5)?;
    check_eq(committed_pages(&vmo)?, 5)?;
    poke(region.at(3), 9);
    check_eq(vmo.read_to_object::<u8>(3 * P as u64)?, 9)
}

fn commit_keeps_what_is_there() -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(2, 1)?;
    region.map_at(0, &vmo, 2)?;
    poke(region.at(1) + 5, 6);
    operate(&region, VmarOp::COMMIT, 0, 2)?;
    check_eq([0, 1].map(|page| peek(region.at(page))), [1, 2])?;
    check_eq(peek(region.at(1) + 5), 6)
}

fn commit_works_under_any_permission() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(2)?;
    region.map(0, &vmo, 0, 2 * P, VmarFlags::SPECIFIC)?;
    operate(&region, VmarOp::COMMIT, 0, 2)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    check_eq(Probe::new()?.is_readable(region.at(0))?, false)
}

/// Four pages full of numbers, of which the middle two are cleared.
fn check_clears(op: VmarOp) -> Outcome {
    let region = Region::new(4)?;
    let vmo = numbered_vmo(4, 1)?;
    region.map_at(0, &vmo, 4)?;
    check_eq(peek(region.at(1)), 2)?;
    operate(&region, op, 1, 2)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    check_eq([0, 1, 2, 3].map(|page| peek(region.at(page))), [1, 0, 0, 4])?;
    check_eq(vmo.read_to_object::<u8>(P as u64)?, 0)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    poke(region.at(1), 8);
    check_eq(peek(region.at(1) + 1), 0)?;
    check_eq(committed_pages(&vmo)?, 3)?;
    // Nothing is there any more on pages that nobody has written.
    operate(&region, op, 2, 1)?;
    check_eq(committed_pages(&vmo)?, 3)
}

fn decommit_frees_pages_that_then_read_zero() -> Outcome {
    check_clears(VmarOp::DECOMMIT)
}

fn zero_frees_whole_pages() -> Outcome {
    check_clears(VmarOp::ZERO)
}

fn what_is_cleared_is_zero_in_every_mapping() -> Outcome {
    for op in [VmarOp::DECOMMIT, VmarOp::ZERO] {
        let (one, other) = (Region::new(2)?, Region::new(2)?);
        let vmo = numbered_vmo(2, 1)?;
        one.map_at(0, &vmo, 2)?;
        other.map_at(0, &vmo, 2)?;
        check_eq([peek(one.at(1)), peek(other.at(1))], [2, 2])?;
        operate(&one, op, 1, 1)?;
        check_eq([peek(one.at(1)), peek(other.at(1))], [0, 0])?;
        poke(other.at(1), 5);
        check_eq([peek(one.at(1)), peek(other.at(0))], [5, 1])?;
    }
    Ok(())
}

fn entering_makes_no_pages() -> Outcome {
    for op in [VmarOp::MAP_RANGE, VmarOp::ALWAYS_NEED, VmarOp::PREFETCH] {
        let region = Region::new(4)?;
        let vmo = vmo_of(4)?;
        vmo.write(&[3], 2 * P as u64)?;
        region.map_at(0, &vmo, 4)?;
        operate(&region, op, 0, 4)?;
        check_eq(committed_pages(&vmo)?, 1)?;
        check_eq([1, 2].map(|page| peek(region.at(page))), [0, 3])?;
        poke(region.at(2), 4);
        check_eq(vmo.read_to_object::<u8>(2 * P as u64)?, 4)?;
    }
    Ok(())
}

fn hints_change_nothing() -> Outcome {
    for op in [VmarOp::DONT_NEED, VmarOp::ALWAYS_NEED] {
        let region = Region::new(4)?;
        let vmo = numbered_vmo(3, 1)?;
        region.map_at(0, &vmo, 4)?;
        operate(&region, op, 0, 4)?;
        check_eq(committed_pages(&vmo)?, 3)?;
        check_eq([0, 1, 2].map(|page| peek(region.at(page))), [1, 2, 3])?;
    }
    Ok(())
}

fn no_operation_changes_regions_or_permissions() -> Outcome {
    let region = Region::new(8)?;
    let vmo = vmo_of(8)?;
    region.map_at(0, &vmo, 4)?;
    // SAFETY: nothing relies on a mapping of the test's own.
    unsafe { region.protect(region.at(1), P, VmarFlags::PERM_READ) }?;
    let before = region.shape()?;
    let probe = Probe::new()?;
    for op in ALL {
        operate(&region, op, 0, 4)?;
        check_eq(region.shape()?, before.clone())?;
        check_eq(probe.is_writable(region.at(1))?, false)?;
        check_eq(probe.is_writable(region.at(2))?, true)?;
    }
    Ok(())
}

fn the_zx_wrapper_does_the_same() -> Outcome {
    let region = Region::new(2)?;
    let vmo = vmo_of(2)?;
    region.map_at(0, &vmo, 2)?;
    region.op_range(VmarOp::COMMIT, region.at(0), 2 * P)?;
    check_eq(committed_pages(&vmo)?, 2)?;
    region.op_range(VmarOp::DECOMMIT, region.at(1), P)?;
    check_eq(committed_pages(&vmo)?, 1)?;
    let unknown = VmarOp::from_raw(0);
    check_eq(unknown.into_raw(), 0)?;
    let refused = region.op_range(unknown, region.at(0), P);
    check_eq(refused, Err(zx::Status::INVALID_ARGS))
}
