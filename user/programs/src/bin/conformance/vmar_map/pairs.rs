//! Each check decides over all later ones.
//!
//! Check 3 needs a VMO of device memory, which programs cannot make. Check 15 cannot be told from check 9
//! through handles: see `vmar_allocate::pairs`.

use core::ptr;

use zx::{Status, sys};

use super::{EXECUTE, READ, SPECIFIC, UPPER_LIMIT, WRITE};
use crate::calls::MapCall;
use crate::competing::{ANY_ALIGNMENT, PAGES, Plan, Setup, Wrong, earlier_decides, wrong};
use crate::fixtures::P;
use crate::harness::{Failure, Outcome, Test, tests};

pub const TESTS: &[Test] = tests![each_check_decides_over_later_ones,];

const VALID: Plan = Plan::VALID;
const INVALID_ARGS: Status = Status::INVALID_ARGS;
const ACCESS_DENIED: Status = Status::ACCESS_DENIED;
const NOT_SUPPORTED: Status = Status::NOT_SUPPORTED;
const OUT_OF_RANGE: Status = Status::OUT_OF_RANGE;
const OVERWRITE: u32 = sys::ZX_VM_SPECIFIC_OVERWRITE;
const ALLOW_FAULTS: u32 = sys::ZX_VM_ALLOW_FAULTS;
const MAP_RANGE: u32 = sys::ZX_VM_MAP_RANGE;

