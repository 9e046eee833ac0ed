//! What each page of a region holds.

use alloc::vec::Vec;
use core::fmt::{self, Debug, Formatter};
use core::ops::Range;

use zx::{Name, Status, VmarFlags, Vmo};

use crate::fixtures::{CAN_MAP_ALL, Line, P, READ_WRITE, Region, vmo_of};
use crate::harness::Failure;

/// How many pages the region has.
pub const PAGES: usize = 8;

/// What a page holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cell {
    /// Nothing.
    Hole,
    /// A page of a region.
    Region {
        /// The first page of that region.
        first: usize,
        /// How many pages it has.
        pages: usize,
    },
    /// A page of a mapping, which shows the page of its VMO with the same number.
    Mapping {
        /// The first byte of the name of the VMO.
        letter: u8,
        /// What the page allows.
        access: Allows,
    },
}

/// What a page of a mapping allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Allows {
    /// Reading.
    Reading,
    /// Reading and writing.
    Writing,
}

impl Cell {
    /// A page of a mapping of a VMO without a name, readable and writable.
    pub const NEW: Self = Self::Mapping {
        letter: 0,
        access: Allows::Writing,
    };

    pub const fn is_hole(self) -> bool {
        matches!(self, Self::Hole)
    }

    pub const fn is_region(self) -> bool {
        matches!(self, Self::Region { .. })
    }

    pub const fn is_mapping(self) -> bool {
        matches!(self, Self::Mapping { .. })
    }
}

/// What the pages of a region hold.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Picture([Cell; PAGES]);

impl Picture {
    /// The picture that a text stands for: letters are mappings, capitals regions, dots nothing.
    pub fn parse(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut cells = [Cell::Hole; PAGES];
        for (page, (&byte, cell)) in bytes.iter().zip(&mut cells).enumerate() {
            *cell = match byte {
                b'.' => Cell::Hole,
                b'A'..=b'Z' => {
                    let same = |&&other: &&u8| other == byte;
                    let before = bytes[..page].iter().rev().take_while(same).count();
                    let behind = bytes[page..].iter().take_while(same).count();
                    Cell::Region {
                        first: page - before,
                        pages: before + behind,
                    }
                }
                letter => Cell::Mapping {
                    letter,
                    access: Allows::Writing,
                },
            };
        }
        Self(cells)
    }

    /// Makes the pages of an empty region as in the picture.
    pub fn fill(&self, region: &Region) -> Result<(), Status> {
        let mut vmos: Vec<(u8, Vmo)> = Vec::new();
        for (page, cell) in self.0.iter().enumerate() {
            match *cell {
                Cell::Hole => {}
                Cell::Region { first, pages } if first == page => {
                    // The region lives on without its handle.
                    let flags = CAN_MAP_ALL | VmarFlags::SPECIFIC;
                    region.allocate(page * P, pages * P, flags)?;
                }
                Cell::Region { .. } => {}
                Cell::Mapping { letter, .. } => {
                    if vmos.iter().all(|(known, _)| *known != letter) {
                        let vmo = vmo_of(PAGES)?;
                        zx::AsHandleRef::set_name(&vmo, &Name::from_bytes(&[letter])?)?;
                        vmos.push((letter, vmo));
                    }
                    let vmo = vmos.iter().find(|(known, _)| *known == letter);
                    let (_, vmo) = vmo.ok_or(Status::NOT_FOUND)?;
                    let flags = READ_WRITE | VmarFlags::SPECIFIC;
                    region.map(page * P, vmo, (page * P) as u64, P, flags)?;
                }
            }
        }
        Ok(())
    }

    /// The picture of a region. A page of a mapping that shows another page than its own is a failure.
    pub fn of(region: &Region) -> Result<Self, Failure> {
        let mut picture = Self([Cell::Hole; PAGES]);
        for line in region.shape()?.iter().filter(|line| line.depth == 1) {
            let first = (line.base - region.at(0)) / P;
            let pages = first..first + line.size / P;
            match cell_of(line, first)? {
                Cell::Region { .. } => picture.add_region(pages),
                cell => picture.set(pages, cell),
            }
        }
        Ok(picture)
    }

    /// The cells of `pages`, which are in the region.
    pub fn cells(&self, pages: &Range<usize>) -> impl Iterator<Item = Cell> {
        self.0[pages.clone()].iter().copied()
    }

    /// Whether a region is in `pages`, but not all of it.
    pub fn cuts_a_region(&self, pages: &Range<usize>) -> bool {
        self.cells(pages).any(|cell| match cell {
            Cell::Region { first, pages: size } => first < pages.start || pages.end < first + size,
            Cell::Hole | Cell::Mapping { .. } => false,
        })
    }

    pub fn set(&mut self, pages: Range<usize>, cell: Cell) {
        self.0[pages].fill(cell);
    }

    pub fn add_region(&mut self, pages: Range<usize>) {
        let cell = Cell::Region {
            first: pages.start,
            pages: pages.len(),
        };
        self.set(pages, cell);
    }

    pub fn make_read_only(&mut self, pages: Range<usize>) {
        for cell in &mut self.0[pages] {
            if let Cell::Mapping { access, .. } = cell {
                *access = Allows::Reading;
            }
        }
    }
}

/// What the pages of a record hold.
fn cell_of(line: &Line, first: usize) -> Result<Cell, Failure> {
    let Some(mapping) = line.mapping else {
        let pages = line.size / P;
        return Ok(Cell::Region { first, pages });
    };
    if mapping.offset != (first * P) as u64 {
        return Err(Status::OUT_OF_RANGE.into());
    }
    let access = if mapping.permissions == READ_WRITE.bits() {
        Allows::Writing
    } else {
        Allows::Reading
    };
    let letter = line.name.as_bytes().first().copied().unwrap_or(0);
    Ok(Cell::Mapping { letter, access })
}

/// As [`Picture::parse`] takes it, with `*` for new mappings and read-only pages in brackets.
impl Debug for Picture {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for cell in self.0 {
            match cell {
                Cell::Hole => f.write_str(".")?,
                Cell::Region { first, .. } => write!(f, "<{first}>")?,
                Cell::Mapping { letter, access } => {
                    let letter = if letter == 0 { '*' } else { char::from(letter) };
                    match access {
                        Allows::Writing => write!(f, "{letter}")?,
                        Allows::Reading => write!(f, "({letter})")?,
                    }
                }
            }
        }
        Ok(())
    }
}
