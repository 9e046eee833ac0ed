//! Children of VMOs: snapshots, slices and references.
//!
//! | child | its pages |
//! |---|---|
//! | snapshot | those of its parent at this moment; from then on each has its own |
//! | slice | a window of its parent's |
//! | reference | all of its parent's |
//!
//! Memory without a pager has only one kind of snapshot: the two weaker kinds promise less, and get the
//! same.
//!
//! Source: `spec/vmo.md` §7, from its fourth check on.

use alloc::sync::Arc;

use spin::Once;
use syscall::{Koid, Result, Status, VmoChildOptions, VmoOptions};

use super::family::{ChildKind, Membership};
use super::view::{Own, Slice, Source};
use super::{MAX_SIZE, PageIndex, Vmo, VmoKind, VmoState, round_up};
use crate::addr::PAGE_SIZE;
use crate::mmu::{MemoryType, Mmu};
use crate::reclaim::Standing;
use crate::try_alloc::ArcPermit;

/// What kind of child of which part of its parent is to be made.
#[derive(Clone, Copy, Debug)]
pub struct ChildRequest {
    /// The koid of the child.
    pub koid: Koid,
    /// The kind, and what the child can do.
    pub options: VmoChildOptions,
    /// The byte of the parent where the child begins.
    pub offset: u64,
    /// The size of the child in bytes.
    pub size: u64,
    /// Whether who asks may resize the parent.
    pub may_resize: bool,
}

/// Kinds of children that begin with the contents of their parents.
const COW: VmoChildOptions = VmoChildOptions::SNAPSHOT
    .union(VmoChildOptions::SNAPSHOT_AT_LEAST_ON_WRITE)
    .union(VmoChildOptions::SNAPSHOT_MODIFIED);

/// All kinds of children.
const KINDS: VmoChildOptions = COW
    .union(VmoChildOptions::SLICE)
    .union(VmoChildOptions::REFERENCE);

impl<M: Mmu> Vmo<M> {
    /// Makes a child.
    ///
    /// A snapshot takes as long for a large VMO as for a small one, but for the translations that lose
    /// the permission to write. The name is left to the caller.
    ///
    /// Locks the VMO, then the page tables of its mappings one after the other; then the family.
    ///
    /// # Errors
    /// Those of `spec/vmo.md` §7.1, from check 4 on, and §7.2, §7.3 or §7.4, in their order; first of all
    /// `OUT_OF_RANGE` and `INVALID_ARGS` as its checks 1 and 2. Nothing changes.
    pub fn create_child(self: &Arc<Self>, request: ChildRequest) -> Result<Arc<Self>> {
        let ChildRequest { options, size, .. } = request;
        let size = round_up(size)?;
        if options.contains(VmoChildOptions::NO_WRITE | VmoChildOptions::RESIZABLE) {
            return Err(Status::INVALID_ARGS);
        }
        let kind = options & KINDS;
        let is_one = kind.bits().is_power_of_two() && VmoChildOptions::all().contains(options);
        let is_resizable = options.contains(VmoChildOptions::RESIZABLE);
        if !is_one || kind == VmoChildOptions::SLICE && is_resizable {
            return Err(Status::INVALID_ARGS);
        }
        if self.is_discardable() {
            return Err(Status::NOT_SUPPORTED);
        }
        match kind {
            VmoChildOptions::SLICE => self.create_slice(&request, size),
            VmoChildOptions::REFERENCE => self.create_reference(&request),
            _ => self.create_clone(&request, size),
        }
    }

    /// Whether it began with the contents of its parent.
    pub const fn is_cow_clone(&self) -> bool {
        self.child.intersects(COW)
    }

    /// Whether nobody can ever write to it.
    pub const fn is_immutable(&self) -> bool {
        self.child
            .contains(VmoChildOptions::SNAPSHOT.union(VmoChildOptions::NO_WRITE))
    }

