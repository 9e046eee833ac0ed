//! Handles, and what every object type can do with its own.

use core::mem;

use crate::info::{HandleBasic, HandleCount};
use crate::property::NameProperty;
use crate::{
    HandleBasicInfo, HandleCountInfo, HandleRef, Koid, MonotonicInstant, Name, Rights, Signals,
    Status, Unowned, WaitResult, object_get_info_single, object_get_property, object_set_property,
    ok, sys,
};

/// A handle that closes itself when dropped, or the invalid value.
///
/// The number in it belongs to this value alone; only `from_raw` can break that.
#[derive(Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Handle(sys::zx_handle_t);

/// What later generations of the API call a handle that may be invalid.
pub type NullableHandle = Handle;

impl Handle {
    /// The handle that names nothing.
    pub const fn invalid() -> Self {
        Self(sys::ZX_HANDLE_INVALID)
    }

    /// Whether this handle names nothing.
    pub const fn is_invalid(&self) -> bool {
        self.0 == sys::ZX_HANDLE_INVALID
    }

    /// Takes over a raw handle.
    ///
    /// # Safety
    /// - Nothing else closes or replaces `raw`.
    pub const unsafe fn from_raw(raw: sys::zx_handle_t) -> Self {
        Self(raw)
    }

    /// The raw handle, which stays owned by this value.
    pub const fn raw_handle(&self) -> sys::zx_handle_t {
        self.0
    }

    /// Gives the raw handle away without closing it.
    pub const fn into_raw(self) -> sys::zx_handle_t {
        let raw = self.0;
        mem::forget(self);
        raw
    }

    /// Makes another handle to the same object.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: this handle is invalid.
    /// - `ACCESS_DENIED`: no `DUPLICATE` right.
    /// - `INVALID_ARGS`: `rights` are neither `SAME_RIGHTS` nor a subset of this handle's.
    pub fn duplicate(&self, rights: Rights) -> Result<Self, Status> {
        let mut duplicate = sys::ZX_HANDLE_INVALID;
        // SAFETY:
        // 1. `duplicate` is a live local that the call may write.
        // 2. Duplicating takes nothing away from `self`.
        ok(unsafe { sys::zx_handle_duplicate(self.0, rights.bits(), &mut duplicate) })?;
        Ok(Self(duplicate))
    }

    /// Replaces this handle by one with the same or fewer rights; it is closed also on failure.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: this handle is invalid.
    /// - `INVALID_ARGS`: `rights` are neither `SAME_RIGHTS` nor a subset of this handle's.
    pub fn replace(self, rights: Rights) -> Result<Self, Status> {
        let mut replacement = sys::ZX_HANDLE_INVALID;
        // SAFETY:
        // 1. `replacement` is a live local that the call may write.
        // 2. `into_raw` gave the handle away, so that only the call closes it.
        ok(unsafe { sys::zx_handle_replace(self.into_raw(), rights.bits(), &mut replacement) })?;
        Ok(Self(replacement))
    }

    /// Clears, then sets signals of the object that belong to programs.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `SIGNAL` right.
    /// - `INVALID_ARGS`: one of the signals belongs to the kernel.
    pub fn signal(&self, clear: Signals, set: Signals) -> Result<(), Status> {
        // SAFETY: the call takes no pointer, and signals are no memory.
        ok(unsafe { sys::zx_object_signal(self.0, clear.bits(), set.bits()) })
    }

    /// Waits until the object has one of `signals`, at most until `deadline`.
    ///
    /// A deadline that has passed asks without waiting.
    pub fn wait_one(&self, signals: Signals, deadline: MonotonicInstant) -> WaitResult {
        let mut observed = 0;
        // SAFETY: `observed` is a live local that the call may write.
        let raw = unsafe {
            sys::zx_object_wait_one(self.0, signals.bits(), deadline.into_nanos(), &mut observed)
        };
        let observed = Signals::from_bits_retain(observed);
        match ok(raw) {
            Ok(()) => WaitResult::Ok(observed),
            Err(Status::TIMED_OUT) => WaitResult::TimedOut(observed),
            Err(Status::CANCELED) => WaitResult::Canceled(observed),
            Err(status) => WaitResult::Err(status),
        }
    }

    /// Asks whether a raw value names a handle of this process.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: it does not.
    pub fn check_raw_valid(raw: sys::zx_handle_t) -> Result<(), Status> {
        // SAFETY: the call takes no pointer and changes nothing.
        ok(unsafe { sys::zx_handle_check_valid(raw) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.is_invalid() {
            // SAFETY: `self` owns the handle and is never used again.
            // The status says nothing new: an owned handle can always be closed.
            let _ = unsafe { sys::zx_handle_close(self.0) };
        }
    }
}

/// What can lend its handle.
pub trait AsHandleRef {
    /// Lends the handle.
    fn as_handle_ref(&self) -> HandleRef<'_>;

    /// The raw handle, which stays owned by this value.
    fn raw_handle(&self) -> sys::zx_handle_t {
        self.as_handle_ref().raw_handle()
    }

    /// Clears, then sets signals of the object that belong to programs.
    ///
    /// # Errors
    /// As [`Handle::signal`].
    fn signal_handle(&self, clear: Signals, set: Signals) -> Result<(), Status> {
        self.as_handle_ref().signal(clear, set)
    }

    /// Waits until the object has one of `signals`, at most until `deadline`; see [`Handle::wait_one`].
    fn wait_handle(&self, signals: Signals, deadline: MonotonicInstant) -> WaitResult {
        self.as_handle_ref().wait_one(signals, deadline)
    }

    /// The object's name.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `GET_PROPERTY` right.
    fn get_name(&self) -> Result<Name, Status> {
        object_get_property::<NameProperty>(self.as_handle_ref())
    }

    /// Changes the object's name.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `SET_PROPERTY` right.
    fn set_name(&self, name: &Name) -> Result<(), Status> {
        object_set_property::<NameProperty>(self.as_handle_ref(), name)
    }

    /// The object's koid and type, and the handle's rights.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: the handle is invalid.
    fn basic_info(&self) -> Result<HandleBasicInfo, Status> {
        object_get_info_single::<HandleBasic>(self.as_handle_ref()).map(HandleBasicInfo::from)
    }

    /// How many handles name the object.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    fn count_info(&self) -> Result<HandleCountInfo, Status> {
        object_get_info_single::<HandleCount>(self.as_handle_ref()).map(HandleCountInfo::from)
    }

    /// The object's koid.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: the handle is invalid.
    fn get_koid(&self) -> Result<Koid, Status> {
        self.basic_info().map(|info| info.koid)
    }
}

impl AsHandleRef for Handle {
    fn as_handle_ref(&self) -> HandleRef<'_> {
        Unowned::new(self)
    }

