//! `zx_vmo_set_cache_policy`, and the operations on caches: `docs/spec/vmo.md` §5 and §6.

use zx::{
    AsHandleRef, CachePolicy, HandleBased, Rights, Status, Vmo, VmoChildOptions, VmoOp, VmoOptions,
    ok, sys,
};

use crate::fixtures::{
    P, Region, bad_handles, numbered_vmo, peek, poke, vmo_of, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    the_policy_comes_before_the_handle,
    refuses_what_is_no_handle,
    refuses_what_is_no_vmo,
    needs_map,
    every_policy_can_be_set_and_is_told,
    a_mapped_vmo_keeps_its_policy,
    a_family_keeps_its_policy,
    committed_pages_keep_their_bytes,
    copies_need_cached_memory,
    zeroing_needs_cached_memory,
    children_need_cached_memory,
    transfers_need_cached_memory,
    mappings_work_with_every_policy,
    commit_and_decommit_work_with_every_policy,
    cache_operations_take_any_alignment,
    cache_operations_refuse_nothing_at_all,
    cache_operations_refuse_what_is_beyond_the_end,
    cache_operations_check_the_right_first,
    cache_operations_on_a_sparse_vmo_are_quick,
];

const PAGE: u64 = P as u64;

const POLICIES: [CachePolicy; 4] = [
    CachePolicy::UnCached,
    CachePolicy::UnCachedDevice,
    CachePolicy::WriteCombining,
    CachePolicy::Cached,
];

const OPERATIONS: [VmoOp; 4] = [
    VmoOp::CACHE_SYNC,
    VmoOp::CACHE_INVALIDATE,
    VmoOp::CACHE_CLEAN,
    VmoOp::CACHE_CLEAN_INVALIDATE,
];

fn set(vmo: u32, policy: u32) -> Result<(), Status> {
    // SAFETY: the call takes no pointer, and the tests change only VMOs of their own.
    ok(unsafe { sys::zx_vmo_set_cache_policy(vmo, policy) })
}

