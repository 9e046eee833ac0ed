//! `zx_object_wait_one`: `docs/spec/objects.md` §4, and the signals of VMOs and tasks.
//!
//! What ends a wait while it goes on cannot be seen by a program with one thread; that is tested in the
//! kernel.

use core::ptr;

use zx::{
    AsHandleRef, MonotonicDuration, MonotonicInstant, Rights, Signals, Status, Task, Vmo,
    WaitResult, ok, sys,
};

use crate::fixtures::{BAD_ADDRESSES, Region, bad_handles, vmo_of, with_rights, without_rights};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};
use crate::processes::Child;

pub const TESTS: &[Test] = tests![
    refuses_what_is_no_handle,
    needs_the_wait_right_and_no_other,
    refuses_objects_without_signals,
    a_refused_wait_tells_nothing,
    ends_at_once_if_one_signal_is_active,
    tells_every_active_signal,
    any_signal_of_several_is_enough,
    times_out_at_the_deadline,
    a_deadline_that_has_passed_asks_once,
    a_time_out_tells_the_signals,
    an_active_signal_wins_over_a_past_deadline,
    no_signal_is_never_satisfied,
    signals_that_never_come_time_out,
    needs_no_place_for_the_answer,
    refuses_bad_places_for_the_answer,
    a_bad_place_wins_over_a_time_out,
    the_handle_comes_before_the_place,
    signals_stay_active_after_a_wait,
    a_new_vmo_has_no_children,
    a_process_is_terminated_once_it_has_ended,
    a_job_with_processes_says_so,
];

const NONE: Signals = Signals::NONE;

const NOW: MonotonicInstant = MonotonicInstant::INFINITE_PAST;

/// The signals of a new VMO.
const FRESH: Signals = Signals::VMO_ZERO_CHILDREN;

/// What is written nowhere by the kernel.
const UNTOUCHED: u32 = 0x5a5a_5a5a;

/// The time that waits of a test take.
fn soon() -> MonotonicInstant {
    MonotonicInstant::after(MonotonicDuration::from_millis(1))
}

/// Makes the call with any address for the answer.
fn wait(handle: u32, signals: Signals, deadline: i64, observed: *mut u32) -> Result<(), Status> {
    // SAFETY: the tests give a place of their own, none, or addresses that the kernel refuses.
    ok(unsafe { sys::zx_object_wait_one(handle, signals.bits(), deadline, observed) })
}

fn refuses_what_is_no_handle() -> Outcome {
    for bad in bad_handles()? {
        for deadline in [0, i64::MAX] {
            let refused = wait(bad, Signals::USER_0, deadline, ptr::null_mut());
            check_refused(refused, Status::BAD_HANDLE)?;
        }
    }
    Ok(())
}

fn needs_the_wait_right_and_no_other() -> Outcome {
    let vmo = vmo_of(0)?;
    let weak = without_rights::<Vmo>(&vmo, Rights::WAIT)?;
    for deadline in [NOW, MonotonicInstant::INFINITE] {
        let refused = WaitResult::Err(Status::ACCESS_DENIED);
        check_eq(weak.wait_one(FRESH, deadline), refused)?;
        check_eq(weak.wait_one(Signals::USER_0, deadline), refused)?;
    }
    let strong = with_rights::<Vmo>(&vmo, Rights::WAIT)?;
    check_eq(strong.wait_one(FRESH, NOW), WaitResult::Ok(FRESH))
}

fn refuses_objects_without_signals() -> Outcome {
    // There is no handle to them with the right.
    let refused = WaitResult::Err(Status::ACCESS_DENIED);
    check_eq(Region::new(1)?.wait_one(Signals::USER_0, NOW), refused)?;
    check_eq(
        rt::system_resource().wait_one(Signals::USER_0, NOW),
        refused,
    )
}

fn a_refused_wait_tells_nothing() -> Outcome {
    let weak = without_rights::<Vmo>(&vmo_of(0)?, Rights::WAIT)?;
    let mut observed = UNTOUCHED;
    for handle in [weak.raw_handle(), sys::ZX_HANDLE_INVALID] {
        check(wait(handle, FRESH, 0, &mut observed).is_err(), "a refusal")?;
        check_eq(observed, UNTOUCHED)?;
    }
    Ok(())
}

fn ends_at_once_if_one_signal_is_active() -> Outcome {
    let vmo = vmo_of(0)?;
    for deadline in [NOW, soon(), MonotonicInstant::INFINITE] {
        check_eq(vmo.wait_one(FRESH, deadline), WaitResult::Ok(FRESH))?;
    }
    Ok(())
}

fn tells_every_active_signal() -> Outcome {
    let vmo = vmo_of(0)?;
    let set = Signals::USER_1 | Signals::USER_5;
    vmo.signal(NONE, set)?;
    let ended = vmo.wait_one(Signals::USER_5, MonotonicInstant::INFINITE);
    check_eq(ended, WaitResult::Ok(FRESH | set))
}

fn any_signal_of_several_is_enough() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.signal(NONE, Signals::USER_5)?;
    for wanted in [
        Signals::USER_ALL,
        Signals::USER_4 | Signals::USER_5,
        Signals::all(),
    ] {
        let ended = vmo.wait_one(wanted, MonotonicInstant::INFINITE);
        check_eq(ended, WaitResult::Ok(FRESH | Signals::USER_5))?;
    }
    Ok(())
}

