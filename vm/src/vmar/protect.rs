//! Changing what pages allow.

use alloc::sync::Arc;

use syscall::{Result, Status, VmOptions};

use super::map::check_permissions;
use super::unmap::whole_pages;
use super::{Mapping, OpChildren, Region, Visited, Vmar, Walk, requested};
use crate::addr::{VirtAddr, VirtRange};
use crate::locked::{Guard, WriteGuard};
use crate::mmu::{Access, Mmu, MmuCursor, TlbBatch};
use crate::region_tree::HasRange;

/// What a check of a range has found.
struct Survey<M: Mmu> {
    /// The mappings of which only a part is in the range: at most the first and the last.
    cut: [Option<Arc<Region<M>>>; 2],
    /// What some page allows now, where it may be in the page table, and will not any more.
    lost: Access,
}

impl<M: Mmu> Vmar<M> {
    /// Gives the pages that the `length` bytes from `address` on touch the permissions in `options`.
    ///
    /// All of the range must be mapped, in this VMAR or in those below. What is taken away is gone on
    /// all CPUs once this returns; what is added appears when it is used.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: write or execute without read; `address` is not page aligned; options that are
    ///   no permissions; `length` is zero or cannot be rounded up.
    /// - `BAD_STATE`: this VMAR is dead.
    /// - `INVALID_ARGS`: the range is not all inside this VMAR.
    /// - For each mapping, by address: `NOT_FOUND` if nothing is mapped before it; `ACCESS_DENIED` if it
    ///   may never allow this; for one in a VMAR below, `INVALID_ARGS` if `children` forbids it, and
    ///   `ACCESS_DENIED` if a page of it would allow more than now.
    /// - `NOT_FOUND`: nothing is mapped at the end.
    /// - `NO_MEMORY`: there is none to remember the permissions.
    ///
    /// A call that fails has changed nothing. Source: `spec/vmar.md` §7, checks 3 to 13.
    pub fn protect(
        self: &Arc<Self>,
        options: VmOptions,
        address: VirtAddr,
        length: usize,
        children: OpChildren,
    ) -> Result<()> {
        check_permissions(options)?;
        let accepted = VmOptions::PERMISSIONS | VmOptions::PERM_READ_IF_XOM_UNSUPPORTED;
        if !address.is_page_aligned() || !accepted.contains(options) {
            return Err(Status::INVALID_ARGS);
        }
        let range = whole_pages(address, length)?;
        let access = requested(options);
        let mut guard = self.owner().write();
        self.live(&guard)?;
        if !self.range().contains_range(range) {
            return Err(Status::INVALID_ARGS);
        }
        let lost = match self.protect_one(range, access, &mut guard)? {
            Some(lost) => lost,
            None => self.protect_all(range, access, children, &mut guard)?,
        };
        if !lost.is_empty() {
            let mut batch = TlbBatch::new();
            let mmu = self.owner().mmu();
            let mut cursor = mmu.cursor(range);
            cursor.protect(range.pages(), access, &mut batch);
            // The page table is still locked: a VMO that is cloned meanwhile takes it that nobody can write
            // where the table does not allow it.
            mmu.flush(batch);
            drop(cursor);
        }
        Ok(())
    }

    /// Changes the permissions in a range that lies in one mapping of this very VMAR: the quick way.
    ///
    /// Answers what its pages do not allow any more but may in the page table, and `None` if the range
    /// does not lie in such a mapping.
    ///
    /// # Errors
    /// As [`protect`](Self::protect).
    fn protect_one(
        &self,
        range: VirtRange,
        access: Access,
        guard: &mut WriteGuard<'_, M>,
    ) -> Result<Option<Access>> {
        let cursor = self.children(guard).find_cursor(range.base());
        let found = cursor
            .get()
            .filter(|region| region.as_mapping().is_some() && region.range().contains_range(range));
        let (Some(_), Some(region)) = (found, cursor.clone_pointer()) else {
            return Ok(None);
        };
        let (whole, Some(mapping)) = (region.range(), region.as_mapping()) else {
            return Ok(None);
        };
        if !mapping.maximal().contains(access) {
            return Err(Status::ACCESS_DENIED);
        }
        let (all, any) = allowed_in(mapping, whole, range, guard);
        if all != access || any != access {
            if range != whole {
                mapping.reserve_runs(whole, guard)?;
            }
            mapping.set_access(whole, range, access, guard);
        }
        Ok(Some(if mapping.marks().has_entered() {
            any - access
        } else {
            Access::empty()
        }))
    }

