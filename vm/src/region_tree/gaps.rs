//! Looking for room between regions.
//!
//! All searches walk the gaps that are large enough in one direction, at O(log n) steps per gap, and
//! ask of each which positions it offers. A gap that is large enough offers none if none of its pages
//! is aligned as requested, so a large alignment may cost a visit to more than one.

use super::span::distance;
use super::{HasRange, RegionAdapter, RegionTree, Spans};
use crate::addr::{PAGE_SHIFT, PageCount, VirtAddr, VirtRange};
use crate::wavl::{NodeRef, Side};

/// What a new region needs.
#[derive(Clone, Copy, Debug)]
pub struct GapRequest {
    /// Its length; at least one page.
    pub pages: PageCount,
    /// Its base is a multiple of `2^align_log2` bytes, and always of a page.
    pub align_log2: u32,
    /// Where it has to lie.
    pub within: VirtRange,
}

/// Positions at which a request fits: `count` many, `2^align_log2` bytes apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidates {
    /// The lowest position.
    pub first: VirtAddr,
    /// How many positions there are; at least one.
    pub count: usize,
    /// The logarithm of the distance from one to the next, in bytes.
    pub step_log2: u32,
}

impl Candidates {
    /// The position with `index` others below it.
    ///
    /// `None` if there are not so many.
    pub fn nth(self, index: usize) -> Option<VirtAddr> {
        if index >= self.count {
            return None;
        }
        self.first.checked_add(index << self.step_log2)
    }
}

/// The search for a random position draws this often before it looks at the gaps one by one.
const DRAWS: usize = 8;

/// Up to so many positions, a random choice looks at the gaps one by one and is exact.
const FEW: usize = 1 << 8;

impl GapRequest {
    /// The positions in the free addresses from `low` up to `high`.
    fn candidates(&self, low: VirtAddr, high: VirtAddr) -> Option<Candidates> {
        let step_log2 = self.align_log2.max(PAGE_SHIFT);
        let low = low.max(self.within.base()).align_up(step_log2)?;
        let room_bytes = high.min(self.within.end()).checked_sub(low)?;
        let spare_bytes = room_bytes.checked_sub(self.pages.bytes()?)?;
        Some(Candidates {
            first: low,
            count: (spare_bytes >> step_log2) + 1,
            step_log2,
        })
    }

    /// Where an ordered search in direction `toward` begins.
    fn start(&self, toward: Side) -> VirtAddr {
        match toward {
            Side::Right => self.within.base(),
            Side::Left => self.within.end(),
        }
    }
}

impl<A: RegionAdapter> RegionTree<A> {
    /// The groups of positions at which `request` fits, by ascending address.
    pub fn gaps(&self, request: GapRequest) -> Gaps<'_, A> {
        Gaps::new(self, request, Side::Right)
    }

    /// The lowest position at which `request` fits.
    pub fn lowest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        self.gaps(request).next().map(|candidates| candidates.first)
    }

    /// The highest position at which `request` fits.
    pub fn highest_gap(&self, request: GapRequest) -> Option<VirtAddr> {
        let candidates = Gaps::new(self, request, Side::Left).next()?;
        candidates.nth(candidates.count - 1)
    }

    /// How many positions there are at which `request` fits, counted up to `limit`.
    ///
    /// Visits at most `limit` groups of positions.
    pub fn count_candidates(&self, request: GapRequest, limit: usize) -> usize {
        let mut count = 0_usize;
        for candidates in self.gaps(request) {
            count = count.saturating_add(candidates.count);
            if count >= limit {
                return limit;
            }
        }
        count
    }

    /// The position at which `request` fits with `index` such positions below it.
    pub fn nth_candidate(&self, request: GapRequest, mut index: usize) -> Option<VirtAddr> {
        for candidates in self.gaps(request) {
            if let Some(position) = candidates.nth(index) {
                return Some(position);
            }
            index -= candidates.count;
        }
        None
    }

    /// A position at which `request` fits, chosen with at most `entropy_bits` bits of `random`.
    ///
    /// `None` means that it fits nowhere. The choice is uniform over the lowest `2^entropy_bits`
    /// positions if these are at most 256. Otherwise it is drawn from the lowest `2^entropy_bits`
    /// aligned positions, free or not, until one fits, which is uniform over those that do. A space so
    /// full that eight draws fail is drawn from again above its first gap, and at last gets one of its
    /// lowest 256 positions. So the work is bounded whatever the layout, and a position is found
    /// whenever there is one.
    ///
    /// Differs from Zircon: which counts all positions in all gaps, at a cost that grows with the
    /// number of regions.
    ///
    /// Source: `spec/vmar.md` §4.
    pub fn random_gap(
        &self,
        request: GapRequest,
        entropy_bits: u32,
        mut random: impl FnMut() -> u64,
    ) -> Option<VirtAddr> {
        let limit = 1_usize.checked_shl(entropy_bits).unwrap_or(usize::MAX);
        let all = request.candidates(request.within.base(), request.within.end())?;
        if limit.min(all.count) > FEW {
            if let Some(position) = self.draw(request, all, limit, &mut random) {
                return Some(position);
            }
            let lowest = self.lowest_gap(request)?;
            let above = request.candidates(lowest, request.within.end())?;
            if let Some(position) = self.draw(request, above, limit, &mut random) {
                return Some(position);
            }
        }
        let count = self.count_candidates(request, limit.min(FEW));
        if count == 0 {
            return None;
        }
        self.nth_candidate(request, below(count, random()))
    }

    /// Draws from the lowest `limit` of `positions` until one turns out to be free.
    fn draw(
        &self,
        request: GapRequest,
        positions: Candidates,
        limit: usize,
        random: &mut impl FnMut() -> u64,
    ) -> Option<VirtAddr> {
        (0..DRAWS).find_map(|_| {
            let base = positions.nth(below(positions.count.min(limit), random()))?;
            let range = VirtRange::new(base, request.pages)?;
            (!self.overlaps(range)).then_some(base)
        })
    }
}

