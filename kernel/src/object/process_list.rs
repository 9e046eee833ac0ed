//! The processes that have not ended, by koid, and so by age.

use alloc::sync::Arc;
use alloc::vec::Vec;

use intrusive_collections::{Bound, KeyAdapter, RBTree, RBTreeAtomicLink, intrusive_adapter};
use spin::Mutex;
use syscall::{Koid, Result, Status};

use super::{Job, Process};

intrusive_adapter!(ProcessAdapter = Arc<Process>: Process { link => RBTreeAtomicLink });

impl KeyAdapter<'_> for ProcessAdapter {
    type Key = Koid;

    fn get_key(&self, process: &Process) -> Koid {
        process.header().koid()
    }
}

/// Every process that has not ended.
static PROCESSES: Mutex<RBTree<ProcessAdapter>> = Mutex::new(RBTree::new(ProcessAdapter::NEW));

/// Every process that has not ended, in order of creation.
///
/// # Errors
/// - `NO_MEMORY`: no memory for the list.
pub fn processes() -> Result<Vec<Arc<Process>>> {
    let processes = PROCESSES.lock();
    let mut list = Vec::new();
    list.try_reserve_exact(processes.iter().count())
        .map_err(|_| Status::NO_MEMORY)?;
    let mut cursor = processes.front();
    while let Some(process) = cursor.clone_pointer() {
        list.push(process);
        cursor.move_next();
    }
    Ok(list)
}

/// Adds a new process.
///
/// # Errors
/// - `BAD_STATE`: its job takes no more processes.
pub fn add(process: &Arc<Process>) -> Result<()> {
    let mut processes = PROCESSES.lock();
    process.job().check_alive()?;
    processes.insert(Arc::clone(process));
    process.job().count_in();
    drop(processes);
    process.job().update_signals();
    Ok(())
}

/// Takes out a process that has ended.
pub fn remove(process: &Process) {
    let mut processes = PROCESSES.lock();
    let removed = processes.find_mut(&process.header().koid()).remove();
    if removed.is_some() {
        process.job().count_out();
    }
    drop(processes);
    process.job().update_signals();
    // It may be the last owner, so it goes without the lock.
    drop(removed);
}

/// The process of `job` that comes next after the koid `last`.
pub fn next_in(job: &Arc<Job>, last: Koid) -> Option<Arc<Process>> {
    let processes = PROCESSES.lock();
    let mut cursor = processes.lower_bound(Bound::Excluded(&last));
    while let Some(process) = cursor.get() {
        if Arc::ptr_eq(process.job(), job) {
            return cursor.clone_pointer();
        }
        cursor.move_next();
    }
    None
}

/// Does `section` while no process joins or leaves.
pub fn locked<R>(section: impl FnOnce() -> R) -> R {
    let _processes = PROCESSES.lock();
    section()
}
