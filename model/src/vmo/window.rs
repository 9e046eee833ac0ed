//! What windows show, and what happens through them: `spec/vmar.md` §5, §7, §8 and §11.
//!
//! Nothing wrong is asked of the calls here that has only to do with regions: the model of regions does that.

use core::ops::Range;

use syscall::{Result, Rights, Status, VmOptions, VmarOp};

use super::step::{Mapping, Place, Touch};
use super::{Families, WINDOW_PAGES};
use crate::PAGE;
use crate::regions::is_readable_if_anything;

const P: u64 = PAGE as u64;

/// What mappings must have in common to become one.
const REMEMBERED: VmOptions = VmOptions::SPECIFIC
    .union(VmOptions::SPECIFIC_OVERWRITE)
    .union(VmOptions::FAULT_BEYOND_STREAM_SIZE);

/// What a page of a window shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// The VMO.
    pub vmo: usize,
    /// The page of the VMO.
    pub page: u64,
    /// What may be done there.
    pub access: VmOptions,
    /// What may be done there at most.
    pub(crate) maximal: VmOptions,
    /// The options that the mapping remembers.
    kept: VmOptions,
    /// Pages side by side with the same number are of one mapping.
    mapping: usize,
}

impl Families {
    pub(super) fn map(&mut self, request: &Mapping) -> Result<()> {
        self.check_map(request)?;
        let Place {
            window,
            first,
            count,
        } = request.place;
        let new = Shown {
            vmo: request.vmo.vmo,
            page: request.offset / P,
            access: request.options & VmOptions::PERMISSIONS,
            maximal: self.allowed(request),
            kept: request.options & REMEMBERED,
            mapping: self.next_mapping,
        };
        self.next_mapping += 1;
        let places = self.windows[window][first..first + count].iter_mut();
        for (shown, page) in places.zip(new.page..) {
            *shown = Some(Shown { page, ..new });
        }
        self.join(window, first);
        self.join(window, first + count);
        self.settle();
        Ok(())
    }

