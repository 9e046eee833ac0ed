//! Walking over the gaps that are large enough, in either direction.

use core::marker::PhantomData;

use super::{Candidates, GapRequest, HasRange, RegionAdapter, RegionTree, Spans};
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
    place: Place<'a, A>,
    tree: &'a RegionTree<A>,
    direction: PhantomData<D>,
}

type Node<'a, A> = NodeRef<'a, A, Spans>;

/// Which gap a walk looks at next.
enum Place<'a, A: RegionAdapter> {
    /// The first one, before any region.
    Start,
    /// The nearest inside this subtree.
    Inside(Node<'a, A>),
    /// The one directly beyond this region.
    Beyond(Node<'a, A>),
    /// None.
    End,
}

/// A gap between two neighbours in the direction of a walk, and the place after it.
struct Step<'a, A: RegionAdapter> {
    near: VirtAddr,
    far: VirtAddr,
    next: Place<'a, A>,
}

impl<'a, A: RegionAdapter, D: Direction> Gaps<'a, A, D> {
    #[inline]
    pub(super) fn new(tree: &'a RegionTree<A>, request: GapRequest) -> Self {
        Self {
            request,
            place: Place::Start,
            tree,
            direction: PhantomData,
        }
    }

    /// The next gap in the direction of the walk; it may be too small.
    #[inline]
    fn step(&mut self) -> Option<Step<'a, A>> {
        match core::mem::replace(&mut self.place, Place::End) {
            Place::Start => Some(self.first_gap()),
            Place::Inside(subtree) => Some(self.gap_inside(subtree)),
            Place::Beyond(node) => Some(self.gap_beyond(node)),
            Place::End => None,
        }
    }

    /// The gap between the edge of the request and the first region beyond it.
    #[inline]
    fn first_gap(&self) -> Step<'a, A> {
        let near = self.start();
        let Some(root) = self.tree.tree.root() else {
            return Step {
                near,
                far: self.goal(),
                next: Place::End,
            };
        };
        let far = root.summary().edge(D::AHEAD.opposite());
        if !is_before::<D>(far, near) {
            if root.summary().pages_to(D::AHEAD.opposite(), near) < self.request.pages {
                return self.gap_inside(root);
            }
            return Step {
                near,
                far,
                next: Place::Inside(root),
            };
        }
        let first = match D::AHEAD {
            Side::Right => self.tree.first_from(near),
            Side::Left => self.tree.last_below(near),
        };
        let Some(node) = first.node() else {
            return Step {
                near,
                far: self.goal(),
                next: Place::End,
            };
        };
        let edge = near_edge::<D, A>(node);
        let far = if is_before::<D>(edge, near) {
            near
        } else {
            edge
        };
        Step {
            near,
            far,
            next: Place::Beyond(node),
        }
    }

    /// The nearest gap of the wanted size inside `subtree`, or else the one beyond it.
    #[inline]
    fn gap_inside(&self, mut subtree: Node<'a, A>) -> Step<'a, A> {
        let pages = self.request.pages;
        if !subtree.summary().may_have_gap(pages) {
            return self.gap_outside(subtree);
        }
        loop {
            if let Some(child) = subtree.child(D::AHEAD.opposite()) {
                let span = child.summary();
                if span.may_have_gap(pages) {
                    subtree = child;
                    continue;
                }
                let far = near_edge::<D, A>(subtree);
                if span.pages_to(D::AHEAD, far) >= pages {
                    let near = span.edge(D::AHEAD);
                    return Step {
                        near,
                        far,
                        next: Place::Beyond(subtree),
                    };
                }
            }
            // It is neither before the region nor directly before it: it is beyond it, or nowhere.
            let Some(child) = subtree.child(D::AHEAD) else {
                return self.gap_outside(subtree);
            };
            let span = child.summary();
            let near = far_edge::<D, A>(subtree);
            if span.pages_to(D::AHEAD.opposite(), near) >= pages {
                let far = span.edge(D::AHEAD.opposite());
                return Step {
                    near,
                    far,
                    next: Place::Inside(child),
                };
            }
            subtree = child;
        }
    }

    /// The gap directly beyond the region of `node`.
    fn gap_beyond(&self, node: Node<'a, A>) -> Step<'a, A> {
        match node.child(D::AHEAD) {
            None => self.gap_outside(node),
            Some(child) => Step {
                near: far_edge::<D, A>(node),
                far: child.summary().edge(D::AHEAD.opposite()),
                next: Place::Inside(child),
            },
        }
    }

    /// The gap directly beyond `subtree`.
    fn gap_outside(&self, mut subtree: Node<'a, A>) -> Step<'a, A> {
        let near = subtree.summary().edge(D::AHEAD);
        while let Some(parent) = subtree.parent() {
            if !parent
                .child(D::AHEAD)
                .is_some_and(|child| child.is(subtree))
            {
                let far = near_edge::<D, A>(parent);
                return Step {
                    near,
                    far,
                    next: Place::Beyond(parent),
                };
            }
            subtree = parent;
        }
        Step {
            near,
            far: self.goal(),
            next: Place::End,
        }
    }

    /// The end of the requested range where the walk begins.
    fn start(&self) -> VirtAddr {
        match D::AHEAD {
            Side::Right => self.request.within.base(),
            Side::Left => self.request.within.end(),
        }
    }

    /// The end of the requested range where the walk ends.
    fn goal(&self) -> VirtAddr {
        match D::AHEAD {
            Side::Right => self.request.within.end(),
            Side::Left => self.request.within.base(),
        }
    }
}

/// The edge of a region that a walk meets first.
#[inline]
fn near_edge<D: Direction, A: RegionAdapter>(node: Node<'_, A>) -> VirtAddr {
    match D::AHEAD {
        Side::Right => node.get().range().base(),
        Side::Left => node.get().range().end(),
    }
}

/// The edge of a region that a walk meets last.
#[inline]
fn far_edge<D: Direction, A: RegionAdapter>(node: Node<'_, A>) -> VirtAddr {
    match D::AHEAD {
        Side::Right => node.get().range().end(),
        Side::Left => node.get().range().base(),
    }
}

/// Whether a walk comes to `one` before it comes to `other`.
#[inline]
fn is_before<D: Direction>(one: VirtAddr, other: VirtAddr) -> bool {
    match D::AHEAD {
        Side::Right => one < other,
        Side::Left => other < one,
    }
}

impl<A: RegionAdapter, D: Direction> Iterator for Gaps<'_, A, D> {
    type Item = Candidates;

    #[inline]
    fn next(&mut self) -> Option<Candidates> {
        loop {
            let Step { near, far, next } = self.step()?;
            self.place = next;
            if !is_before::<D>(near, self.goal()) {
                self.place = Place::End;
                return None;
            }
            let candidates = match D::AHEAD {
                Side::Right => self.request.candidates(near, far),
                Side::Left => self.request.candidates(far, near),
            };
            if candidates.is_some() {
                return candidates;
            }
        }
    }
}
