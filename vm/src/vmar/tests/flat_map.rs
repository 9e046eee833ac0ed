//! What VMARs come to, page by page: a model that is easy to believe.

use std::ops::Range;

use syscall::{Result, Status, VmOptions};

use crate::mmu::Access;
use crate::vmar::RangeOp;

/// The pages of the outermost VMAR.
pub const PAGES: usize = 40;
pub const VMOS: usize = 2;
pub const VMO_PAGES: usize = 24;

/// What one page of the outermost VMAR shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// The VMAR that the mapping is a region of.
    pub owner: usize,
    pub vmo: usize,
    pub vmo_page: usize,
    pub access: Access,
    pub maximal: Access,
}

/// What one VMAR should be.
pub struct ModelVmar {
    pub parent: Option<usize>,
    pub pages: Range<usize>,
    pub is_alive: bool,
}

/// What should be.
pub struct Model {
    pub vmars: Vec<ModelVmar>,
    pub pages: [Option<Shown>; PAGES],
    pub sizes: [usize; VMOS],
    pub bytes: [[u8; VMO_PAGES]; VMOS],
}

/// What a VMAR has at a page.
enum Child {
    Nothing,
    Mapping,
    Vmar(usize),
}

impl Model {
    pub fn new() -> Self {
        Self {
            vmars: vec![ModelVmar {
                parent: None,
                pages: 0..PAGES,
                is_alive: true,
            }],
            pages: [None; PAGES],
            sizes: [VMO_PAGES; VMOS],
            bytes: [[0; VMO_PAGES]; VMOS],
        }
    }

    fn child_at(&self, vmar: usize, page: usize) -> Child {
        let below = |other: &ModelVmar| {
            other.is_alive && other.parent == Some(vmar) && other.pages.contains(&page)
        };
        match self.vmars.iter().position(below) {
            Some(child) => Child::Vmar(child),
            None if self.pages[page].is_some_and(|shown| shown.owner == vmar) => Child::Mapping,
            None => Child::Nothing,
        }
    }

    /// The pages that a range of a VMAR means, from its base.
    fn place(&self, vmar: usize, at: usize, count: usize) -> Result<Range<usize>> {
        let whole = &self.vmars[vmar];
        if !whole.is_alive {
            return Err(Status::BAD_STATE);
        }
        let range = whole.pages.start + at..whole.pages.start + at + count;
        if range.end > whole.pages.end {
            Err(Status::INVALID_ARGS)
        } else {
            Ok(range)
        }
    }

    fn is_free(&self, vmar: usize, range: Range<usize>) -> bool {
        range
            .clone()
            .all(|page| matches!(self.child_at(vmar, page), Child::Nothing))
    }

    pub fn allocate(&mut self, parent: usize, at: usize, count: usize) -> Result<()> {
        let pages = self.place(parent, at, count)?;
        if !self.is_free(parent, pages.clone()) {
            return Err(Status::ALREADY_EXISTS);
        }
        self.vmars.push(ModelVmar {
            parent: Some(parent),
            pages,
            is_alive: true,
        });
        Ok(())
    }

    pub fn map(&mut self, step: &MapStep) -> Result<()> {
        let range = self.place(step.vmar, step.at, step.count)?;
        if step.overwrite {
            let is_vmar = |page| matches!(self.child_at(step.vmar, page), Child::Vmar(_));
            if range.clone().any(is_vmar) {
                return Err(Status::INVALID_ARGS);
            }
        } else if !self.is_free(step.vmar, range.clone()) {
            return Err(Status::ALREADY_EXISTS);
        }
        for (offset, page) in range.enumerate() {
            self.pages[page] = Some(Shown {
                owner: step.vmar,
                vmo: step.vmo,
                vmo_page: step.vmo_page + offset,
                access: access_of(step.options),
                maximal: step.maximal,
            });
        }
        Ok(())
    }

    pub fn unmap(&mut self, vmar: usize, at: usize, count: usize) -> Result<()> {
        let range = self.place(vmar, at, count)?;
        for page in range.clone() {
            if let Child::Vmar(child) = self.child_at(vmar, page) {
                let pages = &self.vmars[child].pages;
                if pages.start < range.start || range.end < pages.end {
                    return Err(Status::INVALID_ARGS);
                }
            }
        }
        for page in range {
            if let Child::Vmar(child) = self.child_at(vmar, page) {
                self.kill(child);
            }
            self.pages[page] = None;
        }
        Ok(())
    }

