//! Data that the lock of an address space guards, wherever it is stored.
//!
//! All VMARs and mappings of an [`AddressSpace`] are one tree under one lock, but the tree's parts are
//! separate objects that others hold on to. A [`LockedBy`] cell is such a part. It gives its contents
//! only to whoever shows a guard of the right lock:
//!
//! ```text
//!   AddressSpace ── lock ──► ReadGuard   opens cells for reading
//!        ▲                   WriteGuard  opens one cell at a time for changes
//!        │ owner
//!     LockedBy<T>            in a VMAR: its children; in a mapping: its permissions
//! ```
//!
//! This file is the only one above the page database and the intrusive links with `unsafe` in it.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::fmt;
use core::ptr;

use crate::aspace::{AddressSpace, Root};
use crate::mmu::Mmu;
use crate::sync::{RwLockReadGuard, RwLockWriteGuard, step};

/// Proof that the tree of one address space cannot change.
pub struct ReadGuard<'a, M: Mmu> {
    owner: &'a AddressSpace<M>,
    root: RwLockReadGuard<'a, Root<M>>,
}

/// Proof that nobody else looks at the tree of one address space.
pub struct WriteGuard<'a, M: Mmu> {
    owner: &'a AddressSpace<M>,
    root: RwLockWriteGuard<'a, Root<M>>,
}

/// A guard of the lock of an address space.
///
/// Implemented by the two guards of this module, and by nothing else: a guard proves that its owner's
/// lock is held.
pub trait Guard<M: Mmu>: sealed::Sealed {
    /// The address space whose lock is held.
    fn owner(&self) -> &AddressSpace<M>;

    /// The root of the tree.
    fn root(&self) -> &Root<M>;
}

mod sealed {
    pub trait Sealed {}
    impl<M: super::Mmu> Sealed for super::ReadGuard<'_, M> {}
    impl<M: super::Mmu> Sealed for super::WriteGuard<'_, M> {}
}

impl<'a, M: Mmu> ReadGuard<'a, M> {
    /// Locks `owner` for reading.
    #[inline]
    pub fn new(owner: &'a AddressSpace<M>) -> Self {
        step();
        Self {
            owner,
            root: owner.lock().read(),
        }
    }
}

impl<'a, M: Mmu> WriteGuard<'a, M> {
    /// Locks `owner` for changes.
    #[inline]
    pub fn new(owner: &'a AddressSpace<M>) -> Self {
        step();
        Self {
            owner,
            root: owner.lock().write(),
        }
    }

    /// The root of the tree, for changes.
    pub fn root_mut(&mut self) -> &mut Root<M> {
        &mut self.root
    }
}

impl<M: Mmu> Guard<M> for ReadGuard<'_, M> {
    #[inline]
    fn owner(&self) -> &AddressSpace<M> {
        self.owner
    }

    #[inline]
    fn root(&self) -> &Root<M> {
        &self.root
    }
}

impl<M: Mmu> Guard<M> for WriteGuard<'_, M> {
    #[inline]
    fn owner(&self) -> &AddressSpace<M> {
        self.owner
    }

    #[inline]
    fn root(&self) -> &Root<M> {
        &self.root
    }
}

/// A value that the lock of `owner` guards.
///
/// References to the value come only from [`get`](Self::get) and [`get_mut`](Self::get_mut). Both
/// borrow a guard of `owner`'s lock for as long as they live, `get_mut` exclusively.
pub struct LockedBy<M: Mmu, T> {
    owner: Arc<AddressSpace<M>>,
    value: UnsafeCell<T>,
}

// SAFETY:
// 1. A shared cell gives out `&T` to several threads, which `T: Sync` allows.
// 2. It gives out `&mut T` to the thread that holds the lock for writing, one after the other, which
//    `T: Send` allows.
// 3. The lock itself orders what one thread writes before what the next one reads.
unsafe impl<M: Mmu, T: Send + Sync> Sync for LockedBy<M, T> {}

impl<M: Mmu, T> LockedBy<M, T> {
    /// A cell that the lock of `owner` guards.
    pub const fn new(owner: Arc<AddressSpace<M>>, value: T) -> Self {
        Self {
            owner,
            value: UnsafeCell::new(value),
        }
    }

    /// The address space whose lock guards this cell.
    #[inline]
    pub const fn owner(&self) -> &Arc<AddressSpace<M>> {
        &self.owner
    }

    /// The value, for reading.
    ///
    /// # Panics
    /// If the guard is of another address space.
    #[inline]
    pub fn get<'a>(&'a self, guard: &'a impl Guard<M>) -> &'a T {
        self.check(guard);
        // SAFETY:
        // 1. `check` made sure that the guard is of the lock that guards this cell.
        // 2. A `&mut T` from `get_mut` borrows the write guard exclusively, so it cannot live at the
        //    same time as this borrow of that guard, nor, by the lock, as a read guard.
        unsafe { &*self.value.get() }
    }

    /// The value, for changes.
    ///
    /// # Panics
    /// If the guard is of another address space.
    #[inline]
    pub fn get_mut<'a>(&'a self, guard: &'a mut WriteGuard<'_, M>) -> &'a mut T {
        self.check(guard);
        // SAFETY:
        // 1. `check` made sure that the guard is of the lock that guards this cell.
        // 2. A write guard excludes all other guards of its lock, and it is borrowed exclusively, so
        //    no reference from `get` or `get_mut` to any cell of this owner lives.
        unsafe { &mut *self.value.get() }
    }

    #[inline]
    fn check(&self, guard: &impl Guard<M>) {
        assert!(
            ptr::eq(guard.owner(), &*self.owner),
            "a guard of another address space"
        );
    }
}

impl<M: Mmu, T> fmt::Debug for LockedBy<M, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LockedBy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    #[should_panic(expected = "a guard of another address space")]
    fn a_guard_opens_no_cell_of_another_address_space() {
        let (one, other) = (World::new(), World::new());
        let cell = LockedBy::new(one.space.clone(), 1);
        let guard = other.space.read();
        assert_eq!(*cell.get(&guard), 1);
    }

    #[test]
    fn what_one_guard_writes_the_next_one_reads() {
        let world = World::new();
        let cell = LockedBy::new(world.space.clone(), 1);
        *cell.get_mut(&mut world.space.write()) += 1;
        assert_eq!(*cell.get(&world.space.read()), 2);
        drop(cell);
        finish(world);
    }
}
