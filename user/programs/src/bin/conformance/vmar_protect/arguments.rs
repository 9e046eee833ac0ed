//! Which handles, options and ranges are refused: checks 1 to 8.

use zx::{AsHandleRef, Rights, Status, sys};

use super::{EXECUTE, READ, WRITE, with_call};
use crate::calls::ProtectCall;
use crate::fixtures::{
    P, Region, bad_alignments, bad_handles, undefined_options, vmo_of, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_region,
    needs_each_right_that_it_grants,
    refuses_writing_or_executing_without_reading,
    refuses_unaligned_addresses,
    refuses_undefined_bits,
    refuses_other_options,
    refuses_alignments,
    refuses_length_zero,
    refuses_lengths_that_overflow,
    refuses_destroyed_regions,
    refuses_ranges_beyond_the_region,
];

fn refuses_what_is_no_handle() -> Outcome {
    with_call(|region, valid| {
        for vmar in bad_handles()? {
            region.refuses(Status::BAD_HANDLE, || ProtectCall { vmar, ..valid }.make())?;
        }
        Ok(())
    })
}

fn refuses_what_is_no_region() -> Outcome {
    with_call(|region, valid| {
        let vmo = vmo_of(1)?;
        let vmar = vmo.raw_handle();
        region.refuses(Status::WRONG_TYPE, || ProtectCall { vmar, ..valid }.make())
    })
}

fn needs_each_right_that_it_grants() -> Outcome {
    with_call(|region, valid| {
        for (right, options) in [(Rights::READ, READ), (Rights::WRITE, READ | WRITE)] {
            let weaker = without_rights(&**region, right)?;
            let valid = ProtectCall {
                vmar: weaker.raw_handle(),
                ..valid
            };
            region.refuses(Status::ACCESS_DENIED, || {
                ProtectCall { options, ..valid }.make()
            })?;
            ProtectCall {
                options: 0,
                ..valid
            }
            .make()?;
        }
        Ok(())
    })
}

fn refuses_writing_or_executing_without_reading() -> Outcome {
    with_call(|region, valid| {
        for options in [WRITE, EXECUTE, WRITE | EXECUTE] {
            region.refuses(Status::INVALID_ARGS, || {
                ProtectCall { options, ..valid }.make()
            })?;
        }
        Ok(())
    })
}

fn refuses_unaligned_addresses() -> Outcome {
    with_call(|region, valid| {
        for offset in [1, P - 1, P + 1] {
            let address = valid.address + offset;
            region.refuses(Status::INVALID_ARGS, || {
                ProtectCall { address, ..valid }.make()
            })?;
        }
        Ok(())
    })
}

fn refuses_undefined_bits() -> Outcome {
    with_call(|region, valid| {
        for bit in undefined_options() {
            let options = READ | bit;
            region.refuses(Status::INVALID_ARGS, || {
                ProtectCall { options, ..valid }.make()
            })?;
        }
        Ok(())
    })
}

fn refuses_other_options() -> Outcome {
    with_call(|region, valid| {
        for bit in (3..14).chain([15]) {
            let options = READ | 1 << bit;
            region.refuses(Status::INVALID_ARGS, || {
                ProtectCall { options, ..valid }.make()
            })?;
        }
        let options = READ | sys::ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED;
        ProtectCall { options, ..valid }.make().map_err(Into::into)
    })
}

fn refuses_alignments() -> Outcome {
    with_call(|region, valid| {
        let good = [
            sys::ZX_VM_ALIGN_1KB,
            sys::ZX_VM_ALIGN_4KB,
            sys::ZX_VM_ALIGN_4GB,
        ];
        for alignment in bad_alignments().chain(good) {
            let options = READ | alignment;
            let call = ProtectCall { options, ..valid };
            check_refused(call.make(), Status::INVALID_ARGS)?;
        }
        check_eq(region.shape()?.len(), 2)
    })
}

fn refuses_length_zero() -> Outcome {
    with_call(|region, valid| {
        region.refuses(Status::INVALID_ARGS, || {
            ProtectCall { length: 0, ..valid }.make()
        })
    })
}

fn refuses_lengths_that_overflow() -> Outcome {
    with_call(|region, valid| {
        for length in [usize::MAX, usize::MAX - P + 2, usize::MAX - P + 1] {
            region.refuses(Status::INVALID_ARGS, || {
                ProtectCall { length, ..valid }.make()
            })?;
        }
        Ok(())
    })
}

fn refuses_destroyed_regions() -> Outcome {
    let region = Region::destroyed(4)?;
    check_refused(ProtectCall::read_only(&region, 0).make(), Status::BAD_STATE)
}

fn refuses_ranges_beyond_the_region() -> Outcome {
    with_call(|region, valid| {
        let ranges = [
            (region.at(0) - P, P),
            (region.at(0) - P, 2 * P),
            (region.at(3), 2 * P),
            (region.at(3), P + 1),
            (region.at(4), P),
            (0, P),
            (usize::MAX - P + 1, P),
        ];
        for (address, length) in ranges {
            region.refuses(Status::INVALID_ARGS, || {
                ProtectCall {
                    address,
                    length,
                    ..valid
                }
                .make()
            })?;
        }
        Ok(())
    })
}
