//! Which handles, options and ranges are refused: checks 1 to 17.

use zx::{AsHandleRef, Rights, Status, VmarFlags, Vmo, VmoOptions, sys};

use super::{EXECUTE, READ, WRITE, with_call};
use crate::calls::MapCall;
use crate::fixtures::{
    CAN_MAP_ALL, P, Region, bad_alignments, bad_handles, resizable_vmo_of, undefined_options,
    vmo_of, without_rights,
};
use crate::harness::{Outcome, Test, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_region,
    refuses_what_is_no_vmo,
    needs_the_map_right,
    refuses_writing_or_executing_without_reading,
    refuses_map_range_with_overwrite,
    refuses_capabilities,
    needs_each_right_on_the_vmo,
    needs_each_right_on_the_region,
    new_vmos_cannot_be_executed,
    refuses_faulting_beyond_the_stream_without_allowing_faults,
    refuses_undefined_bits,
    refuses_alignments_out_of_range,
    refuses_resizable_vmos_on_request,
    refuses_discardable_vmos_without_allowing_faults,
    refuses_options_of_regions,
    refuses_more_than_the_region_allows,
    refuses_unaligned_vmo_offsets,
    refuses_lengths_that_overflow,
    refuses_vmo_ranges_that_overflow,
];

fn refuses_what_is_no_handle() -> Outcome {
    with_call(4, |region, valid| {
        for bad in bad_handles()? {
            region.refuses(Status::BAD_HANDLE, || MapCall { vmar: bad, ..valid }.make())?;
            region.refuses(Status::BAD_HANDLE, || MapCall { vmo: bad, ..valid }.make())?;
        }
        Ok(())
    })
}

fn refuses_what_is_no_region() -> Outcome {
    with_call(4, |region, valid| {
        region.refuses(Status::WRONG_TYPE, || {
            MapCall {
                vmar: valid.vmo,
                ..valid
            }
            .make()
        })
    })
}

fn refuses_what_is_no_vmo() -> Outcome {
    with_call(4, |region, valid| {
        region.refuses(Status::WRONG_TYPE, || {
            MapCall {
                vmo: valid.vmar,
                ..valid
            }
            .make()
        })
    })
}

fn needs_the_map_right() -> Outcome {
    let region = Region::new(4)?;
    let vmo = without_rights(&vmo_of(1)?, Rights::MAP)?;
    region.refuses(Status::ACCESS_DENIED, || {
        MapCall::one_page(&region, &vmo).make()
    })
}

fn refuses_writing_or_executing_without_reading() -> Outcome {
    with_call(4, |region, valid| {
        for options in [WRITE, EXECUTE, WRITE | EXECUTE] {
            region.refuses(Status::INVALID_ARGS, || MapCall { options, ..valid }.make())?;
        }
        Ok(())
    })
}

fn refuses_map_range_with_overwrite() -> Outcome {
    with_call(4, |region, valid| {
        let options = READ | sys::ZX_VM_MAP_RANGE | sys::ZX_VM_SPECIFIC_OVERWRITE;
        region.refuses(Status::INVALID_ARGS, || MapCall { options, ..valid }.make())
    })
}

fn refuses_capabilities() -> Outcome {
    with_call(4, |region, valid| {
        let capabilities = [
            sys::ZX_VM_CAN_MAP_READ,
            sys::ZX_VM_CAN_MAP_WRITE,
            sys::ZX_VM_CAN_MAP_EXECUTE,
            sys::ZX_VM_CAN_MAP_SPECIFIC,
        ];
        for capability in capabilities {
            let options = READ | capability;
            region.refuses(Status::INVALID_ARGS, || MapCall { options, ..valid }.make())?;
        }
        Ok(())
    })
}

fn needs_each_right_on_the_vmo() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    for (right, options) in [(Rights::READ, READ), (Rights::WRITE, READ | WRITE)] {
        let weaker = without_rights(&vmo, right)?;
        let valid = MapCall::one_page(&region, &weaker);
        region.refuses(Status::ACCESS_DENIED, || {
            MapCall { options, ..valid }.make()
        })?;
        MapCall {
            options: 0,
            ..valid
        }
        .make()?;
    }
    Ok(())
}

fn needs_each_right_on_the_region() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    for (right, options) in [(Rights::READ, READ), (Rights::WRITE, READ | WRITE)] {
        let weaker = without_rights(&*region, right)?;
        let valid = MapCall {
            vmar: weaker.raw_handle(),
            ..MapCall::one_page(&region, &vmo)
        };
        region.refuses(Status::ACCESS_DENIED, || {
            MapCall { options, ..valid }.make()
        })?;
        MapCall {
            options: 0,
            ..valid
        }
        .make()?;
    }
    Ok(())
}

