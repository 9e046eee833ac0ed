//! Which places are refused: checks 18 to 22.

use core::ptr;

use zx::{Status, VmarFlags, sys};

use super::{READ, SPECIFIC, UPPER_LIMIT, with_call};
use crate::calls::MapCall;
use crate::fixtures::{BAD_ADDRESSES, CAN_MAP_ALL, P, Region, vmo_of};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_destroyed_regions,
    refuses_length_zero,
    refuses_specific_with_upper_limit,
    refuses_an_offset_without_specific,
    refuses_unaligned_offsets,
    needs_can_map_specific_to_choose_a_place,
    refuses_places_beyond_the_region,
    refuses_limits_beyond_the_region,
    refuses_places_against_the_alignment,
    refuses_taken_places,
    refuses_when_full,
    refuses_bad_result_addresses,
];

fn refuses_destroyed_regions() -> Outcome {
    let region = Region::destroyed(4)?;
    let vmo = vmo_of(1)?;
    check_refused(MapCall::one_page(&region, &vmo).make(), Status::BAD_STATE)
}

fn refuses_length_zero() -> Outcome {
    with_call(4, |region, valid| {
        for placement in [0, SPECIFIC, UPPER_LIMIT, sys::ZX_VM_SPECIFIC_OVERWRITE] {
            let options = READ | placement;
            region.refuses(Status::INVALID_ARGS, || {
                MapCall {
                    options,
                    length: 0,
                    ..valid
                }
                .make()
            })?;
        }
        Ok(())
    })
}

fn refuses_specific_with_upper_limit() -> Outcome {
    with_call(4, |region, valid| {
        for specific in [SPECIFIC, sys::ZX_VM_SPECIFIC_OVERWRITE] {
            let options = READ | specific | UPPER_LIMIT;
            region.refuses(Status::INVALID_ARGS, || {
                MapCall {
                    options,
                    vmar_offset: 2 * P,
                    ..valid
                }
                .make()
            })?;
        }
        Ok(())
    })
}

fn refuses_an_offset_without_specific() -> Outcome {
    with_call(4, |region, valid| {
        for vmar_offset in [1, P, usize::MAX] {
            region.refuses(Status::INVALID_ARGS, || {
                MapCall {
                    vmar_offset,
                    ..valid
                }
                .make()
            })?;
        }
        Ok(())
    })
}

fn refuses_unaligned_offsets() -> Outcome {
    with_call(4, |region, valid| {
        for placement in [SPECIFIC, UPPER_LIMIT, sys::ZX_VM_SPECIFIC_OVERWRITE] {
            let valid = MapCall {
                options: READ | placement,
                ..valid
            };
            for vmar_offset in [1, P - 1, 2 * P + 1, usize::MAX] {
                region.refuses(Status::INVALID_ARGS, || {
                    MapCall {
                        vmar_offset,
                        ..valid
                    }
                    .make()
                })?;
            }
        }
        Ok(())
    })
}

fn needs_can_map_specific_to_choose_a_place() -> Outcome {
    let region = Region::with_flags(4, CAN_MAP_ALL.difference(VmarFlags::CAN_MAP_SPECIFIC))?;
    let vmo = vmo_of(1)?;
    let valid = MapCall {
        vmar_offset: P,
        ..MapCall::one_page(&region, &vmo)
    };
    for placement in [SPECIFIC, UPPER_LIMIT, sys::ZX_VM_SPECIFIC_OVERWRITE] {
        let options = READ | placement;
        region.refuses(Status::ACCESS_DENIED, || {
            MapCall { options, ..valid }.make()
        })?;
    }
    MapCall::one_page(&region, &vmo)
        .make()
        .map(drop)
        .map_err(Into::into)
}