/// A number below `count`, even to within `count / 2^64`.
fn below(count: usize, random: u64) -> usize {
    ((u128::from(random) * count as u128) >> u64::BITS) as usize
}

/// A walk over the gaps that are large enough for a request. See [`RegionTree::gaps`].
pub struct Gaps<'a, A: RegionAdapter> {
    request: GapRequest,
    bytes: usize,
    toward: Side,
    place: Place<'a, A>,
    tree: &'a RegionTree<A>,
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

impl<'a, A: RegionAdapter> Gaps<'a, A> {
    fn new(tree: &'a RegionTree<A>, request: GapRequest, toward: Side) -> Self {
        // A length that does not fit the address type fits no gap.
        let bytes = request.pages.bytes().unwrap_or(usize::MAX);
        Self {
            request,
            bytes,
            toward,
            place: Place::Start,
            tree,
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
    fn first_gap(&self) -> Step<'a, A> {
        let near = self.request.start(self.toward);
        let last = self.request.start(self.toward.opposite());
        let Some(root) = self.tree.tree.root() else {
            return Step {
                near,
                far: last,
                next: Place::End,
            };
        };
        let far = root.summary().edge(self.toward.opposite());
        if !self.is_before(far, near) {
            return Step {
                near,
                far,
                next: Place::Inside(root),
            };
        }
        let first = match self.toward {
            Side::Right => self.tree.first_from(near),
            Side::Left => self.tree.last_below(near),
        };
        match first.node() {
            None => Step {
                near,
                far: last,
                next: Place::End,
            },
            Some(node) => {
                let edge = self.near_edge(node);
                let far = if self.is_before(edge, near) {
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
        }
    }

    /// The nearest gap of the wanted size inside `subtree`, or else the one beyond it.
    #[inline]
    fn gap_inside(&self, mut subtree: Node<'a, A>) -> Step<'a, A> {
        if subtree.summary().gap_bytes() < self.bytes {
            return self.gap_outside(subtree);
        }
        loop {
            if let Some(child) = subtree.child(self.toward.opposite()) {
                let span = child.summary();
                if span.gap_bytes() >= self.bytes {
                    subtree = child;
                    continue;
                }
                let (near, far) = (span.edge(self.toward), self.near_edge(subtree));
                if distance(near, far) >= self.bytes {
                    return Step {
                        near,
                        far,
                        next: Place::Beyond(subtree),
                    };
                }
            }
            // It is neither before the region nor directly before it, so it is beyond it.
            let Some(child) = subtree.child(self.toward) else {
                return self.gap_outside(subtree);
            };
            let (near, far) = (
                self.far_edge(subtree),
                child.summary().edge(self.toward.opposite()),
            );
            if distance(near, far) >= self.bytes {
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
        match node.child(self.toward) {
            None => self.gap_outside(node),
            Some(child) => Step {
                near: self.far_edge(node),
                far: child.summary().edge(self.toward.opposite()),
                next: Place::Inside(child),
            },
        }
    }

    /// The gap directly beyond `subtree`.
    fn gap_outside(&self, mut subtree: Node<'a, A>) -> Step<'a, A> {
        let near = subtree.summary().edge(self.toward);
        while let Some(parent) = subtree.parent() {
            let is_beyond = parent
                .child(self.toward)
                .is_some_and(|child| child.is(subtree));
            if !is_beyond {
                return Step {
                    near,
                    far: self.near_edge(parent),
                    next: Place::Beyond(parent),
                };
            }
            subtree = parent;
        }
        Step {
            near,
            far: self.request.start(self.toward.opposite()),
            next: Place::End,
        }
    }

    /// The edge of a region that a walk meets first.
    #[inline]
    fn near_edge(&self, node: Node<'a, A>) -> VirtAddr {
        match self.toward {
            Side::Right => node.get().range().base(),
            Side::Left => node.get().range().end(),
        }
    }

    /// The edge of a region that a walk meets last.
    #[inline]
    fn far_edge(&self, node: Node<'a, A>) -> VirtAddr {
        match self.toward {
            Side::Right => node.get().range().end(),
            Side::Left => node.get().range().base(),
        }
    }

    /// Whether a walk comes to `one` before it comes to `other`.
    #[inline]
    fn is_before(&self, one: VirtAddr, other: VirtAddr) -> bool {
        match self.toward {
            Side::Right => one < other,
            Side::Left => other < one,
        }
    }
}

impl<A: RegionAdapter> Iterator for Gaps<'_, A> {
    type Item = Candidates;

    #[inline]
    fn next(&mut self) -> Option<Candidates> {
        loop {
            let Step { near, far, next } = self.step()?;
            self.place = next;
            if !self.is_before(near, self.request.start(self.toward.opposite())) {
                self.place = Place::End;
                return None;
            }
            let candidates = match self.toward {
                Side::Right => self.request.candidates(near, far),
                Side::Left => self.request.candidates(far, near),
            };
            if candidates.is_some() {
                return candidates;
            }
        }
    }
}
