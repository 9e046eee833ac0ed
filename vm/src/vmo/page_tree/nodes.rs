//! Where memory for nodes comes from.
//!
//! Mostly from the heap, which may have none left. Who must not fail half-way sets memory aside before: a
//! [`NodeStock`] has enough for all nodes that replacing the pages of a range can take.

use arrayvec::ArrayVec;
use syscall::{Result, Status};

use super::node::{Inner, Leaf};
use super::slots::{MAX_HEIGHT, SLOTS};
use crate::try_alloc::ArcPermit;

/// Gives memory for nodes.
pub(super) trait Nodes<P> {
    /// The memory for a leaf.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn leaf(&mut self) -> Result<ArcPermit<Leaf<P>>>;

    /// The memory for an inner node.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    fn inner(&mut self) -> Result<ArcPermit<Inner<P>>>;
}

/// Gives what the heap has.
pub(super) struct Heap;

/// The most pages that are replaced with one stock.
pub const MOST_REPLACED: usize = 512;

/// The leaves that so many pages lie in, and one more because they begin anywhere. Before those are made, at
/// most the two at the ends are copied.
const LEAVES: usize = MOST_REPLACED / SLOTS + 1 + 2;

/// Two ways down, for the first and for the last page, which are copied before pages go, and made before
/// others come.
const INNERS: usize = 2 * 2 * (MAX_HEIGHT as usize - 1);

/// Memory for as many nodes as it can take to replace [`MOST_REPLACED`] pages.
pub struct NodeStock<P> {
    leaves: ArrayVec<ArcPermit<Leaf<P>>, LEAVES>,
    inners: ArrayVec<ArcPermit<Inner<P>>, INNERS>,
}

impl<P> Nodes<P> for Heap {
    #[inline]
    fn leaf(&mut self) -> Result<ArcPermit<Leaf<P>>> {
        ArcPermit::new()
    }

    #[inline]
    fn inner(&mut self) -> Result<ArcPermit<Inner<P>>> {
        ArcPermit::new()
    }
}

impl<P> NodeStock<P> {
    /// Nothing.
    pub const fn new() -> Self {
        Self {
            leaves: ArrayVec::new_const(),
            inners: ArrayVec::new_const(),
        }
    }

    /// Brings it up to what it can need.
    ///
    /// # Errors
    /// `NO_MEMORY`: it keeps what it got.
    pub fn fill(&mut self) -> Result<()> {
        while !self.leaves.is_full() {
            self.leaves.push(ArcPermit::new()?);
        }
        while !self.inners.is_full() {
            self.inners.push(ArcPermit::new()?);
        }
        Ok(())
    }
}

impl<P> Nodes<P> for NodeStock<P> {
    fn leaf(&mut self) -> Result<ArcPermit<Leaf<P>>> {
        self.leaves.pop().ok_or(Status::NO_MEMORY)
    }

    fn inner(&mut self) -> Result<ArcPermit<Inner<P>>> {
        self.inners.pop().ok_or(Status::NO_MEMORY)
    }
}
