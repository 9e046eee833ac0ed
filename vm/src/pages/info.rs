//! What the database knows about each frame.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, Ordering};

use intrusive_collections::{SinglyLinkedListLink, UnsafeRef, intrusive_adapter};

use super::frame::{FrameNumber, OwnerKind};
use crate::addr::{PAGE_SHIFT, PhysAddr, PhysRange};
use crate::mmu::MemoryType;
use crate::sync::step;

/// No memory that the database manages.
const ABSENT: u8 = u8::MAX;
/// Free, wherever it is kept.
const FREE: u8 = u8::MAX - 1;

/// In `PageInfo::references`, the number of references is below this bit, and the memory type above.
const TYPE_SHIFT: u32 = 30;

/// The bits for the number of references.
const COUNT: u32 = (1 << TYPE_SHIFT) - 1;

/// The memory types by what is above the number of references; 0 is the usual one.
const TYPES: [MemoryType; 4] = [
    MemoryType::Cached,
    MemoryType::Uncached,
    MemoryType::UncachedDevice,
    MemoryType::WriteCombining,
];

/// One frame.
#[derive(Debug)]
pub(super) struct PageInfo {
    /// In a cache's list or in a `FrameList`.
    link: SinglyLinkedListLink,
    /// How many `Frame`s there are for this one, and how the direct map shows it; any number while it is
    /// free, and shown as cached memory.
    references: AtomicU32,
    /// `ABSENT`, `FREE` or an `OwnerKind`.
    state: AtomicU8,
    /// How many entries are in use, if the frame is a table.
    population: AtomicU16,
    /// How often the frame changed hands; translations of the simulated machine remember it.
    #[cfg(any(test, feature = "sim"))]
    generation: AtomicU32,
}

#[cfg(not(any(test, feature = "sim")))]
const _: () = assert!(size_of::<PageInfo>() == 16);

intrusive_adapter!(pub(super) PageAdapter = UnsafeRef<PageInfo>: PageInfo { link => SinglyLinkedListLink });

// SAFETY:
// 1. All fields but `link` are atomic.
// 2. `link` is touched only through a list, by whoever has the list: a cache's is locked, a `FrameList` is
//    owned. A frame enters a list only from a holder that is its only one (`PageInfo::is_plain`).
unsafe impl Sync for PageInfo {}

impl PageInfo {
    pub(super) const fn absent() -> Self {
        Self {
            link: SinglyLinkedListLink::new(),
            references: AtomicU32::new(0),
            state: AtomicU8::new(ABSENT),
            population: AtomicU16::new(0),
            #[cfg(any(test, feature = "sim"))]
            generation: AtomicU32::new(0),
        }
    }

    /// Makes an absent frame a free one; false if it was not absent.
    pub(super) fn appear(&self) -> bool {
        let is_absent = self.state.load(Ordering::Relaxed) == ABSENT;
        self.state.store(FREE, Ordering::Relaxed);
        is_absent
    }

    /// Makes a free frame one of `kind` with one reference.
    #[inline]
    pub(super) fn take(&self, kind: OwnerKind) {
        debug_assert_eq!(
            self.state.load(Ordering::Relaxed),
            FREE,
            "a frame is handed out twice"
        );
        self.state.store(kind as u8, Ordering::Relaxed);
        self.references.store(1, Ordering::Relaxed);
        self.change_hands();
    }

    /// Makes a frame of `kind` a free one.
    #[inline]
    pub(super) fn give(&self, kind: OwnerKind) {
        debug_assert_eq!(
            self.state.load(Ordering::Relaxed),
            kind as u8,
            "a frame is freed that its owner does not have"
        );
        self.state.store(FREE, Ordering::Relaxed);
        self.change_hands();
    }

    /// Whether the caller, who has a `Frame`, has the only one.
    #[inline]
    pub(super) fn is_exclusive(&self) -> bool {
        step();
        self.references.load(Ordering::Acquire) & COUNT == 1
    }

