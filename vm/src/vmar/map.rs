//! Showing a part of a VMO in a VMAR.

use alloc::sync::Arc;

use syscall::{Result, Status, VmOptions};

use super::placement::{Place, PlaceRequest, Wish};
use super::populate::Others;
use super::protection::Protection;
use super::{NewMapping, OpChildren, Region, Vmar, requested};
use crate::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::locked::WriteGuard;
use crate::mmu::{Access, Domain, Mmu};
use crate::try_alloc::try_arc;
use crate::vmo::{PageIndex, RegionList, Vmo, VmoKind};

/// What to show, and where.
pub struct MapRequest<M: Mmu> {
    /// Permissions, placement and the rest of the option word.
    pub options: VmOptions,
    /// The distance in bytes from the base of the VMAR; see `spec/vmar.md` §4.
    pub offset: usize,
    /// The VMO.
    pub vmo: Arc<Vmo<M>>,
    /// The first byte of the VMO to show.
    ///
    /// Differs from Zircon: which ignores it together with `OFFSET_IS_UPPER_LIMIT`.
    pub vmo_offset: u64,
    /// How many bytes to show; rounded up to pages.
    pub length: usize,
    /// What the handles to the VMAR and to the VMO both allow.
    pub permitted: Access,
}

/// A new mapping, which may not have been joined with its neighbours yet.
#[derive(Clone, Copy, Debug)]
pub struct Mapped {
    base: VirtAddr,
    pub(super) others: Others,
}

impl Mapped {
    /// The first address.
    #[inline]
    pub const fn base(self) -> VirtAddr {
        self.base
    }
}

/// A request that has passed all checks that do not need the tree.
struct Checked {
    first: PageIndex,
    pages: PageCount,
}

impl<M: Mmu> Vmar<M> {
    /// Maps a part of a VMO and answers where.
    ///
    /// Pages appear when they are touched, unless `MAP_RANGE` is given, which enters those that are
    /// present, or this is the kernel's address space, where all are made and entered at once.
    /// With `PERM_READ_IF_XOM_UNSUPPORTED`, pages can be executed without being read; where the machine
    /// cannot do that, who knows it has added `PERM_READ` before.
    ///
    /// Locks the address space, then the VMO, then the page table.
    ///
    /// # Errors
    /// In this order:
    /// - `NOT_SUPPORTED`: `FAULT_BEYOND_STREAM_SIZE` for a physical VMO.
    /// - `INVALID_ARGS`: write or execute without read; `MAP_RANGE` with `SPECIFIC_OVERWRITE`;
    ///   capabilities.
    /// - `ACCESS_DENIED`: permissions that are not permitted.
    /// - `INVALID_ARGS`: `FAULT_BEYOND_STREAM_SIZE` without `ALLOW_FAULTS`; unknown options or alignment.
    /// - `NOT_SUPPORTED`: `REQUIRE_NON_RESIZABLE` for a resizable VMO; a discardable VMO without
    ///   `ALLOW_FAULTS`.
    /// - `INVALID_ARGS`: `COMPACT` or `CAN_MAP_SPECIFIC`.
    /// - `ACCESS_DENIED`: permissions that this VMAR does not allow.
    /// - `INVALID_ARGS`: `vmo_offset` is not page aligned.
    /// - `OUT_OF_RANGE`: `length` cannot be rounded up, or the end in the VMO does not fit a `u64`.
    /// - `BAD_STATE`: this VMAR is dead.
    /// - `INVALID_ARGS`: `length` is zero.
    /// - What placement answers; `INVALID_ARGS` if a VMAR would have to be overwritten.
    /// - `NO_MEMORY`: there is none for the objects, page tables or, in the kernel, the pages.
    ///
    /// A call that fails has changed nothing. Source: `spec/vmar.md` §5.1, checks 3 and 6 to 21, and §5.3.
    #[inline]
    pub fn map(&self, request: MapRequest<M>) -> Result<VirtAddr> {
        let mapped = self.map_apart(request)?;
        self.join(mapped);
        Ok(mapped.base())
    }