/// A way to break each check of the table in §5.1, in its order; those of §3 follow as check 20.
#[rustfmt::skip]
const WRONGS: &[Wrong] = &[
    wrong(1, Status::BAD_HANDLE, Plan { setup: Setup::NO_REGION, ..VALID }),
    wrong(1, Status::WRONG_TYPE, Plan { setup: Setup::VMO_AS_REGION, ..VALID }),
    wrong(2, Status::BAD_HANDLE, Plan { setup: Setup::NO_VMO, ..VALID }),
    wrong(2, Status::WRONG_TYPE, Plan { setup: Setup::REGION_AS_VMO, ..VALID }),
    wrong(4, ACCESS_DENIED, Plan { setup: Setup::UNMAPPABLE, ..VALID }),
    wrong(6, INVALID_ARGS, Plan { options: WRITE, excluded: READ, ..VALID }),
    wrong(6, INVALID_ARGS, Plan { options: EXECUTE, excluded: READ, ..VALID }),
    wrong(7, INVALID_ARGS, Plan { options: MAP_RANGE | OVERWRITE, ..VALID }),
    wrong(8, INVALID_ARGS, Plan { options: sys::ZX_VM_CAN_MAP_READ, ..VALID }),
    wrong(8, INVALID_ARGS, Plan { options: sys::ZX_VM_CAN_MAP_EXECUTE, ..VALID }),
    wrong(9, ACCESS_DENIED, Plan { setup: Setup::WEAK_VMO, options: READ, ..VALID }),
    wrong(9, ACCESS_DENIED, Plan { setup: Setup::WEAK_REGION, options: READ | WRITE, ..VALID }),
    wrong(9, ACCESS_DENIED, Plan { options: READ | EXECUTE, ..VALID }),
    wrong(10, INVALID_ARGS, Plan { options: sys::ZX_VM_FAULT_BEYOND_STREAM_SIZE, excluded: ALLOW_FAULTS, ..VALID }),
    wrong(11, INVALID_ARGS, Plan { options: 1 << 16, ..VALID }),
    wrong(11, INVALID_ARGS, Plan { options: 1 << 23, ..VALID }),
    wrong(11, INVALID_ARGS, Plan { options: 9 << sys::ZX_VM_ALIGN_BASE, excluded: ANY_ALIGNMENT, ..VALID }),
    wrong(11, INVALID_ARGS, Plan { options: 33 << sys::ZX_VM_ALIGN_BASE, excluded: ANY_ALIGNMENT, ..VALID }),
    wrong(12, NOT_SUPPORTED, Plan { setup: Setup::RESIZABLE, options: sys::ZX_VM_REQUIRE_NON_RESIZABLE, ..VALID }),
    wrong(13, NOT_SUPPORTED, Plan { setup: Setup::DISCARDABLE, excluded: ALLOW_FAULTS, ..VALID }),
    wrong(14, INVALID_ARGS, Plan { options: sys::ZX_VM_COMPACT, ..VALID }),
    wrong(14, INVALID_ARGS, Plan { options: sys::ZX_VM_CAN_MAP_SPECIFIC, ..VALID }),
    wrong(16, INVALID_ARGS, Plan { vmo_offset: Some(1), ..VALID }),
    wrong(17, OUT_OF_RANGE, Plan { length: Some(usize::MAX), ..VALID }),
    wrong(17, OUT_OF_RANGE, Plan { length: Some(usize::MAX - P + 2), ..VALID }),
    wrong(17, OUT_OF_RANGE, Plan { vmo_offset: Some(u64::MAX - P as u64 + 1), length: Some(P), ..VALID }),
    wrong(18, Status::BAD_STATE, Plan { setup: Setup::DEAD, ..VALID }),
    wrong(19, INVALID_ARGS, Plan { length: Some(0), ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: SPECIFIC | UPPER_LIMIT, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: OVERWRITE | UPPER_LIMIT, excluded: MAP_RANGE, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { setup: Setup::NO_PLACES, options: SPECIFIC | UPPER_LIMIT, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { setup: Setup::FULL, options: SPECIFIC | UPPER_LIMIT, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { offset: Some(P), excluded: SPECIFIC | OVERWRITE | UPPER_LIMIT, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: SPECIFIC, offset: Some(1), excluded: UPPER_LIMIT, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: OVERWRITE, offset: Some(P - 1), excluded: UPPER_LIMIT | MAP_RANGE, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: UPPER_LIMIT, offset: Some(2 * P - 1), excluded: SPECIFIC | OVERWRITE, ..VALID }),
    wrong(20, ACCESS_DENIED, Plan { setup: Setup::NO_PLACES, options: SPECIFIC, excluded: UPPER_LIMIT, ..VALID }),
    wrong(20, ACCESS_DENIED, Plan { setup: Setup::NO_PLACES, options: OVERWRITE, excluded: UPPER_LIMIT | MAP_RANGE, ..VALID }),
    wrong(20, ACCESS_DENIED, Plan { setup: Setup::NO_PLACES, options: UPPER_LIMIT, excluded: SPECIFIC | OVERWRITE, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: SPECIFIC, offset: Some(PAGES * P), excluded: UPPER_LIMIT, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: OVERWRITE, offset: Some(PAGES * P), excluded: UPPER_LIMIT | MAP_RANGE, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: SPECIFIC, offset: Some(P), length: Some((PAGES - 1) * P + 1), excluded: UPPER_LIMIT, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: UPPER_LIMIT, offset: Some((PAGES + 1) * P), excluded: SPECIFIC | OVERWRITE, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { options: UPPER_LIMIT, offset: Some(P), length: Some(P + 1), excluded: SPECIFIC | OVERWRITE, ..VALID }),
    wrong(20, INVALID_ARGS, Plan { length: Some(PAGES * P + 1), ..VALID }),
    wrong(20, INVALID_ARGS, Plan {
        options: SPECIFIC | sys::ZX_VM_ALIGN_8KB, offset: Some(P), excluded: UPPER_LIMIT, ..VALID
    }),
    wrong(20, INVALID_ARGS, Plan {
        options: OVERWRITE | sys::ZX_VM_ALIGN_8KB, offset: Some(P), excluded: UPPER_LIMIT | MAP_RANGE, ..VALID
    }),
    wrong(20, Status::ALREADY_EXISTS, Plan { setup: Setup::FULL, options: SPECIFIC, excluded: UPPER_LIMIT | OVERWRITE, ..VALID }),
    wrong(21, Status::NO_RESOURCES, Plan { setup: Setup::FULL, excluded: OVERWRITE, ..VALID }),
    wrong(21, Status::NO_RESOURCES, Plan {
        setup: Setup::FULL, options: UPPER_LIMIT, excluded: SPECIFIC | OVERWRITE, offset: Some(PAGES * P), ..VALID
    }),
    wrong(22, INVALID_ARGS, Plan { setup: Setup::BAD_RESULT, ..VALID }),
];

fn make(plan: &Plan) -> Result<Result<(), Status>, Failure> {
    let region = plan.region()?;
    let (vmar, vmo) = (plan.region_handle(&region)?, plan.vmo_handle()?);
    plan.end(&region)?;
    let call = MapCall {
        vmar: vmar.raw_handle(),
        options: plan.options,
        vmar_offset: plan.offset.unwrap_or(0),
        vmo: vmo.raw_handle(),
        vmo_offset: plan.vmo_offset.unwrap_or(0),
        length: plan.length.unwrap_or(P),
    };
    let mut address = 0;
    Ok(if plan.setup.has(Setup::BAD_RESULT) {
        call.make_into(ptr::without_provenance_mut(usize::MAX))
    } else {
        call.make_into(&mut address)
    })
}

fn each_check_decides_over_later_ones() -> Outcome {
    earlier_decides(WRONGS, make)
}
