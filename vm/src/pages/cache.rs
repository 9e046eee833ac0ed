//! Free frames at hand for one processor.

use intrusive_collections::SinglyLinkedList;

use super::depot::Depot;
use super::frame::OwnerKind;
use super::info::{InfoTable, PageAdapter, PageInfo, list_pointer, listed};

/// How many frames a cache takes from the depot or gives back to it at once.
pub(super) const BATCH: usize = 32;

/// How many frames a cache keeps at most.
const CAPACITY: usize = 2 * BATCH;

/// The free frames at hand, and the processor's part of the counts by owner.
pub(super) struct Cache {
    free: SinglyLinkedList<PageAdapter>,
    len: usize,
    /// Frames handed out here less frames given back here; the sum over all processors is what counts.
    held: [isize; OwnerKind::ALL.len()],
}

impl Cache {
    pub(super) const fn new() -> Self {
        Self {
            free: SinglyLinkedList::new(PageAdapter::NEW),
            len: 0,
            held: [0; OwnerKind::ALL.len()],
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn held(&self, kind: OwnerKind) -> isize {
        self.held[kind as usize]
    }

    /// Hands out a frame, if there is one.
    #[inline]
    pub(super) fn take(&mut self, kind: OwnerKind) -> Option<&'static PageInfo> {
        let info = self.pop()?;
        info.take(kind);
        self.held[kind as usize] += 1;
        Some(info)
    }

    /// Takes back a frame to which no reference is left.
    #[inline]
    pub(super) fn give(&mut self, info: &'static PageInfo, kind: OwnerKind) {
        info.give(kind);
        self.held[kind as usize] -= 1;
        self.push(info);
    }

    /// Counts `frames` frames as handed out that did not come from here.
    pub(super) fn count_taken(&mut self, kind: OwnerKind, frames: usize) {
        self.held[kind as usize] += frames as isize;
    }

    /// Counts `frames` frames as given back that did not come here.
    pub(super) fn count_given(&mut self, kind: OwnerKind, frames: usize) {
        self.held[kind as usize] -= frames as isize;
    }

    #[inline]
    pub(super) const fn is_too_full(&self) -> bool {
        self.len > CAPACITY
    }

    /// Takes a batch of frames from the depot; false if it has none.
    pub(super) fn fill(&mut self, infos: &InfoTable, depot: &mut Depot) -> bool {
        let before = self.len;
        while self.len < before + BATCH {
            let wanted = before + BATCH - self.len;
            if depot.take(wanted, |number| self.push(infos.get(number))) == 0 {
                break;
            }
        }
        self.len > before
    }

    /// Gives all but `rest` frames back to the depot; answers how many those were.
    pub(super) fn drain(&mut self, rest: usize, infos: &InfoTable, depot: &mut Depot) -> usize {
        let before = self.len;
        while self.len > rest
            && let Some(info) = self.pop()
        {
            depot.give(infos.number_of(info));
        }
        before - self.len
    }

    #[inline]
    fn push(&mut self, info: &'static PageInfo) {
        self.free.push_front(list_pointer(info));
        self.len += 1;
    }

    #[inline]
    fn pop(&mut self) -> Option<&'static PageInfo> {
        let info = self.free.pop_front()?;
        self.len -= 1;
        Some(listed(info))
    }
}
