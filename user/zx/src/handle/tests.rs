//! What handles do without a kernel; the host's stubs answer `BAD_SYSCALL` to every call.

use super::{AsHandleRef, Handle, HandleBased};
use crate::{MonotonicInstant, Rights, Signals, Status, Unowned, Vmar, Vmo, WaitResult, sys};

/// A handle with a number that no kernel has given out.
fn handle(raw: sys::zx_handle_t) -> Handle {
    // SAFETY: the number is nobody's, so nothing else closes it.
    unsafe { Handle::from_raw(raw) }
}

#[test]
fn object_types_are_exactly_a_handle_and_cross_threads() {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<Vmar>();
    is_shareable::<Unowned<'_, Vmo>>();
    assert_eq!(size_of::<Vmar>(), size_of::<sys::zx_handle_t>());
}

#[test]
fn the_number_survives_every_wrapping() {
    let vmo = Vmo::from_handle(handle(7));
    assert_eq!(vmo.raw_handle(), 7);
    assert_eq!(vmo.as_handle_ref().raw_handle(), 7);
    assert_eq!(
        Unowned::new(&vmo)
            .cast::<Vmar>()
            .as_handle_ref()
            .raw_handle(),
        7
    );
    let vmar: Vmar = vmo.into_handle_based();
    assert_eq!(vmar.into_raw(), 7);
}

#[test]
fn only_zero_is_invalid() {
    assert!(Handle::invalid().is_invalid_handle());
    assert!(Vmo::from_handle(Handle::invalid()).is_invalid_handle());
    assert!(!handle(1).is_invalid_handle());
}

#[test]
fn a_refused_call_comes_back_as_its_status() {
    let vmo = Vmo::from_handle(handle(7));
    assert_eq!(vmo.get_koid(), Err(Status::BAD_SYSCALL));
    assert_eq!(
        vmo.duplicate_handle(Rights::SAME_RIGHTS),
        Err(Status::BAD_SYSCALL)
    );
    let now = MonotonicInstant::INFINITE_PAST;
    assert_eq!(
        vmo.wait_handle(Signals::USER_0, now),
        WaitResult::Err(Status::BAD_SYSCALL)
    );
    assert_eq!(
        vmo.signal_handle(Signals::NONE, Signals::USER_0),
        Err(Status::BAD_SYSCALL)
    );
    assert_eq!(vmo.replace_handle(Rights::NONE), Err(Status::BAD_SYSCALL));
}
