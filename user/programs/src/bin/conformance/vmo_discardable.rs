//! Discardable VMOs: `docs/spec/vmo.md` §5 and §11.
//!
//! Memory runs short here at the word of [`press`]: a commit of more pages than are free is refused, but
//! not before every discardable VMO that nobody has locked has lost its pages.

use zx::{
    AsHandleRef, HandleBased, Rights, Status, VmarFlags, Vmo, VmoChildOptions, VmoLockState, VmoOp,
    VmoOptions, ok, sys, system_get_physmem,
};

use crate::fixtures::{P, Region, peek, poke, vmo_of};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    starts_unlocked,
    locks_are_counted_whoever_takes_them,
    all_of_it_is_locked_or_nothing,
    lock_tells_the_size,
    a_lock_that_cannot_be_told_is_taken_back,
    may_be_resized,
    needs_a_mapping_that_allows_faults,
    has_no_children,
    loses_its_pages_under_pressure,
    mappings_read_zeros_after_a_discard,
    keeps_its_pages_while_it_is_locked,
    one_lock_of_several_keeps_them,
    what_was_not_there_is_not_lost,
    a_lock_that_is_taken_back_hides_no_discard,
    is_as_good_as_new_after_a_lock,
    others_lose_nothing_under_pressure,
];

const PAGE: u64 = P as u64;

/// Pages of the VMOs here.
const PAGES: usize = 3;

const SIZE: u64 = 3 * PAGE;

/// A discardable VMO of three pages, each with a byte that is not zero.
fn discardable() -> Result<Vmo, Status> {
    let options = VmoOptions::DISCARDABLE | VmoOptions::RESIZABLE;
    let vmo = Vmo::create_with_opts(options, SIZE)?;
    for page in 0..PAGES as u64 {
        vmo.write(&[7], page * PAGE)?;
    }
    Ok(vmo)
}

fn try_lock(vmo: &Vmo) -> Result<(), Status> {
    vmo.op_range(VmoOp::TRY_LOCK, 0, vmo.get_size()?)
}

fn unlock(vmo: &Vmo) -> Result<(), Status> {
    vmo.op_range(VmoOp::UNLOCK, 0, vmo.get_size()?)
}

/// Wants as many pages as the machine has, and is refused.
fn press() -> Outcome {
    let size = system_get_physmem();
    let wish = Vmo::create(size)?.op_range(VmoOp::COMMIT, 0, size);
    check_refused(wish, Status::NO_MEMORY)
}

fn state(size: u64, discarded_size: u64) -> VmoLockState {
    VmoLockState {
        size,
        discarded_size,
        ..VmoLockState::default()
    }
}

fn starts_unlocked() -> Outcome {
    check_refused(unlock(&discardable()?), Status::BAD_STATE)
}

fn locks_are_counted_whoever_takes_them() -> Outcome {
    let vmo = discardable()?;
    let other = vmo.duplicate_handle(Rights::SAME_RIGHTS)?;
    vmo.lock()?;
    try_lock(&other)?;
    unlock(&vmo)?;
    drop(vmo);
    unlock(&other)?;
    check_refused(unlock(&other), Status::BAD_STATE)
}

fn all_of_it_is_locked_or_nothing() -> Outcome {
    let vmo = discardable()?;
    vmo.lock()?;
    for (offset, size) in [
        (0, 0),
        (0, SIZE - PAGE),
        (0, SIZE - 1),
        (0, SIZE + 1),
        (0, u64::MAX),
        (PAGE, SIZE - PAGE),
        (PAGE, SIZE),
        (u64::MAX, SIZE),
    ] {
        for op in [VmoOp::LOCK, VmoOp::TRY_LOCK, VmoOp::UNLOCK] {
            check_refused(vmo.op_range(op, offset, size), Status::OUT_OF_RANGE)?;
        }
    }
    unlock(&vmo)?;
    check_refused(unlock(&vmo), Status::BAD_STATE)
}

fn lock_tells_the_size() -> Outcome {
    let vmo = discardable()?;
    check_eq(vmo.lock()?, state(SIZE, 0))?;
    check_eq(vmo.lock()?, state(SIZE, 0))
}