    /// Whether the caller, who has a `Frame`, has the only one, and the direct map shows it as usual: then it
    /// can become free just so.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        step();
        self.references.load(Ordering::Acquire) == 1
    }

    pub(super) fn add_reference(&self) {
        step();
        self.references.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives up one reference; true if it was the last.
    pub(super) fn drop_reference(&self) -> bool {
        step();
        self.references.fetch_sub(1, Ordering::AcqRel) & COUNT == 1
    }

    /// How the direct map shows the frame.
    pub(super) fn memory(&self) -> MemoryType {
        TYPES[(self.references.load(Ordering::Relaxed) >> TYPE_SHIFT) as usize]
    }

    /// Remembers how the direct map shows the frame.
    pub(super) fn set_memory(&self, memory: MemoryType) {
        let bits = TYPES.iter().position(|known| *known == memory);
        let bits = (bits.unwrap_or(0) as u32) << TYPE_SHIFT;
        // Others may share or give up the frame between the two, but only its owner does this.
        self.references.fetch_and(COUNT, Ordering::Relaxed);
        self.references.fetch_or(bits, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn population(&self) -> u16 {
        self.population.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_population(&self, population: u16) {
        self.population.store(population, Ordering::Relaxed);
    }

    /// Whether it is a frame of the database.
    pub(super) fn exists(&self) -> bool {
        self.state.load(Ordering::Relaxed) != ABSENT
    }

    pub(super) fn is_free(&self) -> bool {
        self.state.load(Ordering::Relaxed) == FREE
    }

    /// Who owns the frame; `None` if it is free or absent.
    pub(super) fn owner(&self) -> Option<OwnerKind> {
        let state = self.state.load(Ordering::Relaxed);
        OwnerKind::ALL.into_iter().find(|kind| *kind as u8 == state)
    }

    #[cfg(any(test, feature = "sim"))]
    pub(super) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    #[inline]
    fn change_hands(&self) {
        #[cfg(any(test, feature = "sim"))]
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

/// The infos of all frames in a span, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct InfoTable {
    /// Where the info of frame 0 would be.
    origin: *const PageInfo,
    first: u32,
    end: u32,
}

// SAFETY: It only ever gives out shared references to `PageInfo`, which is `Sync`, and `InfoTable::new`
// demands that nobody else has the memory.
unsafe impl Send for InfoTable {}
// SAFETY: as above.
unsafe impl Sync for InfoTable {}

impl InfoTable {
    /// Writes the infos of the frames in `span`, all absent, to `storage`.
    ///
    /// # Safety
    /// `storage` is aligned for `PageInfo`, valid for one per frame of `span`, for good, and nobody else
    /// uses it.
    pub(super) unsafe fn new(storage: NonNull<PageInfo>, span: PhysRange) -> Self {
        let first = (span.base().raw() >> PAGE_SHIFT) as u32;
        for index in 0..span.pages().get() {
            // SAFETY: The caller grants one info per frame of `span`, and `index` counts those.
            unsafe { storage.add(index).write(PageInfo::absent()) };
        }
        Self {
            origin: storage.as_ptr().wrapping_sub(first as usize),
            first,
            end: first + span.pages().get() as u32,
        }
    }

    /// The info of a frame.
    #[inline]
    pub(super) fn get(&self, number: FrameNumber) -> &'static PageInfo {
        debug_assert!(self.contains(number), "a frame of another database");
        // SAFETY:
        // 1. Frame numbers lie in the span of the database that made them (`FrameNumber`), so this is one
        //    of the infos that `new` wrote.
        // 2. They stay for good and are never borrowed exclusively (`new`).
        unsafe { &*self.origin.wrapping_add(number.get() as usize) }
    }

    /// The frame that `info`, which is in this table, is about.
    #[inline]
    pub(super) fn number_of(&self, info: &PageInfo) -> FrameNumber {
        let bytes = core::ptr::from_ref(info)
            .addr()
            .wrapping_sub(self.origin.addr());
        FrameNumber::new((bytes / size_of::<PageInfo>()) as u32)
            .expect("the info of frame 0 is in no list")
    }

    /// The infos of the frames from number `first` up to, not including, `end`, all in the span.
    pub(super) fn slice(&self, first: u32, end: u32) -> &'static [PageInfo] {
        assert!(self.first <= first && first <= end && end <= self.end);
        let from = self.origin.wrapping_add(first as usize);
        // SAFETY: The numbers were checked to be in the span; the rest is as in `get`.
        unsafe { core::slice::from_raw_parts(from, (end - first) as usize) }
    }

    /// The info of the frame at `address`; `None` if it is outside the span.
    #[inline]
    pub(super) fn at(&self, address: PhysAddr) -> Option<&'static PageInfo> {
        let number = address.raw() >> PAGE_SHIFT;
        if number.wrapping_sub(self.first as usize) >= (self.end - self.first) as usize {
            return None;
        }
        // SAFETY: The number was checked to be in the span; the rest is as in `get`.
        Some(unsafe { &*self.origin.wrapping_add(number) })
    }

    /// Whether any frame in `range`, which may lie outside the span, is in the database.
    pub(super) fn any_exists(&self, range: PhysRange) -> bool {
        let first = (range.base().raw() >> PAGE_SHIFT).max(self.first as usize);
        let end = (range.end().raw() >> PAGE_SHIFT).min(self.end as usize);
        first < end
            && self
                .slice(first as u32, end as u32)
                .iter()
                .any(PageInfo::exists)
    }

    fn contains(&self, number: FrameNumber) -> bool {
        self.first <= number.get() && number.get() < self.end
    }

    /// Every frame of the span.
    pub(super) fn numbers(&self) -> impl Iterator<Item = FrameNumber> {
        (self.first..self.end).filter_map(FrameNumber::new)
    }
}

/// The pointer to `info` that lists keep.
#[inline]
pub(super) fn list_pointer(info: &'static PageInfo) -> UnsafeRef<PageInfo> {
    // SAFETY: Infos are never moved, dropped or borrowed exclusively (`InfoTable::new`).
    unsafe { UnsafeRef::from_raw(info) }
}

/// The info that a pointer from a list points to.
#[inline]
pub(super) fn listed(pointer: UnsafeRef<PageInfo>) -> &'static PageInfo {
    // SAFETY: Lists only have pointers from `list_pointer`, so it points to an info, which stays for good.
    unsafe { &*UnsafeRef::into_raw(pointer) }
}
