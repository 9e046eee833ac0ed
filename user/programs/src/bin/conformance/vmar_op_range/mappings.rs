//! Which mappings an operation refuses: checks 7 to 12.

use zx::{AsHandleRef, Rights, Status, VmarFlags, VmarOp};

use super::{ALL, WRITING, committed_pages, operate};
use crate::calls::RangeCall;
use crate::fixtures::{
    CAN_MAP_ALL, P, READ_WRITE, Region, numbered_vmo, peek, vmo_of, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_holes,
    refuses_an_empty_region_as_a_hole,
    some_operations_are_for_own_mappings_only,
    needs_op_children_for_mappings_of_regions,
    goes_through_regions_in_regions,
    refuses_what_is_beyond_the_stream,
    needs_what_the_mapping_may_become,
    counts_what_the_region_allowed_too,
    refuses_what_is_beyond_the_vmo,
    mappings_before_an_error_stay_processed,
];

fn refuses_holes() -> Outcome {
    let region = Region::new(12)?;
    for op in ALL {
        check_refused(operate(&region, op, 0, 12), Status::BAD_STATE)?;
    }
    region.map_at(1, &vmo_of(3)?, 3)?;
    region.map_at(8, &vmo_of(3)?, 3)?;
    for op in ALL {
        for (page, pages) in [
            (0, 2),
            (0, 1),
            (3, 2),
            (1, 10),
            (4, 4),
            (7, 2),
            (10, 2),
            (0, 12),
        ] {
            region.refuses(Status::BAD_STATE, || operate(&region, op, page, pages))?;
        }
        check_eq(operate(&region, op, 1, 3), Ok(()))?;
    }
    Ok(())
}

fn refuses_an_empty_region_as_a_hole() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    region.map_at(8, &vmo_of(4)?, 4)?;
    let child = region.child(4, 4)?;
    for op in ALL {
        check_refused(operate(&region, op, 1, 10), Status::BAD_STATE)?;
        check_refused(operate(&child, op, 0, 4), Status::BAD_STATE)?;
    }
    child.map_at(0, &vmo_of(3)?, 3)?;
    for op in [VmarOp::MAP_RANGE, VmarOp::ZERO, VmarOp::DONT_NEED] {
        check_refused(operate(&region, op, 1, 10), Status::BAD_STATE)?;
    }
    Ok(())
}

fn some_operations_are_for_own_mappings_only() -> Outcome {
    let region = Region::new(4)?;
    let child = region.child(1, 2)?;
    child.map_at(0, &vmo_of(2)?, 2)?;
    for op in ALL {
        let is_for_own = [VmarOp::COMMIT, VmarOp::DECOMMIT, VmarOp::PREFETCH].contains(&op);
        let expected = if is_for_own {
            Err(Status::INVALID_ARGS)
        } else {
            Ok(())
        };
        check_eq(operate(&region, op, 1, 2), expected)?;
        check_eq(operate(&child, op, 0, 2), Ok(()))?;
    }
    Ok(())
}

