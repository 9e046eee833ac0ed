//! The work: regions in regions, VMOs that come and go, and mappings that are cut to pieces.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};
use core::ptr;

use model::{PAGE, Random};
use zx::{AsHandleRef, Status, Vmar, VmarFlags, VmarOp, Vmo, VmoOptions, ok, sys};

/// Pages of the arena, in which everything happens.
const ARENA_PAGES: usize = 1 << 18;

/// How many regions, VMOs and mappings there are at most.
const MOST: usize = 64;

/// The most pages of a VMO: all together take 64 MiB.
const MOST_VMO_PAGES: usize = 256;

/// Pages of a region.
const MOST_REGION_PAGES: usize = 4096;

const READ_WRITE: VmarFlags = VmarFlags::PERM_READ.union(VmarFlags::PERM_WRITE);

const ANY_MAPPING: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE);

const OPERATIONS: [VmarOp; 8] = [
    VmarOp::COMMIT,
    VmarOp::COMMIT,
    VmarOp::DECOMMIT,
    VmarOp::MAP_RANGE,
    VmarOp::ZERO,
    VmarOp::DONT_NEED,
    VmarOp::ALWAYS_NEED,
    VmarOp::PREFETCH,
];

/// What a step does, in the order of its number in [`Load::step`].
const NAMES: [&str; 10] = [
    "create", "close", "allocate", "destroy", "map", "copy", "protect", "operate", "unmap", "look",
];

