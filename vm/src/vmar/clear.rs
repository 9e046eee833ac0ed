//! Making room in a range of a VMAR, in two phases.
//!
//! [`Vmar::prepare_clear`] gathers the memory that may be needed; [`Vmar::clear`] cannot fail. The order
//! inside `clear` matters: translations go first, on all CPUs, and only then do VMOs forget the mappings.
//! The other way round, a VMO could free a page that a CPU still reaches.

use alloc::sync::Arc;

use arrayvec::ArrayVec;
use syscall::Result;

use super::{Life, Mapping, NewMapping, Region, RegionKind, Vmar};
use crate::addr::VirtRange;
use crate::locked::{Guard, WriteGuard};
use crate::mmu::{Mmu, MmuCursor, TlbBatch};
use crate::region_tree::HasRange;
use crate::try_alloc::try_arc;
use crate::vmo::RegionList;

/// What has to be at hand before a range can be cleared.
#[must_use = "a range is cleared with it"]
pub(super) struct Clearance<M: Mmu> {
    /// The upper part of the one mapping that reaches out of the range on both sides.
    upper: Option<Arc<Region<M>>>,
}

impl<M: Mmu> Clearance<M> {
    /// Enough for a range in which every region lies as a whole.
    pub(super) const fn none() -> Self {
        Self { upper: None }
    }
}

impl<M: Mmu> Vmar<M> {
    /// Gathers what [`clear`](Self::clear) needs for `range`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none. Nothing changes.
    pub(super) fn prepare_clear(
        &self,
        range: VirtRange,
        guard: &impl Guard<M>,
    ) -> Result<Clearance<M>> {
        let around = self.children(guard).find(range.base()).filter(|region| {
            region.range().base() < range.base() && range.end() < region.range().end()
        });
        let Some((region, mapping)) = around.and_then(|it| Some((it, it.as_mapping()?))) else {
            return Ok(Clearance::none());
        };
        let whole = region.range();
        let Some(upper) = VirtRange::between(range.end(), whole.end()) else {
            return Ok(Clearance::none());
        };
        let new = NewMapping {
            range: upper,
            vmo: mapping.vmo().clone(),
            first: mapping.page_at(whole.base(), upper.base()),
            options: mapping.options(),
            maximal: mapping.maximal(),
            protection: mapping.protection_above(upper.base(), guard)?,
        };
        let region = try_arc(Region::mapping(self.owner().clone(), new))?;
        Ok(Clearance {
            upper: Some(region),
        })
    }

    /// Takes everything out of `range`; what it takes out is appended to `removed`.
    ///
    /// VMARs that begin in the range must lie in it. They become dead, with all below them. Drop
    /// `removed` only after the guard.
    pub(super) fn clear(
        &self,
        range: VirtRange,
        clearance: Clearance<M>,
        guard: &mut WriteGuard<'_, M>,
        removed: &mut RegionList<M>,
    ) {
        remove_translations(self.owner().mmu(), range);
        let mut vmars = RegionList::default();
        let mut trimmed = ArrayVec::<Arc<Region<M>>, 2>::new();
        let mut edit = self
            .state
            .get_mut(guard)
            .children
            .first_from_mut(range.base());
        while let Some(region) = edit
            .get()
            .filter(|region| region.range().base() < range.end())
        {
            match region.kind() {
                RegionKind::Vmar(_) => append(&mut vmars, edit.remove()),
                RegionKind::Mapping(mapping) if range.contains_range(region.range()) => {
                    forget(region, mapping);
                    append(removed, edit.remove());
                }
                RegionKind::Mapping(_) => {
                    trimmed.extend(edit.as_cursor().clone_pointer());
                    edit.resize(|region| trim(region, range, clearance.upper.as_ref()));
                    edit.move_next();
                }
            }
        }
        if let Some(upper) = clearance.upper {
            self.insert(upper, guard);
        }
        for region in trimmed {
            if let Some(mapping) = region.as_mapping() {
                mapping.clip_runs(region.range(), guard);
            }
        }
        dismantle(vmars, guard, removed);
    }

    /// Ends this VMAR and all below it. Their translations are gone already.
    pub(super) fn dismantle(&self, guard: &mut WriteGuard<'_, M>, removed: &mut RegionList<M>) {
        let mut vmars = RegionList::default();
        self.empty(guard, &mut vmars, removed);
        dismantle(vmars, guard, removed);
    }

    /// Ends this VMAR; the VMARs directly below it are appended to `vmars`.
    fn empty(
        &self,
        guard: &mut WriteGuard<'_, M>,
        vmars: &mut RegionList<M>,
        removed: &mut RegionList<M>,
    ) {
        let state = self.state.get_mut(guard);
        state.life = Life::Dead;
        let mut edit = state.children.first_from_mut(self.range.base());
        while let Some(region) = edit.get() {
            match region.kind() {
                RegionKind::Vmar(_) => append(vmars, edit.remove()),
                RegionKind::Mapping(mapping) => {
                    forget(region, mapping);
                    append(removed, edit.remove());
                }
            }
        }
    }
}

/// Appends a region that was taken out of a tree.
pub(super) fn append<M: Mmu>(list: &mut RegionList<M>, region: Option<Arc<Region<M>>>) {
    if let Some(region) = region {
        list.push_back(region);
    }
}

/// Takes all translations in `range` out of the page table, and out of every CPU.
pub(super) fn remove_translations<M: Mmu>(mmu: &M, range: VirtRange) {
    let mut batch = TlbBatch::new();
    mmu.cursor(range).unmap(range.pages(), &mut batch);
    mmu.flush(batch);
}

/// Ends `vmars`, which are in no tree any more, and all below them, level by level.
///
/// Depth is up to the user, so this neither recurses nor allocates.
fn dismantle<M: Mmu>(
    mut vmars: RegionList<M>,
    guard: &mut WriteGuard<'_, M>,
    removed: &mut RegionList<M>,
) {
    while let Some(region) = vmars.pop_front() {
        if let RegionKind::Vmar(vmar) = region.kind() {
            vmar.empty(guard, &mut vmars, removed);
        }
        removed.push_back(region);
    }
}

/// Lets the VMO of a mapping that has no translations forget it.
fn forget<M: Mmu>(region: &Region<M>, mapping: &Mapping<M>) {
    let listed = mapping.vmo().lock().detach(region);
    drop(listed);
}

/// Trims a mapping that reaches out of `range`, on both sides if `upper` stands for its upper part.
///
/// The upper part keeps its translations, so the VMO learns of it at the same time.
fn trim<M: Mmu>(region: &Region<M>, range: VirtRange, upper: Option<&Arc<Region<M>>>) {
    let whole = region.range();
    let rest = VirtRange::between(whole.base(), range.base())
        .or_else(|| VirtRange::between(range.end(), whole.end()));
    let (Some(mapping), Some(rest)) = (region.as_mapping(), rest) else {
        return;
    };
    let mut vmo = mapping.vmo().lock();
    region.set_range(rest);
    if let Some(upper) = upper {
        vmo.attach(upper.clone());
    }
}
