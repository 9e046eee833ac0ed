//! Looking at all handles of a process, a few at a time.

use alloc::sync::Arc;

use arrayvec::ArrayVec;
use syscall::Rights;

use super::super::Object;
use super::Process;

/// Slots of the handle table that are looked at under one lock.
const STEP_SLOTS: usize = 32;

/// See [`Process::handles_from`].
pub struct HandleStep<T> {
    /// The objects, each with the rights of the handle.
    pub found: ArrayVec<(Arc<T>, Rights), STEP_SLOTS>,
    /// The slot to go on from; `None` if that was all.
    pub next: Option<usize>,
}

impl Process {
    /// A step of a walk over all handles to objects of one type, from slot `first` of the handle table on.
    ///
    /// There may be none in a step. A walk sees each handle that the process has all the while exactly once.
    pub fn handles_from<T: Object>(&self, first: usize) -> HandleStep<T> {
        let handles = self.handles.lock();
        let mut found = ArrayVec::new();
        let next = handles.visit(first..first.saturating_add(STEP_SLOTS), |handle| {
            if let Some(object) = T::of(handle.object()) {
                found.push((Arc::clone(object), handle.rights()));
            }
        });
        HandleStep { found, next }
    }
}
