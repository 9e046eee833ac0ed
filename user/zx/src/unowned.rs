//! Handles on loan.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;

use crate::{AsHandleRef, Handle, HandleBased, MonotonicInstant, Signals, WaitResult, sys};

/// An object whose handle belongs to somebody else for the time `'a`; dropping it closes nothing.
#[derive(Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Unowned<'a, T> {
    inner: ManuallyDrop<T>,
    owner: PhantomData<&'a T>,
}

/// A handle on loan, of whatever type.
pub type HandleRef<'a> = Unowned<'a, Handle>;

impl<'a, T: HandleBased> Unowned<'a, T> {
    /// Lends the object of `owner`.
    pub fn new(owner: &'a T) -> Self {
        // SAFETY: `owner` stays borrowed, and so alive, for `'a`.
        unsafe { Self::from_raw_handle(owner.raw_handle()) }
    }

    /// Lends a raw handle.
    ///
    /// # Safety
    /// - Nobody closes or replaces `raw` within `'a`.
    pub unsafe fn from_raw_handle(raw: sys::zx_handle_t) -> Self {
        // SAFETY: `ManuallyDrop` never closes the handle, so its owner remains the only one to do so.
        let handle = unsafe { Handle::from_raw(raw) };
        Self {
            inner: ManuallyDrop::new(T::from(handle)),
            owner: PhantomData,
        }
    }

    /// The raw handle, which stays with its owner.
    pub fn raw_handle(&self) -> sys::zx_handle_t {
        self.inner.raw_handle()
    }

    /// Waits until the object has one of `signals`, at most until `deadline`; see [`Handle::wait_one`].
    pub fn wait(&self, signals: Signals, deadline: MonotonicInstant) -> WaitResult {
        self.inner.wait_handle(signals, deadline)
    }

    /// The same handle as another type; nobody checks the object's type.
    pub fn cast<U: HandleBased>(self) -> Unowned<'a, U> {
        // SAFETY: the loan is the one that `self` had, to the same end.
        unsafe { Unowned::from_raw_handle(self.raw_handle()) }
    }
}

impl<T: HandleBased> Clone for Unowned<'_, T> {
    fn clone(&self) -> Self {
        // SAFETY: the loan is the one that `self` has, to the same end.
        unsafe { Self::from_raw_handle(self.raw_handle()) }
    }
}

impl<T> Deref for Unowned<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: HandleBased> AsHandleRef for Unowned<'_, T> {
    fn as_handle_ref(&self) -> HandleRef<'_> {
        self.inner.as_handle_ref()
    }
}
