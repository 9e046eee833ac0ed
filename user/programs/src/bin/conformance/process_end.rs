//! `zx_task_kill`, and what is left of a process: `docs/spec/objects.md` §8, `docs/spec/vmar.md` §10.

use zx::{
    AsHandleRef, HandleBased, Process, ProcessInfoFlags, Rights, Status, Task, TaskRetcode,
    VmarFlags, ok, sys,
};

use crate::calls::{destroy, unmap};
use crate::fixtures::{
    CAN_MAP_ALL, P, READ_WRITE, bad_handles, vmo_of, with_rights, without_rights,
};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};
use crate::processes::{BOTH, Child, MemoryCall};

pub const TESTS: &[Test] = tests![
    kill_refuses_what_is_no_handle,
    kill_refuses_what_is_no_task,
    kill_needs_destroy,
    kill_ends_a_process_without_threads_at_once,
    kill_accepts_a_dead_process,
    a_dead_process_keeps_koid_name_and_rights,
    a_dead_process_has_no_memory,
    the_root_region_of_a_dead_process_is_dead,
    the_root_region_dies_with_the_last_handle,
    every_region_of_a_dead_process_is_dead,
    argument_errors_come_before_a_dead_region,
    a_dead_root_is_not_supported_no_more,
    mappings_of_a_dead_process_are_gone,
    a_killed_process_frees_what_only_it_had,
    regions_outlive_the_handles_to_them,
];

fn kill(handle: u32) -> Result<(), Status> {
    // SAFETY: the tests kill nothing but their own children.
    ok(unsafe { sys::zx_task_kill(handle) })
}

fn kill_refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(kill(bad), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn kill_refuses_what_is_no_task() -> Outcome {
    let (vmo, child) = (vmo_of(1)?, Child::new()?);
    check_refused(kill(vmo.raw_handle()), Status::WRONG_TYPE)?;
    check_refused(kill(child.root.raw_handle()), Status::WRONG_TYPE)?;
    let resource = rt::system_resource();
    check_refused(kill(resource.raw_handle()), Status::WRONG_TYPE)?;
    let powerless = with_rights(&vmo, Rights::NONE)?;
    check_refused(kill(powerless.raw_handle()), Status::WRONG_TYPE)
}

fn kill_needs_destroy() -> Outcome {
    let child = Child::new()?;
    let weak = without_rights::<Process>(&child, Rights::DESTROY)?;
    check_refused(weak.kill(), Status::ACCESS_DENIED)?;
    check_eq(child.info()?.flags, 0)?;
    let weak = without_rights::<zx::Job>(&rt::job_default(), Rights::DESTROY)?;
    check_refused(weak.kill(), Status::ACCESS_DENIED)?;
    let strong = with_rights::<Process>(&child, Rights::DESTROY)?;
    check_eq(strong.kill(), Ok(()))
}

fn kill_ends_a_process_without_threads_at_once() -> Outcome {
    let info = Child::killed()?.info()?;
    check_eq(info.return_code, TaskRetcode::SyscallKill as i64)?;
    check_eq(info.return_code, -1024)?;
    let flags = ProcessInfoFlags::STARTED | ProcessInfoFlags::EXITED;
    check_eq(info.flags, flags.bits())
}

fn kill_accepts_a_dead_process() -> Outcome {
    let child = Child::killed()?;
    check_eq(child.kill(), Ok(()))?;
    check_eq(child.info()?.return_code, -1024)
}

fn a_dead_process_keeps_koid_name_and_rights() -> Outcome {
    let child = Child::new()?;
    let (basic, name) = (child.basic_info()?, child.get_name()?);
    child.kill()?;
    check_eq(child.basic_info()?, basic)?;
    check_eq(child.get_name()?, name)?;
    check_eq(
        child.duplicate_handle(Rights::SAME_RIGHTS).map(drop),
        Ok(()),
    )
}

fn a_dead_process_has_no_memory() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(3, &vmo_of(1)?, 1)?;
    child.kill()?;
    let mut buffer = [0; 8];
    for direction in BOTH {
        for address in [base, 0, usize::MAX] {
            let call = MemoryCall::new(direction, &child, address, &mut buffer);
            check_refused(call.make(), Status::BAD_STATE)?;
        }
    }
    check_refused(child.info_maps_vec(), Status::BAD_STATE)
}

/// Fails unless every call on `vmar`, where a page was mapped at `address`, finds it dead.
#[track_caller]
fn check_dead(vmar: &zx::Vmar, address: usize) -> Outcome {
    let vmo = vmo_of(1)?;
    let before = vmar.basic_info()?;
    check_refused(vmar.allocate(0, P, CAN_MAP_ALL), Status::BAD_STATE)?;
    check_refused(vmar.map(0, &vmo, 0, P, READ_WRITE), Status::BAD_STATE)?;
    check_refused(unmap(vmar.raw_handle(), address, P), Status::BAD_STATE)?;
    // SAFETY: the region is dead: there is no memory in it.
    let protected = unsafe { vmar.protect(address, P, VmarFlags::PERM_READ) };
    check_refused(protected, Status::BAD_STATE)?;
    check_refused(destroy(vmar.raw_handle()), Status::BAD_STATE)?;
    check_refused(vmar.info_maps_vec(), Status::BAD_STATE)?;
    check_eq(vmo.info()?.num_mappings, 0)?;
    // The handle itself is as good as ever.
    check_eq(vmar.basic_info()?, before)?;
    check_eq(vmar.duplicate_handle(Rights::SAME_RIGHTS).map(drop), Ok(()))
}

