//! Families of regions: a region with mappings in it, as programs have them.

use zx::{AsHandleRef, Name, Status, Unowned, Vmar, VmarFlags, Vmo};

/// Bytes in a page.
const PAGE: usize = 4096;

/// The pages of each VMO.
const VMO_PAGES: usize = 64;

const READ: VmarFlags = VmarFlags::PERM_READ;
const WRITE: VmarFlags = READ.union(VmarFlags::PERM_WRITE);
const NOTHING: VmarFlags = VmarFlags::empty();

/// What a region with mappings in it may do.
const HOLDS_DATA: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE);

/// The VMOs: their names, and how many of their pages are written to, from the first on.
const VMOS: [(&str, usize); 5] = [
    ("stack", 12),
    ("data", 64),
    ("constants", 64),
    ("queue", 40),
    ("guard", 0),
];

const STACK: usize = 0;
const DATA: usize = 1;
const CONSTANTS: usize = 2;
const QUEUE: usize = 3;
const GUARD: usize = 4;

/// Something inside a region.
pub enum Part {
    /// A mapping.
    Mapping {
        /// Which VMO.
        vmo: usize,
        /// From which page of the region on.
        at: usize,
        /// How many pages, from the first of the VMO on.
        pages: usize,
        /// What it allows.
        flags: VmarFlags,
    },
    /// A region.
    Region {
        /// From which page of the region on.
        at: usize,
        /// How many pages.
        pages: usize,
        /// What is in it.
        parts: &'static [Part],
    },
}

/// A region of its own.
pub struct Family {
    /// How many pages.
    pages: usize,
    /// What is in it.
    parts: &'static [Part],
}

const fn mapping(vmo: usize, at: usize, pages: usize, flags: VmarFlags) -> Part {
    Part::Mapping {
        vmo,
        at,
        pages,
        flags,
    }
}

/// The families, in the order in which they are made, again and again.
pub const FAMILIES: [Family; 4] = [
    // A library: constants, then data, then what nobody may touch.
    Family {
        pages: 160,
        parts: &[
            mapping(CONSTANTS, 0, 48, READ),
            mapping(DATA, 64, 32, WRITE),
            mapping(GUARD, 96, 16, NOTHING),
            mapping(DATA, 112, 12, WRITE),
        ],
    },
    // A thread: a guard below its stack, and a region for what is its own.
    Family {
        pages: 96,
        parts: &[
            mapping(GUARD, 0, 1, NOTHING),
            mapping(STACK, 1, 64, WRITE),
            Part::Region {
                at: 72,
                pages: 20,
                parts: &[mapping(DATA, 0, 4, WRITE), mapping(CONSTANTS, 6, 2, READ)],
            },
        ],
    },
    // A queue between programs, in a region that is much larger.
    Family {
        pages: 1 << 18,
        parts: &[
            mapping(QUEUE, 0, 64, WRITE),
            mapping(QUEUE, 1 << 12, 64, READ),
        ],
    },
    // Regions in regions.
    Family {
        pages: 256,
        parts: &[
            Part::Region {
                at: 0,
                pages: 128,
                parts: &[
                    Part::Region {
                        at: 0,
                        pages: 40,
                        parts: &[mapping(DATA, 4, 24, WRITE)],
                    },
                    mapping(CONSTANTS, 80, 8, READ),
                ],
            },
            mapping(STACK, 160, 24, WRITE),
        ],
    },
];

/// Where families settle, and what they map.
pub struct Stock {
    root: Unowned<'static, Vmar>,
    vmos: [Vmo; VMOS.len()],
}

impl Stock {
    /// The VMOs, filled as far as they are to be.
    ///
    /// # Errors
    /// Those of `vmo_create` and `vmo_write`.
    pub fn new() -> Result<Self, Status> {
        let [first, second, third, fourth, fifth] = VMOS.map(|(name, pages)| vmo(name, pages));
        Ok(Self {
            root: rt::vmar_root_self(),
            vmos: [first?, second?, third?, fourth?, fifth?],
        })
    }

    /// Makes a region for `family` and what is in it; answers how many regions and mappings that are.
    ///
    /// # Errors
    /// Those of `vmar_allocate` and `vmar_map`.
    pub fn settle(&self, family: &Family) -> Result<usize, Status> {
        let (region, _) = self.root.allocate(0, family.pages * PAGE, HOLDS_DATA)?;
        Ok(1 + self.fill(&region, family.parts)?)
    }

    /// Makes `parts` in a region. The regions stay when their handles go.
    fn fill(&self, region: &Vmar, parts: &[Part]) -> Result<usize, Status> {
        let mut made = 0;
        for part in parts {
            made += match part {
                Part::Mapping {
                    vmo,
                    at,
                    pages,
                    flags,
                } => {
                    let flags = VmarFlags::SPECIFIC | *flags;
                    region.map(at * PAGE, &self.vmos[*vmo], 0, pages * PAGE, flags)?;
                    1
                }
                Part::Region { at, pages, parts } => {
                    let flags = VmarFlags::SPECIFIC | HOLDS_DATA;
                    let (inner, _) = region.allocate(at * PAGE, pages * PAGE, flags)?;
                    1 + self.fill(&inner, parts)?
                }
            };
        }
        Ok(made)
    }
}

/// A VMO with a name, of which the first `pages` pages are written to.
fn vmo(name: &str, pages: usize) -> Result<Vmo, Status> {
    let vmo = Vmo::create((VMO_PAGES * PAGE) as u64)?;
    vmo.set_name(&Name::new(name)?)?;
    for page in 0..pages {
        vmo.write(&[1], (page * PAGE) as u64)?;
    }
    Ok(vmo)
}