    /// As [`map`](Self::map), but the mapping is not joined with its neighbours yet.
    ///
    /// For somebody who may have to take it back: as long as it is a mapping of its own, that needs no
    /// memory. [`join`](Self::join) ends the call.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn map_apart(&self, request: MapRequest<M>) -> Result<Mapped> {
        let checked = self.check_map(&request)?;
        let mut removed = RegionList::default();
        let mut guard = self.owner().write();
        let result = self.map_locked(request, &checked, &mut guard, &mut removed);
        drop(guard);
        // What was overwritten may be the last user of large VMOs, so it goes without the lock.
        drop(removed);
        result
    }

    #[inline]
    fn map_locked(
        &self,
        request: MapRequest<M>,
        checked: &Checked,
        guard: &mut WriteGuard<'_, M>,
        removed: &mut RegionList<M>,
    ) -> Result<Mapped> {
        let regions = self.live(guard)?;
        let wish = self.wish_of(&request, checked)?;
        let MapRequest {
            options,
            vmo,
            permitted,
            ..
        } = request;
        let new = |range| NewMapping {
            range,
            vmo,
            first: checked.first,
            options,
            maximal: permitted & self.can_map(),
            protection: Protection::Uniform(requested(options)),
        };
        let guess = wish.guess(regions);
        let regions = &mut self.state.get_mut(guard).children;
        // The usual way, on which one search finds out whether the place is free and where it is in the tree.
        if let Some(vacancy) = guess.and_then(|range| regions.vacancy(range)) {
            let base = vacancy.range().base();
            let region = try_arc(Region::mapping(self.owner().clone(), new(vacancy.range())))?;
            let others = self.list_and_fill(&region, options)?;
            vacancy.fill(region);
            return Ok(Mapped { base, others });
        }
        let place = wish.place(regions)?;
        let (Place::Free(range) | Place::Occupied(range)) = place;
        let region = try_arc(Region::mapping(self.owner().clone(), new(range)))?;
        match place {
            Place::Free(_) => {}
            Place::Occupied(_) => self.overwrite(range, guard, removed)?,
        }
        let others = self.list_and_fill(&region, options)?;
        self.insert(region, guard);
        let base = range.base();
        Ok(Mapped { base, others })
    }

    /// Checks whether a [`map`](Self::map) could succeed, for somebody who must know before what lies in the
    /// place is gone. Changes nothing.
    ///
    /// Locks the address space for reading, then the VMO.
    ///
    /// # Errors
    /// As [`map`](Self::map), but for a lack of memory that shows only when it is done.
    pub fn check_overwrite(&self, request: &MapRequest<M>) -> Result<()> {
        let checked = self.check_map(request)?;
        let guard = self.owner().read();
        let regions = self.live(&guard)?;
        match self.wish_of(request, &checked)?.place(regions)? {
            Place::Free(_) => Ok(()),
            Place::Occupied(range) => self
                .prepare_clear(range, OpChildren::Forbidden, &guard)
                .map(drop),
        }
    }

    /// The place that a mapping asks for.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: it has no pages.
    /// - Those of [`Wish::new`].
    #[inline(always)]
    fn wish_of(&self, request: &MapRequest<M>, checked: &Checked) -> Result<Wish> {
        if checked.pages == PageCount::ZERO {
            return Err(Status::INVALID_ARGS);
        }
        let MapRequest {
            options,
            offset,
            vmo,
            ..
        } = request;
        self.wish(PlaceRequest {
            options: *options,
            offset: *offset,
            pages: checked.pages,
            natural_log2: vmo.natural_alignment(checked.first, checked.pages),
        })
    }

    /// Clears the place of a mapping of mappings.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: there is a VMAR; or this is the kernel, whose mappings are filled at once, which
    ///   may fail after the old ones have gone.
    /// - `NO_MEMORY`: a mapping must be split, and there is none for the second part.
    fn overwrite(
        &self,
        range: VirtRange,
        guard: &mut WriteGuard<'_, M>,
        removed: &mut RegionList<M>,
    ) -> Result<()> {
        if self.owner().config().domain == Domain::Kernel {
            return Err(Status::INVALID_ARGS);
        }
        let clearance = self.prepare_clear(range, OpChildren::Forbidden, guard)?;
        self.clear(range, clearance, guard, removed);
        Ok(())
    }

    /// The checks that need neither handles nor the tree.
    #[inline(always)]
    fn check_map(&self, request: &MapRequest<M>) -> Result<Checked> {
        let options = request.options;
        if PLAIN.contains(options) && !request.vmo.is_discardable() {
            check_permissions(options)?;
            if !request.permitted.contains(requested(options)) {
                return Err(Status::ACCESS_DENIED);
            }
        } else {
            check_rare_options(request)?;
        }
        if !self.can_map().contains(requested(options)) {
            return Err(Status::ACCESS_DENIED);
        }
        check_extent(request.vmo_offset, request.length)
    }
}

