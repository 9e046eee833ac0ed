//! Joining mappings that continue each other.
//!
//! Source: `spec/vmar.md` §5.2, "merge".

use alloc::sync::Arc;

use super::clear::append;
use super::map::Mapped;
use super::populate::Others;
use super::{Region, Vmar};
use crate::addr::{VirtAddr, VirtRange};
use crate::locked::WriteGuard;
use crate::mmu::{Domain, Mmu};
use crate::region_tree::HasRange;
use crate::vmo::RegionList;

impl<M: Mmu> Vmar<M> {
    /// Joins a new mapping with its neighbours, if it is still there and they could have been made as one.
    ///
    /// Locks the address space, then the VMO.
    #[inline]
    pub fn join(&self, mapped: Mapped) {
        match mapped.others {
            Others::None => {}
            Others::Some => self.join_at(mapped.base()),
        }
    }

    #[inline(never)]
    fn join_at(&self, base: VirtAddr) {
        let mut removed = RegionList::default();
        let mut guard = self.owner().write();
        let region = self.children(&guard).find_cursor(base).clone_pointer();
        if let Some(region) = region.filter(|region| region.range().base() == base) {
            self.merge_around(&region, &mut guard, &mut removed);
        }
        drop(guard);
        drop(removed);
    }

    /// Joins a new mapping with its neighbours if they could have been made as one.
    ///
    /// A join that needs memory which is not there does not happen; nobody depends on it.
    fn merge_around(
        &self,
        region: &Arc<Region<M>>,
        guard: &mut WriteGuard<'_, M>,
        removed: &mut RegionList<M>,
    ) {
        if self.owner().config().domain == Domain::Kernel {
            return;
        }
        let cursor = self.children(guard).find_cursor(region.range().base());
        let (below, above) = (
            cursor
                .peek_prev()
                .clone_pointer()
                .filter(|below| continues(below, region)),
            cursor
                .peek_next()
                .clone_pointer()
                .filter(|above| continues(region, above)),
        );
        if let Some(above) = above {
            self.merge(region, &above, guard, removed);
        }
        if let Some(below) = below {
            self.merge(&below, region, guard, removed);
        }
    }

    /// Makes `lower` cover `upper`, which continues it, as well.
    ///
    /// The translations stay, so the VMO must not look while it knows neither.
    fn merge(
        &self,
        lower: &Region<M>,
        upper: &Region<M>,
        guard: &mut WriteGuard<'_, M>,
        removed: &mut RegionList<M>,
    ) {
        let (Some(mapping), Some(gone)) = (lower.as_mapping(), upper.as_mapping()) else {
            return;
        };
        let joined = VirtRange::between(lower.range().base(), upper.range().end());
        let Some(joined) = joined else { return };
        if mapping.append_access(lower.range(), gone, guard).is_err() {
            return;
        }
        let regions = &mut self.state.get_mut(guard).children;
        let mut vmo = mapping.vmo().lock();
        let listed = vmo.detach(upper);
        append(removed, regions.remove(upper));
        if gone.marks().has_entered() {
            mapping.marks().note_entered();
        }
        regions
            .find_mut(lower.range().base())
            .resize(|lower| lower.set_range(joined));
        drop(vmo);
        drop(listed);
    }
}

/// Whether `upper` lies directly above `lower` and shows what follows there, in the same manner.
fn continues<M: Mmu>(lower: &Region<M>, upper: &Region<M>) -> bool {
    let (Some(mapping), Some(other)) = (lower.as_mapping(), upper.as_mapping()) else {
        return false;
    };
    lower.range().end() == upper.range().base()
        && mapping.is_continued_by(lower.range().pages().get(), other)
}