fn new_vmos_cannot_be_executed() -> Outcome {
    with_call(4, |region, valid| {
        let options = READ | EXECUTE;
        region.refuses(Status::ACCESS_DENIED, || {
            MapCall { options, ..valid }.make()
        })
    })
}

fn refuses_faulting_beyond_the_stream_without_allowing_faults() -> Outcome {
    with_call(4, |region, valid| {
        let options = READ | sys::ZX_VM_FAULT_BEYOND_STREAM_SIZE;
        region.refuses(Status::INVALID_ARGS, || MapCall { options, ..valid }.make())
    })
}

fn refuses_undefined_bits() -> Outcome {
    with_call(4, |region, valid| {
        for bit in undefined_options() {
            let options = READ | bit;
            region.refuses(Status::INVALID_ARGS, || MapCall { options, ..valid }.make())?;
        }
        Ok(())
    })
}

fn refuses_alignments_out_of_range() -> Outcome {
    with_call(4, |_, valid| {
        for alignment in bad_alignments() {
            let call = MapCall {
                options: READ | alignment,
                ..valid
            };
            check_refused(call.make(), Status::INVALID_ARGS)?;
        }
        Ok(())
    })
}

fn refuses_resizable_vmos_on_request() -> Outcome {
    let region = Region::new(4)?;
    let options = READ | sys::ZX_VM_REQUIRE_NON_RESIZABLE;
    let resizable = resizable_vmo_of(1)?;
    region.refuses(Status::NOT_SUPPORTED, || {
        MapCall {
            options,
            ..MapCall::one_page(&region, &resizable)
        }
        .make()
    })?;
    let fixed = vmo_of(1)?;
    MapCall {
        options,
        ..MapCall::one_page(&region, &fixed)
    }
    .make()?;
    MapCall::one_page(&region, &resizable)
        .make()
        .map(drop)
        .map_err(Into::into)
}

fn refuses_discardable_vmos_without_allowing_faults() -> Outcome {
    let region = Region::new(4)?;
    let vmo = Vmo::create_with_opts(VmoOptions::DISCARDABLE, P as u64)?;
    let valid = MapCall::one_page(&region, &vmo);
    region.refuses(Status::NOT_SUPPORTED, || valid.make())?;
    let options = valid.options | sys::ZX_VM_ALLOW_FAULTS;
    MapCall { options, ..valid }
        .make()
        .map(drop)
        .map_err(Into::into)
}

fn refuses_options_of_regions() -> Outcome {
    with_call(4, |region, valid| {
        for of_regions in [sys::ZX_VM_COMPACT, sys::ZX_VM_CAN_MAP_SPECIFIC] {
            let options = READ | of_regions;
            region.refuses(Status::INVALID_ARGS, || MapCall { options, ..valid }.make())?;
        }
        Ok(())
    })
}

fn refuses_more_than_the_region_allows() -> Outcome {
    let vmo = vmo_of(1)?;
    for (capability, options) in [
        (VmarFlags::CAN_MAP_READ, READ),
        (VmarFlags::CAN_MAP_WRITE, READ | WRITE),
    ] {
        let region = Region::with_flags(4, CAN_MAP_ALL.difference(capability))?;
        let valid = MapCall::one_page(&region, &vmo);
        region.refuses(Status::ACCESS_DENIED, || {
            MapCall { options, ..valid }.make()
        })?;
    }
    Ok(())
}

fn refuses_unaligned_vmo_offsets() -> Outcome {
    with_call(4, |region, valid| {
        for vmo_offset in [1, P as u64 - 1, P as u64 + 1, u64::MAX] {
            region.refuses(Status::INVALID_ARGS, || {
                MapCall {
                    vmo_offset,
                    ..valid
                }
                .make()
            })?;
        }
        Ok(())
    })
}

fn refuses_lengths_that_overflow() -> Outcome {
    with_call(4, |region, valid| {
        for length in [usize::MAX, usize::MAX - P + 2] {
            region.refuses(Status::OUT_OF_RANGE, || MapCall { length, ..valid }.make())?;
        }
        Ok(())
    })
}

fn refuses_vmo_ranges_that_overflow() -> Outcome {
    with_call(4, |region, valid| {
        let page = P as u64;
        let last_page = 0_u64.wrapping_sub(page);
        region.refuses(Status::OUT_OF_RANGE, || {
            MapCall {
                vmo_offset: last_page,
                ..valid
            }
            .make()
        })?;
        region.refuses(Status::OUT_OF_RANGE, || {
            MapCall {
                vmo_offset: last_page - page,
                length: P + 1,
                ..valid
            }
            .make()
        })?;
        let call = MapCall {
            vmo_offset: last_page - page,
            ..valid
        };
        call.make().map(drop).map_err(Into::into)
    })
}
