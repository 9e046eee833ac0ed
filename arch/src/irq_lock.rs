//! Locks that interrupt handlers may take too.
//!
//! Whoever holds an ordinary spin lock may be interrupted, so a handler that wanted the same lock
//! would wait forever. An [`IrqLock`] is only ever held with interrupts off.

use core::ops::{Deref, DerefMut};

use spin::mutex::{SpinMutex, SpinMutexGuard};

use crate::cpu;

/// Interrupts are off on this CPU as long as this value lives.
///
/// Dropping it puts back what was before, so sections nest. It must not move to another CPU, hence
/// the raw pointer, which makes it neither `Send` nor `Sync`.
#[must_use = "interrupts come back when this is dropped"]
pub struct InterruptsOff {
    were_on: bool,
    _stays_here: core::marker::PhantomData<*mut ()>,
}

impl InterruptsOff {
    /// Turns interrupts off, if they were on.
    #[inline]
    pub fn enter() -> Self {
        let were_on = cpu::interrupts_enabled();
        if were_on {
            cpu::disable_interrupts();
        }
        Self {
            were_on,
            _stays_here: core::marker::PhantomData,
        }
    }
}

impl Drop for InterruptsOff {
    #[inline]
    fn drop(&mut self) {
        if self.were_on {
            cpu::enable_interrupts();
        }
    }
}

/// Runs `section` with interrupts off.
#[inline]
pub fn without_interrupts<R>(section: impl FnOnce() -> R) -> R {
    let _off = InterruptsOff::enter();
    section()
}

/// A spin lock that is held with interrupts off.
#[derive(Debug, Default)]
pub struct IrqLock<T> {
    inner: SpinMutex<T>,
}

/// The right to use what an [`IrqLock`] protects.
pub struct IrqGuard<'a, T> {
    // Fields drop in this order: the lock opens before interrupts come back.
    inner: SpinMutexGuard<'a, T>,
    _off: InterruptsOff,
}

impl<T> IrqLock<T> {
    /// An open lock around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            inner: SpinMutex::new(value),
        }
    }

    /// Turns interrupts off and waits until the lock is free.
    #[inline]
    pub fn lock(&self) -> IrqGuard<'_, T> {
        let off = InterruptsOff::enter();
        IrqGuard {
            inner: self.inner.lock(),
            _off: off,
        }
    }

    /// Opens the lock whoever holds it, for a report by a CPU that will not go on.
    ///
    /// # Safety
    /// 1. The holder never runs again: this CPU is panicking and the others are halted, or it is
    ///    this CPU itself.
    pub unsafe fn force_unlock(&self) {
        // SAFETY:
        // 1. The caller promises that the holder does not run again, so nobody else uses the value.
        unsafe { self.inner.force_unlock() }
    }
}

impl<T> Deref for IrqGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for IrqGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}
