//! Making room in a range of a VMAR, in two phases.
//!
//! [`Vmar::prepare_clear`] gathers the memory that may be needed; [`Vmar::clear`] cannot fail. The order
//! inside `clear` matters: translations go first, on all CPUs, and only then do VMOs forget the mappings.
//! The other way round, a VMO could free a page that a CPU still reaches.

use alloc::sync::Arc;

use arrayvec::ArrayVec;
use syscall::{Result, Status};

use super::{Life, Mapping, NewMapping, OpChildren, Region, RegionKind, Vmar};
use crate::addr::{VirtAddr, VirtRange};
use crate::locked::{Guard, WriteGuard};
use crate::mmu::{Mmu, MmuCursor, TlbBatch};
use crate::region_tree::HasRange;
use crate::try_alloc::try_arc;
use crate::vmo::RegionList;

/// What has to be at hand, and known, before a range can be cleared.
#[must_use = "a range is cleared with it"]
pub(super) struct Clearance<M: Mmu> {
    /// The upper part of the one mapping that reaches out of the range on both sides.
    upper: Option<Arc<Region<M>>>,
    translations: Translations,
}

/// Whether a range can be left out when translations are removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Translations {
    /// Nothing in it has ever been entered.
    None,
    /// Something may be in the page table.
    Some,
}

impl<M: Mmu> Clearance<M> {
    /// For a range in which every region lies as a whole.
    pub(super) const fn whole() -> Self {
        Self {
            upper: None,
            translations: Translations::Some,
        }
    }
}

impl<M: Mmu> Vmar<M> {
    /// Checks that `range` may be cleared, and gathers what [`clear`](Self::clear) needs.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: it covers a VMAR in part, or one at all though `children` forbids it.
    /// - `NO_MEMORY`: a mapping must be split, and there is none for the second part.
    pub(super) fn prepare_clear(
        &self,
        range: VirtRange,
        children: OpChildren,
        guard: &impl Guard<M>,
    ) -> Result<Clearance<M>> {
        let mut clearance = Clearance {
            upper: None,
            translations: Translations::None,
        };
        for region in self.children(guard).overlapping(range) {
            match region.kind() {
                RegionKind::Vmar(vmar) => {
                    if children == OpChildren::Forbidden || !range.contains_range(vmar.range()) {
                        return Err(Status::INVALID_ARGS);
                    }
                    clearance.translations = Translations::Some;
                }
                RegionKind::Mapping(mapping) => {
                    if mapping.marks().has_entered() {
                        clearance.translations = Translations::Some;
                    }
                    if region.range().base() < range.base() && range.end() < region.range().end() {
                        clearance.upper =
                            Some(self.upper_part(region, mapping, range.end(), guard)?);
                    }
                }
            }
        }
        Ok(clearance)
    }

    /// A new mapping for the part of `region` from `at` on, with the same translations.
    fn upper_part(
        &self,
        region: &Region<M>,
        mapping: &Mapping<M>,
        at: VirtAddr,
        guard: &impl Guard<M>,
    ) -> Result<Arc<Region<M>>> {
        let whole = region.range();
        let new = NewMapping {
            range: VirtRange::between(at, whole.end()).ok_or(Status::INVALID_ARGS)?,
            vmo: mapping.vmo().clone(),
            first: mapping.page_at(whole.base(), at),
            options: mapping.options(),
            maximal: mapping.maximal(),
            protection: mapping.protection_above(at, guard)?,
        };
        let upper = try_arc(Region::mapping(self.owner().clone(), new))?;
        if let Some(part) = upper.as_mapping()
            && mapping.marks().has_entered()
        {
            part.marks().note_entered();
        }
        Ok(upper)
    }

    /// Takes out the mapping that covers exactly `range`, if there is one: the quick way.
    ///
    /// Needs no preparation. The caller drops the mapping after the guard.
    #[inline]
    pub(super) fn clear_one(
        &self,
        range: VirtRange,
        guard: &mut WriteGuard<'_, M>,
    ) -> Option<Arc<Region<M>>> {
        let regions = &mut self.state.get_mut(guard).children;
        let mut edit = regions.find_mut(range.base());
        let region = edit.get().filter(|region| region.range() == range)?;
        let mapping = region.as_mapping()?;
        if mapping.marks().has_entered() {
            remove_translations(self.owner().mmu(), range);
        }
        forget(region, mapping);
        edit.remove()
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
        match clearance.translations {
            Translations::None => {}
            Translations::Some => remove_translations(self.owner().mmu(), range),
        }
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
///
/// The page table stays locked until every CPU has forgotten them: a VMO that looks for a translation
/// meanwhile, and finds none, may free the page or share it.
pub(super) fn remove_translations<M: Mmu>(mmu: &M, range: VirtRange) {
    let mut batch = TlbBatch::new();
    let mut cursor = mmu.cursor(range);
    cursor.unmap(range.pages(), &mut batch);
    mmu.flush(batch);
    drop(cursor);
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
        vmo.attach(upper);
    }
}
