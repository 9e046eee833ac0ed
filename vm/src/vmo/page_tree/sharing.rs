//! Finding the pages that other trees may have too, and which of them have which.
//!
//! The trees of a family have a page at the same position, so two trees are compared leaf by leaf. They
//! are never looked at together: what is shared in one is noted, as the values of a key that tells pages
//! apart, and then looked for in the others.

use core::array;
use core::ops::{ControlFlow, Range};

use super::slots::{Bits, SLOTS};
use super::{Keeper, PageTree, Sharing, index_at};
use crate::vmo::index::PageIndex;

/// The pages of one leaf that others may have too.
#[derive(Debug)]
pub struct SharedLeaf<K> {
    /// The position of the first slot.
    base: u64,
    /// A bit for each slot that counts.
    slots: u64,
    keys: [Option<K>; SLOTS],
}

/// What there is at the beginning of a range.
#[derive(Debug)]
pub struct Survey<K> {
    /// How many pages are nobody else's.
    pub own: u64,
    /// The first leaf with others.
    pub shared: Option<SharedLeaf<K>>,
    /// Where the range goes on after that leaf.
    pub next: PageIndex,
}

impl<P> PageTree<P> {
    /// Looks along `range` up to the end of the first leaf in which there are pages that others may have.
    pub fn survey<K>(
        &self,
        range: Range<PageIndex>,
        keeper: &impl Keeper<P>,
        key: impl Fn(&P) -> K,
    ) -> Survey<K> {
        let mut own = 0;
        // Not what breaks off the visit, because that would go through every level on the stack.
        let mut shared = None;
        let _ = self.visit_leaves(&self.positions(range.clone()), &mut |part| {
            let is_own = part.way == Sharing::Own && part.leaf.is_only();
            let page = |slot: usize| part.leaf.pages[slot].as_ref();
            let exclusive: u64 = Bits(part.slots)
                .filter(|slot| is_own && page(*slot).is_some_and(|page| keeper.is_exclusive(page)))
                .fold(0, |bits, slot| bits | 1 << slot);
            own += u64::from(exclusive.count_ones());
            let slots = part.slots & !exclusive;
            if slots == 0 {
                return ControlFlow::Continue(());
            }
            shared = Some(SharedLeaf {
                base: part.base,
                slots,
                keys: array::from_fn(|slot| page(slot).map(&key)),
            });
            ControlFlow::Break(())
        });
        let next = shared.as_ref().map_or(range.end, |leaf| {
            index_at(leaf.base + SLOTS as u64 - 1, self.origin).saturating_add(1)
        });
        Survey { own, shared, next }
    }

    /// The slots of `leaf` in whose places this tree has the same pages.
    pub fn common<K: PartialEq>(
        &self,
        leaf: &SharedLeaf<K>,
        key: impl Fn(&P) -> K,
    ) -> impl Iterator<Item = usize> {
        let own = self.leaf(leaf.base).map(|(own, _)| own);
        let present = own.map_or(0, |own| own.present);
        Bits(leaf.slots & present).filter(move |slot| {
            let page = own.and_then(|own| own.pages[*slot].as_ref());
            page.is_some_and(|page| leaf.keys[*slot] == Some(key(page)))
        })
    }
}

impl<K> SharedLeaf<K> {
    /// The slots that count.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        Bits(self.slots)
    }
}
