//! The mappings of one VMO, and lists of regions that are about to be dropped.

use alloc::sync::Arc;
use core::ptr;
use core::sync::atomic::{AtomicU8, Ordering};

use intrusive_collections::LinkedList;
use intrusive_collections::linked_list::Iter;

use super::VmoState;
use crate::mmu::Mmu;
use crate::vmar::{Mapping, Region, RegionListAdapter};

/// A list of regions that owns a reference to each.
pub(crate) type RegionList<M> = LinkedList<RegionListAdapter<M>>;

/// The mappings that show one VMO.
///
/// The list holds exactly those mappings of the VMO whose [`Marks`] say so. Only [`VmoState::attach`] and
/// [`VmoState::detach`] change either.
pub struct MappingList<M: Mmu> {
    list: RegionList<M>,
    len: usize,
}

/// What a VMO remembers in each of its mappings. Changes under the VMO's lock.
#[derive(Debug, Default)]
pub struct Marks(AtomicU8);

impl Marks {
    /// Set while the mapping is in the list of its VMO; only `attach` and `detach` do that.
    const LISTED: u8 = 1;
    /// Set once the mapping may have had a translation.
    const ENTERED: u8 = 2;

    /// Notes that the mapping may have translations from now on.
    #[inline]
    pub fn note_entered(&self) {
        if !self.has_entered() {
            self.set(self.get() | Self::ENTERED);
        }
    }

    #[inline]
    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    /// Changes under the VMO's lock, so no change is lost.
    #[inline]
    fn set(&self, marks: u8) {
        self.0.store(marks, Ordering::Relaxed);
    }

    /// Whether the mapping may have translations.
    ///
    /// The answer is final for whoever holds the VMO's lock, or the address space's for writing.
    #[inline]
    pub fn has_entered(&self) -> bool {
        self.0.load(Ordering::Relaxed) & Self::ENTERED != 0
    }
}

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
    #[inline]
    pub fn attach(&mut self, region: &Arc<Region<M>>) {
        let marks = self.own(region).marks();
        self.mappings.list.push_front(region.clone());
        marks.set(marks.get() | Marks::LISTED);
        self.mappings.len += 1;
    }

    /// Forgets a mapping of this VMO, which has no translations any more.
    ///
    /// `None` if it is not remembered.
    ///
    /// # Panics
    /// If `region` is not a mapping of this VMO.
    #[inline]
    pub fn detach(&mut self, region: &Region<M>) -> Option<Arc<Region<M>>> {
        let marks = self.own(region).marks();
        let before = marks.get();
        if before & Marks::LISTED == 0 {
            return None;
        }
        marks.set(before & !Marks::LISTED);
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
    #[inline]
    fn own<'a>(&self, region: &'a Region<M>) -> &'a Mapping<M> {
        let mapping = region.as_mapping().expect("only mappings show a VMO");
        assert!(
            ptr::eq(mapping.vmo().state_address(), self),
            "a mapping of another VMO"
        );
        mapping
    }
}
