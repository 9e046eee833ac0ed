//! Who is whose child, who has pages, and how an answer is judged.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use syscall::{Result, Rights, Status};

use super::contents::{Contents, Frames};
use super::window::Shown;
use super::{Answer, Handle, Step, WINDOW_PAGES, WINDOWS};
use crate::{Mismatch, PAGE};

const P: u64 = PAGE as u64;

/// A VMO.
#[derive(Clone, Debug)]
pub(crate) struct Vmo {
    pub source: Source,
    /// Whose child it is; none if it is nobody's, or those that it was a child of are gone.
    pub parent: Option<usize>,
    /// Whether it is still the child of the VMO that it was made from.
    pub is_with_first_parent: bool,
    /// The rights of its first handle.
    pub rights: Rights,
    /// Whether there is a handle.
    pub is_open: bool,
    /// Whether anything refers to it.
    pub is_alive: bool,
    pub traits: Traits,
}

/// What a VMO was created as.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traits {
    pub is_resizable: bool,
    pub is_discardable: bool,
    /// Whether it is a copy-on-write child.
    pub is_copy: bool,
    pub is_immutable: bool,
}

/// Where the pages of a VMO are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Own(Contents),
    /// In another VMO, of which these bytes are shown.
    Slice {
        owner: usize,
        bytes: Range<u64>,
        stream: u64,
    },
    /// In another VMO.
    Reference {
        owner: usize,
    },
}

/// All VMOs that there have been, and what the windows show.
#[derive(Clone, Debug)]
pub struct Families {
    pub(crate) vmos: Vec<Vmo>,
    pub(crate) windows: Vec<Vec<Option<Shown>>>,
    pub(crate) frames: Frames,
    pub(crate) next_mapping: usize,
}

impl Families {
    /// No VMOs, and windows with nothing in them.
    pub fn new() -> Self {
        Self {
            vmos: Vec::new(),
            windows: vec![vec![None; WINDOW_PAGES]; WINDOWS],
            frames: Frames::default(),
            next_mapping: 0,
        }
    }

    /// Compares the answer to a step with the right one, and takes the step.
    ///
    /// # Errors
    /// The answer is wrong. The model is of no use then.
    pub fn judge(
        &mut self,
        step: &Step,
        answer: &Result<Answer>,
    ) -> core::result::Result<(), Mismatch> {
        let expected = self.take(step);
        if expected == *answer {
            return Ok(());
        }
        Err(match (&expected, answer) {
            (Ok(Answer::Bytes(right)), Ok(Answer::Bytes(wrong))) => first_difference(right, wrong),
            _ => Mismatch(format!("expected {expected:x?}, got {answer:x?}")),
        })
    }

    /// Takes a step; says what the answer is.
    pub(super) fn take(&mut self, step: &Step) -> Result<Answer> {
        let done = |()| Answer::Done;
        match step {
            Step::Create { size, options } => self.create(*size, *options).map(done),
            Step::CreateChild(request) => self.create_child(request).map(done),
            Step::Close(vmo) => {
                self.vmos[*vmo].is_open = false;
                self.settle();
                Ok(Answer::Done)
            }
            Step::Read(bytes) => self.read(bytes).map(Answer::Bytes),
            Step::Write(bytes, seed) => self.write(bytes, *seed).map(done),
            Step::Resize(handle, size) => self.resize(*handle, *size).map(done),
            Step::SetStream(handle, size) => self.set_stream(*handle, *size).map(done),
            Step::Operate(op, bytes) => self.operate(*op, bytes).map(done),
            Step::Transfer(request) => self.transfer(request).map(done),
            Step::Map(request) => self.map(request).map(done),
            Step::Unmap(place) => {
                self.unmap(place);
                Ok(Answer::Done)
            }
            Step::Protect(place, access) => self.protect(place, *access).map(done),
            Step::OperateMapped(op, place) => self.operate_mapped(*op, place).map(done),
            Step::Touch(touch) => self.touch(touch).map(Answer::Byte),
        }
    }

    /// How many VMOs there have been.
    pub const fn count(&self) -> usize {
        self.vmos.len()
    }

    /// The VMOs that there are handles to.
    pub fn open(&self) -> impl Iterator<Item = usize> {
        (0..self.vmos.len()).filter(|vmo| self.vmos[*vmo].is_open)
    }

    /// Whether anything still refers to a VMO.
    pub fn is_alive(&self, vmo: usize) -> bool {
        self.vmos[vmo].is_alive
    }

    /// The rights that a handle really has.
    pub fn rights(&self, handle: Handle) -> Rights {
        self.vmos[handle.vmo].rights & handle.rights
    }

