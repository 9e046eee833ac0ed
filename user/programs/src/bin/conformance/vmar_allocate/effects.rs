//! What a new region gets.

use zx::{AsHandleRef, HandleBased, ObjectType, Rights, Status, VmarFlags, sys};

use super::SPECIFIC;
use crate::calls::{self, AllocateCall};
use crate::fixtures::{P, Region};
use crate::harness::{Outcome, Test, check_eq, tests};

pub const TESTS: &[Test] = tests![
    gives_rights_from_capabilities,
    gives_the_first_and_the_last_page,
    gives_the_whole_parent,
    gives_a_capability_to_choose_that_the_parent_lacks,
];

fn gives_rights_from_capabilities() -> Outcome {
    let region = Region::new(4)?;
    let weakest = region.duplicate_handle(Rights::IO | Rights::EXECUTE)?;
    for bits in 0..8 {
        let options = bits * sys::ZX_VM_CAN_MAP_READ;
        let call = AllocateCall {
            parent: weakest.raw_handle(),
            options,
            ..AllocateCall::one_page(&region)
        };
        let (child, address) = call.make()?;
        let info = child.basic_info()?;
        let expected = Rights::VMAR_DEFAULT.bits() | (bits * Rights::READ.bits());
        check_eq(info.rights.bits(), expected)?;
        check_eq(info.object_type, ObjectType::VMAR)?;
        check_eq(child.info()?.base, address)?;
        calls::destroy(child.raw_handle())?;
    }
    Ok(())
}

fn gives_the_first_and_the_last_page() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall {
        options: SPECIFIC,
        ..AllocateCall::one_page(&region)
    };
    for page in [0, 3] {
        let (_, address) = AllocateCall {
            offset: page * P,
            ..valid
        }
        .make()?;
        check_eq(address, region.at(page))?;
    }
    Ok(())
}

fn gives_the_whole_parent() -> Outcome {
    for options in [0, SPECIFIC] {
        let region = Region::new(4)?;
        let call = AllocateCall {
            options,
            size: 4 * P,
            ..AllocateCall::one_page(&region)
        };
        let (child, address) = call.make()?;
        check_eq(address, region.at(0))?;
        check_eq(child.info()?.len, 4 * P)?;
        region.refuses(Status::NO_RESOURCES, || {
            AllocateCall::one_page(&region).make()
        })?;
    }
    Ok(())
}

fn gives_a_capability_to_choose_that_the_parent_lacks() -> Outcome {
    let region = Region::with_flags(4, VmarFlags::CAN_MAP_READ)?;
    let (child, address) = region.allocate(0, 2 * P, VmarFlags::CAN_MAP_SPECIFIC)?;
    let (_, inner) = child.allocate(P, P, VmarFlags::SPECIFIC)?;
    check_eq(inner, address + P)
}
