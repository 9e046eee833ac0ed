//! Of two things wrong, the one that is checked first decides.

use zx::{Rights, Status, VmarFlags, VmarOp, sys};

use super::{ALL, operate};
use crate::calls::RangeCall;
use crate::competing::{PAGES, Plan, Setup, Wrong, earlier_decides, wrong};
use crate::fixtures::{P, READ_WRITE, Region, resizable_vmo_of, vmo_of, without_rights};
use crate::harness::{Failure, Outcome, Test, check_refused, tests};

pub const TESTS: &[Test] = tests![
    each_check_decides_over_later_ones,
    a_hole_decides_over_what_is_behind_it,
    whose_mapping_it_is_decides_over_the_stream,
    the_stream_decides_over_the_permission,
    the_permission_decides_over_the_vmo,
    the_first_failing_mapping_decides,
];

const VALID: Plan = Plan::VALID;
const INVALID_ARGS: Status = Status::INVALID_ARGS;
const OUT_OF_RANGE: Status = Status::OUT_OF_RANGE;

/// The first page that is not mapped.
const HOLE: usize = 3;

/// What the option word of a plan stands for.
const UNKNOWN_OPERATION: u32 = 1;
const BUFFER: u32 = 2;
const BUFFER_SIZE: u32 = 4;

/// A way to break each check of the table in §8 up to the first hole, in its order.
#[rustfmt::skip]
const WRONGS: &[Wrong] = &[
    wrong(1, Status::BAD_HANDLE, Plan { setup: Setup::NO_REGION, ..VALID }),
    wrong(1, Status::WRONG_TYPE, Plan { setup: Setup::VMO_AS_REGION, ..VALID }),
    wrong(2, INVALID_ARGS, Plan { options: UNKNOWN_OPERATION, ..VALID }),
    wrong(3, INVALID_ARGS, Plan { options: BUFFER, ..VALID }),
    wrong(3, INVALID_ARGS, Plan { options: BUFFER_SIZE, ..VALID }),
    wrong(4, INVALID_ARGS, Plan { length: Some(0), ..VALID }),
    wrong(4, INVALID_ARGS, Plan { offset: Some(1), ..VALID }),
    wrong(5, OUT_OF_RANGE, Plan { length: Some((PAGES + 1) * P), ..VALID }),
    wrong(5, OUT_OF_RANGE, Plan { offset: Some(PAGES * P), ..VALID }),
    wrong(6, Status::BAD_STATE, Plan { setup: Setup::DEAD, ..VALID }),
    wrong(7, Status::BAD_STATE, Plan { offset: Some(HOLE * P), ..VALID }),
    wrong(12, Status::BAD_STATE, Plan { length: Some((HOLE + 1) * P), ..VALID }),
];

fn each_check_decides_over_later_ones() -> Outcome {
    earlier_decides(WRONGS, make)
}

fn make(plan: &Plan) -> Result<Result<(), Status>, Failure> {
    let region = plan.region()?;
    region.map_at(0, &vmo_of(HOLE)?, HOLE)?;
    plan.end(&region)?;
    let handle = plan.region_handle(&region)?;
    let has = |option| plan.options & option != 0;
    let call = RangeCall {
        vmar: handle.raw_handle(),
        op: if has(UNKNOWN_OPERATION) {
            5
        } else {
            sys::ZX_VMAR_OP_COMMIT
        },
        address: region.at(0) + plan.offset.unwrap_or(0),
        length: plan.length.unwrap_or(P),
        buffer: usize::from(has(BUFFER)),
        buffer_size: usize::from(has(BUFFER_SIZE)),
    };
    Ok(call.make())
}

fn a_hole_decides_over_what_is_behind_it() -> Outcome {
    let region = Region::new(8)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    let child = region.child(2, 2)?;
    child.map_at(0, &vmo_of(2)?, 2)?;
    for op in ALL {
        check_refused(operate(&region, op, 0, 4), Status::BAD_STATE)?;
    }
    check_refused(operate(&region, VmarOp::COMMIT, 2, 1), INVALID_ARGS)
}

fn whose_mapping_it_is_decides_over_the_stream() -> Outcome {
    let region = Region::new(4)?;
    let child = region.child(0, 2)?;
    let vmo = resizable_vmo_of(2)?;
    vmo.set_stream_size(P as u64)?;
    let beyond = VmarFlags::ALLOW_FAULTS | VmarFlags::FAULT_BEYOND_STREAM_SIZE;
    let flags = READ_WRITE | VmarFlags::SPECIFIC | beyond;
    child.map(0, &vmo, 0, 2 * P, flags)?;
    check_refused(operate(&region, VmarOp::DECOMMIT, 0, 2), INVALID_ARGS)?;
    check_refused(operate(&region, VmarOp::ZERO, 0, 2), OUT_OF_RANGE)?;
    check_refused(operate(&child, VmarOp::DECOMMIT, 0, 2), OUT_OF_RANGE)
}

fn the_stream_decides_over_the_permission() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(2)?;
    vmo.set_stream_size(P as u64)?;
    let weak = without_rights(&vmo, Rights::WRITE)?;
    let beyond = VmarFlags::ALLOW_FAULTS | VmarFlags::FAULT_BEYOND_STREAM_SIZE;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC | beyond;
    region.map(0, &weak, 0, 2 * P, flags)?;
    check_refused(operate(&region, VmarOp::COMMIT, 0, 2), OUT_OF_RANGE)?;
    check_refused(
        operate(&region, VmarOp::COMMIT, 0, 1),
        Status::ACCESS_DENIED,
    )
}

fn the_permission_decides_over_the_vmo() -> Outcome {
    let region = Region::new(4)?;
    let weak = without_rights(&vmo_of(1)?, Rights::WRITE)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &weak, 0, 2 * P, flags)?;
    for op in super::WRITING {
        check_refused(operate(&region, op, 0, 2), Status::ACCESS_DENIED)?;
    }
    check_refused(operate(&region, VmarOp::PREFETCH, 0, 2), OUT_OF_RANGE)
}

fn the_first_failing_mapping_decides() -> Outcome {
    let region = Region::new(8)?;
    let weak = without_rights(&vmo_of(1)?, Rights::WRITE)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &weak, 0, P, flags)?;
    region.map_at(1, &vmo_of(1)?, 2)?;
    let child = region.child(3, 1)?;
    child.map_at(0, &vmo_of(1)?, 1)?;
    let commit = |page, pages| operate(&region, VmarOp::COMMIT, page, pages);
    check_refused(commit(0, 5), Status::ACCESS_DENIED)?;
    check_refused(commit(1, 4), OUT_OF_RANGE)?;
    check_refused(commit(3, 2), INVALID_ARGS)?;
    check_refused(commit(4, 1), Status::BAD_STATE)
}