    fn kill(&mut self, vmar: usize) {
        self.vmars[vmar].is_alive = false;
        for page in self.vmars[vmar].pages.clone() {
            self.pages[page] = None;
        }
        for other in 0..self.vmars.len() {
            if self.vmars[other].is_alive && self.vmars[other].parent == Some(vmar) {
                self.kill(other);
            }
        }
    }

    pub fn protect(
        &mut self,
        vmar: usize,
        at: usize,
        count: usize,
        options: VmOptions,
    ) -> Result<()> {
        let range = self.place(vmar, at, count)?;
        let access = access_of(options);
        // Whole mappings are judged one after the other; page by page comes to the same, because the
        // pages of a mapping share their maximum and a refusal of either kind is the same.
        for page in range.clone() {
            let shown = self.pages[page].ok_or(Status::NOT_FOUND)?;
            let is_direct = shown.owner == vmar;
            if !shown.maximal.contains(access) || !is_direct && !shown.access.contains(access) {
                return Err(Status::ACCESS_DENIED);
            }
        }
        for page in range {
            if let Some(shown) = &mut self.pages[page] {
                shown.access = access;
            }
        }
        Ok(())
    }

    /// What an operation on a range answers; see [`clear`](Self::clear) for what it does to bytes.
    pub fn op_range(&self, op: RangeOp, vmar: usize, at: usize, count: usize) -> Result<()> {
        let whole = &self.vmars[vmar];
        let range = whole.pages.start + at..whole.pages.start + at + count;
        if range.end > whole.pages.end {
            return Err(Status::OUT_OF_RANGE);
        }
        if !whole.is_alive {
            return Err(Status::BAD_STATE);
        }
        let needed = match op {
            RangeOp::Commit | RangeOp::Decommit | RangeOp::Zero => Access::WRITE,
            RangeOp::Prefetch => Access::READ,
            RangeOp::MapRange | RangeOp::DontNeed | RangeOp::AlwaysNeed => Access::empty(),
        };
        // Those that need nothing do not mind where the VMO ends either.
        let needs_pages = !needed.is_empty();
        for page in range {
            let shown = self.pages[page].ok_or(Status::BAD_STATE)?;
            if shown.owner != vmar && needs_pages && op != RangeOp::Zero {
                return Err(Status::INVALID_ARGS);
            }
            if !shown.maximal.contains(needed) {
                return Err(Status::ACCESS_DENIED);
            }
            if needs_pages && shown.vmo_page >= self.sizes[shown.vmo] {
                return Err(Status::OUT_OF_RANGE);
            }
        }
        Ok(())
    }

    /// Makes the pages that a range shows zero.
    pub fn clear(&mut self, vmar: usize, at: usize, count: usize) {
        let first = self.vmars[vmar].pages.start + at;
        for shown in self.pages[first..first + count].iter().flatten() {
            self.bytes[shown.vmo][shown.vmo_page] = 0;
        }
    }

    pub fn destroy(&mut self, vmar: usize) -> Result<()> {
        if !self.vmars[vmar].is_alive {
            return Err(Status::BAD_STATE);
        }
        self.kill(vmar);
        Ok(())
    }

    pub fn touch(&mut self, page: usize, access: Access, value: u8) -> Result<u8> {
        let shown = self.pages[page].ok_or(Status::NOT_FOUND)?;
        if !shown.access.contains(access) {
            return Err(Status::ACCESS_DENIED);
        }
        if shown.vmo_page >= self.sizes[shown.vmo] {
            return Err(Status::OUT_OF_RANGE);
        }
        let byte = &mut self.bytes[shown.vmo][shown.vmo_page];
        if access == Access::WRITE {
            *byte = value;
        }
        Ok(*byte)
    }

    pub fn resize(&mut self, vmo: usize, pages: usize) {
        self.sizes[vmo] = pages;
        self.bytes[vmo][pages..].fill(0);
    }
}

/// The permissions in an option word.
pub fn access_of(options: VmOptions) -> Access {
    Access::from_bits_truncate(options.intersection(VmOptions::PERMISSIONS).bits() as u8)
}

/// A mapping to be made.
#[derive(Clone, Debug)]
pub struct MapStep {
    pub vmar: usize,
    pub at: usize,
    pub count: usize,
    pub vmo: usize,
    pub vmo_page: usize,
    pub options: VmOptions,
    pub maximal: Access,
    pub overwrite: bool,
}
