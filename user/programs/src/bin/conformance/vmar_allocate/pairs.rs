//! Each check decides over all later ones.
//!
//! Check 8 cannot be told from check 1 through handles: a handle has at most the rights that its region has
//! capabilities, so who asks for more than the region has lacks the right as well.

use core::ptr;

use zx::{Status, sys};

use super::{SPECIFIC, UPPER_LIMIT};
use crate::calls::AllocateCall;
use crate::competing::{ANY_ALIGNMENT, PAGES, Plan, Setup, Wrong, earlier_decides, wrong};
use crate::fixtures::P;
use crate::harness::{Failure, Outcome, Test, tests};

pub const TESTS: &[Test] = tests![each_check_decides_over_later_ones,];

const VALID: Plan = Plan::VALID;
const INVALID_ARGS: Status = Status::INVALID_ARGS;
const ACCESS_DENIED: Status = Status::ACCESS_DENIED;

/// A way to break each check of the table in §3, in its order.
#[rustfmt::skip]
const WRONGS: &[Wrong] = &[
    wrong(1, Status::BAD_HANDLE, Plan { setup: Setup::NO_REGION, ..VALID }),
    wrong(1, Status::WRONG_TYPE, Plan { setup: Setup::VMO_AS_REGION, ..VALID }),
    wrong(1, ACCESS_DENIED, Plan { setup: Setup::WEAK_REGION, options: sys::ZX_VM_CAN_MAP_READ, ..VALID }),
    wrong(1, ACCESS_DENIED, Plan { setup: Setup::WEAK_REGION, options: sys::ZX_VM_CAN_MAP_WRITE, ..VALID }),
    wrong(1, ACCESS_DENIED, Plan { setup: Setup::WEAK_REGION, options: sys::ZX_VM_CAN_MAP_EXECUTE, ..VALID }),
    wrong(2, INVALID_ARGS, Plan { options: 1 << 16, ..VALID }),
    wrong(2, INVALID_ARGS, Plan { options: sys::ZX_VM_MAP_RANGE, ..VALID }),
    wrong(2, INVALID_ARGS, Plan { options: 9 << sys::ZX_VM_ALIGN_BASE, excluded: ANY_ALIGNMENT, ..VALID }),
    wrong(2, INVALID_ARGS, Plan { options: 33 << sys::ZX_VM_ALIGN_BASE, excluded: ANY_ALIGNMENT, ..VALID }),
    wrong(3, INVALID_ARGS, Plan { options: sys::ZX_VM_PERM_READ, ..VALID }),
    wrong(4, INVALID_ARGS, Plan { length: Some(P + 1), ..VALID }),
    wrong(5, INVALID_ARGS, Plan { options: sys::ZX_VM_SPECIFIC_OVERWRITE, ..VALID }),
    wrong(5, INVALID_ARGS, Plan { options: sys::ZX_VM_ALLOW_FAULTS, ..VALID }),
    wrong(5, INVALID_ARGS, Plan { options: sys::ZX_VM_REQUIRE_NON_RESIZABLE, ..VALID }),
    wrong(6, Status::BAD_STATE, Plan { setup: Setup::DEAD, ..VALID }),
    wrong(7, INVALID_ARGS, Plan { length: Some(0), ..VALID }),
    wrong(9, INVALID_ARGS, Plan { options: SPECIFIC | UPPER_LIMIT, ..VALID }),
    wrong(9, INVALID_ARGS, Plan { setup: Setup::NO_PLACES, options: SPECIFIC | UPPER_LIMIT, ..VALID }),
    wrong(9, INVALID_ARGS, Plan { setup: Setup::FULL, options: SPECIFIC | UPPER_LIMIT, ..VALID }),
    wrong(10, INVALID_ARGS, Plan { offset: Some(P), excluded: SPECIFIC | UPPER_LIMIT, ..VALID }),
    wrong(11, INVALID_ARGS, Plan { options: SPECIFIC, offset: Some(1), excluded: UPPER_LIMIT, ..VALID }),
    wrong(11, INVALID_ARGS, Plan { options: UPPER_LIMIT, offset: Some(2 * P - 1), excluded: SPECIFIC, ..VALID }),
    wrong(12, ACCESS_DENIED, Plan { setup: Setup::NO_PLACES, options: SPECIFIC, excluded: UPPER_LIMIT, ..VALID }),
    wrong(12, ACCESS_DENIED, Plan { setup: Setup::NO_PLACES, options: UPPER_LIMIT, excluded: SPECIFIC, ..VALID }),
    wrong(13, INVALID_ARGS, Plan { options: SPECIFIC, offset: Some(PAGES * P), excluded: UPPER_LIMIT, ..VALID }),
    wrong(13, INVALID_ARGS, Plan { options: SPECIFIC, offset: Some(P), length: Some(PAGES * P), excluded: UPPER_LIMIT, ..VALID }),
    wrong(13, INVALID_ARGS, Plan { options: UPPER_LIMIT, offset: Some((PAGES + 1) * P), excluded: SPECIFIC, ..VALID }),
    wrong(13, INVALID_ARGS, Plan { options: UPPER_LIMIT, offset: Some(P), length: Some(2 * P), excluded: SPECIFIC, ..VALID }),
    wrong(13, INVALID_ARGS, Plan { length: Some((PAGES + 1) * P), ..VALID }),
    wrong(14, INVALID_ARGS, Plan {
        options: SPECIFIC | sys::ZX_VM_ALIGN_8KB, offset: Some(P), excluded: UPPER_LIMIT, ..VALID
    }),
    wrong(15, Status::ALREADY_EXISTS, Plan { setup: Setup::FULL, options: SPECIFIC, excluded: UPPER_LIMIT, ..VALID }),
    wrong(16, Status::NO_RESOURCES, Plan { setup: Setup::FULL, ..VALID }),
    wrong(16, Status::NO_RESOURCES, Plan {
        setup: Setup::FULL, options: UPPER_LIMIT, excluded: SPECIFIC, offset: Some(PAGES * P), ..VALID
    }),
    wrong(17, INVALID_ARGS, Plan { setup: Setup::BAD_RESULT, ..VALID }),
];

fn make(plan: &Plan) -> Result<Result<(), Status>, Failure> {
    let region = plan.region()?;
    let parent = plan.region_handle(&region)?;
    plan.end(&region)?;
    let call = AllocateCall {
        parent: parent.raw_handle(),
        options: plan.options,
        offset: plan.offset.unwrap_or(0),
        size: plan.length.unwrap_or(P),
    };
    let (mut child, mut address) = (0, 0);
    Ok(if plan.setup.has(Setup::BAD_RESULT) {
        call.make_into(&mut child, ptr::without_provenance_mut(usize::MAX))
    } else {
        call.make_into(&mut child, &mut address)
    })
}

fn each_check_decides_over_later_ones() -> Outcome {
    earlier_decides(WRONGS, make)
}
