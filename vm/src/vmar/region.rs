//! The children of a VMAR: mappings and sub-VMARs.
//!
//! A [`Region`] is a node in its parent's tree. There may be a million mappings, so a region that has
//! never been touched fits, with its two reference counts, into 120 bytes: see the assertion below. With
//! what the heap needs to know about its pages, that is less than 128 bytes for each.

mod access;
mod fixed;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use fixed::Fixed;
use intrusive_collections::{LinkedListAtomicLink, intrusive_adapter};
use syscall::VmOptions;

use super::Vmar;
use super::protection::{Protection, Runs};
use crate::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::aspace::AddressSpace;
use crate::locked::LockedBy;
use crate::mmu::{Access, Mmu};
use crate::region_tree::{Gap, HasRange, RegionLink};
use crate::vmo::{Marks, PageIndex, Vmo, VmoState};

/// What occupies some addresses of a VMAR.
///
/// The range of a mapping and its place in the VMO change only while both the address space is locked
/// for writing and the VMO is locked, so that holding either is enough to rely on them. They are atomic
/// because those who read them do not all hold the same lock; the locks order the accesses.
pub struct Region<M: Mmu> {
    link: RegionLink,
    gap: Gap,
    /// In the list of its VMO, or in one of regions to be dropped.
    list_link: LinkedListAtomicLink,
    base: AtomicUsize,
    /// And how long it is.
    kind: RegionKind<M>,
}

intrusive_adapter! {
    /// Finds the regions of a VMAR's tree.
    pub RegionAdapter<M> = Arc<Region<M>>: Region<M> { link => RegionLink } where M: Mmu
}

intrusive_adapter! {
    /// Finds the regions of a list.
    pub RegionListAdapter<M> = Arc<Region<M>>: Region<M> { list_link => LinkedListAtomicLink }
        where M: Mmu
}

/// The two kinds of region.
pub enum RegionKind<M: Mmu> {
    /// Shows a part of a VMO.
    Mapping(Mapping<M>),
    /// Has regions of its own.
    Vmar(Arc<Vmar<M>>),
}

/// What the pages of a region show, and what they allow.
pub struct Mapping<M: Mmu> {
    vmo: Arc<Vmo<M>>,
    /// The number of the VMO's page that the first page shows, and what stays the same ([`Fixed`]).
    first: AtomicU64,
    /// How the permissions differ, if `access` is [`MIXED`].
    runs: LockedBy<M, Option<Box<Runs>>>,
    /// The number of pages, its lower and upper bits.
    pages_low: AtomicU32,
    pages_high: AtomicU16,
    /// The bits of what every page allows, or [`MIXED`]. Written under the write lock.
    access: AtomicU8,
    marks: Marks,
}

/// Stands in `Mapping::access` where pages differ.
const MIXED: u8 = u8::MAX;

/// What 120 bytes leave beside the two reference counts.
const REGION_BYTES: usize = 120 - 2 * size_of::<usize>();

/// What a new mapping is made of.
pub struct NewMapping<M: Mmu> {
    /// Where it goes.
    pub range: VirtRange,
    /// What it shows.
    pub vmo: Arc<Vmo<M>>,
    /// The first page that it shows.
    pub first: PageIndex,
    /// The options it is made with; those that do not matter any more are forgotten.
    pub options: VmOptions,
    /// What its pages may ever allow.
    pub maximal: Access,
    /// What its pages allow now.
    pub protection: Protection,
}

impl<M: Mmu> Region<M> {
    /// A mapping in `owner`, in no tree yet.
    pub fn mapping(owner: Arc<AddressSpace<M>>, new: NewMapping<M>) -> Self {
        const {
            assert!(
                size_of::<Self>() <= REGION_BYTES,
                "a region has become too large"
            )
        };
        let (access, runs) = match new.protection {
            Protection::Uniform(access) => (access.bits(), None),
            Protection::Runs(runs) => (MIXED, Some(runs)),
        };
        let kind = RegionKind::Mapping(Mapping {
            vmo: new.vmo,
            first: AtomicU64::new(Fixed::new(new.options, new.maximal).with(new.first.number())),
            runs: LockedBy::new(owner, runs),
            pages_low: AtomicU32::new(0),
            pages_high: AtomicU16::new(0),
            access: AtomicU8::new(access),
            marks: Marks::default(),
        });
        let region = Self::new(new.range.base(), kind);
        if let Some(mapping) = region.as_mapping() {
            mapping.set_pages(new.range.pages());
        }
        region
    }

    /// The place of a sub-VMAR in its parent.
    pub fn vmar(vmar: Arc<Vmar<M>>) -> Self {
        Self::new(vmar.range().base(), RegionKind::Vmar(vmar))
    }

    const fn new(base: VirtAddr, kind: RegionKind<M>) -> Self {
        Self {
            link: RegionLink::new(),
            gap: Gap::new(),
            list_link: LinkedListAtomicLink::new(),
            base: AtomicUsize::new(base.raw()),
            kind,
        }
    }

    /// What kind of region it is.
    #[inline]
    pub const fn kind(&self) -> &RegionKind<M> {
        &self.kind
    }

