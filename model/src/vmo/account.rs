//! What is known about a VMO besides its bytes: `spec/vmo.md` §10, §12 and §15.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::Families;
use super::contents::Page;
use super::families::Source;
use crate::{Mismatch, PAGE};

const P: u64 = PAGE as u64;

/// A page, in parts of a byte of which there are 2^63.
const PAGE_PARTS: u128 = (P as u128) << 63;

/// The parts that do not make a byte.
const FRACTION: u64 = (1 << 63) - 1;

/// The memory behind some pages of a VMO.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Memory {
    /// Bytes of pages that are present.
    pub committed: u64,
    /// Of those, the bytes that only this VMO sees.
    pub private: u64,
    /// Each page divided by the number of VMOs that see it: the whole bytes.
    pub scaled: u64,
    /// The part of a byte that is left, of which 2^63 make a byte.
    pub fraction: u64,
}

impl Memory {
    /// Of frames that nobody shares.
    const fn whole(frames: usize) -> Self {
        let bytes = frames as u64 * P;
        Self {
            committed: bytes,
            private: bytes,
            scaled: bytes,
            fraction: 0,
        }
    }

    /// What is scaled, in parts of a byte.
    fn parts(&self) -> u128 {
        (u128::from(self.scaled) << 63) + u128::from(self.fraction)
    }

    /// Whether it is the same, but for odd parts of the pages.
    fn is_nearly(&self, other: &Self) -> bool {
        let pages = u128::from(self.committed / P);
        self.committed == other.committed
            && self.private == other.private
            && self.fraction <= FRACTION
            && self.parts().abs_diff(other.parts()) <= pages
    }
}

/// What is known about a VMO.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Facts {
    /// The size in bytes.
    pub size: u64,
    /// The size of the stream in bytes.
    pub stream: u64,
    /// How many children it has.
    pub children: usize,
    /// Whose child it is, if that is the VMO that it was made from.
    pub parent: Option<usize>,
    /// Whether the size may change.
    pub is_resizable: bool,
    /// Whether it is a copy-on-write child.
    pub is_copy: bool,
    /// The memory behind all of it.
    pub memory: Memory,
}

/// How many VMOs see each frame, at one moment, by the number of the frame.
#[derive(Clone, Debug)]
pub struct Sharers(Vec<u64>);

impl Sharers {
    /// How many frames all VMOs together take.
    pub fn frame_count(&self) -> usize {
        self.0.iter().filter(|count| **count > 0).count()
    }

    fn of(&self, page: &Page) -> u64 {
        self.0[page.frame as usize]
    }
}

impl Families {
    /// Who sees what at this moment.
    pub fn sharers(&self) -> Sharers {
        let mut sharers = vec![0; self.frames.count()];
        for vmo in &self.vmos {
            if let Source::Own(contents) = &vmo.source {
                for (_, page) in contents.present(0..u64::MAX) {
                    sharers[page.frame as usize] += 1;
                }
            }
        }
        Sharers(sharers)
    }

    /// What is known about a VMO.
    pub fn facts(&self, vmo: usize, sharers: &Sharers) -> Facts {
        let own = &self.vmos[vmo];
        let children = self.vmos.iter();
        let children = children.filter(|child| child.is_alive && child.parent == Some(vmo));
        Facts {
            size: self.size(vmo),
            stream: self.stream(vmo),
            children: children.count(),
            parent: own.parent.filter(|_| own.is_with_first_parent),
            is_resizable: own.traits.is_resizable,
            is_copy: own.traits.is_copy,
            memory: self.memory(vmo, 0..self.size(vmo) / P, sharers),
        }
    }

    /// Whether the size of a VMO may change.
    pub fn is_resizable(&self, vmo: usize) -> bool {
        self.vmos[vmo].traits.is_resizable
    }

    /// Whether a VMO can never be written.
    pub fn is_immutable(&self, vmo: usize) -> bool {
        self.vmos[vmo].traits.is_immutable
    }

    /// Whether what is said about VMOs is right, and adds up if it is said about all.
    ///
    /// Nobody asks for a parent that is not the first one, nor for the sharer of a page who gets the odd
    /// parts of it.
    ///
    /// # Errors
    /// What differs.
    pub fn compare(
        &self,
        said: impl Iterator<Item = (usize, Facts)>,
        sharers: &Sharers,
    ) -> core::result::Result<(), Mismatch> {
        let (mut told, mut sum) = (0, 0);
        for (vmo, mut facts) in said {
            if !self.vmos[vmo].is_with_first_parent {
                facts.parent = None;
            }
            let expected = self.facts(vmo, sharers);
            let is_right = facts.memory.is_nearly(&expected.memory);
            let memory = expected.memory;
            if !is_right || (Facts { memory, ..facts }) != expected {
                return Err(Mismatch(format!(
                    "VMO {vmo}: expected {expected:?}, got {facts:?}"
                )));
            }
            told += 1;
            sum += facts.memory.parts();
        }
        let all = self.vmos.iter().filter(|vmo| vmo.is_alive).count();
        let frames = sharers.frame_count();
        if told == all && sum != Memory::whole(frames).parts() {
            return Err(Mismatch(format!(
                "{frames} frames, but the parts add up to {sum:#x}"
            )));
        }
        Ok(())
    }

    /// The memory behind pages of a VMO; none if they are another's.
    pub fn memory(&self, vmo: usize, pages: Range<u64>, sharers: &Sharers) -> Memory {
        let Source::Own(contents) = &self.vmos[vmo].source else {
            return Memory::default();
        };
        let (mut committed, mut private, mut parts) = (0, 0, 0_u128);
        for (_, page) in contents.present(pages) {
            let count = sharers.of(page);
            committed += P;
            private += if count == 1 { P } else { 0 };
            parts += PAGE_PARTS / u128::from(count);
        }
        Memory {
            committed,
            private,
            scaled: (parts >> 63) as u64,
            fraction: parts as u64 & FRACTION,
        }
    }

    /// Whether a page is there, and no other VMO sees it.
    pub fn is_private(&self, vmo: usize, page: u64, sharers: &Sharers) -> bool {
        let (contents, skipped) = self.contents(vmo);
        let page = skipped / P + page;
        let found = contents.present(page..page + 1).next();
        found.is_some_and(|(_, page)| sharers.of(page) == 1)
    }
}
