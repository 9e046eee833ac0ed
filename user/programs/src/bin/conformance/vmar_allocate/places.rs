//! Which places are refused: checks 9 to 17.

use core::ptr;

use zx::{Status, VmarFlags, sys};

use super::{SPECIFIC, UPPER_LIMIT};
use crate::calls::AllocateCall;
use crate::fixtures::{BAD_ADDRESSES, CAN_MAP_ALL, P, Region, vmo_of};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    refuses_specific_with_upper_limit,
    refuses_an_offset_without_specific,
    refuses_unaligned_offsets,
    needs_can_map_specific_to_choose_a_place,
    refuses_places_beyond_the_parent,
    refuses_limits_beyond_the_parent,
    refuses_places_against_the_alignment,
    refuses_taken_places,
    refuses_when_full,
    refuses_bad_result_addresses,
];

fn refuses_specific_with_upper_limit() -> Outcome {
    let region = Region::new(4)?;
    let both = AllocateCall {
        options: SPECIFIC | UPPER_LIMIT,
        offset: 2 * P,
        ..AllocateCall::one_page(&region)
    };
    region.refuses(Status::INVALID_ARGS, || both.make())
}

fn refuses_an_offset_without_specific() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    for offset in [1, P, usize::MAX] {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall { offset, ..valid }.make()
        })?;
    }
    Ok(())
}

fn refuses_unaligned_offsets() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    for options in [SPECIFIC, UPPER_LIMIT] {
        for offset in [1, P - 1, 2 * P + 1, usize::MAX] {
            region.refuses(Status::INVALID_ARGS, || {
                AllocateCall {
                    options,
                    offset,
                    ..valid
                }
                .make()
            })?;
        }
    }
    Ok(())
}

fn needs_can_map_specific_to_choose_a_place() -> Outcome {
    let region = Region::with_flags(4, CAN_MAP_ALL.difference(VmarFlags::CAN_MAP_SPECIFIC))?;
    let valid = AllocateCall {
        offset: P,
        ..AllocateCall::one_page(&region)
    };
    for options in [SPECIFIC, UPPER_LIMIT] {
        region.refuses(Status::ACCESS_DENIED, || {
            AllocateCall { options, ..valid }.make()
        })?;
    }
    AllocateCall::one_page(&region)
        .make()
        .map(drop)
        .map_err(Into::into)
}

fn refuses_places_beyond_the_parent() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall {
        options: SPECIFIC,
        ..AllocateCall::one_page(&region)
    };
    let last_page = usize::MAX - P + 1;
    let ranges = [
        (4 * P, P),
        (5 * P, P),
        (3 * P, 2 * P),
        (0, 5 * P),
        (P, 4 * P),
        (last_page, P),
        (P, last_page),
        (last_page, last_page),
    ];
    for (offset, size) in ranges {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall {
                offset,
                size,
                ..valid
            }
            .make()
        })?;
    }
    let anywhere = AllocateCall::one_page(&region);
    for size in [5 * P, last_page] {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall { size, ..anywhere }.make()
        })?;
    }
    Ok(())
}

fn refuses_limits_beyond_the_parent() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall {
        options: UPPER_LIMIT,
        ..AllocateCall::one_page(&region)
    };
    let last_page = usize::MAX - P + 1;
    for (offset, size) in [
        (5 * P, P),
        (4 * P, 5 * P),
        (P, 2 * P),
        (0, P),
        (last_page, P),
    ] {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall {
                offset,
                size,
                ..valid
            }
            .make()
        })?;
    }
    AllocateCall {
        offset: 4 * P,
        size: 4 * P,
        ..valid
    }
    .make()
    .map(drop)
    .map_err(Into::into)
}

fn refuses_places_against_the_alignment() -> Outcome {
    let region = Region::new(8)?;
    let aligned = usize::from(!region.at(0).is_multiple_of(2 * P));
    let options = SPECIFIC | sys::ZX_VM_ALIGN_8KB;
    let valid = AllocateCall {
        options,
        ..AllocateCall::one_page(&region)
    };
    region.refuses(Status::INVALID_ARGS, || {
        AllocateCall {
            offset: (aligned + 1) * P,
            ..valid
        }
        .make()
    })?;
    let (_, address) = AllocateCall {
        offset: aligned * P,
        ..valid
    }
    .make()?;
    check_eq(address, region.at(aligned))
}

fn refuses_taken_places() -> Outcome {
    let region = Region::new(12)?;
    let _child = region.child(4, 4)?;
    let vmo = vmo_of(1)?;
    region.map_at(9, &vmo, 1)?;
    let valid = AllocateCall {
        options: SPECIFIC,
        ..AllocateCall::one_page(&region)
    };
    let overlapping = [
        (4, 4),
        (4, 1),
        (7, 1),
        (5, 2),
        (3, 2),
        (7, 2),
        (3, 6),
        (9, 1),
        (8, 2),
        (9, 2),
        (0, 12),
    ];
    for (page, pages) in overlapping {
        region.refuses(Status::ALREADY_EXISTS, || {
            AllocateCall {
                offset: page * P,
                size: pages * P,
                ..valid
            }
            .make()
        })?;
    }
    for (page, pages) in [(3, 1), (8, 1), (10, 1)] {
        AllocateCall {
            offset: page * P,
            size: pages * P,
            ..valid
        }
        .make()?;
    }
    Ok(())
}

fn refuses_when_full() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    let _middle = region.child(1, 1)?;
    region.refuses(Status::NO_RESOURCES, || {
        AllocateCall {
            size: 3 * P,
            ..valid
        }
        .make()
    })?;
    AllocateCall {
        size: 2 * P,
        ..valid
    }
    .make()?;
    valid.make()?;
    region.refuses(Status::NO_RESOURCES, || valid.make())
}

fn refuses_bad_result_addresses() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    let (mut child, mut address) = (0, 0);
    for bad in BAD_ADDRESSES {
        region.refuses(Status::INVALID_ARGS, || {
            valid.make_into(ptr::without_provenance_mut(bad), &mut address)
        })?;
        region.refuses(Status::INVALID_ARGS, || {
            valid.make_into(&mut child, ptr::without_provenance_mut(bad))
        })?;
    }
    check_eq(child, sys::ZX_HANDLE_INVALID)
}
