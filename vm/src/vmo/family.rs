//! Who is whose child.
//!
//! A family is made of a VMO and all that was made from it, as children of one another:
//!
//! ```text
//!   a ─┬─ snapshot b ── snapshot d          b goes:   a ─┬─ d
//!      └─ slice c                                        └─ c
//! ```
//!
//! When a VMO goes, its children become its parent's. All links of a family are under one lock, in one
//! table in which members are found by number, so that families of any depth and width need no
//! recursion.
//!
//! Locks: the family's alone; with it held, no other is taken. Source: `spec/vmo.md` §10.

mod table;

use alloc::sync::{Arc, Weak};

use spin::{Mutex, MutexGuard};
use syscall::{Koid, Result};
use table::{Member, MemberNumber, Table};

use super::Vmo;
use crate::mmu::Mmu;
use crate::sync::step;
use crate::try_alloc::try_arc;

/// All VMOs that descend from one, itself included.
pub struct Family<M: Mmu> {
    table: Mutex<Table<M>>,
}

/// The place of a VMO in its family; the VMO leaves with its end.
pub struct Membership<M: Mmu> {
    family: Arc<Family<M>>,
    number: MemberNumber,
}

/// Hears when a VMO loses children. Implemented by what the kernel wraps VMOs in, which has their signals.
pub trait ChildObserver: Send + Sync {
    /// A child has gone, and perhaps left its own children. Called with nothing of `vm` locked.
    ///
    /// Children may come and go meanwhile: the truth is in `Vmo::num_children`, to be asked for under
    /// whatever lock orders the consequences.
    fn children_changed(&self);
}

/// How a child gets its contents.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChildKind {
    /// It began with those of its parent, and both go their own ways.
    CowClone,
    /// It shows its parent's.
    View,
}

impl<M: Mmu> Membership<M> {
    /// The first member of a new family.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the family.
    pub fn founder(vmo: &Arc<Vmo<M>>) -> Result<Self> {
        let mut table = Table::new();
        let member = Member::new(Arc::downgrade(vmo), vmo.koid(), ChildKind::CowClone);
        let number = table.add(member, None)?;
        let family = try_arc(Family {
            table: Mutex::new(table),
        })?;
        Ok(Self { family, number })
    }

    /// A place for a child of this member, which is counted from now on.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the place.
    pub fn add_child(&self, kind: ChildKind) -> Result<Self> {
        let member = Member::new(Weak::new(), Koid::INVALID, kind);
        let number = self.table().add(member, Some(self.number))?;
        Ok(Self {
            family: self.family.clone(),
            number,
        })
    }

    /// Says which VMO has the place.
    pub fn occupy(&self, vmo: &Arc<Vmo<M>>) {
        let mut table = self.table();
        table.occupy(self.number, Arc::downgrade(vmo), vmo.koid());
    }

    /// How many children it has.
    pub fn num_children(&self) -> usize {
        self.table().num_children(self.number)
    }

    /// The koid of its parent; `INVALID` if it has none any more.
    pub fn parent_koid(&self) -> Koid {
        self.table().parent_koid(self.number)
    }

    /// Whether a VMO began with the contents of this one, or of what shows them.
    pub fn has_cow_clones(&self) -> bool {
        self.table().has_cow_clones(self.number)
    }

    /// The next member after `last`, or the first one, in the order of their places.
    ///
    /// The family may change between two calls. Who is asked for all the time is there.
    pub fn next_member(&self, last: Option<MemberNumber>) -> Option<(MemberNumber, Arc<Vmo<M>>)> {
        self.table().next_after(last)
    }
}

impl<M: Mmu> Membership<M> {
    fn next_in_tree(
        &self,
        last: Option<MemberNumber>,
    ) -> Option<(MemberNumber, usize, Arc<Vmo<M>>)> {
        self.table().next_in_tree(last)
    }

    /// Locks the family.
    fn table(&self) -> MutexGuard<'_, Table<M>> {
        step();
        self.family.table.lock()
    }
}

impl<M: Mmu> Drop for Membership<M> {
    fn drop(&mut self) {
        let parent = self.table().remove(self.number);
        if let Some(parent) = parent.and_then(|parent| parent.upgrade()) {
            parent.tell_observer();
        }
    }
}

/// The children's side of a VMO: nothing as long as it has no family.
impl<M: Mmu> Vmo<M> {
    /// How many children it has, of all kinds.
    pub fn num_children(&self) -> usize {
        self.membership().map_or(0, Membership::num_children)
    }

    /// The koid of the VMO that it is a child of, or was left to; `INVALID` if there is none.
    pub fn parent_koid(&self) -> Koid {
        self.membership()
            .map_or(Koid::INVALID, Membership::parent_koid)
    }

    /// Whether a VMO began with the contents of this one and still lives.
    pub fn has_cow_clones(&self) -> bool {
        self.membership().is_some_and(Membership::has_cow_clones)
    }

    /// Sets whom to tell when children go, for good.
    pub fn set_child_observer(&self, observer: Weak<dyn ChildObserver>) {
        self.observer.call_once(|| observer);
    }

    /// All members of its family, itself included, as far as they live when their turn comes. Nothing is
    /// locked between two.
    pub fn family(&self) -> impl Iterator<Item = Arc<Self>> {
        let mut last = None;
        core::iter::from_fn(move || {
            let (number, vmo) = self.membership()?.next_member(last)?;
            last = Some(number);
            Some(vmo)
        })
    }

    /// All members of its family as [`family`](Self::family), each before its children, and how many
    /// ancestors each has.
    ///
    /// Who joins or leaves meanwhile may be missing, and its descendants with it.
    pub fn family_tree(self: &Arc<Self>) -> impl Iterator<Item = (usize, Arc<Self>)> {
        let alone = self.membership().is_none().then(|| (0, Arc::clone(self)));
        // The last one that was shown stays alive, and so keeps its place.
        let mut last: Option<(MemberNumber, Arc<Self>)> = None;
        let members = core::iter::from_fn(move || {
            let number = last.as_ref().map(|(number, _)| *number);
            let (number, depth, vmo) = self.membership()?.next_in_tree(number)?;
            last = Some((number, Arc::clone(&vmo)));
            Some((depth, vmo))
        });
        alone.into_iter().chain(members)
    }

    fn tell_observer(&self) {
        if let Some(observer) = self.observer.get().and_then(Weak::upgrade) {
            observer.children_changed();
        }
    }
}