    /// Checks that a handle has rights.
    ///
    /// # Errors
    /// `ACCESS_DENIED`: one of them is missing.
    pub(crate) fn demand(&self, handle: Handle, rights: Rights) -> Result<()> {
        if self.rights(handle).contains(rights) {
            Ok(())
        } else {
            Err(Status::ACCESS_DENIED)
        }
    }

    /// The VMO that has the pages, and how many bytes of it come before this one's.
    pub(crate) fn owner(&self, vmo: usize) -> (usize, u64) {
        match &self.vmos[vmo].source {
            Source::Own(_) => (vmo, 0),
            Source::Slice { owner, bytes, .. } => (*owner, bytes.start),
            Source::Reference { owner } => (*owner, 0),
        }
    }

    /// The pages that a VMO shows, and how many bytes of them come before its own.
    pub(crate) fn contents(&self, vmo: usize) -> (&Contents, u64) {
        let (owner, skipped) = self.owner(vmo);
        match &self.vmos[owner].source {
            Source::Own(contents) => (contents, skipped),
            Source::Slice { .. } | Source::Reference { .. } => unreachable!("an owner has pages"),
        }
    }

    /// The same, for changes.
    pub(crate) fn contents_mut(&mut self, vmo: usize) -> (&mut Contents, u64, &mut Frames) {
        let (owner, skipped) = self.owner(vmo);
        match &mut self.vmos[owner].source {
            Source::Own(contents) => (contents, skipped, &mut self.frames),
            Source::Slice { .. } | Source::Reference { .. } => unreachable!("an owner has pages"),
        }
    }

    /// The size of a VMO in bytes.
    pub fn size(&self, vmo: usize) -> u64 {
        match &self.vmos[vmo].source {
            Source::Slice { bytes, .. } => bytes.end - bytes.start,
            Source::Own(_) | Source::Reference { .. } => self.contents(vmo).0.size,
        }
    }

    /// The size of the stream of a VMO in bytes.
    pub fn stream(&self, vmo: usize) -> u64 {
        match &self.vmos[vmo].source {
            Source::Slice { stream, .. } => *stream,
            Source::Own(_) | Source::Reference { .. } => self.contents(vmo).0.stream,
        }
    }

    /// Bytes of a VMO, all of which it has.
    pub fn bytes(&self, vmo: usize, range: Range<u64>) -> Vec<u8> {
        let (contents, skipped) = self.contents(vmo);
        contents.read(range.start + skipped..range.end + skipped)
    }

    /// The numbers of the pages of a VMO that are there, counted from its own first.
    pub fn present(&self, vmo: usize) -> impl Iterator<Item = u64> {
        let (contents, skipped) = self.contents(vmo);
        let first = skipped / P;
        let pages = contents.present(first..first + self.size(vmo) / P);
        pages.map(move |(number, _)| number - first)
    }

    pub(crate) fn add(&mut self, vmo: Vmo) {
        self.vmos.push(vmo);
    }

    /// Lets go of the VMOs that nothing refers to any more.
    pub(crate) fn settle(&mut self) {
        while let Some(vmo) = (0..self.vmos.len()).find(|vmo| self.is_forgotten(*vmo)) {
            let parent = self.vmos[vmo].parent;
            for child in &mut self.vmos {
                if child.parent == Some(vmo) {
                    child.parent = parent;
                    child.is_with_first_parent = false;
                }
            }
            self.vmos[vmo].is_alive = false;
            if let Source::Own(contents) = &mut self.vmos[vmo].source {
                contents.clear(0..u64::MAX);
            }
        }
    }

    /// Whether a VMO is alive though nothing refers to it.
    fn is_forgotten(&self, vmo: usize) -> bool {
        let mut shown = self.windows.iter().flatten().flatten();
        let is_shown = shown.any(|shown| shown.vmo == vmo);
        let mut others = (0..self.vmos.len()).filter(|other| *other != vmo);
        let is_source = others.any(|other| self.is_alive(other) && self.owner(other).0 == vmo);
        self.is_alive(vmo) && !self.vmos[vmo].is_open && !is_shown && !is_source
    }
}

impl Default for Families {
    fn default() -> Self {
        Self::new()
    }
}

/// Says where two answers begin to differ, which are too long to print.
fn first_difference(right: &[u8], wrong: &[u8]) -> Mismatch {
    let differing = (0..right.len()).find(|at| right.get(*at) != wrong.get(*at));
    let at = differing.unwrap_or(right.len());
    let (expected, got) = (right.get(at), wrong.get(at));
    Mismatch(format!("byte {at}: expected {expected:x?}, got {got:x?}"))
}