    /// Changes the permissions in any range; answers what some page does not allow any more but may in
    /// the page table.
    ///
    /// # Errors
    /// As [`protect`](Self::protect).
    #[inline(never)]
    fn protect_all(
        self: &Arc<Self>,
        range: VirtRange,
        access: Access,
        children: OpChildren,
        guard: &mut WriteGuard<'_, M>,
    ) -> Result<Access> {
        let survey = self.survey(range, access, children, guard)?;
        survey.reserve(guard)?;
        self.set_access(range, access, guard);
        Ok(survey.lost)
    }

    /// Checks that the whole range may get `access`.
    fn survey(
        self: &Arc<Self>,
        range: VirtRange,
        access: Access,
        children: OpChildren,
        guard: &impl Guard<M>,
    ) -> Result<Survey<M>> {
        let mut survey = Survey {
            cut: [None, None],
            lost: Access::empty(),
        };
        let mut covered = range.base();
        for visited in Walk::new(self, range.base(), guard) {
            let whole = visited.region.range();
            let Some(part) = whole.intersection(range) else {
                break;
            };
            let Some(mapping) = visited.region.as_mapping() else {
                continue;
            };
            if covered < part.base() {
                return Err(Status::NOT_FOUND);
            }
            if !mapping.maximal().contains(access) {
                return Err(Status::ACCESS_DENIED);
            }
            let (all, any) = allowed_in(mapping, whole, part, guard);
            if visited.depth > 1 {
                if children == OpChildren::Forbidden {
                    return Err(Status::INVALID_ARGS);
                }
                if !all.contains(access) {
                    return Err(Status::ACCESS_DENIED);
                }
            }
            if mapping.marks().has_entered() {
                survey.lost |= any - access;
            }
            if part != whole && (all != access || any != access) {
                survey.add_cut(&visited);
            }
            covered = part.end();
        }
        if covered < range.end() {
            Err(Status::NOT_FOUND)
        } else {
            Ok(survey)
        }
    }

    /// Changes the permissions of all mappings in a range that has been surveyed.
    fn set_access(
        self: &Arc<Self>,
        range: VirtRange,
        access: Access,
        guard: &mut WriteGuard<'_, M>,
    ) {
        let mut next = range.base();
        while next < range.end() {
            let mut walk = Walk::new(self, next, &*guard);
            let region = walk.find(|visited| visited.region.as_mapping().is_some());
            let Some(region) = region.and_then(|visited| visited.to_arc()) else {
                return;
            };
            let whole = region.range();
            if let (Some(mapping), Some(part)) = (region.as_mapping(), whole.intersection(range)) {
                mapping.set_access(whole, part, access, guard);
            }
            next = whole.end();
        }
    }
}

impl<M: Mmu> Survey<M> {
    fn add_cut(&mut self, visited: &Visited<'_, M>) {
        if let Some(free) = self.cut.iter_mut().find(|cut| cut.is_none()) {
            *free = visited.to_arc();
        }
    }

    /// Makes room for the runs of the mappings that get different permissions.
    fn reserve(&self, guard: &mut WriteGuard<'_, M>) -> Result<()> {
        let cut = || self.cut.iter().flatten();
        let mappings = || cut().filter_map(|region| Some((region.range(), region.as_mapping()?)));
        let result = mappings().try_for_each(|(range, mapping)| mapping.reserve_runs(range, guard));
        if result.is_err() {
            mappings().for_each(|(_, mapping)| mapping.release_runs(guard));
        }
        result
    }
}

/// What every page in `part` of a mapping of `whole` allows, and what some page allows.
fn allowed_in<M: Mmu>(
    mapping: &Mapping<M>,
    whole: VirtRange,
    part: VirtRange,
    guard: &impl Guard<M>,
) -> (Access, Access) {
    let (mut all, mut any) = (Access::all(), Access::empty());
    let mut next = part.base();
    while next < part.end() {
        let run = mapping.run_at(next, whole, guard);
        all &= run.access;
        any |= run.access;
        next = run.range.end();
    }
    (all, any)
}