/// Locks with a buffer that is no good.
fn lock_in_vain(vmo: &Vmo) -> Outcome {
    let mut room = [0_u8; 32];
    let room = room.as_mut_ptr().cast();
    let nowhere = core::ptr::without_provenance_mut(1);
    for (buffer, size) in [
        (room, 31),
        (room, 0),
        (core::ptr::null_mut(), 32),
        (nowhere, 32),
    ] {
        let (handle, op) = (vmo.raw_handle(), sys::ZX_VMO_OP_LOCK);
        // SAFETY: the buffer has as many bytes as are named, or is no address that a program has.
        let locked = ok(unsafe { sys::zx_vmo_op_range(handle, op, 0, SIZE, buffer, size) });
        check_refused(locked, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn a_lock_that_cannot_be_told_is_taken_back() -> Outcome {
    let vmo = discardable()?;
    lock_in_vain(&vmo)?;
    check_refused(unlock(&vmo), Status::BAD_STATE)
}

fn may_be_resized() -> Outcome {
    let vmo = discardable()?;
    vmo.set_size(5 * PAGE)?;
    check_refused(vmo.op_range(VmoOp::TRY_LOCK, 0, SIZE), Status::OUT_OF_RANGE)?;
    check_eq(vmo.lock()?, state(5 * PAGE, 0))?;
    vmo.set_size(PAGE)?;
    vmo.op_range(VmoOp::UNLOCK, 0, PAGE)?;
    Ok(())
}

fn needs_a_mapping_that_allows_faults() -> Outcome {
    let (region, vmo) = (Region::new(8)?, discardable()?);
    let flags = VmarFlags::PERM_READ;
    let refused = region.map(0, &vmo, 0, PAGES * P, flags);
    check_refused(refused, Status::NOT_SUPPORTED)?;
    region.map(0, &vmo, 0, PAGES * P, flags | VmarFlags::ALLOW_FAULTS)?;
    Ok(())
}

fn has_no_children() -> Outcome {
    let vmo = discardable()?;
    for options in [
        VmoChildOptions::SNAPSHOT,
        VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE,
        VmoChildOptions::SNAPSHOT_MODIFIED,
        VmoChildOptions::SLICE,
    ] {
        let refused = vmo.create_child(options, 0, PAGE);
        check_refused(refused, Status::NOT_SUPPORTED)?;
    }
    let reference = vmo.create_child(VmoChildOptions::REFERENCE, 0, 0);
    check_refused(reference, Status::NOT_SUPPORTED)
}

fn loses_its_pages_under_pressure() -> Outcome {
    let vmo = discardable()?;
    check_eq(vmo.info()?.committed_bytes, SIZE)?;
    press()?;
    check_eq(vmo.info()?.committed_bytes, 0)?;
    check_eq(vmo.get_size()?, SIZE)?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 0)?;
    check_refused(try_lock(&vmo), Status::UNAVAILABLE)?;
    check_refused(unlock(&vmo), Status::BAD_STATE)?;
    check_eq(vmo.lock()?, state(SIZE, SIZE))
}

fn mappings_read_zeros_after_a_discard() -> Outcome {
    let (region, vmo) = (Region::new(8)?, discardable()?);
    let flags = VmarFlags::PERM_READ | VmarFlags::PERM_WRITE | VmarFlags::ALLOW_FAULTS;
    let base = region.map(0, &vmo, 0, PAGES * P, flags)?;
    poke(base, 9);
    check_eq(peek(base), 9)?;
    press()?;
    check_eq([peek(base), peek(base + P)], [0, 0])?;
    check_eq(vmo.info()?.committed_bytes, 0)?;
    poke(base + P, 8);
    check_eq([peek(base), peek(base + P)], [0, 8])?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 8)
}

fn keeps_its_pages_while_it_is_locked() -> Outcome {
    let vmo = discardable()?;
    try_lock(&vmo)?;
    press()?;
    check_eq(vmo.info()?.committed_bytes, SIZE)?;
    check_eq(vmo.read_to_object::<u8>(2 * PAGE)?, 7)?;
    check_eq(vmo.lock()?, state(SIZE, 0))
}

fn one_lock_of_several_keeps_them() -> Outcome {
    let vmo = discardable()?;
    vmo.lock()?;
    vmo.lock()?;
    unlock(&vmo)?;
    press()?;
    check_eq(vmo.info()?.committed_bytes, SIZE)?;
    unlock(&vmo)?;
    press()?;
    check_eq(vmo.info()?.committed_bytes, 0)
}

fn what_was_not_there_is_not_lost() -> Outcome {
    let vmo = Vmo::create_with_opts(VmoOptions::DISCARDABLE, SIZE)?;
    press()?;
    try_lock(&vmo)?;
    Ok(())
}

fn a_lock_that_is_taken_back_hides_no_discard() -> Outcome {
    let vmo = discardable()?;
    press()?;
    lock_in_vain(&vmo)?;
    check_refused(try_lock(&vmo), Status::UNAVAILABLE)?;
    check_eq(vmo.lock()?, state(SIZE, SIZE))
}

fn is_as_good_as_new_after_a_lock() -> Outcome {
    let vmo = discardable()?;
    press()?;
    vmo.lock()?;
    vmo.write(&[5], 0)?;
    press()?;
    check_eq(vmo.read_to_object::<u8>(0)?, 5)?;
    unlock(&vmo)?;
    try_lock(&vmo)?;
    check_eq(vmo.lock()?, state(SIZE, 0))
}

fn others_lose_nothing_under_pressure() -> Outcome {
    let vmo = vmo_of(PAGES)?;
    vmo.write(&[3], PAGE)?;
    press()?;
    check_eq(vmo.info()?.committed_bytes, PAGE)?;
    check(vmo.read_to_object::<u8>(PAGE)? == 3, "its contents")
}
