//! Where another processor may come in between.
//!
//! Processors meet in locks and in counts of references. Whoever is about to take or change one that other
//! processors may have their hands on, calls [`step`] first. That does nothing at all, except in the tests of
//! `concurrency`: there one thread plays all processors, and at each step another one may go on. So that
//! one of them can wait for a lock there, the locks that are held across steps have types of their own.

#[cfg(test)]
pub(crate) use crate::concurrency::{Relax, step};

/// How a processor waits for a lock.
#[cfg(not(test))]
pub(crate) type Relax = spin::relax::Spin;

/// Another processor may come in between what was done so far and what is done next.
#[cfg(not(test))]
#[inline(always)]
pub(crate) const fn step() {}

/// A lock that is held across steps.
pub(crate) type Mutex<T> = spin::mutex::Mutex<T, Relax>;

/// What its holder has.
pub(crate) type MutexGuard<'a, T> = spin::mutex::MutexGuard<'a, T, Relax>;

/// A lock that is held across steps; nothing but a lock, also where [`Mutex`] is fair.
pub(crate) type SpinMutex<T> = spin::mutex::SpinMutex<T, Relax>;

/// What its holder has.
pub(crate) type SpinMutexGuard<'a, T> = spin::mutex::SpinMutexGuard<'a, T, Relax>;

/// A lock for many readers or one writer that is held across steps.
pub(crate) type RwLock<T> = spin::rwlock::RwLock<T, Relax>;

/// What its readers have.
pub(crate) type RwLockReadGuard<'a, T> = spin::rwlock::RwLockReadGuard<'a, T, Relax>;

/// What its writer has.
pub(crate) type RwLockWriteGuard<'a, T> = spin::rwlock::RwLockWriteGuard<'a, T, Relax>;
