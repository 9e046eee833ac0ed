//! `zx_object_signal`: `docs/spec/objects.md` §3.

use zx::{
    AsHandleRef, HandleBased, MonotonicInstant, Rights, Signals, Status, Vmo, WaitResult, ok, sys,
};

use crate::fixtures::{Region, bad_handles, vmo_of, with_rights, without_rights};
use crate::harness::{Outcome, Test, check_eq, check_refused, tests};
use crate::processes::Child;

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    needs_the_signal_right_and_no_other,
    refuses_objects_without_signals,
    refuses_signals_of_the_kernel,
    the_right_comes_before_the_signals,
    takes_each_signal_of_programs,
    clears_before_it_sets,
    changes_no_other_signal,
    accepts_nothing_to_do,
    a_refused_call_changes_nothing,
    every_handle_sees_the_signals,
    works_on_every_type_with_signals,
    a_dead_process_takes_signals,
];

const NONE: Signals = Signals::NONE;

/// The signals of a new VMO.
const FRESH: Signals = Signals::VMO_ZERO_CHILDREN;

fn signal(handle: u32, clear: u32, set: u32) -> Result<(), Status> {
    // SAFETY: the call takes no pointer, and signals are no memory.
    ok(unsafe { sys::zx_object_signal(handle, clear, set) })
}

/// All signals that an object has.
fn signals_of(object: &impl AsHandleRef) -> Result<Signals, Status> {
    match object.wait_handle(NONE, MonotonicInstant::INFINITE_PAST) {
        WaitResult::TimedOut(active) => Ok(active),
        other => Err(other.err().unwrap_or(Status::INTERNAL)),
    }
}

fn refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        check_refused(signal(bad, 0, sys::ZX_USER_SIGNAL_0), Status::BAD_HANDLE)?;
        check_refused(signal(bad, 0, 1), Status::BAD_HANDLE)?;
    }
    Ok(())
}

fn needs_the_signal_right_and_no_other() -> Outcome {
    let vmo = vmo_of(0)?;
    let weak = without_rights::<Vmo>(&vmo, Rights::SIGNAL)?;
    check_refused(weak.signal(NONE, Signals::USER_0), Status::ACCESS_DENIED)?;
    check_refused(weak.signal(NONE, NONE), Status::ACCESS_DENIED)?;
    check_eq(signals_of(&vmo)?, FRESH)?;
    let strong = with_rights::<Vmo>(&vmo, Rights::SIGNAL)?;
    check_eq(strong.signal(NONE, Signals::USER_0), Ok(()))?;
    check_eq(signals_of(&vmo)?, FRESH | Signals::USER_0)
}

fn refuses_objects_without_signals() -> Outcome {
    // There is no handle to them with the right.
    let region = Region::new(1)?;
    check_refused(region.signal(NONE, Signals::USER_0), Status::ACCESS_DENIED)?;
    let resource = rt::system_resource();
    check_refused(
        resource.signal(NONE, Signals::USER_0),
        Status::ACCESS_DENIED,
    )
}

fn refuses_signals_of_the_kernel() -> Outcome {
    let vmo = vmo_of(0)?;
    for bit in 0..24 {
        for word in [1 << bit, sys::ZX_USER_SIGNAL_ALL | 1 << bit] {
            let handle = vmo.raw_handle();
            check_refused(signal(handle, word, 0), Status::INVALID_ARGS)?;
            check_refused(signal(handle, 0, word), Status::INVALID_ARGS)?;
            check_refused(signal(handle, word, word), Status::INVALID_ARGS)?;
        }
    }
    check_eq(signals_of(&vmo)?, FRESH)
}

fn the_right_comes_before_the_signals() -> Outcome {
    let weak = without_rights::<Vmo>(&vmo_of(0)?, Rights::SIGNAL)?;
    check_refused(
        signal(weak.raw_handle(), 1, u32::MAX),
        Status::ACCESS_DENIED,
    )
}

