//! Each check decides over all later ones.

use zx::Status;

use crate::calls;
use crate::competing::{PAGES, Plan, Setup, Wrong, earlier_decides, wrong};
use crate::fixtures::{P, vmo_of};
use crate::harness::{Failure, Outcome, Test, tests};

pub const TESTS: &[Test] = tests![each_check_decides_over_later_ones,];

const VALID: Plan = Plan::VALID;
const INVALID_ARGS: Status = Status::INVALID_ARGS;

/// The first page of the region in the region.
const CHILD: usize = PAGES / 2;

/// A way to break each check of the table in §6, in its order.
#[rustfmt::skip]
const WRONGS: &[Wrong] = &[
    wrong(1, Status::BAD_HANDLE, Plan { setup: Setup::NO_REGION, ..VALID }),
    wrong(1, Status::WRONG_TYPE, Plan { setup: Setup::VMO_AS_REGION, ..VALID }),
    wrong(2, INVALID_ARGS, Plan { offset: Some(1), ..VALID }),
    wrong(2, INVALID_ARGS, Plan { length: Some(0), ..VALID }),
    wrong(2, INVALID_ARGS, Plan { length: Some(usize::MAX), ..VALID }),
    wrong(3, Status::BAD_STATE, Plan { setup: Setup::DEAD, ..VALID }),
    wrong(4, INVALID_ARGS, Plan { offset: Some(PAGES * P), ..VALID }),
    wrong(4, INVALID_ARGS, Plan { length: Some(PAGES * P + 1), ..VALID }),
    wrong(5, INVALID_ARGS, Plan { offset: Some((CHILD + 1) * P), ..VALID }),
    wrong(5, INVALID_ARGS, Plan { length: Some(CHILD * P + 1), ..VALID }),
    wrong(6, INVALID_ARGS, Plan {
        setup: Setup::WITHOUT_CHILDREN, offset: Some(CHILD * P), length: Some(CHILD * P), ..VALID
    }),
];

/// Unmaps a page of a region whose first half is a mapping and whose second half is a region.
fn make(plan: &Plan) -> Result<Result<(), Status>, Failure> {
    let region = plan.region()?;
    region.map_at(0, &vmo_of(CHILD)?, CHILD)?;
    let _child = region.child(CHILD, PAGES - CHILD)?;
    let vmar = plan.region_handle(&region)?;
    plan.end(&region)?;
    let address = region.at(0) + plan.offset.unwrap_or(0);
    let length = plan.length.unwrap_or(P);
    Ok(calls::unmap(vmar.raw_handle(), address, length))
}

fn each_check_decides_over_later_ones() -> Outcome {
    earlier_decides(WRONGS, make)
}
