//! `PERM_READ_IF_XOM_UNSUPPORTED`: `docs/spec/vmar.md` §5.1 and §7.
//!
//! What is mapped here cannot be executed, for want of a right. That execute-only code runs, and what reading
//! it comes to, is tried by the program `probe`.

use zx::{Rights, Status, VmFeatureFlags, VmarFlags, sys, system_get_feature_flags};

use crate::calls::{MapCall, ProtectCall};
use crate::fixtures::{P, Probe, Region, peek, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    executing_alone_is_refused_everywhere,
    writing_alone_is_refused_unless_reading_is_added,
    reading_is_added_where_the_machine_needs_it,
    protect_adds_reading_too,
    reading_that_is_added_needs_its_right,
    executing_needs_its_right,
    the_word_has_no_other_effect,
];

const READ: u32 = sys::ZX_VM_PERM_READ;
const WRITE: u32 = sys::ZX_VM_PERM_WRITE;
const EXECUTE: u32 = sys::ZX_VM_PERM_EXECUTE;
const ONLY: u32 = sys::ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED;

/// Whether pages can be executed without being read here.
fn can_execute_only() -> Result<bool, Status> {
    let features = system_get_feature_flags::<VmFeatureFlags>()?;
    Ok(features.contains(VmFeatureFlags::VM_FEATURE_CAN_MAP_XOM))
}

fn executing_alone_is_refused_everywhere() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let valid = MapCall::one_page(&region, &vmo);
    for options in [EXECUTE, EXECUTE | WRITE] {
        region.refuses(Status::INVALID_ARGS, || MapCall { options, ..valid }.make())?;
    }
    region.map_at(0, &vmo, 1)?;
    for options in [EXECUTE, EXECUTE | WRITE] {
        let protect = ProtectCall {
            options,
            ..ProtectCall::read_only(&region, 0)
        };
        region.refuses(Status::INVALID_ARGS, || protect.make())?;
    }
    Ok(())
}

fn writing_alone_is_refused_unless_reading_is_added() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let call = MapCall {
        options: WRITE | ONLY,
        ..MapCall::one_page(&region, &vmo)
    };
    if can_execute_only()? {
        region.refuses(Status::INVALID_ARGS, || call.make())
    } else {
        check_eq(peek(call.make()?), 0)
    }
}

fn reading_is_added_where_the_machine_needs_it() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let call = MapCall {
        options: ONLY,
        ..MapCall::one_page(&region, &vmo)
    };
    let address = call.make()?;
    let is_readable = !can_execute_only()?;
    check_eq(Probe::new()?.is_readable(address)?, is_readable)?;
    let shown = region.shape()?.last().and_then(|line| line.mapping);
    let permissions = shown.map(|shown| shown.permissions);
    check_eq(permissions, Some(if is_readable { READ } else { 0 }))
}

fn protect_adds_reading_too() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    let protect = ProtectCall {
        options: ONLY,
        ..ProtectCall::read_only(&region, 0)
    };
    protect.make()?;
    let probe = Probe::new()?;
    check_eq(probe.is_readable(region.at(0))?, !can_execute_only()?)?;
    check_eq(probe.is_writable(region.at(0))?, false)
}

fn reading_that_is_added_needs_its_right() -> Outcome {
    let region = Region::new(4)?;
    let vmo = without_rights(&vmo_of(1)?, Rights::READ)?;
    let call = MapCall {
        options: ONLY,
        ..MapCall::one_page(&region, &vmo)
    };
    let expected = if can_execute_only()? {
        Ok(())
    } else {
        Err(Status::ACCESS_DENIED)
    };
    check_eq(call.make().map(drop), expected)
}

fn executing_needs_its_right() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(1)?;
    for options in [EXECUTE | ONLY, READ | EXECUTE, READ | EXECUTE | ONLY] {
        let call = MapCall {
            options,
            ..MapCall::one_page(&region, &vmo)
        };
        region.refuses(Status::ACCESS_DENIED, || call.make())?;
    }
    region.map_at(0, &vmo, 1)?;
    let protect = ProtectCall {
        options: EXECUTE | ONLY,
        ..ProtectCall::read_only(&region, 0)
    };
    check_refused(protect.make(), Status::ACCESS_DENIED)
}

fn the_word_has_no_other_effect() -> Outcome {
    let region = Region::new(4)?;
    let vmo = vmo_of(2)?;
    let flags = VmarFlags::PERM_READ | VmarFlags::SPECIFIC;
    region.map(0, &vmo, 0, P, flags)?;
    let only = flags | VmarFlags::PERM_READ_IF_XOM_UNSUPPORTED;
    region.map(P, &vmo, P as u64, P, only)?;
    // The two have become one.
    check_eq(vmo.info()?.num_mappings, 1)?;
    // Regions accept the word and do nothing.
    let allowed = VmarFlags::CAN_MAP_READ | VmarFlags::PERM_READ_IF_XOM_UNSUPPORTED;
    region.allocate(0, P, allowed).map(drop).map_err(Into::into)
}
