//! The state of a window, and how an answer is judged.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::ops::Range;

use syscall::{Result, VmOptions};

use crate::PAGE;
use crate::contents::Memory;
use crate::place::Place;
use crate::step::{Handle, Step, capabilities};

/// How large a window is, and what there is to map.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Pages of the window.
    pub pages: usize,
    /// Pages of each VMO.
    pub vmos: &'static [usize],
}

impl Shape {
    /// A window in which everything meets everything.
    pub const SMALL: Self = Self {
        pages: 48,
        vmos: &[24, 16, 20, 12],
    };

    /// A window of several page tables, with long ranges. All VMOs together fit 8 MiB.
    pub const LARGE: Self = Self {
        pages: 1600,
        vmos: &[600, 256, 64, 40],
    };

    /// The shape that a round with this seed has: one in ten is large.
    pub const fn of_seed(seed: u64) -> Self {
        if seed.is_multiple_of(10) {
            Self::LARGE
        } else {
            Self::SMALL
        }
    }

    /// Whether the VMO with this number can change its size. The first one cannot.
    pub const fn is_resizable(vmo: usize) -> bool {
        vmo > 0
    }
}

/// What a page of the window shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shown {
    /// The region that the mapping is directly in.
    pub owner: usize,
    /// Pages that lie together and have the same number here were mapped, or have become, one mapping.
    pub mapping: usize,
    pub vmo: usize,
    pub vmo_page: u64,
    pub access: VmOptions,
    pub maximal: VmOptions,
    /// The options that the mapping remembers.
    pub kept: VmOptions,
}

/// A region.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub parent: Option<usize>,
    pub pages: Range<usize>,
    pub flags: VmOptions,
    pub is_alive: bool,
}

/// An answer, or a record, that is not the right one: what was expected and what was there.
#[derive(Clone, Debug)]
pub struct Mismatch(pub String);

/// What should be.
#[derive(Clone, Debug)]
pub struct Model {
    base: usize,
    pub(crate) regions: Vec<Region>,
    pub(crate) pages: Vec<Option<Shown>>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) next_mapping: usize,
}

impl Model {
    /// A window at address `base`, empty, with all capabilities, and VMOs that nobody has touched.
    pub fn new(base: usize, shape: Shape) -> Self {
        let window = Region {
            parent: None,
            pages: 0..shape.pages,
            flags: VmOptions::CAN_MAP_PERMISSIONS | VmOptions::CAN_MAP_SPECIFIC,
            is_alive: true,
        };
        let memories = shape.vmos.iter().enumerate();
        Self {
            base,
            regions: vec![window],
            pages: vec![None; shape.pages],
            memories: memories
                .map(|(vmo, pages)| Memory::new(*pages, Shape::is_resizable(vmo)))
                .collect(),
            next_mapping: 0,
        }
    }

    /// The address of a page.
    pub const fn address_of(&self, page: usize) -> usize {
        self.base + page * PAGE
    }

    /// How many pages the window has.
    pub const fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// How many regions there have been, the window included.
    pub const fn region_count(&self) -> usize {
        self.regions.len()
    }

    /// Compares the answer to a step with the right one, and takes the step.
    ///
    /// # Errors
    /// The answer is wrong. The model is of no use then.
    pub fn judge(
        &mut self,
        step: &Step,
        answer: Result<usize>,
    ) -> core::result::Result<(), Mismatch> {
        let expected = match step {
            Step::Allocate(request) => {
                let place = self.check_allocate(request);
                let at = self.placed(place, answer)?;
                at.map(|at| {
                    self.allocate(request, at);
                    self.address_of(at)
                })
            }
            Step::Map(request) => {
                let place = self.check_map(request);
                let at = self.placed(place, answer)?;
                at.map(|at| {
                    self.map(request, at);
                    self.address_of(at)
                })
            }
            Step::Unmap(request) => self.unmap(request).map(|()| 0),
            Step::Protect(request) => self.protect(request).map(|()| 0),
            Step::Operate(request) => self.operate(request).map(|()| 0),
            Step::Destroy(handle) => self.destroy(*handle).map(|()| 0),
            Step::Touch(touch) => self.touch(touch).map(usize::from),
            Step::Resize { vmo, size } => self.memories[*vmo].resize(*size).map(|()| 0),
            Step::SetStream { vmo, size } => self.memories[*vmo].set_stream(*size).map(|()| 0),
            Step::Write { vmo, page, value } => {
                self.memories[*vmo].write(*page, *value).map(|()| 0)
            }
        };
        if expected == answer {
            Ok(())
        } else {
            Err(Mismatch(format!("expected {expected:x?}, got {answer:x?}")))
        }
    }

    /// The page at which something was placed, if that is one of those that are right.
    fn placed(
        &self,
        place: Result<Place>,
        answer: Result<usize>,
    ) -> core::result::Result<Result<usize>, Mismatch> {
        let (place, address) = match (place, answer) {
            (Ok(place), Ok(address)) => (place, address),
            (Ok(place), Err(status)) => {
                return Err(Mismatch(format!("expected {place:?}, got {status}")));
            }
            (Err(status), _) => return Ok(Err(status)),
        };
        let page = address.wrapping_sub(self.base) / PAGE;
        if address.is_multiple_of(PAGE) && place.accepts(page) {
            Ok(Ok(page))
        } else {
            Err(Mismatch(format!(
                "expected {place:?}, got page {page} at {address:#x}"
            )))
        }
    }

    /// What a handle allows; a handle made from the region's own has no more than that.
    pub(crate) fn rights_of(&self, handle: Handle) -> VmOptions {
        handle.rights & capabilities(self.regions[handle.region].flags)
    }

    /// The regions directly below one, which are alive.
    pub(crate) fn children(&self, parent: usize) -> impl Iterator<Item = (usize, &Region)> {
        let numbered = self.regions.iter().enumerate();
        numbered.filter(move |(_, region)| region.is_alive && region.parent == Some(parent))
    }

    /// Whether every region and page with this description is where the model says.
    ///
    /// # Errors
    /// The first record that differs.
    pub fn compare(&self, records: &[crate::Record]) -> core::result::Result<(), Mismatch> {
        let expected = self.records();
        let differing = (0..expected.len().max(records.len()))
            .find(|number| expected.get(*number) != records.get(*number));
        match differing {
            None => Ok(()),
            Some(number) => {
                let (expected, got) = (expected.get(number), records.get(number));
                Err(Mismatch(format!(
                    "record {number}: expected {expected:?}, got {got:?}"
                )))
            }
        }
    }

    /// The byte that each page of the window shows to who may read it, and whether it may be written.
    pub fn readable_pages(&self) -> impl Iterator<Item = (usize, u8)> {
        self.pages.iter().enumerate().filter_map(|(page, shown)| {
            let shown = shown.as_ref()?;
            let byte = self.look(shown, VmOptions::PERM_READ).ok()?;
            Some((page, byte))
        })
    }

    /// What may be done with a page of the window: nothing also where a touch would find no page.
    pub fn allowed_at(&self, page: usize) -> VmOptions {
        let shown = self.pages[page].filter(|shown| self.look(shown, VmOptions::empty()).is_ok());
        shown.map_or(VmOptions::empty(), |shown| shown.access)
    }

    /// The pages of a VMO, each with the byte that it begins with.
    pub fn bytes_of(&self, vmo: usize) -> impl Iterator<Item = u8> {
        self.memories[vmo].bytes()
    }
}
