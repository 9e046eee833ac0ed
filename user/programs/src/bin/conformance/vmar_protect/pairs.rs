//! Each check decides over all later ones: checks 2 to 9 of the table; `walk` is about those of the walk.

use zx::{Status, sys};

use super::{EXECUTE, READ, WRITE};
use crate::calls::ProtectCall;
use crate::competing::{PAGES, Plan, Setup, Wrong, earlier_decides, wrong};
use crate::fixtures::{P, vmo_of};
use crate::harness::{Failure, Outcome, Test, tests};

pub const TESTS: &[Test] = tests![each_check_decides_over_later_ones,];

const VALID: Plan = Plan::VALID;
const INVALID_ARGS: Status = Status::INVALID_ARGS;
const ACCESS_DENIED: Status = Status::ACCESS_DENIED;

/// The first page that is not mapped.
const HOLE: usize = 3;

/// A way to break each check of the table in §7 up to the first hole, in its order.
#[rustfmt::skip]
const WRONGS: &[Wrong] = &[
    wrong(2, Status::BAD_HANDLE, Plan { setup: Setup::NO_REGION, ..VALID }),
    wrong(2, Status::WRONG_TYPE, Plan { setup: Setup::VMO_AS_REGION, ..VALID }),
    wrong(2, ACCESS_DENIED, Plan { setup: Setup::WEAK_REGION, options: READ, ..VALID }),
    wrong(2, ACCESS_DENIED, Plan { setup: Setup::WEAK_REGION, options: WRITE, ..VALID }),
    wrong(2, ACCESS_DENIED, Plan { setup: Setup::WEAK_REGION, options: EXECUTE, ..VALID }),
    wrong(3, INVALID_ARGS, Plan { options: WRITE, excluded: READ, ..VALID }),
    wrong(3, INVALID_ARGS, Plan { options: EXECUTE, excluded: READ, ..VALID }),
    wrong(4, INVALID_ARGS, Plan { offset: Some(1), ..VALID }),
    wrong(4, INVALID_ARGS, Plan { offset: Some(P - 1), ..VALID }),
    wrong(5, INVALID_ARGS, Plan { options: 1 << 16, ..VALID }),
    wrong(5, INVALID_ARGS, Plan { options: sys::ZX_VM_SPECIFIC, ..VALID }),
    wrong(5, INVALID_ARGS, Plan { options: sys::ZX_VM_CAN_MAP_READ, ..VALID }),
    wrong(5, INVALID_ARGS, Plan { options: sys::ZX_VM_ALIGN_4KB, ..VALID }),
    wrong(6, INVALID_ARGS, Plan { length: Some(0), ..VALID }),
    wrong(6, INVALID_ARGS, Plan { length: Some(usize::MAX), ..VALID }),
    wrong(6, INVALID_ARGS, Plan { length: Some(usize::MAX - P + 2), ..VALID }),
    wrong(7, Status::BAD_STATE, Plan { setup: Setup::DEAD, ..VALID }),
    wrong(8, INVALID_ARGS, Plan { offset: Some(PAGES * P), ..VALID }),
    wrong(8, INVALID_ARGS, Plan { length: Some(PAGES * P + 1), ..VALID }),
    wrong(9, Status::NOT_FOUND, Plan { offset: Some(HOLE * P), ..VALID }),
    wrong(13, Status::NOT_FOUND, Plan { length: Some(HOLE * P + 1), ..VALID }),
];

/// Changes a page of a region that begins with a mapping.
fn make(plan: &Plan) -> Result<Result<(), Status>, Failure> {
    let region = plan.region()?;
    region.map_at(0, &vmo_of(HOLE)?, HOLE)?;
    let vmar = plan.region_handle(&region)?;
    plan.end(&region)?;
    let call = ProtectCall {
        vmar: vmar.raw_handle(),
        options: plan.options,
        address: region.at(0) + plan.offset.unwrap_or(0),
        length: plan.length.unwrap_or(P),
    };
    Ok(call.make())
}

fn each_check_decides_over_later_ones() -> Outcome {
    earlier_decides(WRONGS, make)
}
