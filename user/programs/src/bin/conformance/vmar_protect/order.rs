//! Of two things wrong, the one that is checked first decides.

use zx::{AsHandleRef, Rights, Status, sys};

use super::{READ, WRITE, with_call};
use crate::calls::ProtectCall;
use crate::fixtures::{Region, without_rights};
use crate::harness::{Outcome, Test, check_refused, tests};

pub const TESTS: &[Test] = tests![
    checks_rights_before_the_rest,
    checks_options_before_the_state,
    checks_the_state_before_the_bounds,
];

fn checks_rights_before_the_rest() -> Outcome {
    with_call(|region, valid| {
        let weaker = without_rights(&**region, Rights::WRITE)?;
        let vmar = weaker.raw_handle();
        let wrong = ProtectCall {
            vmar,
            options: WRITE | 1 << 16,
            address: 1,
            length: 0,
        };
        region.refuses(Status::ACCESS_DENIED, || wrong.make())?;
        region.refuses(Status::BAD_HANDLE, || {
            ProtectCall { vmar: 0, ..wrong }.make()
        })?;
        let options = READ | sys::ZX_VM_COMPACT;
        region.refuses(Status::INVALID_ARGS, || {
            ProtectCall { options, ..valid }.make()
        })
    })
}

fn checks_options_before_the_state() -> Outcome {
    let region = Region::destroyed(4)?;
    let valid = ProtectCall::read_only(&region, 0);
    for options in [
        WRITE,
        READ | 1 << 16,
        READ | sys::ZX_VM_SPECIFIC,
        READ | 12 << 24,
    ] {
        check_refused(
            ProtectCall { options, ..valid }.make(),
            Status::INVALID_ARGS,
        )?;
    }
    let address = valid.address + 1;
    check_refused(
        ProtectCall { address, ..valid }.make(),
        Status::INVALID_ARGS,
    )?;
    check_refused(
        ProtectCall { length: 0, ..valid }.make(),
        Status::INVALID_ARGS,
    )
}

fn checks_the_state_before_the_bounds() -> Outcome {
    let region = Region::destroyed(4)?;
    check_refused(ProtectCall::read_only(&region, 9).make(), Status::BAD_STATE)
}
