//! The mappings of one VMO, and lists of regions that are about to be dropped.

use alloc::sync::Arc;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use intrusive_collections::LinkedList;
use intrusive_collections::linked_list::Iter;

use super::VmoState;
use crate::mmu::Mmu;
use crate::vmar::{Mapping, Region, RegionListAdapter};

/// A list of regions that owns a reference to each.
pub(crate) type RegionList<M> = LinkedList<RegionListAdapter<M>>;

/// The mappings that show one VMO.
///
/// The list holds exactly those mappings of the VMO whose [`ListMark`] is set. Only [`VmoState::attach`]
/// and [`VmoState::detach`] change either.
pub struct MappingList<M: Mmu> {
    list: RegionList<M>,
    len: usize,
}

/// Whether a mapping is in the list of its VMO.
#[derive(Debug, Default)]
pub struct ListMark(AtomicBool);

impl<M: Mmu> MappingList<M> {
    /// No mappings.
    pub fn new() -> Self {
        Self {
            list: RegionList::new(RegionListAdapter::new()),
            len: 0,
        }
    }

    /// The mappings, in no particular order.
    pub fn iter(&self) -> Iter<'_, RegionListAdapter<M>> {
        self.list.iter()
    }
}

impl<M: Mmu> VmoState<M> {
    /// How many mappings show the VMO.
    pub const fn num_mappings(&self) -> usize {
        self.mappings.len
    }

    /// Remembers a mapping of this VMO, so that it may have translations.
    ///
    /// # Panics
    /// If `region` is not a mapping of this VMO, or is in a list already.
    pub fn attach(&mut self, region: Arc<Region<M>>) {
        self.own(&region).mark().0.store(true, Ordering::Relaxed);
        self.mappings.list.push_front(region);
        self.mappings.len += 1;
    }

    /// Forgets a mapping of this VMO, which has no translations any more.
    ///
    /// `None` if it is not remembered.
    ///
    /// # Panics
    /// If `region` is not a mapping of this VMO.
    pub fn detach(&mut self, region: &Region<M>) -> Option<Arc<Region<M>>> {
        if !self.own(region).mark().0.swap(false, Ordering::Relaxed) {
            return None;
        }
        self.mappings.len -= 1;
        if self.mappings.len == 0 {
            self.clear_zeros();
        }
        // SAFETY: The region is in this very list: its mark was set, which is done by `attach` only, for
        // the list of the region's VMO, which is this one, as `own` has checked. The lock that gives
        // `&mut self` orders the accesses to the mark.
        unsafe { self.mappings.list.cursor_mut_from_ptr(region) }.remove()
    }

    /// The mapping that `region` is.
    fn own<'a>(&self, region: &'a Region<M>) -> &'a Mapping<M> {
        let mapping = region.as_mapping().expect("only mappings show a VMO");
        assert!(
            ptr::eq(mapping.vmo().state_address(), self),
            "a mapping of another VMO"
        );
        mapping
    }
}
