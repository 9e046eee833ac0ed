//! Frames of memory as owned values.

use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroU32;

use crate::addr::{PAGE_SHIFT, PageCount, PhysAddr, PhysRange};

/// The physical address of a frame divided by its size.
///
/// Whoever has one got it from a database, whose span it lies in; `FrameNumber::new` is the one place
/// that makes them. Frame 0 is never handed out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub(super) struct FrameNumber(NonZeroU32);

impl FrameNumber {
    /// The frame at `address`; `None` for the frame at 0 and for addresses of 16 TiB and more.
    #[inline]
    pub(super) const fn containing(address: PhysAddr) -> Option<Self> {
        let number = address.raw() >> PAGE_SHIFT;
        if number > u32::MAX as usize {
            return None;
        }
        Self::new(number as u32)
    }

    #[inline]
    pub(super) const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    #[inline]
    pub(super) const fn get(self) -> u32 {
        self.0.get()
    }

    #[inline]
    pub(super) const fn address(self) -> PhysAddr {
        PhysAddr::new((self.0.get() as usize) << PAGE_SHIFT)
    }
}

/// What frames are used for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum OwnerKind {
    /// Tables of page tables.
    PageTable,
    /// Pages of VMOs.
    Vmo,
    /// The kernel's heap.
    Heap,
    /// Stacks that are not VMOs.
    Stack,
    /// What stays for good, such as the page of zeros.
    Wired,
}

impl OwnerKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::PageTable,
        Self::Vmo,
        Self::Heap,
        Self::Stack,
        Self::Wired,
    ];

    /// The kind in words, for reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PageTable => "page tables",
            Self::Vmo => "VMO pages",
            Self::Heap => "kernel heap",
            Self::Stack => "stacks",
            Self::Wired => "wired",
        }
    }
}

/// The types that stand for owners of frames.
pub mod owner {
    use super::OwnerKind;

    /// An owner of frames, as a type.
    pub trait Owner: Send + Sync + 'static {
        /// The same as a value.
        const KIND: OwnerKind;
    }

    macro_rules! owners {
        ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl Owner for $name {
                const KIND: OwnerKind = OwnerKind::$name;
            }
        )*};
    }

    owners! {
        /// See [`OwnerKind::PageTable`].
        PageTable,
        /// See [`OwnerKind::Vmo`].
        Vmo,
        /// See [`OwnerKind::Heap`].
        Heap,
        /// See [`OwnerKind::Stack`].
        Stack,
        /// See [`OwnerKind::Wired`].
        Wired,
    }
}

use owner::Owner;

/// One frame that belongs to an `O`, or one share of it if it was shared.
///
/// It does not free itself: it goes back through the database it came from.
#[must_use = "a frame that is dropped is lost; free it"]
#[repr(transparent)]
pub struct Frame<O: Owner> {
    number: FrameNumber,
    owner: PhantomData<O>,
}

impl<O: Owner> Frame<O> {
    #[inline]
    pub(super) const fn from_number(number: FrameNumber) -> Self {
        Self {
            number,
            owner: PhantomData,
        }
    }

    #[inline]
    pub(super) const fn number(&self) -> FrameNumber {
        self.number
    }

    /// Where the frame is.
    #[inline]
    pub const fn address(&self) -> PhysAddr {
        self.number.address()
    }

    /// Turns the frame into its bare address; [`from_address`](Self::from_address) is the way back.
    #[inline]
    #[must_use = "without the address the frame is lost"]
    pub const fn into_address(self) -> PhysAddr {
        self.number.address()
    }

    /// The frame that [`into_address`](Self::into_address) turned into `address`.
    ///
    /// # Panics
    /// If no frame can be at `address`.
    ///
    /// # Safety
    /// `address` came from `into_address` of a `Frame<O>`, and is turned back once only.
    #[inline]
    pub const unsafe fn from_address(address: PhysAddr) -> Self {
        match FrameNumber::containing(address) {
            Some(number) => Self::from_number(number),
            None => panic!("no frame is at this address"),
        }
    }
}

impl<O: Owner> fmt::Debug for Frame<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "frame {:?} of {}",
            self.address(),
            O::KIND.name()
        )
    }
}

/// Frames side by side that belong to an `O`. They go back together, unless
/// [`PageDatabase::take_apart`](super::PageDatabase::take_apart) takes them apart.
#[must_use = "frames that are dropped are lost; free them"]
pub struct FrameRun<O: Owner> {
    range: PhysRange,
    owner: PhantomData<O>,
}

impl<O: Owner> FrameRun<O> {
    pub(super) const fn new(range: PhysRange) -> Self {
        Self {
            range,
            owner: PhantomData,
        }
    }

    /// Where the frames are.
    #[inline]
    pub const fn range(&self) -> PhysRange {
        self.range
    }

    /// How many they are.
    pub const fn pages(&self) -> PageCount {
        self.range.pages()
    }

    /// Turns the frames into their bare addresses; [`from_range`](Self::from_range) is the way back.
    #[must_use = "without the addresses the frames are lost"]
    pub const fn into_range(self) -> PhysRange {
        self.range
    }

    /// The frames that [`into_range`](Self::into_range) turned into `range`.
    ///
    /// # Safety
    /// `range` came from `into_range` of a `FrameRun<O>`, and is turned back once only.
    pub const unsafe fn from_range(range: PhysRange) -> Self {
        Self::new(range)
    }
}

impl<O: Owner> From<Frame<O>> for FrameRun<O> {
    fn from(frame: Frame<O>) -> Self {
        let range = PhysRange::new(frame.into_address(), PageCount::new(1));
        Self::new(range.expect("a frame is a page"))
    }
}

impl<O: Owner> fmt::Debug for FrameRun<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "frames {:?} of {}", self.range, O::KIND.name())
    }
}
