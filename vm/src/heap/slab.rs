//! Pages cut into blocks of one size, shared by all CPUs.
//!
//! ```text
//!    0        64                                          4096
//!    ┌────────┬───────┬───────┬───────┬── ─ ── ┬───────┬───┐
//!    │ header │ block │ block │ block │        │ block │   │
//!    └────────┴───────┴───────┴───────┴── ─ ── ┴───────┴───┘
//! ```
//!
//! A block's slab is found by rounding its address down to the page.

use core::cell::{Cell, RefCell};
use core::ptr::NonNull;

use intrusive_collections::{LinkedList, LinkedListLink, UnsafeRef, intrusive_adapter};

use super::classes::{HEADER_BYTES, SizeClass};
use super::front::Chain;
use crate::addr::PAGE_SIZE;

/// The header of a page of blocks.
struct Slab {
    link: LinkedListLink,
    free: RefCell<Chain>,
    /// Blocks that are out: in use, or at hand for a CPU.
    used: Cell<usize>,
}

const _: () = assert!(size_of::<Slab>() <= HEADER_BYTES);

intrusive_adapter!(SlabAdapter = UnsafeRef<Slab>: Slab { link => LinkedListLink });

impl Slab {
    /// Cuts a page into blocks.
    ///
    /// # Safety
    /// 1. `page` is the beginning of a writable page that nobody else uses.
    /// 2. It stays so until every block has come back and the slab has been dissolved.
    unsafe fn new(page: NonNull<u8>, class: SizeClass) -> UnsafeRef<Self> {
        let mut free = Chain::new();
        for index in (0..class.blocks()).rev() {
            let offset = class.first_block() + index * class.block_bytes();
            // SAFETY: `blocks` says how many blocks fit the page, so the offset is inside.
            let block = unsafe { page.add(offset) };
            // SAFETY: A block has at least 16 bytes and is aligned to 8; nobody else uses the page.
            unsafe { free.push(block) };
        }
        let header = page.cast::<Self>();
        let slab = Self {
            link: LinkedListLink::new(),
            free: RefCell::new(free),
            used: Cell::new(0),
        };
        // SAFETY: The header lies before the first block, in a page that is the caller's.
        unsafe { header.write(slab) };
        // SAFETY: The header was just written and stays as long as the caller promises.
        unsafe { UnsafeRef::from_raw(header.as_ptr()) }
    }

    /// The slab that `block` was cut from.
    ///
    /// # Safety
    /// `block` came from a slab that has not been dissolved.
    unsafe fn of(block: NonNull<u8>) -> UnsafeRef<Self> {
        let page = block
            .as_ptr()
            .map_addr(|address| address & !(PAGE_SIZE - 1));
        // SAFETY: A slab fills a page and has its header at the beginning.
        unsafe { UnsafeRef::from_raw(page.cast::<Self>()) }
    }

    /// The page that the slab is in, and that it leaves.
    fn into_page(slab: UnsafeRef<Self>) -> NonNull<u8> {
        let header = UnsafeRef::into_raw(slab);
        // SAFETY: An `UnsafeRef` is never null.
        unsafe { NonNull::new_unchecked(header.cast()) }
    }
}

/// Whether a depot gives up pages of which no block is out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Keep {
    /// One may stay, for the next request.
    One,
    /// All stay.
    All,
}

/// The slabs of one class.
///
/// 1. `stocked` holds exactly the slabs with a free block; those with none out are at the end.
/// 2. `vacant` is the number of slabs with no block out.
pub(super) struct Depot {
    stocked: LinkedList<SlabAdapter>,
    vacant: usize,
}

// SAFETY: A depot owns its slabs, including the headers of those that are not on its list; nobody
// reaches a header without exclusive access to the depot.
unsafe impl Send for Depot {}

impl Depot {
    pub(super) const fn new() -> Self {
        Self {
            stocked: LinkedList::new(SlabAdapter::NEW),
            vacant: 0,
        }
    }

    /// Adds a page to the stock.
    ///
    /// # Safety
    /// 1. `page` is the beginning of a writable page that nobody else uses.
    /// 2. It stays so until it comes out of [`put`](Self::put) or [`trim`](Self::trim).
    pub(super) unsafe fn add_page(&mut self, page: NonNull<u8>, class: SizeClass) {
        // SAFETY: The caller's promise is passed on.
        self.stocked.push_back(unsafe { Slab::new(page, class) });
        self.vacant += 1;
    }

    /// Takes at most `count` blocks; fewer only if there are no more.
    pub(super) fn take(&mut self, count: usize) -> Chain {
        let mut chain = Chain::new();
        let mut slabs = self.stocked.front_mut();
        while let Some(slab) = slabs.get() {
            let mut free = slab.free.borrow_mut();
            if slab.used.get() == 0 {
                self.vacant -= 1;
            }
            while chain.count() < count {
                let Some(block) = free.pop() else { break };
                slab.used.set(slab.used.get() + 1);
                // SAFETY: A block of a slab is aligned, at least 16 bytes, and was free.
                unsafe { chain.push(block) };
            }
            if !free.is_empty() {
                return chain;
            }
            drop(free);
            slabs.remove();
            if chain.count() == count {
                break;
            }
        }
        chain
    }

    /// Takes blocks back; `release` gets the pages that become vacant, as far as `keep` allows.
    ///
    /// # Safety
    /// Every block came from this depot's `take`, and nobody uses it.
    pub(super) unsafe fn put(&mut self, mut chain: Chain, keep: Keep, released: &mut Chain) {
        while let Some(block) = chain.pop() {
            // SAFETY: A slab with a block out is not dissolved, and this one was.
            let slab = unsafe { Slab::of(block) };
            let was_full = slab.free.borrow().is_empty();
            // SAFETY: A block of a slab is aligned and at least 16 bytes; nobody uses it.
            unsafe { slab.free.borrow_mut().push(block) };
            slab.used.set(slab.used.get() - 1);
            if slab.used.get() == 0 {
                if !was_full {
                    self.unlink(&slab);
                }
                self.vacate(slab, keep, released);
            } else if was_full {
                self.stocked.push_front(slab);
            }
        }
    }

    /// Gives up all vacant pages.
    pub(super) fn trim(&mut self, released: &mut Chain) {
        while let Some(slab) = self.stocked.back().get() {
            if slab.used.get() != 0 {
                return;
            }
            let Some(slab) = self.stocked.pop_back() else {
                return;
            };
            self.vacant -= 1;
            // SAFETY: The page is vacant, so it is free memory.
            unsafe { released.push(Slab::into_page(slab)) };
        }
    }

    /// Stores a slab with no block out at the end of the list, or gives its page up.
    fn vacate(&mut self, slab: UnsafeRef<Slab>, keep: Keep, released: &mut Chain) {
        let stays = match keep {
            Keep::One => self.vacant == 0,
            Keep::All => true,
        };
        if stays {
            self.vacant += 1;
            self.stocked.push_back(slab);
        } else {
            // SAFETY: The page is vacant, so it is free memory.
            unsafe { released.push(Slab::into_page(slab)) };
        }
    }

    fn unlink(&mut self, slab: &Slab) {
        // SAFETY: A slab with a free block is on this list.
        unsafe { self.stocked.cursor_mut_from_ptr(slab) }.remove();
    }
}