    /// The mapping that it is.
    #[inline]
    pub const fn as_mapping(&self) -> Option<&Mapping<M>> {
        match &self.kind {
            RegionKind::Mapping(mapping) => Some(mapping),
            RegionKind::Vmar(_) => None,
        }
    }

    /// Changes the range of a mapping. The caller holds the locks of the address space and of the VMO.
    pub(super) fn set_range(&self, range: VirtRange) {
        if let RegionKind::Mapping(mapping) = &self.kind {
            let first = mapping.page_number(self.base(), range.base());
            let fixed = mapping.fixed();
            mapping.first.store(fixed.with(first), Ordering::Relaxed);
            mapping.set_pages(range.pages());
            self.base.store(range.base().raw(), Ordering::Relaxed);
        }
    }
}

impl<M: Mmu> HasRange for Region<M> {
    #[inline]
    fn range(&self) -> VirtRange {
        let pages = match &self.kind {
            RegionKind::Mapping(mapping) => mapping.pages(),
            RegionKind::Vmar(vmar) => vmar.range().pages(),
        };
        VirtRange::from_parts(self.base(), pages)
    }

    #[inline]
    fn base(&self) -> VirtAddr {
        VirtAddr::new(self.base.load(Ordering::Relaxed))
    }

    #[inline]
    fn gap(&self) -> &Gap {
        &self.gap
    }
}

impl<M: Mmu> Mapping<M> {
    /// What it shows.
    #[inline]
    pub const fn vmo(&self) -> &Arc<Vmo<M>> {
        &self.vmo
    }

    /// The address space it is in.
    #[inline]
    pub const fn owner(&self) -> &Arc<AddressSpace<M>> {
        self.runs.owner()
    }

    /// The first page of the VMO that it shows.
    #[inline]
    pub fn first(&self) -> PageIndex {
        PageIndex::ZERO.saturating_add(self.first.load(Ordering::Relaxed) & Fixed::NUMBER)
    }

    #[inline]
    fn pages(&self) -> PageCount {
        let low = self.pages_low.load(Ordering::Relaxed);
        let high = self.pages_high.load(Ordering::Relaxed);
        PageCount::new(usize::from(high) << u32::BITS | low as usize)
    }

    /// No range has so many pages that their number does not fit.
    #[inline]
    fn set_pages(&self, pages: PageCount) {
        self.pages_low.store(pages.get() as u32, Ordering::Relaxed);
        let high = (pages.get() >> u32::BITS) as u16;
        self.pages_high.store(high, Ordering::Relaxed);
    }

    #[inline]
    fn fixed(&self) -> Fixed {
        Fixed::of(self.first.load(Ordering::Relaxed))
    }

    /// The first page of the VMO's owner that it shows.
    #[inline]
    pub fn first_owner_page(&self) -> PageIndex {
        self.vmo.owner_page(self.first())
    }

    /// The page of the VMO's owner that `address` shows, in a mapping that begins at `base`.
    #[inline]
    pub fn owner_page_at(&self, base: VirtAddr, address: VirtAddr) -> PageIndex {
        self.vmo.owner_page(self.page_at(base, address))
    }

    /// The page of the VMO that `address` shows, in a mapping that begins at `base`.
    #[inline]
    pub fn page_at(&self, base: VirtAddr, address: VirtAddr) -> PageIndex {
        PageIndex::ZERO.saturating_add(self.page_number(base, address))
    }

    /// The options it was made with, as far as they still matter.
    pub fn options(&self) -> VmOptions {
        self.fixed().options()
    }

    /// What its pages may ever allow.
    #[inline]
    pub fn maximal(&self) -> Access {
        self.fixed().maximal()
    }

    /// Whether touching pages beyond the stream of its VMO faults.
    #[inline]
    pub fn faults_beyond_stream(&self) -> bool {
        self.first.load(Ordering::Relaxed) & Fixed::FAULTS_BEYOND_STREAM != 0
    }

    /// The owner's page from which on touching faults, by the state of the VMO that it shows.
    #[inline]
    pub fn fault_limit(&self, vmo: &VmoState<M>) -> PageIndex {
        let end = self.vmo.window(vmo).end;
        if self.faults_beyond_stream() {
            end.min(self.vmo.stream_end(vmo))
        } else {
            end
        }
    }

    /// What its VMO remembers in it.
    #[inline]
    pub const fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Whether a mapping directly above, from page `first` of `other` on, continues this one of `pages`.
    pub(super) fn is_continued_by(&self, pages: usize, other: &Self) -> bool {
        Arc::ptr_eq(&self.vmo, &other.vmo)
            && self.fixed() == other.fixed()
            && self.first().saturating_add(pages as u64) == other.first()
    }

    fn page_number(&self, base: VirtAddr, address: VirtAddr) -> u64 {
        let first = self.first.load(Ordering::Relaxed) & Fixed::NUMBER;
        let offset_pages = address.raw().wrapping_sub(base.raw()) / PAGE_SIZE;
        first.wrapping_add(offset_pages as u64)
    }
}
