//! Handles, operations, rights and ranges.

use zx::{AsHandleRef, HandleBased, Rights, Status, VmoOp};

use super::{PAGE_OPERATIONS, op_range};
use crate::fixtures::{P, bad_handles, vmo_of, with_rights, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    refuses_what_is_no_vmo,
    checks_the_handle_before_the_operation,
    refuses_unknown_operations,
    an_unknown_operation_needs_no_right,
    changing_pages_needs_write,
    bringing_pages_in_needs_read,
    hints_need_no_right_and_no_range,
    the_right_comes_before_the_range,
    refuses_ranges_beyond_the_end,
    refuses_ranges_that_overflow,
    nothing_is_in_range_up_to_the_end,
    other_operations_ignore_the_buffer,
    locking_needs_a_discardable_vmo,
    locking_needs_read_or_write,
];

const PAGE: u64 = P as u64;

/// Every operation that needs a right.
const NEEDY: [VmoOp; 11] = [
    VmoOp::COMMIT,
    VmoOp::DECOMMIT,
    VmoOp::LOCK,
    VmoOp::UNLOCK,
    VmoOp::TRY_LOCK,
    VmoOp::CACHE_SYNC,
    VmoOp::CACHE_INVALIDATE,
    VmoOp::CACHE_CLEAN,
    VmoOp::CACHE_CLEAN_INVALIDATE,
    VmoOp::ZERO,
    VmoOp::PREFETCH,
];