fn the_policy_comes_before_the_handle() -> Outcome {
    for policy in [4, 5, 8, 1 << 31, u32::MAX] {
        check_refused(set(0, policy), Status::INVALID_ARGS)?;
        check_refused(set(vmo_of(1)?.raw_handle(), policy), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(set(bad, 1), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn refuses_what_is_no_vmo() -> Outcome {
    check_refused(
        set(rt::vmar_root_self().raw_handle(), 1),
        Status::WRONG_TYPE,
    )
}

fn needs_map() -> Outcome {
    let vmo = vmo_of(1)?;
    let weaker = without_rights(&vmo, Rights::MAP)?;
    let answer = weaker.set_cache_policy(CachePolicy::UnCached);
    check_refused(answer, Status::ACCESS_DENIED)?;
    check_eq(vmo.info()?.cache_policy, CachePolicy::Cached)?;
    with_rights(&vmo, Rights::MAP)?.set_cache_policy(CachePolicy::UnCached)?;
    check_eq(vmo.info()?.cache_policy, CachePolicy::UnCached)
}

fn every_policy_can_be_set_and_is_told() -> Outcome {
    let vmo = vmo_of(1)?;
    check_eq(vmo.info()?.cache_policy, CachePolicy::Cached)?;
    for policy in POLICIES {
        vmo.set_cache_policy(policy)?;
        check_eq(vmo.info()?.cache_policy, policy)?;
    }
    Ok(())
}

fn a_mapped_vmo_keeps_its_policy() -> Outcome {
    let vmo = vmo_of(1)?;
    let region = Region::new(2)?;
    region.map_at(0, &vmo, 1)?;
    for policy in POLICIES {
        check_refused(vmo.set_cache_policy(policy), Status::BAD_STATE)?;
    }
    drop(region);
    vmo.set_cache_policy(CachePolicy::UnCached)?;
    Ok(())
}

fn a_family_keeps_its_policy() -> Outcome {
    for (options, size) in [
        (VmoChildOptions::SNAPSHOT, PAGE),
        (VmoChildOptions::SLICE, PAGE),
        (VmoChildOptions::REFERENCE, 0),
    ] {
        let vmo = vmo_of(1)?;
        let child = vmo.create_child(options, 0, size)?;
        for member in [&vmo, &child] {
            let answer = member.set_cache_policy(CachePolicy::UnCached);
            check_refused(answer, Status::BAD_STATE)?;
        }
        drop(child);
        vmo.set_cache_policy(CachePolicy::UnCached)?;
    }
    Ok(())
}

fn committed_pages_keep_their_bytes() -> Outcome {
    let vmo = numbered_vmo(3, 1)?;
    for policy in POLICIES {
        vmo.set_cache_policy(policy)?;
    }
    let first_bytes = [0, 1, 2].map(|page| vmo.read_to_object::<u8>(page * PAGE));
    check_eq(first_bytes, [1, 2, 3].map(Ok))?;
    check_eq(vmo.info()?.committed_bytes, 3 * PAGE)
}

/// Makes `attempt` with each policy but `CACHED`, and with that one in the end.
fn needs_cached(attempt: impl Fn(&Vmo) -> Result<(), Status>) -> Outcome {
    let vmo = numbered_vmo(2, 1)?;
    for policy in &POLICIES[..3] {
        vmo.set_cache_policy(*policy)?;
        check_refused(attempt(&vmo), Status::BAD_STATE)?;
    }
    vmo.set_cache_policy(CachePolicy::Cached)?;
    check_eq(attempt(&vmo), Ok(()))
}

fn copies_need_cached_memory() -> Outcome {
    needs_cached(|vmo| vmo.read_to_object::<u8>(0).map(drop))?;
    needs_cached(|vmo| vmo.write(&[1], 0))
}

fn zeroing_needs_cached_memory() -> Outcome {
    needs_cached(|vmo| vmo.op_range(VmoOp::ZERO, 0, PAGE))?;
    let vmo = vmo_of(1)?;
    vmo.set_cache_policy(CachePolicy::UnCached)?;
    let beyond = vmo.op_range(VmoOp::ZERO, 0, PAGE + 1);
    check_refused(beyond, Status::OUT_OF_RANGE)
}

fn children_need_cached_memory() -> Outcome {
    for (options, size) in [
        (VmoChildOptions::SNAPSHOT, PAGE),
        (VmoChildOptions::SLICE, PAGE),
        (VmoChildOptions::REFERENCE, 0),
    ] {
        needs_cached(|vmo| vmo.create_child(options, 0, size).map(drop))?;
    }
    Ok(())
}

fn transfers_need_cached_memory() -> Outcome {
    let none = zx::TransferDataOptions::empty();
    needs_cached(|vmo| vmo_of(1)?.transfer_data(none, 0, PAGE, vmo, 0))?;
    needs_cached(|vmo| vmo.transfer_data(none, 0, PAGE, &vmo_of(1)?, 0))
}

fn mappings_work_with_every_policy() -> Outcome {
    for policy in POLICIES {
        let vmo = numbered_vmo(2, 1)?;
        vmo.set_cache_policy(policy)?;
        let region = Region::new(2)?;
        let mapped = region.map_at(0, &vmo, 2)?;
        check_eq([peek(mapped), peek(mapped + P)], [1, 2])?;
        poke(mapped + P, 7);
        check_eq(peek(mapped + P), 7)?;
        drop(region);
        vmo.set_cache_policy(CachePolicy::Cached)?;
        check_eq(vmo.read_to_object::<u8>(PAGE)?, 7)?;
    }
    Ok(())
}

fn commit_and_decommit_work_with_every_policy() -> Outcome {
    for policy in POLICIES {
        let vmo = vmo_of(3)?;
        vmo.set_cache_policy(policy)?;
        vmo.op_range(VmoOp::COMMIT, 0, 3 * PAGE)?;
        check_eq(vmo.info()?.committed_bytes, 3 * PAGE)?;
        vmo.op_range(VmoOp::DECOMMIT, 0, 2 * PAGE)?;
        check_eq(vmo.info()?.committed_bytes, PAGE)?;
    }
    Ok(())
}

fn cache_operations_take_any_alignment() -> Outcome {
    let vmo = numbered_vmo(3, 1)?;
    for op in OPERATIONS {
        for (offset, size) in [(0, 3 * PAGE), (1, 1), (PAGE - 1, 2), (5, 2 * PAGE)] {
            vmo.op_range(op, offset, size)?;
        }
    }
    let first_bytes = [0, 1, 2].map(|page| vmo.read_to_object::<u8>(page * PAGE));
    check_eq(first_bytes, [1, 2, 3].map(Ok))
}

fn cache_operations_refuse_nothing_at_all() -> Outcome {
    let vmo = vmo_of(1)?;
    for op in OPERATIONS {
        for offset in [0, 1, PAGE, 2 * PAGE] {
            check_refused(vmo.op_range(op, offset, 0), Status::INVALID_ARGS)?;
        }
    }
    Ok(())
}

fn cache_operations_refuse_what_is_beyond_the_end() -> Outcome {
    let vmo = vmo_of(1)?;
    for op in OPERATIONS {
        for (offset, size) in [(0, PAGE + 1), (PAGE, 1), (1, u64::MAX), (u64::MAX, 1)] {
            check_refused(vmo.op_range(op, offset, size), Status::OUT_OF_RANGE)?;
        }
    }
    Ok(())
}

fn cache_operations_check_the_right_first() -> Outcome {
    let powerless = vmo_of(1)?.replace_handle(Rights::NONE)?;
    for op in OPERATIONS {
        check_refused(powerless.op_range(op, 0, 0), Status::ACCESS_DENIED)?;
    }
    Ok(())
}

fn cache_operations_on_a_sparse_vmo_are_quick() -> Outcome {
    let vmo = Vmo::create_with_opts(VmoOptions::UNBOUNDED, 0)?;
    let size = vmo.get_size()?;
    for offset in [0, 1 << 40, size - 1] {
        vmo.write(&[1], offset)?;
    }
    for op in OPERATIONS {
        vmo.op_range(op, 0, size)?;
    }
    check_eq(vmo.info()?.committed_bytes, 3 * PAGE)
}
