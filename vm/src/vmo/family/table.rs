//! The members of a family and their links.

mod walk;

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;

use syscall::{Koid, Result};

use super::ChildKind;
use crate::mmu::Mmu;
use crate::try_alloc::try_push;
use crate::vmo::Vmo;

/// The number of a member in the table of its family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MemberNumber(usize);

/// Members by number.
///
/// 1. A place is a member's, or in the list of free ones.
/// 2. The children of a member are in the list that begins at its `first_child`, and it counts them.
///
/// `add` and `remove` are the only functions that change links.
pub struct Table<M: Mmu> {
    places: Vec<Place<M>>,
    first_free: Option<usize>,
}

enum Place<M: Mmu> {
    Taken(Member<M>),
    Free { next: Option<usize> },
}

/// A VMO and its relatives.
pub struct Member<M: Mmu> {
    vmo: Weak<Vmo<M>>,
    koid: Koid,
    kind: ChildKind,
    parent: Option<usize>,
    first_child: Option<usize>,
    num_children: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

impl<M: Mmu> Member<M> {
    /// A member without relatives.
    pub const fn new(vmo: Weak<Vmo<M>>, koid: Koid, kind: ChildKind) -> Self {
        Self {
            vmo,
            koid,
            kind,
            parent: None,
            first_child: None,
            num_children: 0,
            previous: None,
            next: None,
        }
    }
}

impl<M: Mmu> Table<M> {
    /// No members.
    pub const fn new() -> Self {
        Self {
            places: Vec::new(),
            first_free: None,
        }
    }

    /// Adds a member, as the child of another.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the place.
    pub fn add(&mut self, member: Member<M>, parent: Option<MemberNumber>) -> Result<MemberNumber> {
        let number = match self.first_free {
            Some(number) => {
                self.first_free = match &self.places[number] {
                    Place::Free { next } => *next,
                    Place::Taken(_) => None,
                };
                self.places[number] = Place::Taken(member);
                number
            }
            None => {
                try_push(&mut self.places, Place::Taken(member))?;
                self.places.len() - 1
            }
        };
        if let Some(MemberNumber(parent)) = parent {
            self.link(number, parent);
        }
        Ok(MemberNumber(number))
    }

    /// Says which VMO a member is.
    pub fn occupy(&mut self, MemberNumber(number): MemberNumber, vmo: Weak<Vmo<M>>, koid: Koid) {
        if let Some(member) = self.get_mut(number) {
            member.vmo = vmo;
            member.koid = koid;
        }
    }

    /// Takes a member out; its children become those of its parent, which is the answer.
    pub fn remove(&mut self, MemberNumber(number): MemberNumber) -> Option<Weak<Vmo<M>>> {
        let parent = self.get(number)?.parent;
        self.unlink(number);
        while let Some(child) = self.get(number).and_then(|member| member.first_child) {
            self.unlink(child);
            if let Some(parent) = parent {
                self.link(child, parent);
            }
        }
        let next = self.first_free.replace(number);
        self.places[number] = Place::Free { next };
        Some(self.get(parent?)?.vmo.clone())
    }

    /// How many children a member has.
    pub fn num_children(&self, MemberNumber(number): MemberNumber) -> usize {
        self.get(number).map_or(0, |member| member.num_children)
    }

    /// The koid of a member's parent; `INVALID` without one.
    pub fn parent_koid(&self, MemberNumber(number): MemberNumber) -> Koid {
        let parent = self.get(number).and_then(|member| member.parent);
        parent
            .and_then(|parent| self.get(parent))
            .map_or(Koid::INVALID, |parent| parent.koid)
    }

    /// Whether there are clones of a member, or of the views of it, and their views.
    pub fn has_cow_clones(&self, MemberNumber(top): MemberNumber) -> bool {
        let mut at = self.get(top).and_then(|member| member.first_child);
        while let Some(number) = at {
            let Some(member) = self.get(number) else {
                return false;
            };
            if member.kind == ChildKind::CowClone {
                return true;
            }
            at = member
                .first_child
                .or_else(|| self.next_beside_or_above(number, top));
        }
        false
    }

    /// The first living member after `last`.
    pub fn next_after(&self, last: Option<MemberNumber>) -> Option<(MemberNumber, Arc<Vmo<M>>)> {
        let from = last.map_or(0, |MemberNumber(number)| number + 1);
        (from..self.places.len()).find_map(|number| {
            let vmo = self.get(number)?.vmo.upgrade()?;
            Some((MemberNumber(number), vmo))
        })
    }

    /// Where a walk through the descendants of `top` goes on after those of `number`.
    fn next_beside_or_above(&self, mut number: usize, top: usize) -> Option<usize> {
        while number != top {
            let member = self.get(number)?;
            if member.next.is_some() {
                return member.next;
            }
            number = member.parent?;
        }
        None
    }

    /// Puts a member at the beginning of its parent's list.
    fn link(&mut self, number: usize, parent: usize) {
        let Some(above) = self.get_mut(parent) else {
            return;
        };
        let next = above.first_child.replace(number);
        above.num_children += 1;
        if let Some(next) = next.and_then(|next| self.get_mut(next)) {
            next.previous = Some(number);
        }
        if let Some(member) = self.get_mut(number) {
            member.parent = Some(parent);
            member.next = next;
            member.previous = None;
        }
    }

    /// Takes a member out of its parent's list.
    fn unlink(&mut self, number: usize) {
        let Some(member) = self.get_mut(number) else {
            return;
        };
        let (previous, next) = (member.previous.take(), member.next.take());
        let parent = member.parent.take();
        if let Some(next) = next.and_then(|next| self.get_mut(next)) {
            next.previous = previous;
        }
        if let Some(previous) = previous.and_then(|previous| self.get_mut(previous)) {
            previous.next = next;
        }
        if let Some(above) = parent.and_then(|parent| self.get_mut(parent)) {
            above.num_children -= 1;
            if previous.is_none() {
                above.first_child = next;
            }
        }
    }

    fn get(&self, number: usize) -> Option<&Member<M>> {
        match self.places.get(number)? {
            Place::Taken(member) => Some(member),
            Place::Free { .. } => None,
        }
    }

    fn get_mut(&mut self, number: usize) -> Option<&mut Member<M>> {
        match self.places.get_mut(number)? {
            Place::Taken(member) => Some(member),
            Place::Free { .. } => None,
        }
    }
}
