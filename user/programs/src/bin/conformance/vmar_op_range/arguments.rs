//! Which handles, operations, buffers and ranges are refused: checks 1 to 6.

use zx::{AsHandleRef, Rights, Status};

use super::{ALL, committed_pages, operate};
use crate::calls::RangeCall;
use crate::fixtures::{BAD_ADDRESSES, P, Region, bad_handles, vmo_of, with_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_region,
    needs_no_right_on_the_region,
    refuses_unknown_operations,
    refuses_every_buffer,
    refuses_length_zero_and_what_rounds_to_it,
    refuses_unaligned_addresses,
    rounds_the_length_up,
    refuses_ranges_beyond_the_region,
    refuses_destroyed_regions,
];

/// Runs a test for each operation, with a region of four pages that is full, and a call on page 0.
fn for_each(test: impl Fn(&Region, RangeCall) -> Outcome) -> Outcome {
    for op in ALL {
        let region = Region::new(4)?;
        region.map_at(0, &vmo_of(4)?, 4)?;
        let valid = RangeCall::one_page(&region, op.into_raw(), 0);
        test(&region, valid)?;
        check_eq(valid.make(), Ok(()))?;
    }
    Ok(())
}

fn refuses_what_is_no_handle() -> Outcome {
    for_each(|_, valid| {
        for vmar in bad_handles()? {
            check_refused(RangeCall { vmar, ..valid }.make(), Status::BAD_HANDLE)?;
        }
        Ok(())
    })
}

fn refuses_what_is_no_region() -> Outcome {
    for_each(|_, valid| {
        let vmo = vmo_of(1)?;
        let vmar = vmo.raw_handle();
        check_refused(RangeCall { vmar, ..valid }.make(), Status::WRONG_TYPE)
    })
}

fn needs_no_right_on_the_region() -> Outcome {
    for_each(|region, valid| {
        let weak = with_rights(&**region, Rights::NONE)?;
        let vmar = weak.raw_handle();
        check_eq(RangeCall { vmar, ..valid }.make(), Ok(()))
    })
}

fn refuses_unknown_operations() -> Outcome {
    for_each(|_, valid| {
        let unknown = [0, 4, 5, 6, 7, 8, 9, 11, 15, 16, 1 << 31, u32::MAX];
        for op in unknown {
            check_refused(RangeCall { op, ..valid }.make(), Status::INVALID_ARGS)?;
        }
        Ok(())
    })
}

fn refuses_every_buffer() -> Outcome {
    for_each(|_, valid| {
        let place = 0_u64;
        let good = (&raw const place).addr();
        for buffer in BAD_ADDRESSES.into_iter().chain([good]) {
            for buffer_size in [0, 1, 8, usize::MAX] {
                let is_none = buffer == 0 && buffer_size == 0;
                let call = RangeCall {
                    buffer,
                    buffer_size,
                    ..valid
                };
                let expected = if is_none {
                    Ok(())
                } else {
                    Err(Status::INVALID_ARGS)
                };
                check_eq(call.make(), expected)?;
            }
        }
        Ok(())
    })
}

fn refuses_length_zero_and_what_rounds_to_it() -> Outcome {
    for_each(|_, valid| {
        for length in [0, usize::MAX, usize::MAX - P + 2] {
            let call = RangeCall { length, ..valid };
            check_refused(call.make(), Status::INVALID_ARGS)?;
        }
        Ok(())
    })
}

fn refuses_unaligned_addresses() -> Outcome {
    for_each(|_, valid| {
        for offset in [1, 8, P - 1, P + 1] {
            let address = valid.address + offset;
            check_refused(RangeCall { address, ..valid }.make(), Status::INVALID_ARGS)?;
        }
        Ok(())
    })
}

fn rounds_the_length_up() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    region.map_at(0, &vmo, 4)?;
    for (length, pages) in [(1, 1), (P, 1), (P + 1, 2), (4 * P - 1, 4)] {
        let call = RangeCall {
            length,
            ..RangeCall::one_page(&region, zx::VmarOp::COMMIT.into_raw(), 0)
        };
        call.make()?;
        check_eq(committed_pages(&vmo)?, pages)?;
        operate(&region, zx::VmarOp::DECOMMIT, 0, 4)?;
    }
    Ok(())
}

fn refuses_ranges_beyond_the_region() -> Outcome {
    for_each(|region, valid| {
        let ranges = [
            (region.at(0) - P, P),
            (region.at(0) - P, 2 * P),
            (region.at(0) - P, 6 * P),
            (region.at(3), 2 * P),
            (region.at(3), P + 1),
            (region.at(4), P),
            (0, P),
            (usize::MAX - P + 1, P),
            (region.at(0), usize::MAX - P + 1),
            (region.at(0), 1 << 47),
        ];
        for (address, length) in ranges {
            let call = RangeCall {
                address,
                length,
                ..valid
            };
            check_refused(call.make(), Status::OUT_OF_RANGE)?;
        }
        Ok(())
    })
}

fn refuses_destroyed_regions() -> Outcome {
    let region = Region::destroyed(4)?;
    for op in ALL {
        check_refused(operate(&region, op, 0, 1), Status::BAD_STATE)?;
        check_refused(operate(&region, op, 3, 2), Status::OUT_OF_RANGE)?;
    }
    Ok(())
}
