//! What happens to pages that are mapped, as `spec/vmar.md` §7, §8 and §11 have it.

use core::ops::Range;

use syscall::{Result, Status, VmOptions, VmarOp};

use crate::regions::{is_readable_if_anything, whole_pages};
use crate::step::{Operation, Protection, Reach, Touch};
use crate::world::Shown;
use crate::{Model, PAGE};

/// What an operation on a range asks for.
struct Demand {
    /// What a mapping must be able to allow.
    permission: VmOptions,
    /// Whether it is only for the mappings of the region itself.
    is_for_own: bool,
    /// Whether the VMO must have all of the pages.
    needs_pages: bool,
}

impl Demand {
    fn of(op: VmarOp) -> Self {
        let permission = match op {
            VmarOp::COMMIT | VmarOp::DECOMMIT | VmarOp::ZERO => VmOptions::PERM_WRITE,
            VmarOp::PREFETCH => VmOptions::PERM_READ,
            _ => VmOptions::empty(),
        };
        Self {
            permission,
            is_for_own: matches!(op, VmarOp::COMMIT | VmarOp::DECOMMIT | VmarOp::PREFETCH),
            needs_pages: !permission.is_empty(),
        }
    }
}

impl Model {
    pub(crate) fn protect(&mut self, request: &Protection) -> Result<()> {
        let Protection {
            vmar,
            options,
            address,
            length,
        } = *request;
        let access = options & VmOptions::PERMISSIONS;
        if !self.rights_of(vmar).contains(access) {
            return Err(Status::ACCESS_DENIED);
        }
        if !is_readable_if_anything(access) || access != options {
            return Err(Status::INVALID_ARGS);
        }
        let bytes = whole_pages(address, length)?;
        self.alive(vmar.region)?;
        let range = self
            .inside(vmar.region, &bytes)
            .ok_or(Status::INVALID_ARGS)?;
        // Whole mappings are judged one after the other; page by page comes to the same, because the
        // pages of a mapping differ in nothing but what they allow now.
        for shown in &self.pages[range.clone()] {
            let shown = shown.ok_or(Status::NOT_FOUND)?;
            if !shown.maximal.contains(access) {
                return Err(Status::ACCESS_DENIED);
            }
            if shown.owner != vmar.region {
                if vmar.reach == Reach::Own {
                    return Err(Status::INVALID_ARGS);
                }
                if !shown.access.contains(access) {
                    return Err(Status::ACCESS_DENIED);
                }
            }
        }
        for shown in self.pages[range].iter_mut().flatten() {
            shown.access = access;
        }
        Ok(())
    }

    pub(crate) fn operate(&mut self, request: &Operation) -> Result<()> {
        let Operation {
            vmar,
            op,
            address,
            length,
        } = *request;
        let rounded = length.checked_next_multiple_of(PAGE);
        let rounded = rounded.filter(|bytes| *bytes > 0 && address.is_multiple_of(PAGE));
        let end = address.checked_add(rounded.ok_or(Status::INVALID_ARGS)?);
        let bytes = address..end.ok_or(Status::OUT_OF_RANGE)?;
        let range = self
            .inside(vmar.region, &bytes)
            .ok_or(Status::OUT_OF_RANGE)?;
        self.alive(vmar.region)?;
        let demand = Demand::of(op);
        let mut next = range.start;
        while next < range.end {
            let shown = self.pages[next].ok_or(Status::BAD_STATE)?;
            let is_out_of_reach = demand.is_for_own || vmar.reach == Reach::Own;
            if shown.owner != vmar.region && is_out_of_reach {
                return Err(Status::INVALID_ARGS);
            }
            let run = self.run_at(next, range.end);
            let pages = shown.vmo_page..shown.vmo_page + run.len() as u64;
            self.check_operation(&demand, &shown, &pages)?;
            self.change(op, shown.vmo, pages);
            next = run.end;
        }
        Ok(())
    }

    /// Checks 9 to 11 of §8, for the pages of a VMO that a mapping shows.
    fn check_operation(&self, demand: &Demand, shown: &Shown, pages: &Range<u64>) -> Result<()> {
        let memory = &self.memories[shown.vmo];
        let faults_beyond = shown.kept.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
        if faults_beyond && pages.end > memory.stream_pages() {
            return Err(Status::OUT_OF_RANGE);
        }
        if !shown.maximal.contains(demand.permission) {
            return Err(Status::ACCESS_DENIED);
        }
        if demand.needs_pages && pages.end > memory.len() {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(())
    }

    /// Does to the pages of a VMO what `op` does to contents.
    fn change(&mut self, op: VmarOp, vmo: usize, pages: Range<u64>) {
        let memory = &mut self.memories[vmo];
        match op {
            VmarOp::COMMIT => pages.for_each(|page| memory.commit(page, None)),
            VmarOp::DECOMMIT | VmarOp::ZERO => pages.for_each(|page| memory.clear(page)),
            _ => {}
        }
    }

    /// What a touch answers, without doing it.
    ///
    /// # Errors
    /// Those of the fault.
    pub fn foresee(&self, touch: &Touch) -> Result<u8> {
        let shown = self.pages[touch.page].ok_or(Status::NOT_FOUND)?;
        self.look(&shown, touch.access)
    }

    pub(crate) fn touch(&mut self, touch: &Touch) -> Result<u8> {
        let shown = self.pages[touch.page].ok_or(Status::NOT_FOUND)?;
        let byte = self.look(&shown, touch.access)?;
        if touch.access != VmOptions::PERM_WRITE {
            return Ok(byte);
        }
        self.memories[shown.vmo].commit(shown.vmo_page, Some(touch.value));
        Ok(touch.value)
    }

    /// The byte that a page shows to an access, or why it shows none.
    pub(crate) fn look(&self, shown: &Shown, access: VmOptions) -> Result<u8> {
        if !shown.access.contains(access) {
            return Err(Status::ACCESS_DENIED);
        }
        let memory = &self.memories[shown.vmo];
        let faults_beyond = shown.kept.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
        if faults_beyond && shown.vmo_page >= memory.stream_pages() {
            return Err(Status::OUT_OF_RANGE);
        }
        memory.byte(shown.vmo_page).ok_or(Status::OUT_OF_RANGE)
    }
}