    fn create_clone(self: &Arc<Self>, request: &ChildRequest, size: u64) -> Result<Arc<Self>> {
        match self.kind {
            VmoKind::Anonymous => {}
            VmoKind::Contiguous => return Err(Status::INVALID_ARGS),
            VmoKind::Physical => return Err(Status::NOT_SUPPORTED),
        }
        let first = self.owner_page(aligned(request.offset, size)?);
        self.lock().check_reach(first, size / PAGE_SIZE as u64)?;
        if self.memory() != MemoryType::Cached {
            return Err(Status::BAD_STATE);
        }
        let permit = ArcPermit::new()?;
        let membership = self.founded()?.add_child(ChildKind::CowClone)?;
        let mut state = self.lock();
        let range = first..first.saturating_add(size / PAGE_SIZE as u64);
        if state.memory() != MemoryType::Cached {
            // It changed before the family knew of the child; from then on it cannot.
            return Err(Status::BAD_STATE);
        }
        let window = self.window(&state);
        let contents = state.snapshot(self.pages, range, window)?;
        drop(state);
        let end = PageIndex::covering(size);
        let state = VmoState::cloned(contents, end, request.size);
        let mut options = VmoOptions::empty();
        let is_resizable = request.options.contains(VmoChildOptions::RESIZABLE);
        options.set(VmoOptions::RESIZABLE, is_resizable);
        let source = Source::Own(Own::new(self.pages, state));
        let child = permit.fill_cyclic(|this| Self {
            options,
            child: request.options,
            membership: Once::initialized(membership),
            ..Self::new(this, self.pages, request.koid, source)
        });
        self.pages.reclaimer().enter(&child, Standing::Kept);
        Ok(Self::introduce(child))
    }

    fn create_slice(self: &Arc<Self>, request: &ChildRequest, size: u64) -> Result<Arc<Self>> {
        let first = aligned(request.offset, size)?;
        let is_inside = request
            .offset
            .checked_add(size)
            .is_some_and(|end| end <= self.size());
        if !is_inside {
            return Err(Status::INVALID_ARGS);
        }
        if self.is_resizable() {
            return Err(Status::NOT_SUPPORTED);
        }
        if self.memory() != MemoryType::Cached && self.kind == VmoKind::Anonymous {
            return Err(Status::BAD_STATE);
        }
        let first = self.owner_page(first);
        let window = first..first.saturating_add(size / PAGE_SIZE as u64);
        let slice = Slice::new(self.owner().clone(), window, request.size);
        self.create_view(request, Source::Slice(slice))
    }

    fn create_reference(self: &Arc<Self>, request: &ChildRequest) -> Result<Arc<Self>> {
        if request.offset != 0 || request.size != 0 {
            return Err(Status::INVALID_ARGS);
        }
        if self.is_slice() || self.kind != VmoKind::Anonymous {
            return Err(Status::NOT_SUPPORTED);
        }
        if request.options.contains(VmoChildOptions::RESIZABLE) && !request.may_resize {
            return Err(Status::ACCESS_DENIED);
        }
        if self.memory() != MemoryType::Cached {
            return Err(Status::BAD_STATE);
        }
        self.create_view(request, Source::Reference(self.owner().clone()))
    }

    /// A child that shows pages of its owner.
    fn create_view(
        self: &Arc<Self>,
        request: &ChildRequest,
        source: Source<M>,
    ) -> Result<Arc<Self>> {
        let permit = ArcPermit::new()?;
        let membership = self.founded()?.add_child(ChildKind::View)?;
        Ok(Self::introduce(permit.fill_cyclic(|this| Self {
            options: self.options,
            child: request.options,
            kind: self.kind,
            membership: Once::initialized(membership),
            ..Self::new(this, self.pages, request.koid, source)
        })))
    }

    /// Its place in its family, which is founded for it if there is none.
    fn founded(self: &Arc<Self>) -> Result<&Membership<M>> {
        self.membership.try_call_once(|| Membership::founder(self))
    }

    /// Tells the family of a child who has the place that was kept for it.
    fn introduce(child: Arc<Self>) -> Arc<Self> {
        if let Some(membership) = child.membership() {
            membership.occupy(&child);
        }
        child
    }
}

/// The page at which a child of `size` bytes begins.
///
/// # Errors
/// - `INVALID_ARGS`: `offset` is not page aligned.
/// - `OUT_OF_RANGE`: `size` is more than a VMO can have.
fn aligned(offset: u64, size: u64) -> Result<PageIndex> {
    if !offset.is_multiple_of(PAGE_SIZE as u64) {
        return Err(Status::INVALID_ARGS);
    }
    if size > MAX_SIZE {
        return Err(Status::OUT_OF_RANGE);
    }
    Ok(PageIndex::containing(offset))
}

#[cfg(test)]
mod tests;