    fn raw_handle(&self) -> sys::zx_handle_t {
        self.0
    }
}

impl<T: AsHandleRef + ?Sized> AsHandleRef for &T {
    fn as_handle_ref(&self) -> HandleRef<'_> {
        (**self).as_handle_ref()
    }
}

/// A type that is a handle and nothing else.
pub trait HandleBased: AsHandleRef + From<Handle> + Into<Handle> {
    /// Makes another handle to the same object.
    ///
    /// # Errors
    /// As [`Handle::duplicate`].
    fn duplicate_handle(&self, rights: Rights) -> Result<Self, Status> {
        self.as_handle_ref().duplicate(rights).map(Self::from)
    }

    /// Replaces the handle by one with the same or fewer rights; it is closed also on failure.
    ///
    /// # Errors
    /// As [`Handle::replace`].
    fn replace_handle(self, rights: Rights) -> Result<Self, Status> {
        self.into_handle().replace(rights).map(Self::from)
    }

    /// The handle in this value.
    fn into_handle(self) -> Handle {
        self.into()
    }

    /// Gives the raw handle away without closing it.
    fn into_raw(self) -> sys::zx_handle_t {
        self.into_handle().into_raw()
    }

    /// Wraps a handle; nobody checks the object's type.
    fn from_handle(handle: Handle) -> Self {
        Self::from(handle)
    }

    /// Wraps the handle in another type; nobody checks the object's type.
    fn into_handle_based<H: HandleBased>(self) -> H {
        H::from_handle(self.into_handle())
    }

    /// Wraps another type's handle; nobody checks the object's type.
    fn from_handle_based<H: HandleBased>(other: H) -> Self {
        Self::from_handle(other.into_handle())
    }

    /// Whether the handle names nothing.
    fn is_invalid_handle(&self) -> bool {
        self.as_handle_ref().is_invalid()
    }
}

impl HandleBased for Handle {}

/// Declares an object type around a handle with its conversions.
macro_rules! handle_type {
    ($(#[$doc:meta])* pub struct $name:ident;) => {
        $(#[$doc])*
        #[derive(Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(transparent)]
        pub struct $name($crate::Handle);

        impl $name {
            /// Makes another handle to the same object; see [`Handle::duplicate`]($crate::Handle::duplicate).
            ///
            /// # Errors
            /// As there.
            pub fn duplicate(&self, rights: $crate::Rights) -> Result<Self, $crate::Status> {
                self.0.duplicate(rights).map(Self)
            }

            /// Replaces the handle; see [`Handle::replace`]($crate::Handle::replace).
            ///
            /// # Errors
            /// As there.
            pub fn replace(self, rights: $crate::Rights) -> Result<Self, $crate::Status> {
                self.0.replace(rights).map(Self)
            }

            /// Clears, then sets signals; see [`Handle::signal`]($crate::Handle::signal).
            ///
            /// # Errors
            /// As there.
            pub fn signal(
                &self,
                clear: $crate::Signals,
                set: $crate::Signals,
            ) -> Result<(), $crate::Status> {
                self.0.signal(clear, set)
            }

            /// Waits for signals; see [`Handle::wait_one`]($crate::Handle::wait_one).
            pub fn wait_one(
                &self,
                signals: $crate::Signals,
                deadline: $crate::MonotonicInstant,
            ) -> $crate::WaitResult {
                self.0.wait_one(signals, deadline)
            }

            /// The object's koid.
            ///
            /// # Errors
            /// - `BAD_HANDLE`: the handle is invalid.
            pub fn koid(&self) -> Result<$crate::Koid, $crate::Status> {
                $crate::AsHandleRef::get_koid(self)
            }
        }

        impl From<$crate::Handle> for $name {
            fn from(handle: $crate::Handle) -> Self {
                Self(handle)
            }
        }

        impl From<$name> for $crate::Handle {
            fn from(object: $name) -> Self {
                object.0
            }
        }

        impl $crate::AsHandleRef for $name {
            fn as_handle_ref(&self) -> $crate::HandleRef<'_> {
                $crate::AsHandleRef::as_handle_ref(&self.0)
            }
        }

        impl $crate::HandleBased for $name {}
    };
}

pub(crate) use handle_type;

#[cfg(test)]
mod tests;
