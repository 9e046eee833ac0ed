//! The handles of a process: given, taken away, and looked up.

use alloc::sync::Arc;

use syscall::{HandleValue, Result, Rights, Status};

use super::super::{KernelObject, Object};
use super::Process;
use crate::handle::{Handle, HandleTable, require};

impl Process {
    /// The number of handles of the process.
    pub fn handle_count(&self) -> usize {
        self.handles.lock().len()
    }

    /// Gives the process a handle and returns its value.
    ///
    /// # Errors
    /// - `NO_MEMORY`: the table is full or cannot grow. The handle is closed.
    pub fn add_handle(&self, handle: Handle) -> Result<HandleValue> {
        let inserted = self.handles.lock().insert(handle);
        // A handle that found no room is dropped here, where the table's lock is open again.
        inserted
            .map(HandleValue::from_raw)
            .map_err(|_| Status::NO_MEMORY)
    }

    /// Takes a handle away from the process; the caller closes it by dropping it.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: `value` names no handle of the process.
    pub fn remove_handle(&self, value: HandleValue) -> Result<Handle> {
        self.handles
            .lock()
            .remove(value.into_raw())
            .ok_or(Status::BAD_HANDLE)
    }

    /// The object that `value` names, whatever it is, and the rights of that handle.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: `value` names no handle of the process.
    pub fn any_object(&self, value: HandleValue) -> Result<(KernelObject, Rights)> {
        let handles = self.handles.lock();
        let handle = handles.get(value.into_raw()).ok_or(Status::BAD_HANDLE)?;
        Ok((handle.object().clone(), handle.rights()))
    }

    /// Shows `look` the handle that `value` names; `look` holds the lock of the handles.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: `value` names no handle of the process.
    /// - Whatever `look` answers.
    pub fn with_handle<R>(
        &self,
        value: HandleValue,
        look: impl FnOnce(&Handle) -> Result<R>,
    ) -> Result<R> {
        let handles = self.handles.lock();
        look(handles.get(value.into_raw()).ok_or(Status::BAD_HANDLE)?)
    }

    /// The object that `value` names and the rights of that handle, if it has at least `needed`.
    ///
    /// # Errors
    /// - `BAD_HANDLE`: `value` names no handle of the process.
    /// - `WRONG_TYPE`: the object is of another type.
    /// - `ACCESS_DENIED`: the handle lacks a right.
    pub fn object<T: Object>(
        &self,
        value: HandleValue,
        needed: Rights,
    ) -> Result<(Arc<T>, Rights)> {
        let handles = self.handles.lock();
        let (object, rights) = look_up(&handles, value)?;
        require(rights, needed)?;
        Ok((Arc::clone(object), rights))
    }

    /// Shows `look` the objects that two values name, and the rights of their handles.
    ///
    /// `look` holds the lock of the handles.
    ///
    /// # Errors
    /// For the first value, then for the second:
    /// - `BAD_HANDLE`: it names no handle of the process.
    /// - `WRONG_TYPE`: the object is of another type.
    #[inline]
    pub fn two_objects<A: Object, B: Object, R>(
        &self,
        values: (HandleValue, HandleValue),
        look: impl FnOnce((&Arc<A>, Rights), (&Arc<B>, Rights)) -> R,
    ) -> Result<R> {
        let handles = self.handles.lock();
        let first = look_up(&handles, values.0)?;
        let second = look_up(&handles, values.1)?;
        Ok(look(first, second))
    }
}

/// The object that `value` names and the rights of that handle.
#[inline]
fn look_up<T: Object>(
    handles: &HandleTable<Handle>,
    value: HandleValue,
) -> Result<(&Arc<T>, Rights)> {
    let handle = handles.get(value.into_raw()).ok_or(Status::BAD_HANDLE)?;
    let object = T::of(handle.object()).ok_or(Status::WRONG_TYPE)?;
    Ok((object, handle.rights()))
}
