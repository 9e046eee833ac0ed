//! What a region answers after its end, however it came: `docs/spec/vmar.md` §9.
//!
//! The handle stays valid. Arguments that are checked before the state still decide; those that are
//! checked after it do not count any more.

use zx::{AsHandleRef, Handle, HandleBased, Rights, Status, Vmo, sys};

use crate::calls::{self, AllocateCall, MapCall, ProtectCall};
use crate::fixtures::{P, Region, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    allocate_in_a_dead_region,
    map_in_a_dead_region,
    unmap_in_a_dead_region,
    protect_in_a_dead_region,
    destroy_a_dead_region,
    a_dead_region_shows_no_maps,
    a_dead_region_still_tells_where_it_was,
    handles_to_a_dead_region_can_be_made_and_closed,
    the_place_of_a_dead_region_is_free,
    the_parent_of_a_dead_region_lives,
];

const BAD_STATE: Status = Status::BAD_STATE;
const INVALID_ARGS: Status = Status::INVALID_ARGS;

/// How a region ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It is destroyed.
    Destroyed,
    /// A region around it is destroyed.
    DestroyedAbove,
    /// Its parent unmaps exactly its range.
    Unmapped,
    /// A region around its parent unmaps more than that.
    UnmappedAbove,
}

const ENDS: [End; 4] = [
    End::Destroyed,
    End::DestroyedAbove,
    End::Unmapped,
    End::UnmappedAbove,
];

/// A region that has ended, the third from the top, with what is above it.
struct Scene {
    top: Region,
    parent: Region,
    dead: Region,
}

impl Scene {
    fn new(end: End) -> Result<Self, Status> {
        let top = Region::new(8)?;
        let parent = top.child(1, 6)?;
        let dead = parent.child(1, 4)?;
        dead.map_at(0, &vmo_of(1)?, 1)?;
        match end {
            End::Destroyed => calls::destroy(dead.raw_handle())?,
            End::DestroyedAbove => calls::destroy(parent.raw_handle())?,
            End::Unmapped => calls::unmap(parent.raw_handle(), dead.at(0), 4 * P)?,
            End::UnmappedAbove => calls::unmap(top.raw_handle(), top.at(0), 8 * P)?,
        }
        Ok(Self { top, parent, dead })
    }
}

/// Runs `test` for each way to end.
fn after_each_end(test: fn(&Region) -> Outcome) -> Outcome {
    ENDS.into_iter()
        .try_for_each(|end| test(&Scene::new(end)?.dead))
}

fn allocate_in_a_dead_region() -> Outcome {
    after_each_end(|dead| {
        let valid = AllocateCall::one_page(dead);
        let sized = |size| AllocateCall { size, ..valid };
        let at = |options, offset| AllocateCall {
            options,
            offset,
            ..valid
        };
        for late in [
            valid,
            sized(0),
            sized(16 * P),
            at(0, 1),
            at(sys::ZX_VM_SPECIFIC, 0),
            at(sys::ZX_VM_SPECIFIC, 16 * P),
        ] {
            check_refused(late.make(), BAD_STATE)?;
        }
        for early in [
            sized(1),
            at(1 << 16, 0),
            at(1 << 24, 0),
            at(sys::ZX_VM_PERM_READ, 0),
            at(sys::ZX_VM_ALLOW_FAULTS, 0),
        ] {
            check_refused(early.make(), INVALID_ARGS)?;
        }
        Ok(())
    })
}

fn map_in_a_dead_region() -> Outcome {
    after_each_end(|dead| {
        let vmo = vmo_of(1)?;
        let valid = MapCall::one_page(dead, &vmo);
        let long = |length| MapCall { length, ..valid };
        let with = |options| MapCall { options, ..valid };
        let vmar_offset = |vmar_offset| MapCall {
            vmar_offset,
            ..valid
        };
        let vmo_offset = |vmo_offset| MapCall {
            vmo_offset,
            ..valid
        };
        let overwrite = sys::ZX_VM_PERM_READ | sys::ZX_VM_SPECIFIC_OVERWRITE;
        let unmappable = without_rights(&vmo, Rights::MAP)?;
        let calls = [
            (BAD_STATE, valid),
            (BAD_STATE, long(0)),
            (BAD_STATE, long(16 * P)),
            (BAD_STATE, vmar_offset(1)),
            (BAD_STATE, with(overwrite)),
            (INVALID_ARGS, with(sys::ZX_VM_PERM_WRITE)),
            (INVALID_ARGS, with(sys::ZX_VM_CAN_MAP_READ)),
            (INVALID_ARGS, with(sys::ZX_VM_COMPACT)),
            (INVALID_ARGS, vmo_offset(1)),
            (Status::OUT_OF_RANGE, long(usize::MAX)),
            (Status::BAD_HANDLE, MapCall { vmo: 0, ..valid }),
            (Status::ACCESS_DENIED, MapCall::one_page(dead, &unmappable)),
        ];
        calls
            .into_iter()
            .try_for_each(|(status, call)| check_refused(call.make(), status))
    })
}