fn the_root_region_of_a_dead_process_is_dead() -> Outcome {
    let child = Child::new()?;
    let range = child.root.info()?;
    let base = child.map_at(3, &vmo_of(1)?, 1)?;
    child.kill()?;
    check_dead(&child.root, base)?;
    check_eq(child.root.info()?, range)
}

fn the_root_region_dies_with_the_last_handle() -> Outcome {
    let child = Child::new()?;
    let base = child.map_at(3, &vmo_of(1)?, 1)?;
    let root = child.root.duplicate_handle(Rights::SAME_RIGHTS)?;
    drop(child);
    check_dead(&root, base)
}

fn every_region_of_a_dead_process_is_dead() -> Outcome {
    for by_closing in [true, false] {
        let child = Child::new()?;
        let (outer, outer_base) = child.root.allocate(0, 16 * P, CAN_MAP_ALL)?;
        let (inner, inner_base) = outer.allocate(0, 4 * P, CAN_MAP_ALL)?;
        let vmo = vmo_of(1)?;
        inner.map(0, &vmo, 0, P, READ_WRITE | VmarFlags::SPECIFIC)?;
        if by_closing {
            drop(child);
        } else {
            child.kill()?;
        }
        check_dead(&outer, outer_base)?;
        check_dead(&inner, inner_base)?;
        check_eq(
            inner.info().map(|info| (info.base, info.len)),
            Ok((inner_base, 4 * P)),
        )?;
        check_eq(vmo.info()?.num_mappings, 0)?;
    }
    Ok(())
}

fn argument_errors_come_before_a_dead_region() -> Outcome {
    let child = Child::killed()?;
    let root = &child.root;
    let vmo = vmo_of(1)?;
    check_refused(root.allocate(0, P - 1, CAN_MAP_ALL), Status::INVALID_ARGS)?;
    check_refused(
        unmap(root.raw_handle(), root.info()?.base, 0),
        Status::INVALID_ARGS,
    )?;
    check_refused(root.map(0, &vmo, 1, P, READ_WRITE), Status::INVALID_ARGS)?;
    // These come after it.
    check_refused(root.map(0, &vmo, 0, 0, READ_WRITE), Status::BAD_STATE)?;
    check_refused(root.allocate(0, 0, CAN_MAP_ALL), Status::BAD_STATE)?;
    let weak = without_rights(root, Rights::OP_CHILDREN)?;
    check_refused(destroy(weak.raw_handle()), Status::ACCESS_DENIED)
}

fn a_dead_root_is_not_supported_no_more() -> Outcome {
    let child = Child::new()?;
    check_refused(destroy(child.root.raw_handle()), Status::NOT_SUPPORTED)?;
    child.kill()?;
    check_refused(destroy(child.root.raw_handle()), Status::BAD_STATE)
}

fn mappings_of_a_dead_process_are_gone() -> Outcome {
    let child = Child::new()?;
    let vmo = vmo_of(4)?;
    for page in [1, 6, 11] {
        child.map_at(page, &vmo, 4)?;
    }
    check_eq(vmo.info()?.num_mappings, 3)?;
    child.kill()?;
    let info = vmo.info()?;
    check_eq((info.num_mappings, info.share_count), (0, 0))
}

fn a_killed_process_frees_what_only_it_had() -> Outcome {
    const PAGES: usize = 256;

    let vmo_bytes = || {
        rt::system_resource()
            .mem_stats()
            .map(|stats| stats.vmo_bytes)
    };
    let child = Child::new()?;
    let before = vmo_bytes()?;
    let vmo = vmo_of(PAGES)?;
    for page in 0..PAGES {
        vmo.write(&[1], (page * P) as u64)?;
    }
    let base = child.map_at(0, &vmo, PAGES)?;
    drop(vmo);
    let mut byte = [0];
    check_eq(child.read_memory(base, &mut byte), Ok(1))?;
    check_eq(byte, [1])?;
    check_eq(vmo_bytes()?, before + (PAGES * P) as u64)?;
    child.kill()?;
    check_eq(vmo_bytes()?, before)
}

fn regions_outlive_the_handles_to_them() -> Outcome {
    let child = Child::new()?;
    let (region, base) = child.root.allocate(0, 4 * P, CAN_MAP_ALL)?;
    region.map(0, &vmo_of(1)?, 0, P, READ_WRITE | VmarFlags::SPECIFIC)?;
    drop(region);
    check_eq(child.write_memory(base, &[7]), Ok(1))?;
    let mut byte = [0];
    check_eq(child.read_memory(base, &mut byte), Ok(1))?;
    check_eq(byte, [7])
}
