//! The children of a VMAR: mappings and sub-VMARs.
//!
//! A [`Region`] is a node in its parent's tree. There may be a million mappings, so a region that has
//! never been touched fits, with its two reference counts, into 120 bytes: see the assertion below. With
//! what the heap needs to know about its pages, that is less than 128 bytes for each.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use intrusive_collections::{LinkedListAtomicLink, intrusive_adapter};
use syscall::{Result, VmOptions};

use super::Vmar;
use super::protection::{Protection, ProtectionRun, Runs};
use crate::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::aspace::AddressSpace;
use crate::locked::{Guard, LockedBy, WriteGuard};
use crate::mmu::{Access, Mmu};
use crate::region_tree::{Gap, HasRange, RegionLink};
use crate::try_alloc::try_box;
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

/// What a mapping is made with, in the bits that the number of a page leaves free: options at their places
/// in an option word, less four, and what its pages may ever allow where no such option is.
///
/// ```text
///   63     57 56     54 53     52 51                         0
///  [ options | maximal | options |  number of the first page  ]
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
struct Fixed(u64);

impl Fixed {
    /// The bits of the number.
    const NUMBER: u64 = PageIndex::LIMIT.number() - 1;
    const MAXIMAL_SHIFT: u32 = 54;
    const OPTIONS_SHIFT: u32 = 52 - 4;
    /// The options that a mapping remembers: how its place was found, and where it faults. Two mappings
    /// become one only if these are the same.
    const OPTIONS: VmOptions = VmOptions::SPECIFIC
        .union(VmOptions::SPECIFIC_OVERWRITE)
        .union(VmOptions::OFFSET_IS_UPPER_LIMIT)
        .union(VmOptions::FAULT_BEYOND_STREAM_SIZE);
    const FAULTS_BEYOND_STREAM: u64 =
        (VmOptions::FAULT_BEYOND_STREAM_SIZE.bits() as u64) << Self::OPTIONS_SHIFT;

    #[inline]
    fn new(options: VmOptions, maximal: Access) -> Self {
        const {
            let taken = (Self::OPTIONS.bits() as u64) << Self::OPTIONS_SHIFT;
            let maximal = (Access::all().bits() as u64) << Self::MAXIMAL_SHIFT;
            assert!(
                taken & maximal == 0 && (taken | maximal) & Self::NUMBER == 0,
                "each bit has one meaning"
            );
            assert!(
                taken >> Self::OPTIONS_SHIFT == Self::OPTIONS.bits() as u64,
                "all options have room"
            );
        }
        let options = u64::from(options.intersection(Self::OPTIONS).bits());
        let maximal = u64::from(maximal.bits());
        Self(options << Self::OPTIONS_SHIFT | maximal << Self::MAXIMAL_SHIFT)
    }

    const fn of(word: u64) -> Self {
        Self(word & !Self::NUMBER)
    }

    /// Together with the number of a page.
    const fn with(self, number: u64) -> u64 {
        self.0 | number & Self::NUMBER
    }

    fn options(self) -> VmOptions {
        VmOptions::from_raw((self.0 >> Self::OPTIONS_SHIFT) as u32).intersection(Self::OPTIONS)
    }

