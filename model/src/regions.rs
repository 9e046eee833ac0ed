//! The calls that make and end regions and mappings, as `spec/vmar.md` §3, §5, §6 and §9 have them.

use core::ops::Range;

use syscall::{Result, Status, VmOptions};

use crate::place::{Place, Wish, overlap};
use crate::step::{Allocation, Handle, Mapping, Reach, Removal, can_map, capabilities};
use crate::world::{Region, Shown};
use crate::{Model, PAGE};

/// What a region may be asked to be.
const REGION_OPTIONS: VmOptions = VmOptions::SPECIFIC
    .union(VmOptions::OFFSET_IS_UPPER_LIMIT)
    .union(REMEMBERED_BY_REGIONS);

const REMEMBERED_BY_REGIONS: VmOptions = VmOptions::COMPACT
    .union(VmOptions::CAN_MAP_SPECIFIC)
    .union(VmOptions::CAN_MAP_PERMISSIONS);

/// What mappings must have in common to become one.
const REMEMBERED_BY_MAPPINGS: VmOptions = VmOptions::SPECIFIC
    .union(VmOptions::SPECIFIC_OVERWRITE)
    .union(VmOptions::OFFSET_IS_UPPER_LIMIT)
    .union(VmOptions::FAULT_BEYOND_STREAM_SIZE);

impl Model {
    pub(crate) fn check_allocate(&self, request: &Allocation) -> Result<Place> {
        let Allocation {
            parent,
            options,
            offset,
            size,
        } = *request;
        let wanted = capabilities(options);
        if !self.rights_of(parent).contains(wanted) {
            return Err(Status::ACCESS_DENIED);
        }
        options.alignment()?;
        if !REGION_OPTIONS.contains(options.flags()) || !size.is_multiple_of(PAGE) {
            return Err(Status::INVALID_ARGS);
        }
        let region = self.alive(parent.region)?;
        if size == 0 {
            return Err(Status::INVALID_ARGS);
        }
        if !region.flags.contains(can_map(wanted)) {
            return Err(Status::ACCESS_DENIED);
        }
        let region = parent.region;
        self.place(&Wish {
            region,
            options,
            offset,
            size,
        })
    }

    pub(crate) fn allocate(&mut self, request: &Allocation, at: usize) {
        self.regions.push(Region {
            parent: Some(request.parent.region),
            pages: at..at + request.size / PAGE,
            flags: request.options & REMEMBERED_BY_REGIONS,
            is_alive: true,
        });
    }

    pub(crate) fn check_map(&self, request: &Mapping) -> Result<Place> {
        self.check_map_options(request)?;
        let Mapping {
            vmar,
            options,
            offset,
            ..
        } = *request;
        if !request.vmo_offset.is_multiple_of(PAGE as u64) {
            return Err(Status::INVALID_ARGS);
        }
        let size = request
            .length
            .checked_next_multiple_of(PAGE)
            .ok_or(Status::OUT_OF_RANGE)?;
        request
            .vmo_offset
            .checked_add(size as u64)
            .ok_or(Status::OUT_OF_RANGE)?;
        self.alive(vmar.region)?;
        if size == 0 {
            return Err(Status::INVALID_ARGS);
        }
        let region = vmar.region;
        let place = self.place(&Wish {
            region,
            options,
            offset,
            size,
        })?;
        if let Place::At(page) = place {
            let pages = page..page + size / PAGE;
            if self
                .children(region)
                .any(|(_, child)| overlap(&child.pages, &pages))
            {
                return Err(Status::INVALID_ARGS);
            }
        }
        Ok(place)
    }

    /// Checks 6 to 15 of §5.1.
    fn check_map_options(&self, request: &Mapping) -> Result<()> {
        let options = request.options;
        let permissions = options & VmOptions::PERMISSIONS;
        let beyond = options.contains(VmOptions::FAULT_BEYOND_STREAM_SIZE);
        if !is_readable_if_anything(permissions)
            || options.contains(VmOptions::MAP_RANGE | VmOptions::SPECIFIC_OVERWRITE)
            || options.intersects(VmOptions::CAN_MAP_PERMISSIONS)
        {
            return Err(Status::INVALID_ARGS);
        }
        if !self.maximal(request).contains(permissions) {
            return Err(Status::ACCESS_DENIED);
        }
        if beyond && !options.contains(VmOptions::ALLOW_FAULTS) || options.has_undefined_bits() {
            return Err(Status::INVALID_ARGS);
        }
        options.alignment()?;
        let is_resizable = self.memories[request.vmo].is_resizable();
        if options.contains(VmOptions::REQUIRE_NON_RESIZABLE) && is_resizable {
            return Err(Status::NOT_SUPPORTED);
        }
        if options.intersects(VmOptions::COMPACT | VmOptions::CAN_MAP_SPECIFIC) {
            return Err(Status::INVALID_ARGS);
        }
        Ok(())
    }

    fn maximal(&self, request: &Mapping) -> VmOptions {
        self.rights_of(request.vmar) & request.vmo_rights
    }

