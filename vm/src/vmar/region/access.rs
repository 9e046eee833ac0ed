//! What the pages of a mapping allow: the same everywhere, or run by run.

use alloc::boxed::Box;
use core::sync::atomic::Ordering;

use syscall::Result;

use super::{MIXED, Mapping};
use crate::addr::{VirtAddr, VirtRange};
use crate::locked::{Guard, WriteGuard};
use crate::mmu::{Access, Mmu};
use crate::try_alloc::try_box;
use crate::vmar::protection::{Protection, ProtectionRun, Runs};

/// The permissions of the pages. `range` is always the range of the mapping.
impl<M: Mmu> Mapping<M> {
    /// The permissions, if they are the same everywhere.
    #[inline]
    pub fn uniform_access(&self) -> Option<Access> {
        match self.access.load(Ordering::Relaxed) {
            MIXED => None,
            bits => Some(Access::from_bits_truncate(bits)),
        }
    }

    /// The pages around `address` that allow the same, and what.
    #[inline]
    pub fn run_at(
        &self,
        address: VirtAddr,
        range: VirtRange,
        guard: &impl Guard<M>,
    ) -> ProtectionRun {
        if let Some(access) = self.uniform_access() {
            return ProtectionRun { range, access };
        }
        let runs = self.runs.get(guard).as_ref();
        let run = runs.and_then(|runs| runs.run_at(address, range));
        run.unwrap_or(ProtectionRun {
            range,
            access: Access::empty(),
        })
    }

    /// A copy of the permissions from `at` on.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for it.
    pub(in crate::vmar) fn protection_above(
        &self,
        at: VirtAddr,
        guard: &impl Guard<M>,
    ) -> Result<Protection> {
        let (None, Some(runs)) = (self.uniform_access(), self.runs.get(guard)) else {
            return Ok(Protection::Uniform(
                self.uniform_access().unwrap_or(Access::empty()),
            ));
        };
        let tail = runs.tail(at)?;
        match tail.as_uniform() {
            Some(access) => Ok(Protection::Uniform(access)),
            None => try_box(tail).map(Protection::Runs),
        }
    }

    /// Makes room for one [`set_access`](Self::set_access) to a part of the pages.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none. The permissions are as before.
    pub(in crate::vmar) fn reserve_runs(
        &self,
        range: VirtRange,
        guard: &mut WriteGuard<'_, M>,
    ) -> Result<()> {
        let uniform = self.uniform_access();
        match (self.runs.get_mut(guard), uniform) {
            (Some(runs), _) => runs.reserve(),
            (none, access) => {
                let access = access.unwrap_or(Access::empty());
                *none = Some(try_box(Runs::uniform(range.base(), access)?)?);
                Ok(())
            }
        }
    }

    /// Gives back what [`reserve_runs`](Self::reserve_runs) took, if it is not in use.
    pub(in crate::vmar) fn release_runs(&self, guard: &mut WriteGuard<'_, M>) {
        if self.uniform_access().is_some() {
            *self.runs.get_mut(guard) = None;
        }
    }

    /// Changes the permissions of `part`. Unless that is all of `range`, there must be room.
    pub(in crate::vmar) fn set_access(
        &self,
        range: VirtRange,
        part: VirtRange,
        access: Access,
        guard: &mut WriteGuard<'_, M>,
    ) {
        if self.uniform_access() == Some(access) {
            return;
        }
        let runs = self.runs.get_mut(guard);
        if part == range {
            *runs = None;
            self.access.store(access.bits(), Ordering::Relaxed);
        } else if let Some(list) = runs {
            list.set(part, access, range.end());
            self.settle(runs);
        }
    }

    /// Forgets the permissions outside `range`, to which the mapping has shrunk.
    pub(in crate::vmar) fn clip_runs(&self, range: VirtRange, guard: &mut WriteGuard<'_, M>) {
        if self.uniform_access().is_none()
            && let runs @ Some(_) = self.runs.get_mut(guard)
        {
            runs.iter_mut().for_each(|runs| runs.clip(range));
            self.settle(runs);
        }
    }

    /// Takes on the permissions of `upper`, which continues this mapping at `end`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none. The permissions are as before.
    pub(in crate::vmar) fn append_access(
        &self,
        range: VirtRange,
        upper: &Self,
        guard: &mut WriteGuard<'_, M>,
    ) -> Result<()> {
        if self.uniform_access().is_some() && self.uniform_access() == upper.uniform_access() {
            return Ok(());
        }
        let other = upper.protection_above(range.end(), guard)?;
        self.reserve_runs(range, guard)?;
        if let runs @ Some(_) = self.runs.get_mut(guard) {
            let appended = runs
                .iter_mut()
                .try_for_each(|runs| runs.append(range.end(), &other));
            self.settle(runs);
            appended?;
        }
        Ok(())
    }

    /// Drops a run list of one run.
    fn settle(&self, runs: &mut Option<Box<Runs>>) {
        let Some(list) = runs else { return };
        match list.as_uniform() {
            None => self.access.store(MIXED, Ordering::Relaxed),
            Some(access) => {
                self.access.store(access.bits(), Ordering::Relaxed);
                *runs = None;
            }
        }
    }
}
