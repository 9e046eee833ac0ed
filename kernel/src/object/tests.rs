//! Tests of objects and handles together.

use alloc::sync::Arc;

use ktest::ktest;
use syscall::{
    HandleValue, Koid, Name, Rights, Signals, Status, VmOptions, VmoChildOptions, VmoOptions,
};
use vm::addr::PAGE_SIZE;
use vm::mmu::Access;
use vm::vmar::MapRequest;
use vm::vmo::ChildRequest;

use super::{Job, KernelObject, Phase, Process, VmarObject, VmoObject, processes};
use crate::handle::{Handle, reduce, require};

fn process() -> Arc<Process> {
    Process::new(Job::root(), Name::new_lossy("test")).expect("memory for a process")
}

fn vmo() -> Arc<VmoObject> {
    VmoObject::create(1, VmoOptions::empty()).expect("memory for a VMO")
}

#[ktest]
fn handles_are_counted_from_creation_to_drop() {
    let vmo = vmo();
    assert_eq!(vmo.header().handle_count(), 0);
    let first = Handle::new(Arc::clone(&vmo), Rights::VMO_DEFAULT);
    let second = Handle::new(first.object().clone(), Rights::NONE);
    assert_eq!(vmo.header().handle_count(), 2);
    drop(first);
    assert_eq!(vmo.header().handle_count(), 1);
    drop(second);
    assert_eq!(vmo.header().handle_count(), 0);
}

#[ktest]
fn koids_begin_at_the_first_and_are_never_given_twice() {
    let (first, second) = (vmo(), vmo());
    assert!(first.header().koid() >= Koid::FIRST);
    assert!(second.header().koid() > first.header().koid());
    assert_eq!(first.vmo().koid(), first.header().koid());
}

#[ktest]
fn a_lookup_checks_presence_then_type_then_rights() {
    let process = process();
    let handle = Handle::new(vmo(), Rights::READ);
    let value = process.add_handle(handle).expect("room for a handle");
    let wrong = HandleValue::from_raw(value.into_raw() ^ 4);
    let status = |value, needed| process.object::<VmoObject>(value, needed).err();
    assert_eq!(status(wrong, Rights::WRITE), Some(Status::BAD_HANDLE));
    assert_eq!(
        status(HandleValue::INVALID, Rights::NONE),
        Some(Status::BAD_HANDLE)
    );
    let as_region = process.object::<VmarObject>(value, Rights::WRITE).err();
    assert_eq!(as_region, Some(Status::WRONG_TYPE));
    assert_eq!(status(value, Rights::WRITE), Some(Status::ACCESS_DENIED));
    assert_eq!(status(value, Rights::READ), None);
    process.abandon();
}

#[ktest]
fn rights_only_shrink() {
    let held = Rights::READ | Rights::DUPLICATE;
    assert_eq!(reduce(held, Rights::SAME_RIGHTS), Ok(held));
    assert_eq!(reduce(held, Rights::NONE), Ok(Rights::NONE));
    assert_eq!(reduce(held, Rights::WRITE), Err(Status::INVALID_ARGS));
    assert_eq!(
        reduce(held, Rights::SAME_RIGHTS | Rights::READ),
        Err(Status::INVALID_ARGS)
    );
    assert_eq!(require(held, Rights::READ), Ok(()));
    assert_eq!(
        require(held, Rights::READ | Rights::WRITE),
        Err(Status::ACCESS_DENIED)
    );
}

#[ktest]
fn a_process_that_ends_closes_its_handles_and_forgets_its_regions() {
    let process = process();
    let (vmo, root) = (vmo(), Arc::clone(process.root()));
    let handle = Handle::new(Arc::clone(&vmo), Rights::VMO_DEFAULT);
    assert!(process.add_handle(handle).is_ok());
    let own = Handle::new(Arc::clone(&process), Rights::PROCESS_DEFAULT);
    assert!(process.add_handle(own).is_ok());
    assert!(
        processes()
            .expect("memory")
            .iter()
            .any(|other| Arc::ptr_eq(other, &process))
    );
    process.abandon();
    assert_eq!(process.phase(), Phase::Ended(0));
    assert_eq!(process.handle_count(), 0);
    assert_eq!(vmo.header().handle_count(), 0);
    assert!(root.vmar().is_dead());
    assert!(
        processes()
            .expect("memory")
            .iter()
            .all(|other| !Arc::ptr_eq(other, &process))
    );
}

#[ktest]
fn the_last_handle_to_a_process_without_threads_ends_it() {
    let process = process();
    let first = Handle::new(Arc::clone(&process), Rights::NONE);
    let second = Handle::new(Arc::clone(&process), Rights::NONE);
    drop(first);
    assert_eq!(process.phase(), Phase::New);
    drop(second);
    assert_eq!(process.phase(), Phase::Ended(0));
}

#[ktest]
fn a_killed_job_takes_its_processes_along_and_takes_no_others() {
    let job = Job::new(Name::new_lossy("test job")).expect("memory for a job");
    let create = || Process::new(&job, Name::new_lossy("test"));
    let members = [(); 3].map(|()| create().expect("memory for a process"));
    let outsider = process();
    members[1].abandon();
    let mut seen = alloc::vec::Vec::new();
    job.for_each_process(|process| seen.push(process.header().koid()));
    let expected = [&members[0], &members[2]].map(|process| process.header().koid());
    assert_eq!(seen, expected);
    job.kill();
    let phases = members.each_ref().map(|process| process.phase());
    let killed = Phase::Ended(-1024);
    assert_eq!(phases, [killed, Phase::Ended(0), killed]);
    assert_eq!(create().err(), Some(Status::BAD_STATE));
    assert_eq!(outsider.phase(), Phase::New);
    outsider.abandon();
}