fn unmap_in_a_dead_region() -> Outcome {
    after_each_end(|dead| {
        let calls = [
            (BAD_STATE, dead.at(0), P),
            (BAD_STATE, dead.at(3), P),
            (BAD_STATE, dead.at(4), P),
            (BAD_STATE, 0, P),
            (BAD_STATE, dead.at(0), 16 * P),
            (INVALID_ARGS, dead.at(0) + 1, P),
            (INVALID_ARGS, dead.at(0), 0),
            (INVALID_ARGS, dead.at(0), usize::MAX),
        ];
        calls.into_iter().try_for_each(|(status, address, length)| {
            check_refused(calls::unmap(dead.raw_handle(), address, length), status)
        })
    })
}

fn protect_in_a_dead_region() -> Outcome {
    after_each_end(|dead| {
        let valid = ProtectCall::read_only(dead, 0);
        let with = |options| ProtectCall { options, ..valid };
        let at = |address| ProtectCall { address, ..valid };
        let long = |length| ProtectCall { length, ..valid };
        let weaker = without_rights(&**dead, Rights::READ)?;
        let vmar = weaker.raw_handle();
        let calls = [
            (BAD_STATE, valid),
            (BAD_STATE, with(0)),
            (BAD_STATE, at(dead.at(4))),
            (BAD_STATE, long(16 * P)),
            (INVALID_ARGS, with(sys::ZX_VM_PERM_WRITE)),
            (INVALID_ARGS, with(1 << 16)),
            (INVALID_ARGS, with(sys::ZX_VM_ALIGN_4KB)),
            (INVALID_ARGS, at(dead.at(0) + 1)),
            (INVALID_ARGS, long(0)),
            (Status::ACCESS_DENIED, ProtectCall { vmar, ..valid }),
        ];
        calls
            .into_iter()
            .try_for_each(|(status, call)| check_refused(call.make(), status))
    })
}

fn destroy_a_dead_region() -> Outcome {
    after_each_end(|dead| {
        let weaker = without_rights(&**dead, Rights::OP_CHILDREN)?;
        check_refused(calls::destroy(weaker.raw_handle()), Status::ACCESS_DENIED)?;
        check_refused(calls::destroy(dead.raw_handle()), BAD_STATE)?;
        check_refused(calls::destroy(dead.raw_handle()), BAD_STATE)
    })
}

fn a_dead_region_shows_no_maps() -> Outcome {
    after_each_end(|dead| {
        check_refused(dead.info_maps_vec(), BAD_STATE)?;
        let weaker = without_rights(&**dead, Rights::INSPECT)?;
        check_refused(weaker.info_maps_vec(), Status::ACCESS_DENIED)
    })
}

fn a_dead_region_still_tells_where_it_was() -> Outcome {
    after_each_end(|dead| {
        let info = dead.info()?;
        check_eq((info.base, info.len), (dead.at(0), 4 * P))
    })
}

fn handles_to_a_dead_region_can_be_made_and_closed() -> Outcome {
    after_each_end(|dead| {
        Handle::check_raw_valid(dead.raw_handle())?;
        let koid = dead.get_koid()?;
        let another = dead.duplicate_handle(Rights::SAME_RIGHTS)?;
        check_eq(another.get_koid()?, koid)?;
        check_eq(dead.count_info()?.handle_count, 2)?;
        drop(another);
        check_eq(dead.count_info()?.handle_count, 1)
    })
}

fn the_place_of_a_dead_region_is_free() -> Outcome {
    for end in [End::Destroyed, End::Unmapped] {
        let scene = Scene::new(end)?;
        let vmo = vmo_of(4)?;
        check_eq(scene.parent.map_at(1, &vmo, 4), Ok(scene.dead.at(0)))?;
        check_eq(crate::fixtures::peek(scene.dead.at(0)), 0)?;
    }
    for end in [End::DestroyedAbove, End::UnmappedAbove] {
        let scene = Scene::new(end)?;
        scene.top.map_at(0, &vmo_of(8)?, 8)?;
    }
    Ok(())
}

fn the_parent_of_a_dead_region_lives() -> Outcome {
    let vmo: Vmo = vmo_of(1)?;
    let scene = Scene::new(End::Destroyed)?;
    check_eq(scene.parent.shape()?.len(), 1)?;
    scene.parent.map_at(0, &vmo, 1)?;
    let scene = Scene::new(End::DestroyedAbove)?;
    check_refused(scene.parent.map_at(0, &vmo, 1), BAD_STATE)?;
    check_eq(scene.top.shape()?.len(), 1)?;
    scene.top.map_at(0, &vmo, 1).map(drop).map_err(Into::into)
}