fn takes_each_signal_of_programs() -> Outcome {
    let vmo = vmo_of(0)?;
    for bit in 24..32 {
        let one = Signals::from_bits_retain(1 << bit);
        check_eq(vmo.signal(NONE, one), Ok(()))?;
        check_eq(signals_of(&vmo)?, FRESH | one)?;
        check_eq(vmo.signal(one, NONE), Ok(()))?;
        check_eq(signals_of(&vmo)?, FRESH)?;
    }
    check_eq(vmo.signal(NONE, Signals::USER_ALL), Ok(()))?;
    check_eq(signals_of(&vmo)?, FRESH | Signals::USER_ALL)?;
    check_eq(vmo.signal(Signals::USER_ALL, NONE), Ok(()))?;
    check_eq(signals_of(&vmo)?, FRESH)
}

fn clears_before_it_sets() -> Outcome {
    let vmo = vmo_of(0)?;
    check_eq(vmo.signal(Signals::USER_1, Signals::USER_1), Ok(()))?;
    check_eq(signals_of(&vmo)?, FRESH | Signals::USER_1)?;
    let both = Signals::USER_1 | Signals::USER_2;
    check_eq(vmo.signal(both, Signals::USER_2), Ok(()))?;
    check_eq(signals_of(&vmo)?, FRESH | Signals::USER_2)
}

fn changes_no_other_signal() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.signal(NONE, Signals::USER_0 | Signals::USER_7)?;
    vmo.signal(Signals::USER_1, Signals::USER_2)?;
    let expected = FRESH | Signals::USER_0 | Signals::USER_2 | Signals::USER_7;
    check_eq(signals_of(&vmo)?, expected)
}

fn accepts_nothing_to_do() -> Outcome {
    let vmo = vmo_of(0)?;
    check_eq(vmo.signal(NONE, NONE), Ok(()))?;
    check_eq(vmo.signal(Signals::USER_ALL, NONE), Ok(()))?;
    check_eq(signals_of(&vmo)?, FRESH)
}

fn a_refused_call_changes_nothing() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.signal(NONE, Signals::USER_3)?;
    let (user, kernel) = (sys::ZX_USER_SIGNAL_ALL, FRESH.bits());
    for (clear, set) in [(kernel, user), (user, kernel), (user | kernel, 0)] {
        check_refused(signal(vmo.raw_handle(), clear, set), Status::INVALID_ARGS)?;
        check_eq(signals_of(&vmo)?, FRESH | Signals::USER_3)?;
    }
    Ok(())
}

fn every_handle_sees_the_signals() -> Outcome {
    let vmo = vmo_of(0)?;
    let other = vmo.duplicate_handle(Rights::SAME_RIGHTS)?;
    vmo.signal(NONE, Signals::USER_4)?;
    check_eq(signals_of(&other)?, FRESH | Signals::USER_4)?;
    // They belong to the object, whoever set them.
    drop(vmo);
    check_eq(signals_of(&other)?, FRESH | Signals::USER_4)
}

/// Fails unless one signal of programs can be set and cleared again.
#[track_caller]
fn check_signals(object: &impl AsHandleRef) -> Outcome {
    let before = signals_of(object)?;
    check_eq(object.signal_handle(NONE, Signals::USER_6), Ok(()))?;
    check_eq(signals_of(object)?, before | Signals::USER_6)?;
    check_eq(object.signal_handle(Signals::USER_6, NONE), Ok(()))?;
    check_eq(signals_of(object)?, before)
}

fn works_on_every_type_with_signals() -> Outcome {
    check_signals(&vmo_of(0)?)?;
    check_signals(&*Child::new()?)?;
    check_signals(&rt::process_self())?;
    check_signals(&rt::job_default())
}

fn a_dead_process_takes_signals() -> Outcome {
    let child = Child::killed()?;
    check_signals(&*child)?;
    check_refused(
        child.signal(Signals::PROCESS_TERMINATED, NONE),
        Status::INVALID_ARGS,
    )?;
    check_eq(signals_of(&*child)?, Signals::PROCESS_TERMINATED)
}
