//! `zx_vmar_destroy`: what it refuses and what it leaves: `docs/spec/vmar.md` §9.

use zx::{AsHandleRef, Handle, Rights, Status};

use crate::calls::{self, AllocateCall, MapCall, ProtectCall};
use crate::fixtures::{P, Probe, Region, bad_handles, peek, poke, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_region,
    needs_op_children,
    refuses_the_root,
    refuses_what_is_destroyed,
    leaves_a_valid_handle_that_can_do_nothing,
    ends_all_descendants,
    removes_all_mappings,
    frees_the_place_at_once,
    does_not_happen_when_the_handle_is_closed,
];

fn refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(calls::destroy(bad), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_region() -> Outcome {
    let vmo = vmo_of(1)?;
    check_refused(calls::destroy(vmo.raw_handle()), Status::WRONG_TYPE)
}

fn needs_op_children() -> Outcome {
    let region = Region::new(4)?;
    region.map_at(0, &vmo_of(1)?, 1)?;
    let weaker = without_rights(&*region, Rights::OP_CHILDREN)?;
    region.refuses(Status::ACCESS_DENIED, || {
        calls::destroy(weaker.raw_handle())
    })
}

fn refuses_the_root() -> Outcome {
    check_refused(
        calls::destroy(rt::vmar_root_self().raw_handle()),
        Status::NOT_SUPPORTED,
    )
}

fn refuses_what_is_destroyed() -> Outcome {
    let region = Region::destroyed(4)?;
    check_refused(calls::destroy(region.raw_handle()), Status::BAD_STATE)
}

fn leaves_a_valid_handle_that_can_do_nothing() -> Outcome {
    let region = Region::new(4)?;
    let before = region.info()?;
    let vmo = vmo_of(1)?;
    calls::destroy(region.raw_handle())?;
    Handle::check_raw_valid(region.raw_handle())?;
    check_refused(AllocateCall::one_page(&region).make(), Status::BAD_STATE)?;
    check_refused(MapCall::one_page(&region, &vmo).make(), Status::BAD_STATE)?;
    check_refused(
        calls::unmap(region.raw_handle(), region.at(0), P),
        Status::BAD_STATE,
    )?;
    check_refused(ProtectCall::read_only(&region, 0).make(), Status::BAD_STATE)?;
    check_refused(region.info_maps_vec(), Status::BAD_STATE)?;
    check_eq(region.info()?, before)
}

fn ends_all_descendants() -> Outcome {
    let region = Region::new(8)?;
    let child = region.child(1, 6)?;
    let grandchild = child.child(1, 2)?;
    calls::destroy(region.raw_handle())?;
    for dead in [&child, &grandchild] {
        check_refused(AllocateCall::one_page(dead).make(), Status::BAD_STATE)?;
        check_refused(calls::destroy(dead.raw_handle()), Status::BAD_STATE)?;
        check_refused(dead.info_maps_vec(), Status::BAD_STATE)?;
    }
    Ok(())
}

fn removes_all_mappings() -> Outcome {
    let region = Region::new(8)?;
    let child = region.child(4, 2)?;
    let vmo = vmo_of(1)?;
    let addresses = [region.map_at(0, &vmo, 1)?, child.map_at(1, &vmo, 1)?];
    for address in addresses {
        poke(address, 1);
    }
    check_eq(vmo.info()?.num_mappings, 2)?;
    calls::destroy(region.raw_handle())?;
    let probe = Probe::new()?;
    for address in addresses {
        check_eq(probe.is_readable(address)?, false)?;
    }
    check_eq(vmo.info()?.num_mappings, 0)
}

fn frees_the_place_at_once() -> Outcome {
    let parent = Region::new(4)?;
    for _ in 0..4 {
        let region = parent.child(1, 2)?;
        let address = region.map_at(0, &vmo_of(2)?, 2)?;
        check_eq(peek(address), 0)?;
        poke(address, 0xdd);
        calls::destroy(region.raw_handle())?;
        check_eq(parent.shape()?.len(), 1)?;
    }
    Ok(())
}

fn does_not_happen_when_the_handle_is_closed() -> Outcome {
    let parent = Region::new(4)?;
    let vmo = vmo_of(1)?;
    let (child, _) = parent.allocate(0, 2 * P, crate::fixtures::CAN_MAP_ALL)?;
    let address = child.map(0, &vmo, 0, P, crate::fixtures::READ_WRITE)?;
    let before = parent.shape()?;
    drop(child);
    check_eq(parent.shape()?, before)?;
    poke(address, 3);
    check_eq(peek(address), 3)
}