fn times_out_at_the_deadline() -> Outcome {
    let vmo = vmo_of(0)?;
    let deadline = soon();
    let ended = vmo.wait_one(Signals::USER_0, deadline);
    check_eq(ended, WaitResult::TimedOut(FRESH))?;
    check(MonotonicInstant::get() >= deadline, "the deadline to pass")
}

fn a_deadline_that_has_passed_asks_once() -> Outcome {
    let vmo = vmo_of(0)?;
    let past = MonotonicInstant::get().into_nanos();
    for deadline in [i64::MIN, -1, 0, 1, past] {
        let deadline = MonotonicInstant::from_nanos(deadline);
        let ended = vmo.wait_one(Signals::USER_0, deadline);
        check_eq(ended, WaitResult::TimedOut(FRESH))?;
    }
    Ok(())
}

fn a_time_out_tells_the_signals() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.signal(NONE, Signals::USER_2)?;
    for deadline in [NOW, soon()] {
        let ended = vmo.wait_one(Signals::USER_0, deadline);
        check_eq(ended, WaitResult::TimedOut(FRESH | Signals::USER_2))?;
    }
    Ok(())
}

fn an_active_signal_wins_over_a_past_deadline() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.signal(NONE, Signals::USER_0)?;
    let ended = vmo.wait_one(Signals::USER_0, NOW);
    check_eq(ended, WaitResult::Ok(FRESH | Signals::USER_0))
}

fn no_signal_is_never_satisfied() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.signal(NONE, Signals::USER_ALL)?;
    for deadline in [NOW, soon()] {
        let ended = vmo.wait_one(NONE, deadline);
        check_eq(ended, WaitResult::TimedOut(FRESH | Signals::USER_ALL))?;
    }
    Ok(())
}

fn signals_that_never_come_time_out() -> Outcome {
    let vmo = vmo_of(0)?;
    // Bits that mean nothing for a VMO may be asked for, and that of closed handles is never on an object.
    let others = Signals::OBJECT_ALL.difference(FRESH);
    check_eq(vmo.wait_one(others, soon()), WaitResult::TimedOut(FRESH))?;
    let ended = vmo.wait_one(Signals::HANDLE_CLOSED, soon());
    check_eq(ended, WaitResult::TimedOut(FRESH))
}

fn needs_no_place_for_the_answer() -> Outcome {
    let vmo = vmo_of(0)?;
    let handle = vmo.raw_handle();
    check_eq(wait(handle, FRESH, i64::MAX, ptr::null_mut()), Ok(()))?;
    let late = wait(handle, Signals::USER_0, 0, ptr::null_mut());
    check_refused(late, Status::TIMED_OUT)
}

fn refuses_bad_places_for_the_answer() -> Outcome {
    let vmo = vmo_of(0)?;
    for bad in BAD_ADDRESSES.into_iter().filter(|bad| *bad != 0) {
        let bad = ptr::without_provenance_mut(bad);
        let refused = wait(vmo.raw_handle(), FRESH, i64::MAX, bad);
        check_refused(refused, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn a_bad_place_wins_over_a_time_out() -> Outcome {
    let vmo = vmo_of(0)?;
    let bad = ptr::without_provenance_mut(1);
    for deadline in [0, soon().into_nanos()] {
        let refused = wait(vmo.raw_handle(), Signals::USER_0, deadline, bad);
        check_refused(refused, Status::INVALID_ARGS)?;
    }
    Ok(())
}

fn the_handle_comes_before_the_place() -> Outcome {
    let bad = ptr::without_provenance_mut(1);
    let weak = without_rights::<Vmo>(&vmo_of(0)?, Rights::WAIT)?;
    let none = sys::ZX_HANDLE_INVALID;
    check_refused(wait(none, FRESH, 0, bad), Status::BAD_HANDLE)?;
    let refused = wait(weak.raw_handle(), FRESH, 0, bad);
    check_refused(refused, Status::ACCESS_DENIED)
}

fn signals_stay_active_after_a_wait() -> Outcome {
    let vmo = vmo_of(0)?;
    vmo.signal(NONE, Signals::USER_0)?;
    for _ in 0..3 {
        let ended = vmo.wait_one(Signals::USER_0, MonotonicInstant::INFINITE);
        check_eq(ended, WaitResult::Ok(FRESH | Signals::USER_0))?;
    }
    Ok(())
}

fn a_new_vmo_has_no_children() -> Outcome {
    let ended = vmo_of(1)?.wait_handle(Signals::VMO_ZERO_CHILDREN, NOW);
    check_eq(ended, WaitResult::Ok(Signals::VMO_ZERO_CHILDREN))
}

fn a_process_is_terminated_once_it_has_ended() -> Outcome {
    let child = Child::new()?;
    let terminated = Signals::PROCESS_TERMINATED;
    let alive = child.wait_handle(terminated, soon());
    check_eq(alive, WaitResult::TimedOut(NONE))?;
    child.kill()?;
    let ended = child.wait_handle(terminated, MonotonicInstant::INFINITE);
    check_eq(ended, WaitResult::Ok(terminated))
}

fn a_job_with_processes_says_so() -> Outcome {
    // This program is one of them.
    let job = rt::job_default();
    let ended = job.wait_handle(Signals::JOB_NO_PROCESSES, NOW);
    check_eq(ended, WaitResult::TimedOut(Signals::JOB_NO_JOBS))
}