fn refuses_places_beyond_the_region() -> Outcome {
    with_call(4, |region, valid| {
        let last_page = usize::MAX - P + 1;
        for placement in [SPECIFIC, sys::ZX_VM_SPECIFIC_OVERWRITE] {
            let valid = MapCall {
                options: READ | placement,
                ..valid
            };
            for (vmar_offset, length) in [
                (4 * P, P),
                (3 * P, 2 * P),
                (3 * P, P + 1),
                (0, 5 * P),
                (last_page, P),
            ] {
                region.refuses(Status::INVALID_ARGS, || {
                    MapCall {
                        vmar_offset,
                        length,
                        ..valid
                    }
                    .make()
                })?;
            }
        }
        region.refuses(Status::INVALID_ARGS, || {
            MapCall {
                length: 5 * P,
                ..valid
            }
            .make()
        })
    })
}

fn refuses_limits_beyond_the_region() -> Outcome {
    with_call(4, |region, valid| {
        let valid = MapCall {
            options: READ | UPPER_LIMIT,
            ..valid
        };
        for (vmar_offset, length) in [(5 * P, P), (4 * P, 5 * P), (P, P + 1), (0, P)] {
            region.refuses(Status::INVALID_ARGS, || {
                MapCall {
                    vmar_offset,
                    length,
                    ..valid
                }
                .make()
            })?;
        }
        let all = MapCall {
            vmar_offset: 4 * P,
            length: 4 * P,
            ..valid
        };
        check_eq(all.make(), Ok(region.at(0)))
    })
}

fn refuses_places_against_the_alignment() -> Outcome {
    with_call(8, |region, valid| {
        let aligned = usize::from(!region.at(0).is_multiple_of(2 * P));
        for placement in [SPECIFIC, sys::ZX_VM_SPECIFIC_OVERWRITE] {
            let options = READ | placement | sys::ZX_VM_ALIGN_8KB;
            let valid = MapCall { options, ..valid };
            region.refuses(Status::INVALID_ARGS, || {
                MapCall {
                    vmar_offset: (aligned + 1) * P,
                    ..valid
                }
                .make()
            })?;
        }
        let options = READ | SPECIFIC | sys::ZX_VM_ALIGN_8KB;
        let call = MapCall {
            options,
            vmar_offset: aligned * P,
            ..valid
        };
        check_eq(call.make(), Ok(region.at(aligned)))
    })
}

fn refuses_taken_places() -> Outcome {
    with_call(12, |region, valid| {
        let _child = region.child(8, 2)?;
        let valid = MapCall {
            options: READ | SPECIFIC,
            ..valid
        };
        MapCall {
            vmar_offset: 4 * P,
            length: 2 * P,
            ..valid
        }
        .make()?;
        for (page, pages) in [
            (4, 1),
            (5, 1),
            (3, 2),
            (5, 2),
            (3, 4),
            (8, 1),
            (7, 2),
            (9, 2),
            (0, 12),
        ] {
            region.refuses(Status::ALREADY_EXISTS, || {
                MapCall {
                    vmar_offset: page * P,
                    length: pages * P,
                    ..valid
                }
                .make()
            })?;
        }
        for page in [3, 6, 7, 10] {
            check_eq(
                MapCall {
                    vmar_offset: page * P,
                    ..valid
                }
                .make(),
                Ok(region.at(page)),
            )?;
        }
        Ok(())
    })
}

fn refuses_when_full() -> Outcome {
    with_call(4, |region, valid| {
        let _middle = region.child(1, 1)?;
        region.refuses(Status::NO_RESOURCES, || {
            MapCall {
                length: 3 * P,
                ..valid
            }
            .make()
        })?;
        check_eq(
            MapCall {
                length: 2 * P,
                ..valid
            }
            .make(),
            Ok(region.at(2)),
        )?;
        check_eq(valid.make(), Ok(region.at(0)))?;
        region.refuses(Status::NO_RESOURCES, || valid.make())
    })
}

fn refuses_bad_result_addresses() -> Outcome {
    with_call(4, |region, valid| {
        for bad in BAD_ADDRESSES {
            region.refuses(Status::INVALID_ARGS, || {
                valid.make_into(ptr::without_provenance_mut(bad))
            })?;
        }
        Ok(())
    })
}