    const fn maximal(self) -> Access {
        Access::from_bits_truncate((self.0 >> Self::MAXIMAL_SHIFT) as u8)
    }
}

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

    /// The page from which on touching faults, for the VMO that it shows.
    #[inline]
    pub fn fault_limit(&self, vmo: &VmoState<M>) -> PageIndex {
        if self.faults_beyond_stream() {
            vmo.end().min(PageIndex::covering(vmo.stream_size()))
        } else {
            vmo.end()
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

/// The permissions of the pages. `range` is always the range of the mapping.
impl<M: Mmu> Mapping<M> {
    /// The permissions, if they are the same everywhere.
    #[inline]
    pub fn uniform_access(&self) -> Option<Access> {
        match self.access.load(Ordering::Relaxed) {
            MIXED => None,
            bits => Some(Access::from_bits_truncate(bits)),
        }
    }

    /// The pages around `address` that allow the same, and what.
    #[inline]
    pub fn run_at(
        &self,
        address: VirtAddr,
        range: VirtRange,
        guard: &impl Guard<M>,
    ) -> ProtectionRun {
        if let Some(access) = self.uniform_access() {
            return ProtectionRun { range, access };
        }
        let runs = self.runs.get(guard).as_ref();
        let run = runs.and_then(|runs| runs.run_at(address, range));
        run.unwrap_or(ProtectionRun {
            range,
            access: Access::empty(),
        })
    }

    /// A copy of the permissions from `at` on.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for it.
    pub(super) fn protection_above(
        &self,
        at: VirtAddr,
        guard: &impl Guard<M>,
    ) -> Result<Protection> {
        let (None, Some(runs)) = (self.uniform_access(), self.runs.get(guard)) else {
            return Ok(Protection::Uniform(
                self.uniform_access().unwrap_or(Access::empty()),
            ));
        };
        let tail = runs.tail(at)?;
        match tail.as_uniform() {
            Some(access) => Ok(Protection::Uniform(access)),
            None => try_box(tail).map(Protection::Runs),
        }
    }

    /// Makes room for one [`set_access`](Self::set_access) to a part of the pages.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none. The permissions are as before.
    pub(super) fn reserve_runs(
        &self,
        range: VirtRange,
        guard: &mut WriteGuard<'_, M>,
    ) -> Result<()> {
        let uniform = self.uniform_access();
        match (self.runs.get_mut(guard), uniform) {
            (Some(runs), _) => runs.reserve(),
            (none, access) => {
                let access = access.unwrap_or(Access::empty());
                *none = Some(try_box(Runs::uniform(range.base(), access)?)?);
                Ok(())
            }
        }
    }

    /// Gives back what [`reserve_runs`](Self::reserve_runs) took, if it is not in use.
    pub(super) fn release_runs(&self, guard: &mut WriteGuard<'_, M>) {
        if self.uniform_access().is_some() {
            *self.runs.get_mut(guard) = None;
        }
    }

    /// Changes the permissions of `part`. Unless that is all of `range`, there must be room.
    pub(super) fn set_access(
        &self,
        range: VirtRange,
        part: VirtRange,
        access: Access,
        guard: &mut WriteGuard<'_, M>,
    ) {
        if self.uniform_access() == Some(access) {
            return;
        }
        let runs = self.runs.get_mut(guard);
        if part == range {
            *runs = None;
            self.access.store(access.bits(), Ordering::Relaxed);
        } else if let Some(list) = runs {
            list.set(part, access, range.end());
            self.settle(runs);
        }
    }

    /// Forgets the permissions outside `range`, to which the mapping has shrunk.
    pub(super) fn clip_runs(&self, range: VirtRange, guard: &mut WriteGuard<'_, M>) {
        if self.uniform_access().is_none()
            && let runs @ Some(_) = self.runs.get_mut(guard)
        {
            runs.iter_mut().for_each(|runs| runs.clip(range));
            self.settle(runs);
        }
    }

    /// Takes on the permissions of `upper`, which continues this mapping at `end`.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none. The permissions are as before.
    pub(super) fn append_access(
        &self,
        range: VirtRange,
        upper: &Self,
        guard: &mut WriteGuard<'_, M>,
    ) -> Result<()> {
        if self.uniform_access().is_some() && self.uniform_access() == upper.uniform_access() {
            return Ok(());
        }
        let other = upper.protection_above(range.end(), guard)?;
        self.reserve_runs(range, guard)?;
        if let runs @ Some(_) = self.runs.get_mut(guard) {
            let appended = runs
                .iter_mut()
                .try_for_each(|runs| runs.append(range.end(), &other));
            self.settle(runs);
            appended?;
        }
        Ok(())
    }

    /// Drops a run list of one run.
    fn settle(&self, runs: &mut Option<Box<Runs>>) {
        let Some(list) = runs else { return };
        match list.as_uniform() {
            None => self.access.store(MIXED, Ordering::Relaxed),
            Some(access) => {
                self.access.store(access.bits(), Ordering::Relaxed);
                *runs = None;
            }
        }
    }
}
