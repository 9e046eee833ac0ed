//! Which handles, options and sizes are refused: checks 1 to 8.

use zx::{AsHandleRef, Rights, Status, VmarFlags, sys};

use super::{SPECIFIC, UPPER_LIMIT};
use crate::calls::AllocateCall;
use crate::fixtures::{
    CAN_MAP_ALL, P, Region, bad_alignments, bad_handles, undefined_options, vmo_of, without_rights,
};
use crate::harness::{Outcome, Test, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_region,
    needs_each_right_that_it_passes_on,
    refuses_undefined_bits,
    refuses_alignments_out_of_range,
    refuses_permissions,
    refuses_unaligned_sizes,
    refuses_options_of_mappings,
    refuses_destroyed_parents,
    refuses_size_zero,
    refuses_more_than_the_parent_allows,
];

fn refuses_what_is_no_handle() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    for parent in bad_handles()? {
        check_refused(AllocateCall { parent, ..valid }.make(), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_region() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let valid = AllocateCall::one_page(&region);
    for parent in [vmo.raw_handle(), rt::process_self().raw_handle()] {
        check_refused(AllocateCall { parent, ..valid }.make(), Status::WRONG_TYPE)?;
    }
    Ok(())
}

fn needs_each_right_that_it_passes_on() -> Outcome {
    let region = Region::new(4)?;
    let pairs = [
        (Rights::READ, sys::ZX_VM_CAN_MAP_READ),
        (Rights::WRITE, sys::ZX_VM_CAN_MAP_WRITE),
        (Rights::EXECUTE, sys::ZX_VM_CAN_MAP_EXECUTE),
    ];
    for (right, capability) in pairs {
        let weaker = without_rights(&*region, right)?;
        let valid = AllocateCall {
            parent: weaker.raw_handle(),
            ..AllocateCall::one_page(&region)
        };
        region.refuses(Status::ACCESS_DENIED, || {
            AllocateCall {
                options: capability,
                ..valid
            }
            .make()
        })?;
        let others = CAN_MAP_ALL.bits() & !capability;
        AllocateCall {
            options: others,
            ..valid
        }
        .make()?;
    }
    Ok(())
}

fn refuses_undefined_bits() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    for options in undefined_options().chain([sys::ZX_VM_MAP_RANGE]) {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall { options, ..valid }.make()
        })?;
    }
    Ok(())
}

fn refuses_alignments_out_of_range() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    for options in bad_alignments() {
        check_refused(
            AllocateCall { options, ..valid }.make(),
            Status::INVALID_ARGS,
        )?;
    }
    Ok(())
}

fn refuses_permissions() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    for options in [
        sys::ZX_VM_PERM_READ,
        sys::ZX_VM_PERM_WRITE,
        sys::ZX_VM_PERM_EXECUTE,
    ] {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall { options, ..valid }.make()
        })?;
    }
    Ok(())
}

fn refuses_unaligned_sizes() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    for size in [1, P - 1, P + 1, usize::MAX] {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall { size, ..valid }.make()
        })?;
    }
    Ok(())
}

fn refuses_options_of_mappings() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall::one_page(&region);
    let of_mappings = [
        sys::ZX_VM_SPECIFIC_OVERWRITE,
        sys::ZX_VM_REQUIRE_NON_RESIZABLE,
        sys::ZX_VM_ALLOW_FAULTS,
        sys::ZX_VM_FAULT_BEYOND_STREAM_SIZE,
    ];
    for options in of_mappings {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall { options, ..valid }.make()
        })?;
    }
    Ok(())
}

fn refuses_destroyed_parents() -> Outcome {
    let region = Region::destroyed(4)?;
    check_refused(AllocateCall::one_page(&region).make(), Status::BAD_STATE)
}

fn refuses_size_zero() -> Outcome {
    let region = Region::new(4)?;
    let valid = AllocateCall {
        size: 0,
        ..AllocateCall::one_page(&region)
    };
    for options in [0, SPECIFIC, UPPER_LIMIT] {
        region.refuses(Status::INVALID_ARGS, || {
            AllocateCall { options, ..valid }.make()
        })?;
    }
    Ok(())
}

fn refuses_more_than_the_parent_allows() -> Outcome {
    let capabilities = [
        VmarFlags::CAN_MAP_READ,
        VmarFlags::CAN_MAP_WRITE,
        VmarFlags::CAN_MAP_EXECUTE,
    ];
    for capability in capabilities {
        let region = Region::with_flags(4, CAN_MAP_ALL.difference(capability))?;
        let valid = AllocateCall::one_page(&region);
        region.refuses(Status::ACCESS_DENIED, || {
            AllocateCall {
                options: capability.bits(),
                ..valid
            }
            .make()
        })?;
    }
    Ok(())
}
