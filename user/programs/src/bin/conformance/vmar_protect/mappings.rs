//! Which mappings cannot be changed: checks 9 to 13.

use zx::{AsHandleRef, Rights, Status, VmarFlags};

use super::{EXECUTE, READ, WRITE, protect, three_mappings, with_call};
use crate::calls::ProtectCall;
use crate::fixtures::{P, Region, vmo_of, without_rights};
use crate::harness::{Outcome, Test, tests};

pub const TESTS: &[Test] = tests![
    refuses_holes,
    refuses_an_empty_region_as_a_hole,
    refuses_more_than_the_vmo_handle_gave,
    refuses_more_than_the_region_handle_gave,
    refuses_executing_new_vmos,
    needs_op_children_for_mappings_of_regions,
    refuses_to_grant_through_an_ancestor,
    the_first_failing_mapping_decides,
];

fn refuses_holes() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(1, &vmo_of(3)?, 3)?;
    region.map_at(8, &vmo_of(3)?, 3)?;
    for (page, pages) in [(0, 2), (1, 10), (8, 4), (3, 2), (0, 1), (5, 2), (0, 12)] {
        region.refuses(Status::NOT_FOUND, || protect(&region, page, pages, READ))?;
    }
    Ok(())
}

fn refuses_an_empty_region_as_a_hole() -> Outcome {
    let region = Region::new(12)?;
    region.map_at(0, &vmo_of(4)?, 4)?;
    region.map_at(8, &vmo_of(4)?, 4)?;
    let child = region.child(4, 4)?;
    region.refuses(Status::NOT_FOUND, || protect(&region, 1, 10, READ))?;
    child.map_at(0, &vmo_of(3)?, 3)?;
    region.refuses(Status::NOT_FOUND, || protect(&region, 1, 10, READ))
}

fn refuses_more_than_the_vmo_handle_gave() -> Outcome {
    let region = three_mappings(Rights::NONE)?;
    region.refuses(Status::ACCESS_DENIED, || {
        protect(&region, 1, 10, READ | WRITE)
    })?;
    protect(&region, 1, 3, READ | WRITE)?;
    protect(&region, 8, 4, READ | WRITE)?;
    protect(&region, 4, 4, 0)?;
    protect(&region, 4, 4, READ).map_err(Into::into)
}

fn refuses_more_than_the_region_handle_gave() -> Outcome {
    let region = Region::new(4)?;
    let weaker = without_rights(&*region, Rights::WRITE)?;
    weaker.map(
        0,
        &vmo_of(1)?,
        0,
        P,
        VmarFlags::PERM_READ | VmarFlags::SPECIFIC,
    )?;
    region.refuses(Status::ACCESS_DENIED, || {
        protect(&region, 0, 1, READ | WRITE)
    })
}

fn refuses_executing_new_vmos() -> Outcome {
    with_call(|region, valid| {
        let options = READ | EXECUTE;
        region.refuses(Status::ACCESS_DENIED, || {
            ProtectCall { options, ..valid }.make()
        })
    })
}

fn needs_op_children_for_mappings_of_regions() -> Outcome {
    let region = Region::new(8)?;
    let child = region.child(2, 2)?;
    child.map_at(0, &vmo_of(2)?, 2)?;
    let weaker = without_rights(&*region, Rights::OP_CHILDREN)?;
    let call = ProtectCall {
        vmar: weaker.raw_handle(),
        length: 2 * P,
        ..ProtectCall::read_only(&region, 2)
    };
    region.refuses(Status::INVALID_ARGS, || call.make())?;
    protect(&region, 2, 2, READ).map_err(Into::into)
}

fn refuses_to_grant_through_an_ancestor() -> Outcome {
    let region = Region::new(8)?;
    let child = region.child(2, 2)?;
    child.map_at(0, &vmo_of(2)?, 2)?;
    protect(&region, 2, 2, READ | WRITE)?;
    protect(&region, 3, 1, READ)?;
    region.refuses(Status::ACCESS_DENIED, || {
        protect(&region, 2, 2, READ | WRITE)
    })?;
    protect(&region, 2, 1, READ | WRITE)?;
    protect(&child, 0, 2, READ | WRITE)?;
    protect(&region, 2, 2, READ | WRITE).map_err(Into::into)
}

fn the_first_failing_mapping_decides() -> Outcome {
    let region = Region::new(12)?;
    let read_only = without_rights(&vmo_of(2)?, Rights::WRITE)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &read_only, 0, 2 * P, flags)?;
    region.map(4 * P, &read_only, 0, 2 * P, flags)?;
    region.refuses(Status::ACCESS_DENIED, || {
        protect(&region, 0, 6, READ | WRITE)
    })?;
    region.refuses(Status::NOT_FOUND, || protect(&region, 3, 3, READ | WRITE))?;
    region.refuses(Status::ACCESS_DENIED, || {
        protect(&region, 4, 4, READ | WRITE)
    })
}
