//! The tree of the `wavltree` crate.

use std::mem::offset_of;
use std::ops::Bound;
use std::pin::Pin;
use std::ptr::NonNull;

use vm::addr::{VirtAddr, VirtRange};
use vm::region_tree::GapRequest;
use wavltree::{Linked, Links, WAVLTree};

use super::{Rest, Structure, first_fit};

/// A region with links.
pub struct Region {
    links: Links<Self>,
    base: VirtAddr,
    range: VirtRange,
    _rest: Rest,
}

// SAFETY:
// 1. `into_ptr` and `from_ptr` turn the box into its pointer and back; the type never moves the region.
// 2. `links` points to the field of that name in the region that it is given.
unsafe impl Linked for Region {
    type Handle = Pin<Box<Self>>;
    type Key = VirtAddr;

    fn into_ptr(handle: Self::Handle) -> NonNull<Self> {
        // SAFETY: The tree gives the region out as pinned only, so it stays where it is.
        let region = unsafe { Pin::into_inner_unchecked(handle) };
        NonNull::from(Box::leak(region))
    }

    unsafe fn from_ptr(pointer: NonNull<Self>) -> Self::Handle {
        // SAFETY: The caller has the pointer from `into_ptr`, and gives it back once.
        unsafe { Pin::new_unchecked(Box::from_raw(pointer.as_ptr())) }
    }

    unsafe fn links(pointer: NonNull<Self>) -> NonNull<Links<Self>> {
        // SAFETY: The caller's pointer is to a region, and the field lies inside it.
        unsafe { pointer.byte_add(offset_of!(Self, links)).cast() }
    }

    #[inline]
    fn get_key(&self) -> &VirtAddr {
        &self.base
    }
}

/// Regions in a `WAVLTree`.
#[derive(Default)]
pub struct WavlCrate(WAVLTree<Region>);

impl Structure for WavlCrate {
    const NAME: &'static str = "wavltree";

    type Item = Pin<Box<Region>>;

    fn item(range: VirtRange) -> Pin<Box<Region>> {
        Box::pin(Region {
            links: Links::new(),
            base: range.base(),
            range,
            _rest: Rest::default(),
        })
    }

    #[inline]
    fn insert(&mut self, item: Pin<Box<Region>>) {
        self.0.insert(item);
    }

    #[inline]
    fn find(&self, address: VirtAddr) -> Option<VirtRange> {
        let region = self.0.upper_bound(Bound::Included(&address)).get()?;
        region.range.contains(address).then_some(region.range)
    }

    #[inline]
    fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        first_fit(self.0.iter().map(|region| region.range), request)
    }

    #[inline]
    fn remove(&mut self, base: VirtAddr) -> Option<Pin<Box<Region>>> {
        self.0.remove(&base)
    }
}
