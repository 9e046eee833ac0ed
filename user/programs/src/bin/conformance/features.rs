//! `zx_system_get_features`: `docs/spec/objects.md` §12.

use core::ptr;

use zx::{
    AddressTaggingFeatureFlags, CpuFeatureFlags, Status, VmFeatureFlags, ok, sys,
    system_get_feature_flags,
};

use crate::fixtures::BAD_ADDRESSES;
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    every_kind_has_an_answer,
    unknown_kinds_are_refused,
    bad_result_addresses_are_refused,
    the_kind_is_checked_before_the_address,
    only_known_features_are_told,
];

const KINDS: [u32; 5] = [
    sys::ZX_FEATURE_KIND_CPU,
    sys::ZX_FEATURE_KIND_HW_BREAKPOINT_COUNT,
    sys::ZX_FEATURE_KIND_HW_WATCHPOINT_COUNT,
    sys::ZX_FEATURE_KIND_ADDRESS_TAGGING,
    sys::ZX_FEATURE_KIND_VM,
];

fn get(kind: u32, features: *mut u32) -> Result<(), Status> {
    // SAFETY: the tests give live locals, or addresses that the kernel refuses.
    ok(unsafe { sys::zx_system_get_features(kind, features) })
}

fn every_kind_has_an_answer() -> Outcome {
    for kind in KINDS {
        let mut features = u32::MAX;
        get(kind, &mut features)?;
        let usual = if kind == sys::ZX_FEATURE_KIND_VM {
            features & sys::ZX_VM_FEATURE_CAN_MAP_XOM
        } else {
            u32::from(kind == sys::ZX_FEATURE_KIND_CPU)
        };
        check_eq(features, usual)?;
    }
    Ok(())
}

fn unknown_kinds_are_refused() -> Outcome {
    for kind in [5, 6, 100, 1 << 31, u32::MAX] {
        let mut features = 7;
        check_refused(get(kind, &mut features), Status::NOT_SUPPORTED)?;
        check_eq(features, 7)?;
    }
    Ok(())
}

fn bad_result_addresses_are_refused() -> Outcome {
    for kind in KINDS {
        for bad in BAD_ADDRESSES {
            let place = ptr::without_provenance_mut(bad);
            check_refused(get(kind, place), Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

fn the_kind_is_checked_before_the_address() -> Outcome {
    check_refused(get(5, ptr::null_mut()), Status::NOT_SUPPORTED)
}

fn only_known_features_are_told() -> Outcome {
    let cpu = system_get_feature_flags::<CpuFeatureFlags>()?;
    check_eq(cpu, CpuFeatureFlags::HAS_CPU_FEATURES)?;
    let tagging = system_get_feature_flags::<AddressTaggingFeatureFlags>()?;
    check_eq(tagging, AddressTaggingFeatureFlags::empty())?;
    let memory = system_get_feature_flags::<VmFeatureFlags>()?;
    check_eq(
        memory & !VmFeatureFlags::VM_FEATURE_CAN_MAP_XOM,
        VmFeatureFlags::empty(),
    )
}
