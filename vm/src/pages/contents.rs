//! The bytes in frames.
//!
//! They are reached through the direct map and never borrowed: programs may have a page mapped and
//! change it at any time.

use core::ops::Range;
use core::ptr::NonNull;

use super::PageDatabase;
use super::direct_map::DirectMapOperations;
use super::frame::{Frame, owner::Owner};
use crate::addr::{PAGE_SIZE, PhysAddr};
use crate::mmu::MemoryType;

/// Where physical memory appears in the kernel's address space.
#[derive(Clone, Copy, Debug)]
pub struct PhysMap {
    /// Where physical address 0 appears, or would.
    base: *mut u8,
}

// SAFETY: It is only a number that says where memory is; what may be done there is up to who uses it.
unsafe impl Send for PhysMap {}
// SAFETY: as above.
unsafe impl Sync for PhysMap {}

impl PhysMap {
    /// The map that shows physical address 0 at `base`.
    pub const fn new(base: *mut u8) -> Self {
        Self { base }
    }

    /// Where `address` appears.
    ///
    /// # Panics
    /// If that would be at 0.
    #[inline]
    pub const fn pointer(self, address: PhysAddr) -> NonNull<u8> {
        NonNull::new(self.base.wrapping_add(address.raw())).expect("the direct map is not at 0")
    }

    /// The physical address of what appears at `pointer`.
    #[inline]
    pub fn address_of(self, pointer: NonNull<u8>) -> PhysAddr {
        PhysAddr::new(pointer.as_ptr().addr().wrapping_sub(self.base.addr()))
    }
}

/// How whole pages are cleared and copied, for which a machine may have a quicker way than plain stores, and
/// how the direct map is changed.
///
/// Pointers are to all bytes of a page, in the direct map and so aligned to a page.
#[derive(Clone, Copy, Debug)]
pub struct PageOperations {
    /// Fills the page with zeros.
    ///
    /// # Safety
    /// The page is writable.
    pub zero: unsafe fn(NonNull<u8>),
    /// Copies all of the first page to the second.
    ///
    /// # Safety
    /// The first page is readable and the second, which is another or the same one, writable.
    pub copy: unsafe fn(NonNull<u8>, NonNull<u8>),
    /// How the direct map and the caches are changed.
    pub direct_map: DirectMapOperations,
}

/// What pages are cleared and copied by. Volatile accesses of this size become pairs of 8-byte ones, and
/// never a call or a string instruction, which count every byte where instructions are counted.
type Unit = u128;

const UNITS: usize = PAGE_SIZE / size_of::<Unit>();

/// Units per round of a loop.
const UNROLL: usize = 16;

impl PageOperations {
    /// With loads and stores that every machine has, and nothing to do about caches.
    pub const PORTABLE: Self = Self {
        zero: zero_units,
        copy: copy_units,
        direct_map: DirectMapOperations::COHERENT,
    };
}

/// # Safety
/// As [`PageOperations::zero`].
unsafe fn zero_units(page: NonNull<u8>) {
    let to = page.cast::<Unit>();
    for round in 0..UNITS / UNROLL {
        for step in 0..UNROLL {
            // SAFETY: The unit is one of the page, which the caller grants.
            unsafe { to.add(round * UNROLL + step).write_volatile(0) };
        }
    }
}

/// # Safety
/// As [`PageOperations::copy`].
unsafe fn copy_units(from: NonNull<u8>, to: NonNull<u8>) {
    let (from, to) = (from.cast::<Unit>(), to.cast::<Unit>());
    for round in 0..UNITS / UNROLL {
        for step in 0..UNROLL {
            let index = round * UNROLL + step;
            // SAFETY: The units are of the two pages, which the caller grants.
            unsafe {
                to.add(index)
                    .write_volatile(from.add(index).read_volatile())
            };
        }
    }
}