fn needs_op_children_for_mappings_of_regions() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    let child = region.child(1, 2)?;
    child.map_at(0, &vmo_of(2)?, 2)?;
    let weaker = without_rights(&*region, Rights::OP_CHILDREN)?;
    for op in ALL {
        let own = RangeCall {
            vmar: weaker.raw_handle(),
            ..RangeCall::one_page(&region, op.into_raw(), 0)
        };
        check_eq(own.make(), Ok(()))?;
        for (page, pages) in [(1, 1), (0, 2), (1, 2)] {
            let call = RangeCall {
                address: region.at(page),
                length: pages * P,
                ..own
            };
            check_refused(call.make(), Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

fn goes_through_regions_in_regions() -> Outcome {
    let region = Region::new(6)?;
    let child = region.child(1, 4)?;
    let grandchild = child.child(1, 2)?;
    let (outer, inner) = (numbered_vmo(4, 1)?, numbered_vmo(2, 9)?);
    region.map(0, &outer, 0, P, READ_WRITE | VmarFlags::SPECIFIC)?;
    let flags = READ_WRITE | VmarFlags::SPECIFIC;
    child.map(0, &outer, P as u64, P, flags)?;
    grandchild.map_at(0, &inner, 2)?;
    child.map(3 * P, &outer, 2 * P as u64, P, flags)?;
    region.map(5 * P, &outer, 3 * P as u64, P, flags)?;
    let seen = |region: &Region| [0, 1, 2, 3, 4, 5].map(|page| peek(region.at(page)));
    check_eq(seen(&region), [1, 2, 9, 10, 3, 4])?;
    operate(&region, VmarOp::ZERO, 1, 3)?;
    check_eq(seen(&region), [1, 0, 0, 0, 3, 4])?;
    operate(&region, VmarOp::ZERO, 0, 6)?;
    check_eq(committed_pages(&outer)? + committed_pages(&inner)?, 0)
}

fn refuses_what_is_beyond_the_stream() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(4)?;
    let beyond = VmarFlags::ALLOW_FAULTS | VmarFlags::FAULT_BEYOND_STREAM_SIZE;
    region.map(0, &vmo, 0, 4 * P, READ_WRITE | VmarFlags::SPECIFIC | beyond)?;
    for op in ALL {
        // The page with the end belongs to the stream.
        for (size, inside) in [(0, 0), (1, 1), (P, 1), (P + 1, 2), (4 * P, 4)] {
            vmo.set_stream_size(size as u64)?;
            for pages in 1..=4 {
                let expected = if pages <= inside {
                    Ok(())
                } else {
                    Err(Status::OUT_OF_RANGE)
                };
                check_eq(operate(&region, op, 0, pages), expected)?;
            }
        }
    }
    Ok(())
}

fn needs_what_the_mapping_may_become() -> Outcome {
    let vmo = vmo_of(1)?;
    let read_only = without_rights(&vmo, Rights::WRITE)?;
    let none = with_rights(&vmo, Rights::MAP)?;
    // How it is mapped now does not matter.
    for flags in [VmarFlags::empty(), VmarFlags::PERM_READ] {
        let region = Region::new(1)?;
        region.map(0, &vmo, 0, P, flags | VmarFlags::SPECIFIC)?;
        for op in ALL {
            check_eq(operate(&region, op, 0, 1), Ok(()))?;
        }
        let region = Region::new(1)?;
        region.map(0, &read_only, 0, P, flags | VmarFlags::SPECIFIC)?;
        for op in ALL {
            let expected = if WRITING.contains(&op) {
                Err(Status::ACCESS_DENIED)
            } else {
                Ok(())
            };
            check_eq(operate(&region, op, 0, 1), expected)?;
        }
    }
    let region = Region::new(1)?;
    region.map(0, &none, 0, P, VmarFlags::SPECIFIC)?;
    check_refused(
        operate(&region, VmarOp::PREFETCH, 0, 1),
        Status::ACCESS_DENIED,
    )?;
    check_eq(operate(&region, VmarOp::MAP_RANGE, 0, 1), Ok(()))
}

fn counts_what_the_region_allowed_too() -> Outcome {
    let region = Region::with_flags(1, CAN_MAP_ALL.difference(VmarFlags::CAN_MAP_WRITE))?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &vmo_of(1)?, 0, P, flags)?;
    for op in WRITING {
        check_refused(operate(&region, op, 0, 1), Status::ACCESS_DENIED)?;
    }
    let region = Region::new(1)?;
    let weaker = without_rights(&*region, Rights::WRITE)?;
    weaker.map(0, &vmo_of(1)?, 0, P, flags)?;
    for op in WRITING {
        check_refused(operate(&region, op, 0, 1), Status::ACCESS_DENIED)?;
    }
    Ok(())
}

fn refuses_what_is_beyond_the_vmo() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(2)?;
    region.map_at(0, &vmo, 4)?;
    for op in ALL {
        let minds = WRITING.contains(&op) || op == VmarOp::PREFETCH;
        let expected = if minds {
            Err(Status::OUT_OF_RANGE)
        } else {
            Ok(())
        };
        for (page, pages) in [(0, 3), (1, 2), (2, 1), (3, 1)] {
            check_eq(operate(&region, op, page, pages), expected)?;
        }
        check_eq(committed_pages(&vmo)?, 0)?;
    }
    Ok(())
}

fn mappings_before_an_error_stay_processed() -> Outcome {
    let region = Region::new(4)?;
    let (first, second) = (numbered_vmo(1, 7)?, vmo_of(1)?);
    region.map_at(0, &first, 1)?;
    region.map_at(1, &second, 2)?;
    check_refused(operate(&region, VmarOp::COMMIT, 0, 3), Status::OUT_OF_RANGE)?;
    check_eq(committed_pages(&second)?, 0)?;
    check_refused(operate(&region, VmarOp::ZERO, 0, 3), Status::OUT_OF_RANGE)?;
    check_eq(peek(region.at(0)), 0)?;
    check_refused(operate(&region, VmarOp::COMMIT, 0, 4), Status::OUT_OF_RANGE)?;
    check_eq(committed_pages(&first)?, 1)
}