    fn check_map(&self, request: &Mapping) -> Result<()> {
        let options = request.options;
        let permissions = options & VmOptions::PERMISSIONS;
        self.demand(request.vmo, Rights::MAP)?;
        if !is_readable_if_anything(permissions) {
            return Err(Status::INVALID_ARGS);
        }
        if !self.allowed(request).contains(permissions) {
            return Err(Status::ACCESS_DENIED);
        }
        let may_fault = options.contains(VmOptions::ALLOW_FAULTS);
        if options.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE) && !may_fault {
            return Err(Status::INVALID_ARGS);
        }
        let traits = self.vmos[request.vmo.vmo].traits;
        if options.contains(VmOptions::REQUIRE_NON_RESIZABLE) && traits.is_resizable
            || traits.is_discardable && !may_fault
        {
            return Err(Status::NOT_SUPPORTED);
        }
        if !request.offset.is_multiple_of(P) {
            return Err(Status::INVALID_ARGS);
        }
        let Place {
            window,
            first,
            count,
        } = request.place;
        let end = request.offset.checked_add(count as u64 * P);
        end.ok_or(Status::OUT_OF_RANGE)?;
        let places = &self.windows[window][first..first + count];
        let is_free = places.iter().all(Option::is_none);
        if is_free || options.contains(VmOptions::SPECIFIC_OVERWRITE) {
            Ok(())
        } else {
            Err(Status::ALREADY_EXISTS)
        }
    }

    /// The permissions that a mapping can have at most.
    fn allowed(&self, request: &Mapping) -> VmOptions {
        let rights = self.rights(request.vmo);
        let pairs = [
            (Rights::READ, VmOptions::PERM_READ),
            (Rights::WRITE, VmOptions::PERM_WRITE),
        ];
        let held = pairs.iter().filter(|(right, _)| rights.contains(*right));
        held.fold(VmOptions::empty(), |all, (_, permission)| all | *permission)
    }

    /// Makes one mapping of those on both sides of a border, if they could have been made as one.
    fn join(&mut self, window: usize, border: usize) {
        let pages = &self.windows[window];
        let below = border.checked_sub(1).and_then(|below| pages[below]);
        let (Some(below), Some(above)) = (below, pages.get(border).copied().flatten()) else {
            return;
        };
        let continued = Shown {
            page: below.page + 1,
            access: above.access,
            mapping: above.mapping,
            ..below
        };
        if above != continued {
            return;
        }
        let upper = self.run(window, border..WINDOW_PAGES);
        for shown in self.windows[window][upper].iter_mut().flatten() {
            shown.mapping = below.mapping;
        }
    }

    /// The first pages of `pages` that are of the same mapping.
    fn run(&self, window: usize, pages: Range<usize>) -> Range<usize> {
        let mapping_at = |page: usize| self.windows[window][page].map(|shown| shown.mapping);
        let own = mapping_at(pages.start);
        let past = pages.clone().find(|page| mapping_at(*page) != own);
        pages.start..past.unwrap_or(pages.end)
    }

    pub(super) fn unmap(&mut self, place: &Place) {
        self.windows[place.window][range(place)].fill(None);
        self.settle();
    }

    pub(super) fn protect(&mut self, place: &Place, access: VmOptions) -> Result<()> {
        if !is_readable_if_anything(access) {
            return Err(Status::INVALID_ARGS);
        }
        let places = &mut self.windows[place.window][range(place)];
        for shown in places.iter() {
            let shown = shown.ok_or(Status::NOT_FOUND)?;
            if !shown.maximal.contains(access) {
                return Err(Status::ACCESS_DENIED);
            }
        }
        for shown in places.iter_mut().flatten() {
            shown.access = access;
        }
        Ok(())
    }

    /// Does something to the contents that pages show, mapping by mapping.
    pub(super) fn operate_mapped(&mut self, op: VmarOp, place: &Place) -> Result<()> {
        let mut rest = range(place);
        while !rest.is_empty() {
            let shown = self.windows[place.window][rest.start].ok_or(Status::BAD_STATE)?;
            let run = self.run(place.window, rest.clone());
            let bytes = shown.page * P..(shown.page + run.len() as u64) * P;
            self.check_operation(op, &shown, bytes.end)?;
            match op {
                VmarOp::COMMIT => self.commit(shown.vmo, bytes),
                VmarOp::ZERO => self.zero(shown.vmo, bytes),
                VmarOp::DECOMMIT => self.decommit(shown.vmo, bytes)?,
                _ => {}
            }
            rest.start = run.end;
        }
        Ok(())
    }

    fn check_operation(&self, op: VmarOp, shown: &Shown, end: u64) -> Result<()> {
        let (permission, needs_bytes) = match op {
            VmarOp::COMMIT | VmarOp::DECOMMIT | VmarOp::ZERO => (VmOptions::PERM_WRITE, true),
            VmarOp::PREFETCH => (VmOptions::PERM_READ, true),
            _ => (VmOptions::empty(), false),
        };
        let stream = self.stream(shown.vmo).next_multiple_of(P);
        let is_faulting = shown.kept.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
        if is_faulting && end > stream {
            return Err(Status::OUT_OF_RANGE);
        }
        if !shown.maximal.contains(permission) {
            return Err(Status::ACCESS_DENIED);
        }
        if needs_bytes && end > self.size(shown.vmo) {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(())
    }

    /// What a touch answers, without doing it.
    ///
    /// # Errors
    /// Those of the fault.
    pub fn foresee(&self, touch: &Touch) -> Result<u8> {
        let permission = match touch.value {
            None => VmOptions::PERM_READ,
            Some(_) => VmOptions::PERM_WRITE,
        };
        let shown = self.windows[touch.window][touch.page].ok_or(Status::NOT_FOUND)?;
        let byte = self.look(&shown, permission, touch.offset)?;
        Ok(touch.value.unwrap_or(byte))
    }

    pub(super) fn touch(&mut self, touch: &Touch) -> Result<u8> {
        let answer = self.foresee(touch)?;
        if let (Some(value), Some(shown)) = (touch.value, self.shown(touch.window, touch.page)) {
            let (contents, skipped, frames) = self.contents_mut(shown.vmo);
            let at = skipped + shown.page * P + touch.offset as u64;
            contents.write(at, &[value], frames);
        }
        Ok(answer)
    }

    /// The byte that a page shows to an access, or why it shows none.
    fn look(&self, shown: &Shown, permission: VmOptions, offset: usize) -> Result<u8> {
        if !shown.access.contains(permission) {
            return Err(Status::ACCESS_DENIED);
        }
        let begin = shown.page * P;
        let is_faulting = shown.kept.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
        if begin >= self.size(shown.vmo) || is_faulting && begin >= self.stream(shown.vmo) {
            return Err(Status::OUT_OF_RANGE);
        }
        let (contents, skipped) = self.contents(shown.vmo);
        Ok(contents.byte(skipped + begin + offset as u64))
    }

    /// What a page of a window shows.
    pub fn shown(&self, window: usize, page: usize) -> Option<Shown> {
        self.windows[window][page]
    }

    /// What may be done with a page of a window: nothing also where a touch would find no page.
    pub fn allowed_at(&self, window: usize, page: usize) -> VmOptions {
        let shown = self.shown(window, page);
        let shown = shown.filter(|shown| self.look(shown, VmOptions::empty(), 0).is_ok());
        shown.map_or(VmOptions::empty(), |shown| shown.access)
    }

    /// The bytes that a page of a window shows to who may read it.
    pub fn readable(&self, window: usize, page: usize) -> Option<alloc::vec::Vec<u8>> {
        let shown = self.shown(window, page)?;
        self.look(&shown, VmOptions::PERM_READ, 0).ok()?;
        Some(self.bytes(shown.vmo, shown.page * P..(shown.page + 1) * P))
    }
}

/// The pages of a place.
fn range(place: &Place) -> Range<usize> {
    place.first..place.first + place.count
}
