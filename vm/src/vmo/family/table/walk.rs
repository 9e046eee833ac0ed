//! All members, each before its children.

use alloc::sync::Arc;

use super::{MemberNumber, Table};
use crate::mmu::Mmu;
use crate::vmo::Vmo;

impl<M: Mmu> Table<M> {
    /// The living member that comes after `last`, or the first one, and how many ancestors it has.
    pub fn next_in_tree(
        &self,
        last: Option<MemberNumber>,
    ) -> Option<(MemberNumber, usize, Arc<Vmo<M>>)> {
        let mut next = match last {
            None => self.root_from(0),
            Some(MemberNumber(number)) => self.below_or_behind(number),
        };
        loop {
            let number = next?;
            if let Some(vmo) = self.get(number)?.vmo.upgrade() {
                return Some((MemberNumber(number), self.depth(number), vmo));
            }
            next = self.below_or_behind(number);
        }
    }

    /// The first child of a member, or else what comes after it and all that is below it.
    fn below_or_behind(&self, mut number: usize) -> Option<usize> {
        let child = self.get(number)?.first_child;
        if child.is_some() {
            return child;
        }
        loop {
            let member = self.get(number)?;
            match (member.next, member.parent) {
                (Some(next), _) => return Some(next),
                (None, Some(parent)) => number = parent,
                (None, None) => return self.root_from(number + 1),
            }
        }
    }

    /// The first member without a parent whose number is not below `first`.
    fn root_from(&self, first: usize) -> Option<usize> {
        (first..self.places.len()).find(|number| {
            self.get(*number)
                .is_some_and(|member| member.parent.is_none())
        })
    }

    fn depth(&self, number: usize) -> usize {
        let parent = |number: &usize| self.get(*number)?.parent;
        core::iter::successors(parent(&number), parent).count()
    }
}
