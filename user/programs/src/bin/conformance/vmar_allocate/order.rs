//! Of two things wrong, the one that is checked first decides.

use zx::{AsHandleRef, Rights, Status, VmarFlags, sys};

use super::{SPECIFIC, UPPER_LIMIT};
use crate::calls::AllocateCall;
use crate::fixtures::{P, Region, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_refused, tests};

pub const TESTS: &[Test] = tests![
    checks_the_handle_first,
    checks_options_before_the_state,
    checks_the_state_before_the_size,
    checks_the_offset_before_the_capability,
    checks_the_capability_before_the_bounds,
    checks_the_alignment_before_the_place,
];

fn checks_the_handle_first() -> Outcome {
    let region = Region::new(4)?;
    let wrong = AllocateCall {
        options: 1 << 16 | sys::ZX_VM_CAN_MAP_READ,
        size: 1,
        ..AllocateCall::one_page(&region)
    };
    check_refused(
        AllocateCall { parent: 0, ..wrong }.make(),
        Status::BAD_HANDLE,
    )?;
    let vmo = vmo_of(1)?;
    check_refused(
        AllocateCall {
            parent: vmo.raw_handle(),
            ..wrong
        }
        .make(),
        Status::WRONG_TYPE,
    )?;
    let weaker = without_rights(&*region, Rights::READ)?;
    check_refused(
        AllocateCall {
            parent: weaker.raw_handle(),
            ..wrong
        }
        .make(),
        Status::ACCESS_DENIED,
    )
}

fn checks_options_before_the_state() -> Outcome {
    let region = Region::destroyed(4)?;
    let valid = AllocateCall::one_page(&region);
    for options in [
        1 << 16,
        1 << 24,
        sys::ZX_VM_PERM_READ,
        sys::ZX_VM_ALLOW_FAULTS,
    ] {
        check_refused(
            AllocateCall { options, ..valid }.make(),
            Status::INVALID_ARGS,
        )?;
    }
    check_refused(
        AllocateCall { size: 1, ..valid }.make(),
        Status::INVALID_ARGS,
    )
}

fn checks_the_state_before_the_size() -> Outcome {
    let region = Region::destroyed(4)?;
    let valid = AllocateCall::one_page(&region);
    check_refused(AllocateCall { size: 0, ..valid }.make(), Status::BAD_STATE)?;
    let both = AllocateCall {
        options: SPECIFIC | UPPER_LIMIT,
        ..valid
    };
    check_refused(both.make(), Status::BAD_STATE)?;
    check_refused(
        AllocateCall { offset: 1, ..valid }.make(),
        Status::BAD_STATE,
    )
}

fn checks_the_offset_before_the_capability() -> Outcome {
    let region = Region::with_flags(4, VmarFlags::CAN_MAP_READ)?;
    let valid = AllocateCall {
        options: SPECIFIC,
        ..AllocateCall::one_page(&region)
    };
    check_refused(
        AllocateCall { offset: 1, ..valid }.make(),
        Status::INVALID_ARGS,
    )
}

fn checks_the_capability_before_the_bounds() -> Outcome {
    let region = Region::with_flags(4, VmarFlags::CAN_MAP_READ)?;
    let valid = AllocateCall {
        options: SPECIFIC,
        ..AllocateCall::one_page(&region)
    };
    check_refused(
        AllocateCall {
            offset: 8 * P,
            ..valid
        }
        .make(),
        Status::ACCESS_DENIED,
    )
}

fn checks_the_alignment_before_the_place() -> Outcome {
    let region = Region::new(4)?;
    let _all = region.child(0, 4)?;
    let misaligned = usize::from(region.at(0).is_multiple_of(2 * P));
    let call = AllocateCall {
        options: SPECIFIC | sys::ZX_VM_ALIGN_8KB,
        offset: misaligned * P,
        ..AllocateCall::one_page(&region)
    };
    region.refuses(Status::INVALID_ARGS, || call.make())
}
