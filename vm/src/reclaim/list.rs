//! The lists of VMOs, which keep none of them alive.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU8, Ordering};

use intrusive_collections::{LinkedList, LinkedListAtomicLink, UnsafeRef, intrusive_adapter};

use super::{Reclaimable, Reclaimer, Standing};

/// A VMO's place in the lists; a field of the VMO.
///
/// It is linked from [`Lists::enter`], which is given the `Arc` that the VMO is in, until it is dropped.
pub(crate) struct Place {
    link: LinkedListAtomicLink,
    /// The list that it is in, as [`Which`] numbers them, or [`Place::NOWHERE`]. Changes under the lock of
    /// the lists.
    list: AtomicU8,
    object: Weak<dyn Reclaimable>,
    reclaimer: &'static Reclaimer,
}

intrusive_adapter!(PlaceAdapter = UnsafeRef<Place>: Place { link => LinkedListAtomicLink });

impl Place {
    const NOWHERE: u8 = u8::MAX;

    /// A place in no list yet, for `object`, which it will be a field of.
    pub(crate) fn new(object: Weak<dyn Reclaimable>, reclaimer: &'static Reclaimer) -> Self {
        Self {
            link: LinkedListAtomicLink::new(),
            list: AtomicU8::new(Self::NOWHERE),
            object,
            reclaimer,
        }
    }

    /// Notes that its VMO was locked or unlocked: it becomes the last one of its list.
    pub(crate) fn note(&self, standing: Standing) {
        self.reclaimer.note(self, standing);
    }

    fn list(&self) -> Option<Which> {
        match self.list.load(Ordering::Relaxed) {
            0 => Some(Which::Unlocked),
            1 => Some(Which::Others),
            2 => Some(Which::Locked),
            _ => None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Only `enter` sets it from nowhere, and whoever called that is done: this is `&mut`.
        if self.list().is_some() {
            self.reclaimer.leave(self);
        }
    }
}

/// One of the lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Which {
    /// Discardable VMOs that are not locked.
    Unlocked = 0,
    /// VMOs that are not discardable.
    Others = 1,
    /// Discardable VMOs that are locked.
    Locked = 2,
}

/// The places of VMOs.
///
/// 1. Every place in a list says so, and is in no other.
/// 2. A place stays at its address as long as it is in a list: it is a field of an object in an `Arc`, which
///    its owner never moves out of it, and leaves the list before it is dropped.
pub(super) struct Lists([List; 3]);

struct List {
    places: LinkedList<PlaceAdapter>,
    len: usize,
}

impl List {
    const fn new() -> Self {
        Self {
            places: LinkedList::new(PlaceAdapter::NEW),
            len: 0,
        }
    }
}

impl Lists {
    pub(super) const fn new() -> Self {
        Self([const { List::new() }; 3])
    }

    pub(super) const fn len(&self, which: Which) -> usize {
        self.0[which as usize].len
    }

    /// Puts an object in no list at the end of one.
    pub(super) fn enter<T: Reclaimable>(&mut self, object: &Arc<T>, which: Which) {
        let place = object.place();
        assert!(place.list().is_none(), "an object enters only once");
        self.push_back(place, which);
    }

    /// Moves a place to the end of a list, if it is in any.
    pub(super) fn move_to(&mut self, place: &Place, which: Which) {
        if self.remove(place) {
            self.push_back(place, which);
        }
    }

    /// Moves a place to the end of the list, if it is in that one.
    pub(super) fn move_back(&mut self, place: &Place, which: Which) {
        if place.list() == Some(which) {
            self.move_to(place, which);
        }
    }

    /// The first object of a list, which becomes the last.
    ///
    /// `None` if there is none, or if it is being dropped.
    pub(super) fn rotate(&mut self, which: Which) -> Option<Arc<dyn Reclaimable>> {
        let place = self.0[which as usize].places.front_mut().remove()?;
        let object = place.object.upgrade();
        self.0[which as usize].places.push_back(place);
        object
    }

    /// Adds the objects of a list to `found`, as far as there is room, but for those that are being dropped.
    ///
    /// They are to be dropped with the lists open: each may be the last one.
    pub(super) fn share(&self, which: Which, found: &mut Vec<Arc<dyn Reclaimable>>) {
        let places = self.0[which as usize].places.iter();
        let room = found.capacity() - found.len();
        found.extend(places.filter_map(|place| place.object.upgrade()).take(room));
    }

    /// The first object of a list.
    ///
    /// `None` if there is none, or if it is being dropped; then the next one will be the first.
    pub(super) fn first(&mut self, which: Which) -> Option<Arc<dyn Reclaimable>> {
        let first = self.0[which as usize].places.front().get()?;
        first.object.upgrade().or_else(|| self.rotate(which))
    }

    /// Takes a place out of its list; whether it was in one.
    pub(super) fn remove(&mut self, place: &Place) -> bool {
        let Some(which) = place.list() else {
            return false;
        };
        let list = &mut self.0[which as usize];
        list.len -= 1;
        place.list.store(Place::NOWHERE, Ordering::Relaxed);
        // SAFETY: The place is in this very list: it says so (invariant 1), and names lists of its own
        // reclaimer only, whose lock gives `&mut self`.
        let removed = unsafe { list.places.cursor_mut_from_ptr(place) }.remove();
        removed.is_some()
    }

    fn push_back(&mut self, place: &Place, which: Which) {
        let list = &mut self.0[which as usize];
        // SAFETY: The place stays where it is for as long as it is in the list (invariant 2): `enter` was
        // given the `Arc` that it is in, and `Place::drop` takes it out.
        list.places.push_back(unsafe { UnsafeRef::from_raw(place) });
        list.len += 1;
        place.list.store(which as u8, Ordering::Relaxed);
    }
}
