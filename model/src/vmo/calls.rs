//! What the calls do to contents and sizes: `spec/vmo.md` §3 to §5, §9 and §14.

use alloc::vec::Vec;
use core::ops::Range;

use syscall::{Result, Rights, Status};

use super::child::round_up;
use super::families::Source;
use super::step::{Bytes, Handle, RangeOp, Transfer, pattern};
use super::{Families, MAX_SIZE};
use crate::PAGE;

const P: u64 = PAGE as u64;

impl Families {
    pub(super) fn read(&self, request: &Bytes) -> Result<Vec<u8>> {
        self.demand(request.vmo, Rights::READ)?;
        let range = self.range(request)?;
        Ok(self.bytes(request.vmo.vmo, range))
    }

    pub(super) fn write(&mut self, request: &Bytes, seed: u8) -> Result<()> {
        self.demand(request.vmo, Rights::WRITE)?;
        self.range(request)?;
        let bytes = pattern(seed, request.length);
        let (contents, skipped, frames) = self.contents_mut(request.vmo.vmo);
        contents.write(skipped + request.offset, &bytes, frames);
        Ok(())
    }

    pub(super) fn resize(&mut self, handle: Handle, size: u64) -> Result<()> {
        self.demand(handle, Rights::WRITE)?;
        if !self.vmos[handle.vmo].traits.is_resizable {
            return Err(Status::UNAVAILABLE);
        }
        self.demand(handle, Rights::RESIZE)?;
        let rounded = round_up(size)?;
        if rounded > MAX_SIZE {
            return Err(Status::OUT_OF_RANGE);
        }
        let (contents, _, frames) = self.contents_mut(handle.vmo);
        if contents.base.checked_add(rounded).is_none() {
            return Err(Status::INVALID_ARGS);
        }
        contents.resize(size, frames);
        Ok(())
    }

    pub(super) fn set_stream(&mut self, handle: Handle, size: u64) -> Result<()> {
        self.demand(handle, Rights::WRITE)?;
        let vmo = handle.vmo;
        let (old, end) = (self.stream(vmo), self.size(vmo));
        if size == old {
            return Ok(());
        }
        if size > end {
            return Err(Status::OUT_OF_RANGE);
        }
        let (contents, skipped, frames) = self.contents_mut(vmo);
        contents.zero(skipped + size.min(old)..skipped + end, frames);
        match &mut self.vmos[vmo].source {
            Source::Slice { stream, .. } => *stream = size,
            Source::Own(_) | Source::Reference { .. } => self.contents_mut(vmo).0.stream = size,
        }
        Ok(())
    }

    pub(super) fn operate(&mut self, op: RangeOp, request: &Bytes) -> Result<()> {
        let right = match op {
            RangeOp::Commit | RangeOp::Decommit | RangeOp::Zero => Rights::WRITE,
            RangeOp::Prefetch => Rights::READ,
            RangeOp::DontNeed | RangeOp::AlwaysNeed => return Ok(()),
        };
        self.demand(request.vmo, right)?;
        let range = self.range(request)?;
        match op {
            RangeOp::Decommit => self.decommit(request.vmo.vmo, range),
            RangeOp::Commit => {
                self.commit(request.vmo.vmo, range);
                Ok(())
            }
            RangeOp::Zero => {
                self.zero(request.vmo.vmo, range);
                Ok(())
            }
            RangeOp::Prefetch | RangeOp::DontNeed | RangeOp::AlwaysNeed => Ok(()),
        }
    }

    /// Makes pages present that are the VMO's alone.
    pub(super) fn commit(&mut self, vmo: usize, range: Range<u64>) {
        let (contents, skipped, frames) = self.contents_mut(vmo);
        if !range.is_empty() {
            let pages = (skipped + range.start) / P..(skipped + range.end).div_ceil(P);
            contents.commit(pages, frames);
        }
    }

    /// Makes bytes zero.
    pub(super) fn zero(&mut self, vmo: usize, range: Range<u64>) {
        let (contents, skipped, frames) = self.contents_mut(vmo);
        contents.zero(skipped + range.start..skipped + range.end, frames);
    }

    /// Frees pages, where they are not part of a family of copies.
    pub(super) fn decommit(&mut self, vmo: usize, range: Range<u64>) -> Result<()> {
        if !range.start.is_multiple_of(P) || !range.end.is_multiple_of(P) {
            return Err(Status::INVALID_ARGS);
        }
        if self.is_copied(vmo) {
            return Err(Status::NOT_SUPPORTED);
        }
        let (contents, skipped, _) = self.contents_mut(vmo);
        contents.clear((skipped + range.start) / P..(skipped + range.end) / P);
        Ok(())
    }

    /// Whether the pages of a VMO are those of a copy, or have been copied for a child that is there.
    fn is_copied(&self, vmo: usize) -> bool {
        let owner = self.owner(vmo).0;
        let is_copy_of_owner = |child: &super::families::Vmo| {
            let parent = child.parent.filter(|_| child.is_alive);
            child.traits.is_copy && parent.is_some_and(|parent| self.owner(parent).0 == owner)
        };
        self.vmos[owner].traits.is_copy || self.vmos.iter().any(is_copy_of_owner)
    }

    pub(super) fn transfer(&mut self, request: &Transfer) -> Result<()> {
        let Transfer {
            to,
            to_offset,
            length,
            from,
            from_offset,
        } = *request;
        if [to_offset, from_offset, length]
            .iter()
            .any(|offset| !offset.is_multiple_of(P))
        {
            return Err(Status::INVALID_ARGS);
        }
        self.demand(to, Rights::WRITE)?;
        self.demand(from, Rights::READ | Rights::WRITE)?;
        if (to.vmo, to_offset) == (from.vmo, from_offset) {
            return Ok(());
        }
        let bytes = |vmo, offset| Bytes {
            vmo,
            offset,
            length,
        };
        let target = self.range(&bytes(to, to_offset))?;
        let source = self.range(&bytes(from, from_offset))?;
        let (contents, skipped, _) = self.contents_mut(from.vmo);
        let taken = contents.take((skipped + source.start) / P..(skipped + source.end) / P);
        let (contents, skipped, frames) = self.contents_mut(to.vmo);
        let pages = (skipped + target.start) / P..(skipped + target.end) / P;
        contents.put(pages, taken, frames);
        Ok(())
    }

    /// The range that is asked for, if the VMO has all of it.
    fn range(&self, request: &Bytes) -> Result<Range<u64>> {
        let end = request.offset.checked_add(request.length);
        let end = end.filter(|end| *end <= self.size(request.vmo.vmo));
        Ok(request.offset..end.ok_or(Status::OUT_OF_RANGE)?)
    }
}
