//! `zx_process_create`, and what a process without threads is: `docs/spec/objects.md` §8.

use alloc::vec::Vec;
use core::ptr;

use zx::{
    AsHandleRef, HandleBased, Job, Koid, Name, ObjectType, Process, ProcessInfoFlags,
    ProcessOptions, Rights, Status, sys,
};

use crate::fixtures::{BAD_ADDRESSES, bad_handles, vmo_of, with_rights, without_rights};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};
use crate::processes::{Child, CreateCall, wild};

pub const TESTS: &[Test] = tests![
    refuses_undefined_options,
    accepts_the_shared_option,
    refuses_names_that_cannot_be_read,
    cuts_long_names,
    accepts_an_empty_name,
    refuses_what_is_no_job,
    needs_manage_process,
    options_come_before_the_name,
    the_name_comes_before_the_job,
    refuses_results_that_cannot_be_told,
    gives_the_documented_rights,
    belongs_to_its_job,
    the_job_is_a_job_with_its_rights,
    the_job_lists_its_processes,
    is_not_started,
    each_version_of_the_info_record_agrees,
    info_needs_inspect,
    has_an_empty_root_region,
    has_regions_of_its_own,
    closing_the_last_handle_ends_it,
    closing_one_of_two_handles_does_not_end_it,
    the_root_region_alone_does_not_keep_it,
    replacing_the_last_handle_keeps_it,
    many_processes_leave_nothing,
];