/// The checks of the options, for a request with options beyond [`PLAIN`] or a VMO with rules of its own.
///
/// # Errors
/// Those of [`Vmar::map`] that come before the permissions of the VMAR.
#[inline(never)]
fn check_rare_options<M: Mmu>(request: &MapRequest<M>) -> Result<()> {
    let options = request.options;
    let faults_beyond = options.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
    if faults_beyond && request.vmo.kind() != VmoKind::Anonymous {
        return Err(Status::NOT_SUPPORTED);
    }
    check_permissions(options)?;
    let capabilities = VmOptions::CAN_MAP_PERMISSIONS;
    if options.contains(VmOptions::MAP_RANGE | VmOptions::SPECIFIC_OVERWRITE)
        || options.intersects(capabilities)
    {
        return Err(Status::INVALID_ARGS);
    }
    if !request.permitted.contains(requested(options)) {
        return Err(Status::ACCESS_DENIED);
    }
    let allows_faults = options.contains(VmOptions::ALLOW_FAULTS);
    if faults_beyond && !allows_faults || options.has_undefined_bits() {
        return Err(Status::INVALID_ARGS);
    }
    options.alignment()?;
    if options.contains(VmOptions::REQUIRE_NON_RESIZABLE) && request.vmo.is_resizable()
        || !allows_faults && request.vmo.is_discardable()
    {
        return Err(Status::NOT_SUPPORTED);
    }
    if options.intersects(VmOptions::COMPACT | VmOptions::CAN_MAP_SPECIFIC) {
        return Err(Status::INVALID_ARGS);
    }
    Ok(())
}

/// The options to which no rule applies but those of permissions and of places.
const PLAIN: VmOptions = VmOptions::PERMISSIONS
    .union(VmOptions::SPECIFIC)
    .union(VmOptions::SPECIFIC_OVERWRITE)
    .union(VmOptions::OFFSET_IS_UPPER_LIMIT);

/// Checks that the permissions make sense together.
///
/// # Errors
/// `INVALID_ARGS`: write or execute without read. Only who says with `PERM_READ_IF_XOM_UNSUPPORTED` that
/// not reading is meant may execute without it.
#[inline]
pub(super) fn check_permissions(options: VmOptions) -> Result<()> {
    let needs_read = if options.contains(VmOptions::PERM_READ_IF_XOM_UNSUPPORTED) {
        VmOptions::PERM_WRITE
    } else {
        VmOptions::PERM_WRITE | VmOptions::PERM_EXECUTE
    };
    if options.intersects(needs_read) && !options.contains(VmOptions::PERM_READ) {
        return Err(Status::INVALID_ARGS);
    }
    Ok(())
}

/// The pages of a VMO that a request covers.
#[inline]
fn check_extent(vmo_offset: u64, length: usize) -> Result<Checked> {
    if !vmo_offset.is_multiple_of(PAGE_SIZE as u64) {
        return Err(Status::INVALID_ARGS);
    }
    let rounded = length
        .checked_next_multiple_of(PAGE_SIZE)
        .ok_or(Status::OUT_OF_RANGE)?;
    vmo_offset
        .checked_add(rounded as u64)
        .ok_or(Status::OUT_OF_RANGE)?;
    let first = PageIndex::containing(vmo_offset);
    Ok(Checked {
        first,
        pages: PageCount::covering(rounded),
    })
}