    pub(crate) fn map(&mut self, request: &Mapping, at: usize) {
        let count = request.length.div_ceil(PAGE);
        let first = request.vmo_offset / PAGE as u64;
        let new = Shown {
            owner: request.vmar.region,
            mapping: self.next_mapping,
            vmo: request.vmo,
            vmo_page: first,
            access: request.options & VmOptions::PERMISSIONS,
            maximal: self.maximal(request),
            kept: request.options & REMEMBERED_BY_MAPPINGS,
        };
        self.next_mapping += 1;
        for (shown, vmo_page) in self.pages[at..at + count].iter_mut().zip(first..) {
            *shown = Some(Shown { vmo_page, ..new });
        }
        if at > 0 {
            self.join(at);
        }
        if at + count < self.pages.len() {
            self.join(at + count);
        }
    }

    /// Makes one mapping of those on both sides of a border, if they could have been made as one.
    fn join(&mut self, border: usize) {
        let (Some(below), Some(above)) = (self.pages[border - 1], self.pages[border]) else {
            return;
        };
        let alike = Shown {
            mapping: below.mapping,
            vmo_page: below.vmo_page + 1,
            access: below.access,
            ..above
        };
        let continued = Shown {
            vmo_page: below.vmo_page + 1,
            ..below
        };
        if alike != continued || above.vmo_page != continued.vmo_page {
            return;
        }
        let upper = self.run_at(border, self.pages.len());
        for shown in self.pages[upper].iter_mut().flatten() {
            shown.mapping = below.mapping;
        }
    }

    /// The pages from `page` on, up to `past`, that are of the same mapping.
    pub(crate) fn run_at(&self, page: usize, past: usize) -> Range<usize> {
        let mapping = self.pages[page].map(|shown| shown.mapping);
        let others = |shown: &Option<Shown>| shown.map(|shown| shown.mapping) != mapping;
        let length = self.pages[page..past].iter().position(others);
        page..length.map_or(past, |length| page + length)
    }

    pub(crate) fn unmap(&mut self, request: &Removal) -> Result<()> {
        let Removal {
            vmar,
            address,
            length,
        } = *request;
        let bytes = whole_pages(address, length)?;
        self.alive(vmar.region)?;
        let range = self
            .inside(vmar.region, &bytes)
            .ok_or(Status::INVALID_ARGS)?;
        for (_, child) in self.children(vmar.region) {
            if overlap(&child.pages, &range) {
                let is_covered = range.start <= child.pages.start && child.pages.end <= range.end;
                if !is_covered || vmar.reach == Reach::Own {
                    return Err(Status::INVALID_ARGS);
                }
            }
        }
        while let Some(child) = self.child_in(vmar.region, &range) {
            self.end(child);
        }
        self.pages[range].fill(None);
        Ok(())
    }

    fn child_in(&self, region: usize, range: &Range<usize>) -> Option<usize> {
        let mut children = self.children(region);
        children
            .find(|(_, child)| overlap(&child.pages, range))
            .map(|(number, _)| number)
    }

    /// Ends a region with all below it.
    fn end(&mut self, region: usize) {
        let pages = self.regions[region].pages.clone();
        self.pages[pages].fill(None);
        self.regions[region].is_alive = false;
        // Parents come before their children.
        for number in region + 1..self.regions.len() {
            let parent = self.regions[number].parent;
            if parent.is_some_and(|parent| !self.regions[parent].is_alive) {
                self.regions[number].is_alive = false;
            }
        }
    }

    pub(crate) fn destroy(&mut self, handle: Handle) -> Result<()> {
        if handle.reach == Reach::Own {
            return Err(Status::ACCESS_DENIED);
        }
        self.alive(handle.region)?;
        self.end(handle.region);
        Ok(())
    }

    pub(crate) fn alive(&self, region: usize) -> Result<&Region> {
        let region = &self.regions[region];
        if region.is_alive {
            Ok(region)
        } else {
            Err(Status::BAD_STATE)
        }
    }

    /// The pages of the window that lie at these addresses, if all are in `region`.
    pub(crate) fn inside(&self, region: usize, bytes: &Range<usize>) -> Option<Range<usize>> {
        let pages = &self.regions[region].pages;
        let is_inside =
            self.address_of(pages.start) <= bytes.start && bytes.end <= self.address_of(pages.end);
        let page = |address: usize| (address - self.address_of(0)) / PAGE;
        is_inside.then(|| page(bytes.start)..page(bytes.end))
    }
}

/// Whether there is nothing but reading without reading.
pub(crate) const fn is_readable_if_anything(permissions: VmOptions) -> bool {
    permissions.is_empty() || permissions.contains(VmOptions::PERM_READ)
}

/// The addresses of the pages that `length` bytes touch.
pub(crate) fn whole_pages(address: usize, length: usize) -> Result<Range<usize>> {
    let rounded = length
        .checked_next_multiple_of(PAGE)
        .ok_or(Status::INVALID_ARGS)?;
    let end = address.checked_add(rounded).ok_or(Status::INVALID_ARGS)?;
    if address.is_multiple_of(PAGE) && rounded > 0 {
        Ok(address..end)
    } else {
        Err(Status::INVALID_ARGS)
    }
}