fn refuses_undefined_options() -> Outcome {
    for bit in 1..32 {
        let call = CreateCall {
            options: 1 << bit,
            ..CreateCall::new()
        };
        check_refused(call.make(), Status::INVALID_ARGS)?;
        let with_shared = CreateCall {
            options: 1 << bit | sys::ZX_PROCESS_SHARED,
            ..call
        };
        check_refused(with_shared.make(), Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn accepts_the_shared_option() -> Outcome {
    let call = CreateCall {
        options: sys::ZX_PROCESS_SHARED,
        ..CreateCall::new()
    };
    call.make().map(drop).map_err(Into::into)
}

fn refuses_names_that_cannot_be_read() -> Outcome {
    for bad in BAD_ADDRESSES {
        let call = CreateCall {
            name: wild(bad),
            ..CreateCall::new()
        };
        check_refused(call.make(), Status::INVALID_ARGS)?;
    }
    let null = CreateCall {
        name: ptr::null(),
        name_size: 0,
        ..CreateCall::new()
    };
    check_refused(null.make(), Status::INVALID_ARGS)
}

fn cuts_long_names() -> Outcome {
    let long = [b'x'; 100];
    for size in [31, 32, 33, 100] {
        let (process, _root) =
            rt::job_default().create_child_process(ProcessOptions::empty(), &long[..size])?;
        check_eq(process.get_name()?, Name::from_bytes_lossy(&long[..31]))?;
    }
    let (process, _root) =
        rt::job_default().create_child_process(ProcessOptions::empty(), b"front\0back")?;
    check_eq(process.get_name()?, Name::new_lossy("front"))
}

fn accepts_an_empty_name() -> Outcome {
    let call = CreateCall {
        name_size: 0,
        ..CreateCall::new()
    };
    check_eq(call.make()?.0.get_name()?, Name::new_lossy(""))
}

fn refuses_what_is_no_job() -> Outcome {
    for bad in bad_handles()? {
        let call = CreateCall {
            job: bad,
            ..CreateCall::new()
        };
        check_refused(call.make(), Status::BAD_HANDLE)?;
    }
    let (vmo, process) = (vmo_of(1)?, Child::new()?);
    let others = [
        vmo.raw_handle(),
        process.raw_handle(),
        process.root.raw_handle(),
    ];
    for job in others {
        let call = CreateCall {
            job,
            ..CreateCall::new()
        };
        check_refused(call.make(), Status::WRONG_TYPE)?;
    }
    Ok(())
}

fn needs_manage_process() -> Outcome {
    let weak = without_rights::<Job>(&rt::job_default(), Rights::MANAGE_PROCESS)?;
    let refused = weak.create_child_process(ProcessOptions::empty(), b"refused");
    check_refused(refused, Status::ACCESS_DENIED)?;
    let enough = with_rights::<Job>(&rt::job_default(), Rights::MANAGE_PROCESS)?;
    enough
        .create_child_process(ProcessOptions::empty(), b"enough")
        .map(drop)
        .map_err(Into::into)
}

fn options_come_before_the_name() -> Outcome {
    // Both are INVALID_ARGS; against the handle the options win.
    let call = CreateCall {
        job: sys::ZX_HANDLE_INVALID,
        options: 2,
        ..CreateCall::new()
    };
    check_refused(call.make(), Status::INVALID_ARGS)
}

fn the_name_comes_before_the_job() -> Outcome {
    let call = CreateCall {
        job: sys::ZX_HANDLE_INVALID,
        name: wild(1),
        ..CreateCall::new()
    };
    check_refused(call.make(), Status::INVALID_ARGS)
}

/// The koids of the processes of this program's job.
fn siblings() -> Result<Vec<Koid>, Status> {
    rt::job_default().processes()
}

fn refuses_results_that_cannot_be_told() -> Outcome {
    let before = siblings()?;
    let mut handle = sys::ZX_HANDLE_INVALID;
    for bad in BAD_ADDRESSES {
        let bad = wild(bad).cast::<u32>();
        let call = CreateCall::new();
        check_refused(call.make_into(bad, &mut handle), Status::INVALID_ARGS)?;
        check_refused(call.make_into(&mut handle, bad), Status::INVALID_ARGS)?;
    }
    // What could not be told is gone again, although its handle had been written.
    check_refused(zx::Handle::check_raw_valid(handle), Status::BAD_HANDLE)?;
    check_eq(siblings()?, before)
}

fn gives_the_documented_rights() -> Outcome {
    let child = Child::new()?;
    let (process, root) = (child.basic_info()?, child.root.basic_info()?);
    check_eq(
        (process.object_type, process.rights),
        (ObjectType::PROCESS, Rights::PROCESS_DEFAULT),
    )?;
    check_eq(
        (root.object_type, root.rights),
        (ObjectType::VMAR, Rights::VMAR_ROOT_DEFAULT),
    )
}

fn belongs_to_its_job() -> Outcome {
    let job = rt::job_default().get_koid()?;
    check_eq(Child::new()?.basic_info()?.related_koid, job)?;
    check_eq(rt::process_self().basic_info()?.related_koid, job)
}

fn the_job_is_a_job_with_its_rights() -> Outcome {
    let job = rt::job_default().basic_info()?;
    check_eq(
        (job.object_type, job.rights, job.related_koid),
        (ObjectType::JOB, Rights::JOB_DEFAULT, Koid::INVALID),
    )?;
    check_eq(rt::job_default().get_name()?, Name::new_lossy("root"))
}

fn the_job_lists_its_processes() -> Outcome {
    let child = Child::new()?;
    let koids = siblings()?;
    check(koids.contains(&child.get_koid()?), "the child")?;
    check(
        koids.contains(&rt::process_self().get_koid()?),
        "this process",
    )?;
    check(koids.is_sorted(), "each koid once, by age")?;
    let blind = without_rights::<Job>(&rt::job_default(), Rights::ENUMERATE)?;
    check_refused(blind.processes(), Status::ACCESS_DENIED)
}

fn is_not_started() -> Outcome {
    let info = Child::new()?.info()?;
    check_eq((info.return_code, info.flags), (0, 0))?;
    check_eq(info.start_time.into_nanos(), 0)?;
    let own = rt::process_self().info()?;
    check_eq(own.flags, ProcessInfoFlags::STARTED.bits())?;
    check(own.start_time.into_nanos() > 0, "a time")
}

fn each_version_of_the_info_record_agrees() -> Outcome {
    let child = Child::killed()?;
    let mut old = [0xff; 16];
    let answer = crate::calls::ask(
        child.raw_handle(),
        zx::Topic::PROCESS_V1,
        old.as_mut_ptr(),
        old.len(),
    );
    check_eq(answer, Ok((1, 1)))?;
    let code = i64::from_le_bytes([
        old[0], old[1], old[2], old[3], old[4], old[5], old[6], old[7],
    ]);
    check_eq(code, child.info()?.return_code)?;
    check_eq(&old[8..], &[1, 1, 0, 0, 0, 0, 0, 0])
}

fn info_needs_inspect() -> Outcome {
    let child = Child::new()?;
    let blind = without_rights::<Process>(&child, Rights::INSPECT)?;
    check_refused(blind.info(), Status::ACCESS_DENIED)?;
    check_refused(blind.info_maps_vec(), Status::ACCESS_DENIED)
}

fn has_an_empty_root_region() -> Outcome {
    let child = Child::new()?;
    let maps = child.root.info_maps_vec()?;
    check_eq(maps.len(), 1)?;
    check_eq(maps[0].name, Name::new_lossy("root"))?;
    let own = rt::vmar_root_self().info()?;
    check_eq(child.root.info()?, own)
}

fn has_regions_of_its_own() -> Outcome {
    let (first, second) = (Child::new()?, Child::new()?);
    let vmo = vmo_of(1)?;
    // The same place in two address spaces.
    check_eq(first.map_at(5, &vmo, 1)?, second.map_at(5, &vmo, 1)?)?;
    let info = vmo.info()?;
    check_eq((info.num_mappings, info.share_count), (2, 2))
}

fn closing_the_last_handle_ends_it() -> Outcome {
    let before = siblings()?;
    drop(Child::new()?);
    check_eq(siblings()?, before)
}

fn closing_one_of_two_handles_does_not_end_it() -> Outcome {
    let child = Child::new()?;
    drop(child.duplicate_handle(Rights::NONE)?);
    check_eq(child.info()?.flags, 0)?;
    check_eq(child.count_info()?.handle_count, 1)
}

fn the_root_region_alone_does_not_keep_it() -> Outcome {
    let (process, root) = CreateCall::new().make()?;
    drop(process);
    check_refused(root.info_maps_vec(), Status::BAD_STATE)
}

fn replacing_the_last_handle_keeps_it() -> Outcome {
    let (process, root) = CreateCall::new().make()?;
    let process = process.replace_handle(Rights::INSPECT)?;
    check_eq(process.info()?.flags, 0)?;
    check_eq(root.info_maps_vec()?.len(), 1)?;
    // A replacement that is refused consumes the handle all the same.
    check_refused(process.replace_handle(Rights::all()), Status::INVALID_ARGS)?;
    check_refused(root.info_maps_vec(), Status::BAD_STATE)
}

/// Bytes of memory that the kernel uses for page tables.
fn table_bytes() -> Result<u64, Status> {
    Ok(rt::system_resource().mem_stats()?.mmu_overhead_bytes)
}

fn many_processes_leave_nothing() -> Outcome {
    const MANY: usize = 1000;

    let (before, tables) = (siblings()?, table_bytes()?);
    let vmo = vmo_of(1)?;
    let mut children = Vec::new();
    for _ in 0..MANY {
        let child = Child::new()?;
        child.map_at(1, &vmo, 1)?;
        children.push(child);
    }
    check_eq(siblings()?.len(), before.len() + MANY)?;
    check_eq(vmo.info()?.share_count, MANY)?;
    // From the middle outwards, so that neither end of any list is always the one to go.
    while !children.is_empty() {
        children.swap_remove(children.len() / 2);
    }
    check_eq(siblings()?, before)?;
    check_eq(vmo.info()?.num_mappings, 0)?;
    check_eq(table_bytes()?, tables)
}