/// A name for a step that went wrong, and what it answered.
pub type Trouble = (&'static str, Status);

/// Addresses that were mapped, and may be still.
#[derive(Clone, Copy)]
struct Place {
    address: usize,
    pages: usize,
}

/// A region; the first one is the arena.
struct Region {
    vmar: Vmar,
    place: Place,
}

/// What the work is about. All of it goes when this is dropped.
pub struct Load {
    random: Random,
    regions: Vec<Region>,
    vmos: Vec<Vmo>,
    mappings: Vec<Place>,
    scratch: Vmo,
    /// How often each kind of step succeeded.
    succeeded: [u64; NAMES.len()],
}

impl Load {
    /// Nothing but the arena.
    ///
    /// # Errors
    /// `NO_MEMORY`, `NO_RESOURCES`: there is no room for it.
    pub fn new(seed: u64) -> Result<Self, Status> {
        let (vmar, address) = rt::vmar_root_self().allocate(0, ARENA_PAGES * PAGE, ANY_MAPPING)?;
        let place = Place {
            address,
            pages: ARENA_PAGES,
        };
        Ok(Self {
            random: Random::new(seed),
            regions: [Region { vmar, place }].into(),
            vmos: Vec::with_capacity(MOST),
            mappings: Vec::with_capacity(MOST),
            scratch: Vmo::create(PAGE as u64)?,
            succeeded: [0; NAMES.len()],
        })
    }

    /// Does something.
    ///
    /// # Errors
    /// A call answered what it should never answer here, `NO_MEMORY` above all.
    pub fn step(&mut self) -> Result<(), Trouble> {
        let kind = match self.random.below(100) {
            0..8 => 0,
            8..13 => 1,
            13..19 => 2,
            19..22 => 3,
            22..45 => 4,
            45..60 => 5,
            60..72 => 6,
            72..84 => 7,
            84..98 => 8,
            _ => 9,
        };
        let result = match kind {
            0 => self.create(),
            1 => self.close(),
            2 => self.allocate(),
            3 => self.destroy(),
            4 => self.map(),
            5 => self.copy(),
            6 => self.protect(),
            7 => self.operate(),
            8 => self.unmap(),
            _ => self.look(),
        };
        match result {
            Ok(()) => self.succeeded[kind] += 1,
            // What has been cut up, destroyed or protected answers like this.
            Err(
                Status::NO_RESOURCES
                | Status::NOT_FOUND
                | Status::ACCESS_DENIED
                | Status::BAD_STATE
                | Status::OUT_OF_RANGE
                | Status::INVALID_ARGS,
            ) => {}
            Err(status) => return Err((NAMES[kind], status)),
        }
        Ok(())
    }

    /// Whether each kind of step has succeeded in one of a thousand steps.
    ///
    /// # Errors
    /// The kind that has not, in words.
    pub fn check_variety(&self, steps: u64) -> Result<(), String> {
        match (0..NAMES.len()).find(|kind| self.succeeded[*kind] < steps / 1000) {
            None => Ok(()),
            Some(kind) => Err(format!("{} hardly ever succeeded", NAMES[kind])),
        }
    }

    /// Creates a VMO, with contents in some pages.
    fn create(&mut self) -> Result<(), Status> {
        if self.vmos.len() == MOST {
            return self.close();
        }
        let pages = 1 + self.random.below(MOST_VMO_PAGES);
        let vmo = Vmo::create_with_opts(VmoOptions::RESIZABLE, (pages * PAGE) as u64)?;
        for _ in 0..self.random.below(8) {
            let offset = self.random.below(pages) * PAGE;
            vmo.write(&[1], offset as u64)?;
        }
        self.vmos.push(vmo);
        Ok(())
    }

    /// Closes a VMO, which lives on where it is mapped, or gives it another size.
    fn close(&mut self) -> Result<(), Status> {
        let number = self.random.below(self.vmos.len());
        if self.vmos.is_empty() {
            return Err(Status::NOT_FOUND);
        }
        if self.random.chance(50) {
            self.vmos.swap_remove(number);
            return Ok(());
        }
        let pages = self.random.below(MOST_VMO_PAGES + 1);
        self.vmos[number].set_size((pages * PAGE) as u64)
    }

    fn allocate(&mut self) -> Result<(), Status> {
        if self.regions.len() == MOST {
            return self.destroy();
        }
        let parent = &self.regions[self.random.below(self.regions.len())];
        let most = (parent.place.pages / 2).clamp(1, MOST_REGION_PAGES);
        let pages = 1 + self.random.below(most);
        let (vmar, address) = parent.vmar.allocate(0, pages * PAGE, ANY_MAPPING)?;
        let place = Place { address, pages };
        self.regions.push(Region { vmar, place });
        Ok(())
    }

    /// Destroys a region, with what is in it; one that a region above has taken along is forgotten.
    fn destroy(&mut self) -> Result<(), Status> {
        if self.regions.len() == 1 {
            return Err(Status::NOT_FOUND);
        }
        let number = 1 + self.random.below(self.regions.len() - 1);
        let region = self.regions.swap_remove(number);
        // SAFETY: nothing of the program is in the arena.
        unsafe { region.vmar.destroy() }
    }

    /// Maps a part of a VMO, and touches some pages.
    fn map(&mut self) -> Result<(), Status> {
        if self.vmos.is_empty() {
            return Err(Status::NOT_FOUND);
        }
        let vmo = &self.vmos[self.random.below(self.vmos.len())];
        let size = (vmo.get_size()? as usize) / PAGE;
        if size == 0 {
            return Err(Status::OUT_OF_RANGE);
        }
        let first = self.random.below(size);
        let pages = 1 + self.random.below(size - first);
        let region = &self.regions[self.random.below(self.regions.len())];
        let (offset, bytes) = ((first * PAGE) as u64, pages * PAGE);
        let address = region.vmar.map(0, vmo, offset, bytes, READ_WRITE)?;
        for _ in 0..self.random.below(8) {
            store(address + self.random.below(pages) * PAGE);
        }
        self.mappings.push(Place { address, pages });
        if self.mappings.len() > MOST {
            self.remove(0)?;
        }
        Ok(())
    }

    /// Has the kernel read or write a page, which faults in the kernel if it is not there yet.
    fn copy(&mut self) -> Result<(), Status> {
        let part = self.part()?;
        let scratch = self.scratch.raw_handle();
        let buffer = ptr::with_exposed_provenance_mut::<u8>(part.address);
        if self.random.chance(50) {
            // SAFETY: the kernel reads the page, if it can.
            ok(unsafe { sys::zx_vmo_write(scratch, buffer.cast_const(), 0, PAGE) })
        } else {
            // SAFETY: the kernel writes to the arena, if it can.
            ok(unsafe { sys::zx_vmo_read(scratch, buffer, 0, PAGE) })
        }
    }

    fn protect(&mut self) -> Result<(), Status> {
        let part = self.part()?;
        let choices = [
            VmarFlags::empty(),
            VmarFlags::PERM_READ,
            READ_WRITE,
            READ_WRITE,
        ];
        let flags = self.random.pick(&choices);
        // SAFETY: nothing of the program is in the arena.
        unsafe { self.arena().protect(part.address, part.pages * PAGE, flags) }
    }

    fn operate(&mut self) -> Result<(), Status> {
        let part = self.part()?;
        let op = self.random.pick(&OPERATIONS);
        // Some operations are only for whoever has the region that the mapping is in.
        self.owner(part)
            .op_range(op, part.address, part.pages * PAGE)
    }

    /// Unmaps a whole mapping, or a part of one.
    fn unmap(&mut self) -> Result<(), Status> {
        if self.mappings.len() > MOST / 2 {
            return self.remove(self.mappings.len() / 2);
        }
        let part = self.part()?;
        self.unmap_place(part)
    }

    /// Unmaps and forgets a mapping.
    fn remove(&mut self, number: usize) -> Result<(), Status> {
        let place = self.mappings.swap_remove(number);
        self.unmap_place(place)
    }

    fn unmap_place(&self, place: Place) -> Result<(), Status> {
        let Place { address, pages } = place;
        // SAFETY: nothing of the program is in the arena.
        unsafe { self.owner(place).unmap(address, pages * PAGE) }
    }

    /// The smallest region that has a place.
    fn owner(&self, place: Place) -> &Vmar {
        let owners = self
            .regions
            .iter()
            .filter(|region| region.place.contains(place));
        let smallest = owners.min_by_key(|region| region.place.pages);
        smallest.map_or(self.arena(), |region| &region.vmar)
    }

    /// Reads all records of the arena.
    fn look(&self) -> Result<(), Status> {
        self.arena().info_maps_vec().map(drop)
    }

    fn arena(&self) -> &Vmar {
        &self.regions[0].vmar
    }

    /// Some pages of a mapping.
    fn part(&mut self) -> Result<Place, Status> {
        if self.mappings.is_empty() {
            return Err(Status::NOT_FOUND);
        }
        let Place { address, pages } = self.mappings[self.random.below(self.mappings.len())];
        let first = self.random.below(pages);
        Ok(Place {
            address: address + first * PAGE,
            pages: 1 + self.random.below(pages - first),
        })
    }
}

impl Place {
    fn contains(&self, other: Self) -> bool {
        let end = |place: &Self| place.address + place.pages * PAGE;
        self.address <= other.address && end(&other) <= end(self)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // SAFETY: nothing of the program is in the arena.
        let _ = unsafe { self.arena().destroy() };
    }
}

/// How much there is.
impl Display for Load {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (regions, mappings, vmos) = (self.regions.len(), self.mappings.len(), self.vmos.len());
        write!(
            formatter,
            "{regions} regions, {mappings} mappings, {vmos} VMOs"
        )
    }
}

/// Writes a byte as programs do.
fn store(address: usize) {
    // SAFETY: `map` has just mapped the page writable, inside its VMO, and keeps nothing there.
    unsafe { ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(7) }
}