impl PageDatabase {
    /// Fills a frame with zeros.
    #[inline]
    pub fn zero<O: Owner>(&self, frame: &mut Frame<O>) {
        let to = self.pointer(frame.address());
        // SAFETY:
        // 1. The direct map shows all of every frame (`PageDatabase::add`), aligned to a page.
        // 2. `&mut Frame` is the only access to it, but for programs that have it mapped.
        unsafe { (self.operations.zero)(to) };
    }

    /// Copies all of `from` to `to`.
    #[inline]
    pub fn copy<O: Owner>(&self, from: &Frame<O>, to: &mut Frame<O>) {
        let (from, to) = (self.pointer(from.address()), self.pointer(to.address()));
        // SAFETY: As in `zero`, for both. They differ, because one is borrowed exclusively, or are shares
        // of one frame, which then stays as it is.
        unsafe { (self.operations.copy)(from, to) };
    }

    /// Fills a part of a frame with zeros.
    ///
    /// # Panics
    /// If the part reaches beyond the frame.
    pub fn zero_part<O: Owner>(&self, frame: &mut Frame<O>, part: Range<usize>) {
        let to = self.part(frame, part.start, part.len());
        if self.infos.get(frame.number()).memory() != MemoryType::Cached {
            // Memory that is not cached may not like the instructions that are quickest for large parts.
            for offset in 0..part.len() {
                // SAFETY: As below.
                unsafe { to.add(offset).write_volatile(0) };
            }
            return;
        }
        // SAFETY: As in `zero`; `part` checked that the bytes lie in the frame.
        unsafe { to.write_bytes(0, part.len()) };
    }

    /// Copies bytes from `offset` in `frame` on to `buffer`.
    ///
    /// # Panics
    /// If they do not all lie in the frame.
    pub fn read<O: Owner>(&self, frame: &Frame<O>, offset: usize, buffer: &mut [u8]) {
        let len = buffer.len();
        let from = self.part(frame, offset, len);
        // SAFETY: As in `zero`; `part` checked that the bytes lie in the frame. The buffer is borrowed
        // exclusively, so it is not in the frame.
        unsafe { from.copy_to_nonoverlapping(NonNull::from(buffer).cast(), len) };
    }

    /// Copies `buffer` to `frame` from `offset` on.
    ///
    /// # Panics
    /// If the bytes do not all lie in the frame.
    pub fn write<O: Owner>(&self, frame: &mut Frame<O>, offset: usize, buffer: &[u8]) {
        let to = self.part(frame, offset, buffer.len());
        // SAFETY: As in `zero`; `part` checked that the bytes lie in the frame, which is borrowed
        // exclusively, so the buffer is not in it.
        unsafe { to.copy_from_nonoverlapping(NonNull::from(buffer).cast(), buffer.len()) };
    }

    /// Whether all of a frame is zero. Stops at the first word that is not.
    pub fn is_zero<O: Owner>(&self, frame: &Frame<O>) -> bool {
        let from = self.pointer(frame.address()).cast::<Unit>();
        (0..UNITS).all(|index| {
            // SAFETY: The direct map shows all of every frame, aligned to a page. Programs may write to it
            // meanwhile, so it is read as device memory is, never borrowed.
            unsafe { from.add(index).read_volatile() == 0 }
        })
    }

    /// Fills a frame with `byte`.
    #[cfg(any(test, feature = "sim"))]
    pub(super) fn fill<O: Owner>(&self, frame: &mut Frame<O>, byte: u8) {
        let to = self.pointer(frame.address());
        // SAFETY: As in `zero`.
        unsafe { to.write_bytes(byte, PAGE_SIZE) };
    }

    fn part<O: Owner>(&self, frame: &Frame<O>, offset: usize, len: usize) -> NonNull<u8> {
        let fits = offset <= PAGE_SIZE && len <= PAGE_SIZE - offset;
        assert!(fits, "{len} bytes from {offset} on are not in one frame");
        let pointer = self.pointer(frame.address());
        // SAFETY: The offset was checked to be at most the size of the frame that the pointer is to.
        unsafe { pointer.add(offset) }
    }
}