#[ktest]
fn a_job_tells_whether_it_has_processes_and_whether_it_is_over() {
    let job = Job::new(Name::new_lossy("test job")).expect("memory for a job");
    let signals = || job.header().signals().active();
    let create = || Process::new(&job, Name::new_lossy("test")).expect("memory for a process");
    assert_eq!(signals(), Signals::JOB_NO_JOBS | Signals::JOB_NO_PROCESSES);
    let members = [create(), create()];
    members[0].abandon();
    assert_eq!(signals(), Signals::JOB_NO_JOBS);
    members[1].abandon();
    assert_eq!(signals(), Signals::JOB_NO_JOBS | Signals::JOB_NO_PROCESSES);
    let last = create();
    job.kill();
    assert_eq!(last.phase(), Phase::Ended(-1024));
    let over = Signals::JOB_NO_JOBS | Signals::JOB_NO_PROCESSES | Signals::JOB_TERMINATED;
    assert_eq!(signals(), over);
}

#[ktest]
fn a_process_tells_that_it_has_ended() {
    let process = process();
    assert_eq!(process.header().signals().active(), Signals::NONE);
    process.kill();
    let terminated = Signals::PROCESS_TERMINATED;
    assert_eq!(process.header().signals().active(), terminated);
}

#[ktest]
fn signals_are_cleared_before_they_are_set() {
    let vmo = vmo();
    let signals = vmo.header().signals();
    let both = Signals::USER_0 | Signals::USER_1;
    signals.change(Signals::NONE, both);
    signals.change(both, Signals::USER_1 | Signals::USER_2);
    let expected = Signals::VMO_ZERO_CHILDREN | Signals::USER_1 | Signals::USER_2;
    assert_eq!(signals.active(), expected);
}

/// A child of `parent` and its object, as a program would get it.
fn child(parent: &VmoObject, options: VmoChildOptions) -> Arc<VmoObject> {
    let size = if options == VmoChildOptions::REFERENCE {
        0
    } else {
        parent.vmo().size()
    };
    let request = ChildRequest {
        koid: super::next_koid(),
        options,
        offset: 0,
        size,
        may_resize: false,
    };
    let child = parent.vmo().create_child(request).expect("a child");
    parent.update_children();
    VmoObject::new(child).expect("memory for an object")
}

#[ktest]
fn a_vmo_tells_whether_it_has_children_of_any_kind() {
    let parent = vmo();
    let signals = || parent.header().signals().active();
    for kind in [
        VmoChildOptions::SNAPSHOT,
        VmoChildOptions::SLICE,
        VmoChildOptions::REFERENCE,
    ] {
        let (first, second) = (child(&parent, kind), child(&parent, kind));
        assert_eq!(signals(), Signals::NONE);
        drop(first);
        assert_eq!(signals(), Signals::NONE);
        drop(second);
        assert_eq!(signals(), Signals::VMO_ZERO_CHILDREN);
    }
}

#[ktest]
fn grandchildren_that_are_left_behind_count_as_children() {
    let parent = vmo();
    let signals = || parent.header().signals().active();
    let middle = child(&parent, VmoChildOptions::SNAPSHOT);
    let last = child(&middle, VmoChildOptions::SNAPSHOT);
    drop(middle);
    assert_eq!(signals(), Signals::NONE);
    drop(last);
    assert_eq!(signals(), Signals::VMO_ZERO_CHILDREN);
}

#[ktest]
fn a_child_counts_until_its_last_mapping_is_gone() {
    let process = process();
    let parent = vmo();
    let child = child(&parent, VmoChildOptions::SNAPSHOT);
    let root = Arc::clone(process.root());
    let mapped = root.vmar().map(MapRequest {
        options: VmOptions::PERM_READ,
        offset: 0,
        vmo: Arc::clone(child.vmo()),
        vmo_offset: 0,
        length: PAGE_SIZE,
        permitted: Access::READ,
    });
    assert!(mapped.is_ok());
    drop(child);
    assert_eq!(parent.header().signals().active(), Signals::NONE);
    process.kill();
    let none_left = Signals::VMO_ZERO_CHILDREN;
    assert_eq!(parent.header().signals().active(), none_left);
}

#[ktest]
fn a_process_that_is_killed_while_it_is_filled_keeps_nothing() {
    let process = process();
    process.kill();
    let own = Handle::new(Arc::clone(&process), Rights::PROCESS_DEFAULT);
    assert!(process.add_handle(own).is_ok());
    process.give_up();
    assert_eq!(process.handle_count(), 0);
    assert_eq!(process.header().handle_count(), 0);
    assert_eq!(Arc::strong_count(&process), 1);
}

#[ktest]
fn names_belong_to_objects_that_have_one() {
    let process = process();
    let name = Name::new_lossy("renamed");
    let object = KernelObject::from(Arc::clone(&process));
    assert_eq!(object.set_name(name), Some(()));
    assert_eq!(process.name(), name);
    assert_eq!(KernelObject::from(Arc::clone(process.root())).name(), None);
    assert_eq!(
        KernelObject::from(Arc::clone(process.root())).set_name(name),
        None
    );
    process.abandon();
}
