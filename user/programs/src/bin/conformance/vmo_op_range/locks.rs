//! `LOCK`, `TRY_LOCK` and `UNLOCK`: their arguments. What is discarded, and when, is in `vmo_discardable`.

use core::ptr;

use zx::{
    AsHandleRef, Rights, Status, Vmo, VmoInfoFlags, VmoLockState, VmoOp, VmoOptions, ok, sys,
};

use crate::fixtures::{BAD_ADDRESSES, P, with_rights, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    is_told_in_its_flags,
    all_of_it_is_locked_or_nothing,
    the_size_that_counts_is_the_current_one,
    read_or_write_is_enough,
    a_lock_that_cannot_be_told_is_taken_back,
    others_ignore_the_buffer,
    unlocked_memory_can_be_used,
];

const PAGE: u64 = P as u64;

fn discardable(pages: usize) -> Result<Vmo, Status> {
    Vmo::create_with_opts(VmoOptions::DISCARDABLE, (pages * P) as u64)
}

fn lock_into(vmo: &Vmo, buffer: usize, buffer_size: usize) -> Result<(), Status> {
    let buffer = ptr::without_provenance_mut(buffer);
    // SAFETY: the tests name buffers that are refused.
    ok(unsafe {
        sys::zx_vmo_op_range(
            vmo.raw_handle(),
            sys::ZX_VMO_OP_LOCK,
            0,
            vmo.get_size()?,
            buffer,
            buffer_size,
        )
    })
}

fn is_told_in_its_flags() -> Outcome {
    let flags = discardable(1)?.info()?.flags;
    check_eq(
        flags,
        VmoInfoFlags::PAGED | VmoInfoFlags::VIA_HANDLE | VmoInfoFlags::DISCARDABLE,
    )
}

fn all_of_it_is_locked_or_nothing() -> Outcome {
    let vmo = discardable(2)?;
    for op in [VmoOp::LOCK, VmoOp::TRY_LOCK, VmoOp::UNLOCK] {
        for (offset, size) in [
            (0, PAGE),
            (PAGE, PAGE),
            (0, 0),
            (0, 2 * PAGE + 1),
            (0, 3 * PAGE),
            (1, 2 * PAGE),
            (u64::MAX, u64::MAX),
        ] {
            check_refused(vmo.op_range(op, offset, size), Status::OUT_OF_RANGE)?;
        }
    }
    check_refused(vmo.op_range(VmoOp::UNLOCK, 0, 2 * PAGE), Status::BAD_STATE)
}

fn the_size_that_counts_is_the_current_one() -> Outcome {
    let options = VmoOptions::DISCARDABLE | VmoOptions::RESIZABLE;
    let vmo = Vmo::create_with_opts(options, PAGE)?;
    vmo.lock()?;
    vmo.set_size(3 * PAGE)?;
    check_refused(vmo.op_range(VmoOp::UNLOCK, 0, PAGE), Status::OUT_OF_RANGE)?;
    vmo.op_range(VmoOp::UNLOCK, 0, 3 * PAGE)?;
    Ok(())
}

fn read_or_write_is_enough() -> Outcome {
    let vmo = discardable(1)?;
    let neither = without_rights(&vmo, Rights::READ | Rights::WRITE)?;
    check_refused(neither.lock(), Status::ACCESS_DENIED)?;
    for right in [Rights::READ, Rights::WRITE] {
        let one = with_rights(&vmo, right)?;
        one.lock()?;
        one.op_range(VmoOp::TRY_LOCK, 0, PAGE)?;
        one.op_range(VmoOp::UNLOCK, 0, PAGE)?;
        one.op_range(VmoOp::UNLOCK, 0, PAGE)?;
    }
    Ok(())
}

fn a_lock_that_cannot_be_told_is_taken_back() -> Outcome {
    let vmo = discardable(1)?;
    let mut state = VmoLockState::default();
    let good = ptr::from_mut(&mut state).addr();
    for size in [0, 1, size_of::<VmoLockState>() - 1] {
        check_refused(lock_into(&vmo, good, size), Status::INVALID_ARGS)?;
    }
    for bad in BAD_ADDRESSES {
        check_refused(
            lock_into(&vmo, bad, size_of::<VmoLockState>()),
            Status::INVALID_ARGS,
        )?;
    }
    check_refused(vmo.op_range(VmoOp::LOCK, 0, PAGE), Status::INVALID_ARGS)?;
    check_refused(vmo.op_range(VmoOp::UNLOCK, 0, PAGE), Status::BAD_STATE)
}

fn others_ignore_the_buffer() -> Outcome {
    let vmo = discardable(1)?;
    for op in [sys::ZX_VMO_OP_TRY_LOCK, sys::ZX_VMO_OP_UNLOCK] {
        let buffer = ptr::without_provenance_mut(1);
        // SAFETY: no buffer is written by these operations.
        ok(unsafe { sys::zx_vmo_op_range(vmo.raw_handle(), op, 0, PAGE, buffer, usize::MAX) })?;
    }
    Ok(())
}

fn unlocked_memory_can_be_used() -> Outcome {
    let vmo = discardable(2)?;
    vmo.write(&[5], 0)?;
    vmo.op_range(VmoOp::COMMIT, PAGE, PAGE)?;
    vmo.op_range(VmoOp::ZERO, 0, 2 * PAGE)?;
    check_eq(vmo.read_to_object::<u8>(0)?, 0)
}
