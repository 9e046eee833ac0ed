//! Walking over the gaps that are large enough, in either direction.

use core::marker::PhantomData;

use super::{
    Candidates, GapRequest, HasRange, LargestGap, LargestGaps, RegionAdapter, RegionTree, low_end,
};
use crate::addr::VirtAddr;
use crate::wavl::{NodeRef, Side};

/// The direction of a walk, as a type, so that each direction is compiled by itself.
pub trait Direction {
    /// The side of a node that comes later.
    const AHEAD: Side;
}

/// By ascending address.
#[derive(Clone, Copy, Debug)]
pub struct Upwards;

/// By descending address.
#[derive(Clone, Copy, Debug)]
pub struct Downwards;

impl Direction for Upwards {
    const AHEAD: Side = Side::Right;
}

impl Direction for Downwards {
    const AHEAD: Side = Side::Left;
}

/// A walk over the gaps that are large enough for a request. See [`RegionTree::gaps`].
pub struct Gaps<'a, A: RegionAdapter, D> {
    request: GapRequest,
    /// What a gap has to be at least; `None` if none is large enough.
    size: Option<LargestGap>,
    place: Place<'a, A>,
    tree: &'a RegionTree<A>,
    direction: PhantomData<D>,
}

type Node<'a, A> = NodeRef<'a, A, LargestGaps>;

/// Which gap a walk looks at next.
enum Place<'a, A: RegionAdapter> {
    /// The first one within the request.
    Start,
    /// The first one below any region.
    Regions,
    /// The first one beyond the gap of this region.
    Beyond(Node<'a, A>),
    /// None.
    End,
}

/// A gap, and where a walk goes on from it.
struct Step<'a, A: RegionAdapter> {
    low: VirtAddr,
    high: VirtAddr,
    next: Place<'a, A>,
}

impl<'a, A: RegionAdapter> Step<'a, A> {
    /// The gap below the region of `node`.
    #[inline]
    fn below(node: Node<'a, A>) -> Self {
        Self {
            low: low_end(node.get()),
            high: node.get().range().base(),
            next: Place::Beyond(node),
        }
    }
}

impl<'a, A: RegionAdapter, D: Direction> Gaps<'a, A, D> {
    #[inline]
    pub(super) fn new(tree: &'a RegionTree<A>, request: GapRequest) -> Self {
        Self {
            size: LargestGap::for_pages(request.pages),
            request,
            place: Place::Start,
            tree,
            direction: PhantomData,
        }
    }

    /// The next gap in the direction of the walk; it may be too small.
    #[inline]
    fn step(&mut self) -> Option<Step<'a, A>> {
        let size = self.size?;
        let found = match core::mem::replace(&mut self.place, Place::End) {
            Place::Start => match self.start() {
                Some(step) => return Some(step),
                None => self.first_of_all(size),
            },
            Place::Regions => self.first_of_all(size),
            Place::Beyond(node) => beyond::<A, D>(node, size),
            Place::End => return None,
        };
        match (found, D::AHEAD) {
            (Some(node), _) => Some(Step::below(node)),
            (None, Side::Right) => Some(self.above_all(Place::End)),
            (None, Side::Left) => None,
        }
    }

    /// The gap at the edge of the request where the walk begins; `None` if there is none before the regions.
    #[inline]
    fn start(&self) -> Option<Step<'a, A>> {
        let within = self.request.within;
        let (first, otherwise) = match D::AHEAD {
            Side::Right if within.base() <= self.tree.bounds.base() => return None,
            Side::Right => (self.tree.first_from(within.base()), Place::End),
            Side::Left => (self.tree.first_from(within.end()), Place::Regions),
        };
        Some(match first.node() {
            Some(node) => Step::below(node),
            None => self.above_all(otherwise),
        })
    }

    /// The room above the last region.
    fn above_all(&self, next: Place<'a, A>) -> Step<'a, A> {
        let last = self.tree.tree.back().get();
        Step {
            low: last.map_or(self.tree.bounds.base(), |region| region.range().end()),
            high: self.tree.bounds.end(),
            next,
        }
    }

    /// The first region with a gap of `size` below it.
    #[inline]
    fn first_of_all(&self, size: LargestGap) -> Option<Node<'a, A>> {
        let root = self.tree.tree.root()?;
        (root.summary() >= size).then(|| first_in::<A, D>(root, size))?
    }

    /// Whether the rest of the walk lies outside the request.
    #[inline]
    fn is_past(&self, step: &Step<'a, A>) -> bool {
        match D::AHEAD {
            Side::Right => self.request.within.end() <= step.low,
            Side::Left => step.high <= self.request.within.base(),
        }
    }
}

/// The first region in `subtree` with a gap of `size` below it; there is one.
#[inline]
fn first_in<A: RegionAdapter, D: Direction>(
    mut subtree: Node<'_, A>,
    size: LargestGap,
) -> Option<Node<'_, A>> {
    loop {
        match subtree.child(D::AHEAD.opposite()) {
            Some(child) if child.summary() >= size => subtree = child,
            _ if subtree.get().gap().size() >= size => return Some(subtree),
            // It is neither before the region nor directly below it, so it is beyond it.
            _ => subtree = subtree.child(D::AHEAD)?,
        }
    }
}

/// The next region beyond that of `node` with a gap of `size` below it.
fn beyond<A: RegionAdapter, D: Direction>(
    mut node: Node<'_, A>,
    size: LargestGap,
) -> Option<Node<'_, A>> {
    loop {
        match node.child(D::AHEAD) {
            Some(child) if child.summary() >= size => return first_in::<A, D>(child, size),
            _ => {}
        }
        let mut above = node.parent()?;
        while above.child(D::AHEAD).is_some_and(|child| child.is(node)) {
            node = above;
            above = node.parent()?;
        }
        if above.get().gap().size() >= size {
            return Some(above);
        }
        node = above;
    }
}

impl<A: RegionAdapter, D: Direction> Iterator for Gaps<'_, A, D> {
    type Item = Candidates;

    #[inline]
    fn next(&mut self) -> Option<Candidates> {
        loop {
            let step = self.step()?;
            if self.is_past(&step) {
                self.place = Place::End;
                return None;
            }
            self.place = step.next;
            let candidates = self.request.candidates(step.low, step.high);
            if candidates.is_some() {
                return candidates;
            }
        }
    }
}
