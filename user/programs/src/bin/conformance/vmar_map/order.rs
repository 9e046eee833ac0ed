//! Of two things wrong, the one that is checked first decides.

use zx::{Rights, Status, sys};

use super::{READ, WRITE, with_call};
use crate::calls::MapCall;
use crate::fixtures::{Region, resizable_vmo_of, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_refused, tests};

pub const TESTS: &[Test] = tests![
    checks_the_region_then_the_vmo_then_options,
    checks_the_map_right_before_options,
    checks_permissions_before_undefined_bits,
    checks_the_vmo_before_options_of_regions,
    checks_lengths_before_the_state,
    checks_the_state_before_the_length_zero,
];

fn checks_the_region_then_the_vmo_then_options() -> Outcome {
    with_call(4, |region, valid| {
        let wrong = MapCall {
            options: 1 << 16 | WRITE,
            length: 0,
            ..valid
        };
        let both = MapCall {
            vmar: valid.vmo,
            vmo: 0,
            ..wrong
        };
        region.refuses(Status::WRONG_TYPE, || both.make())?;
        region.refuses(Status::BAD_HANDLE, || MapCall { vmo: 0, ..wrong }.make())?;
        region.refuses(Status::WRONG_TYPE, || {
            MapCall {
                vmo: wrong.vmar,
                ..wrong
            }
            .make()
        })
    })
}

fn checks_the_map_right_before_options() -> Outcome {
    let region = Region::new(4)?;
    let vmo = without_rights(&vmo_of(1)?, Rights::MAP)?;
    let wrong = MapCall {
        options: 1 << 16 | WRITE,
        ..MapCall::one_page(&region, &vmo)
    };
    region.refuses(Status::ACCESS_DENIED, || wrong.make())
}

fn checks_permissions_before_undefined_bits() -> Outcome {
    let region = Region::new(4)?;
    let vmo = without_rights(&vmo_of(1)?, Rights::WRITE)?;
    let wrong = MapCall {
        options: READ | WRITE | 1 << 16,
        ..MapCall::one_page(&region, &vmo)
    };
    region.refuses(Status::ACCESS_DENIED, || wrong.make())?;
    let options = WRITE | sys::ZX_VM_CAN_MAP_READ;
    region.refuses(Status::INVALID_ARGS, || MapCall { options, ..wrong }.make())
}

fn checks_the_vmo_before_options_of_regions() -> Outcome {
    let region = Region::new(4)?;
    let vmo = resizable_vmo_of(1)?;
    let options = READ | sys::ZX_VM_REQUIRE_NON_RESIZABLE | sys::ZX_VM_COMPACT;
    let wrong = MapCall {
        options,
        ..MapCall::one_page(&region, &vmo)
    };
    region.refuses(Status::NOT_SUPPORTED, || wrong.make())
}

fn checks_lengths_before_the_state() -> Outcome {
    let region = Region::destroyed(4)?;
    let vmo = vmo_of(1)?;
    let valid = MapCall::one_page(&region, &vmo);
    check_refused(
        MapCall {
            length: usize::MAX,
            ..valid
        }
        .make(),
        Status::OUT_OF_RANGE,
    )?;
    check_refused(
        MapCall {
            vmo_offset: 1,
            ..valid
        }
        .make(),
        Status::INVALID_ARGS,
    )?;
    check_refused(
        MapCall {
            options: sys::ZX_VM_COMPACT,
            ..valid
        }
        .make(),
        Status::INVALID_ARGS,
    )
}

fn checks_the_state_before_the_length_zero() -> Outcome {
    let region = Region::destroyed(4)?;
    let vmo = vmo_of(1)?;
    let valid = MapCall::one_page(&region, &vmo);
    check_refused(MapCall { length: 0, ..valid }.make(), Status::BAD_STATE)?;
    check_refused(
        MapCall {
            vmar_offset: 1,
            ..valid
        }
        .make(),
        Status::BAD_STATE,
    )
}