fn refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        let answer = op_range(bad, VmoOp::COMMIT.into_raw(), [0, 0], [0, 0]);
        check_refused(answer, Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_vmo() -> Outcome {
    let root = rt::vmar_root_self().raw_handle();
    let answer = op_range(root, VmoOp::COMMIT.into_raw(), [0, 0], [0, 0]);
    check_refused(answer, Status::WRONG_TYPE)
}

fn checks_the_handle_before_the_operation() -> Outcome {
    let root = rt::vmar_root_self().raw_handle();
    check_refused(op_range(0, 0, [0, 0], [0, 0]), Status::BAD_HANDLE)?;
    check_refused(op_range(root, 0, [0, 0], [0, 0]), Status::WRONG_TYPE)
}

fn refuses_unknown_operations() -> Outcome {
    let vmo = vmo_of(1)?;
    for op in [0, 5, 15, 16, 64, u32::MAX] {
        let answer = op_range(vmo.raw_handle(), op, [0, PAGE], [0, 0]);
        check_refused(answer, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn an_unknown_operation_needs_no_right() -> Outcome {
    let powerless = vmo_of(1)?.replace_handle(Rights::NONE)?;
    let answer = op_range(powerless.raw_handle(), 0, [0, PAGE], [0, 0]);
    check_refused(answer, Status::INVALID_ARGS)
}

fn changing_pages_needs_write() -> Outcome {
    let vmo = vmo_of(1)?;
    vmo.write(&[7], 0)?;
    let weaker = without_rights(&vmo, Rights::WRITE)?;
    for op in [
        VmoOp::COMMIT,
        VmoOp::DECOMMIT,
        VmoOp::ZERO,
        VmoOp::CACHE_INVALIDATE,
    ] {
        check_refused(weaker.op_range(op, 0, PAGE), Status::ACCESS_DENIED)?;
    }
    check_eq(vmo.read_to_object::<u8>(0)?, 7)?;
    let writer = with_rights(&vmo, Rights::WRITE)?;
    for op in [VmoOp::COMMIT, VmoOp::DECOMMIT, VmoOp::ZERO] {
        writer.op_range(op, 0, PAGE)?;
    }
    check_eq(vmo.read_to_object::<u8>(0)?, 0)
}

fn bringing_pages_in_needs_read() -> Outcome {
    let vmo = vmo_of(1)?;
    let weaker = without_rights(&vmo, Rights::READ)?;
    for op in [
        VmoOp::PREFETCH,
        VmoOp::CACHE_SYNC,
        VmoOp::CACHE_CLEAN,
        VmoOp::CACHE_CLEAN_INVALIDATE,
    ] {
        check_refused(weaker.op_range(op, 0, PAGE), Status::ACCESS_DENIED)?;
    }
    with_rights(&vmo, Rights::READ)?.op_range(VmoOp::PREFETCH, 0, PAGE)?;
    Ok(())
}

fn hints_need_no_right_and_no_range() -> Outcome {
    let powerless = vmo_of(1)?.replace_handle(Rights::NONE)?;
    for op in [VmoOp::DONT_NEED, VmoOp::ALWAYS_NEED] {
        powerless.op_range(op, 0, PAGE)?;
        powerless.op_range(op, 1, u64::MAX)?;
    }
    check_eq(powerless.info()?.committed_bytes, 0)
}

fn the_right_comes_before_the_range() -> Outcome {
    let powerless = vmo_of(1)?.replace_handle(Rights::NONE)?;
    for op in NEEDY {
        let answer = powerless.op_range(op, u64::MAX, u64::MAX);
        check_refused(answer, Status::ACCESS_DENIED)?;
    }
    Ok(())
}

fn refuses_ranges_beyond_the_end() -> Outcome {
    let vmo = vmo_of(2)?;
    for op in PAGE_OPERATIONS {
        for (offset, size) in [
            (0, 2 * PAGE + 1),
            (2 * PAGE, 1),
            (2 * PAGE + 1, 0),
            (PAGE, 2 * PAGE),
        ] {
            check_refused(vmo.op_range(op, offset, size), Status::OUT_OF_RANGE)?;
        }
    }
    check_eq(vmo.info()?.committed_bytes, 0)
}

fn refuses_ranges_that_overflow() -> Outcome {
    let vmo = vmo_of(2)?;
    for op in PAGE_OPERATIONS.into_iter().chain([VmoOp::DECOMMIT]) {
        for (offset, size) in [
            (PAGE, u64::MAX - PAGE + 1),
            (u64::MAX, u64::MAX),
            (PAGE, u64::MAX),
        ] {
            check_refused(vmo.op_range(op, offset, size), Status::OUT_OF_RANGE)?;
        }
    }
    Ok(())
}

fn nothing_is_in_range_up_to_the_end() -> Outcome {
    let vmo = vmo_of(2)?;
    vmo.write(&[7], PAGE)?;
    for op in PAGE_OPERATIONS {
        for offset in [0, 1, PAGE, 2 * PAGE] {
            vmo.op_range(op, offset, 0)?;
        }
    }
    for offset in [0, PAGE, 2 * PAGE] {
        vmo.op_range(VmoOp::DECOMMIT, offset, 0)?;
    }
    let info = vmo.info()?;
    check_eq(info.committed_bytes, PAGE)?;
    check_eq(vmo.read_to_object::<u8>(PAGE)?, 7)
}

fn other_operations_ignore_the_buffer() -> Outcome {
    let vmo = vmo_of(1)?;
    for op in [
        VmoOp::COMMIT,
        VmoOp::DECOMMIT,
        VmoOp::ZERO,
        VmoOp::PREFETCH,
        VmoOp::DONT_NEED,
        VmoOp::ALWAYS_NEED,
    ] {
        op_range(vmo.raw_handle(), op.into_raw(), [0, PAGE], [1, usize::MAX])?;
    }
    Ok(())
}

fn locking_needs_a_discardable_vmo() -> Outcome {
    let vmo = vmo_of(1)?;
    for op in [VmoOp::LOCK, VmoOp::TRY_LOCK, VmoOp::UNLOCK] {
        check_refused(vmo.op_range(op, 0, PAGE), Status::NOT_SUPPORTED)?;
        check_refused(vmo.op_range(op, 1, u64::MAX), Status::NOT_SUPPORTED)?;
    }
    Ok(())
}

fn locking_needs_read_or_write() -> Outcome {
    let vmo = vmo_of(1)?;
    let neither = without_rights(&vmo, Rights::READ | Rights::WRITE)?;
    for op in [VmoOp::LOCK, VmoOp::TRY_LOCK, VmoOp::UNLOCK] {
        check_refused(neither.op_range(op, 0, PAGE), Status::ACCESS_DENIED)?;
        for right in [Rights::READ, Rights::WRITE] {
            let one = with_rights(&vmo, right)?;
            check_refused(one.op_range(op, 0, PAGE), Status::NOT_SUPPORTED)?;
        }
    }
    Ok(())
}
