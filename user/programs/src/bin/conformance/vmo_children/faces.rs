//! VMOs that are read and written in two ways: by calls, and through a mapping.

use alloc::vec::Vec;
use core::ops::Deref;

use zx::{Status, Vmo, VmoChildOptions, VmoOp};

use crate::fixtures::{P, READ_WRITE, Region, numbered_vmo, peek, poke};

pub const SNAPSHOT: VmoChildOptions = VmoChildOptions::SNAPSHOT;
pub const SLICE: VmoChildOptions = VmoChildOptions::SLICE;
pub const REFERENCE: VmoChildOptions = VmoChildOptions::REFERENCE;

/// A page in the units of the calls.
pub const PAGE: u64 = P as u64;

/// How a test gets at pages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    Call,
    Mapping,
}

pub const WAYS: [Way; 2] = [Way::Call, Way::Mapping];

/// How a test gets at the pages of one VMO, and at those of another.
pub fn pairs_of_ways() -> impl Iterator<Item = (Way, Way)> {
    WAYS.into_iter()
        .flat_map(|one| WAYS.map(|other| (one, other)))
}

/// A VMO with a mapping of its first pages.
pub struct Face {
    vmo: Vmo,
    region: Region,
    pages: usize,
}

impl Face {
    /// Maps the first `pages` pages of `vmo`.
    pub fn new(vmo: Vmo, pages: usize) -> Result<Self, Status> {
        let region = Region::new(pages)?;
        region.map_at(0, &vmo, pages)?;
        Ok(Self { vmo, region, pages })
    }

    /// A VMO whose pages begin with 1, 2 and so on, all of which have been written through the mapping too.
    pub fn numbered(pages: usize) -> Result<Self, Status> {
        let face = Self::new(numbered_vmo(pages, 1)?, pages)?;
        for page in 0..pages {
            poke(face.region.at(page), page as u8 + 1);
        }
        Ok(face)
    }

    /// A child with as many pages.
    pub fn child(&self, options: VmoChildOptions) -> Result<Self, Status> {
        self.child_of(options, 0, self.pages)
    }

    /// A child that begins at page `first`.
    pub fn child_of(
        &self,
        options: VmoChildOptions,
        first: usize,
        pages: usize,
    ) -> Result<Self, Status> {
        Self::new(child_of(&self.vmo, options, first, pages)?, pages)
    }

    /// The first byte of a page.
    pub fn read(&self, way: Way, page: usize) -> Result<u8, Status> {
        match way {
            Way::Call => first_byte(&self.vmo, page),
            Way::Mapping => Ok(peek(self.region.at(page))),
        }
    }

    /// Changes the first byte of a page.
    pub fn write(&self, way: Way, page: usize, value: u8) -> Result<(), Status> {
        match way {
            Way::Call => self.vmo.write(&[value], page as u64 * PAGE),
            Way::Mapping => {
                poke(self.region.at(page), value);
                Ok(())
            }
        }
    }

    /// The first bytes of all pages.
    pub fn contents(&self, way: Way) -> Result<Vec<u8>, Status> {
        (0..self.pages).map(|page| self.read(way, page)).collect()
    }

    /// The address of a page.
    pub fn address(&self, page: usize) -> usize {
        self.region.at(page)
    }

    /// Lets go of the handle, and keeps the mapping.
    pub fn into_region(self) -> Region {
        self.region
    }

    /// Does something to a range of pages.
    pub fn op(&self, op: VmoOp, first: usize, pages: usize) -> Result<(), Status> {
        self.vmo
            .op_range(op, first as u64 * PAGE, pages as u64 * PAGE)
    }
}

impl Deref for Face {
    type Target = Vmo;

    fn deref(&self) -> &Vmo {
        &self.vmo
    }
}

/// The first byte of a page.
pub fn first_byte(vmo: &Vmo, page: usize) -> Result<u8, Status> {
    let mut byte = [0];
    vmo.read(&mut byte, page as u64 * PAGE)?;
    Ok(byte[0])
}

/// A child that begins at page `first` of `vmo`.
pub fn child_of(
    vmo: &Vmo,
    options: VmoChildOptions,
    first: usize,
    pages: usize,
) -> Result<Vmo, Status> {
    vmo.create_child(options, first as u64 * PAGE, pages as u64 * PAGE)
}

/// A mapping of a VMO, to be read and written.
pub fn map_all(vmo: &Vmo, pages: usize) -> Result<Region, Status> {
    let region = Region::new(pages)?;
    region.map(0, vmo, 0, pages * P, READ_WRITE | zx::VmarFlags::SPECIFIC)?;
    Ok(region)
}

/// How many pages all VMOs of the machine have together.
pub fn vmo_pages() -> Result<u64, Status> {
    Ok(rt::system_resource().mem_stats()?.vmo_bytes / PAGE)
}
