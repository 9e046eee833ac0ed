//! All regions below a VMAR, in the order of their addresses.

use alloc::sync::Arc;

use super::{Region, RegionAdapter, RegionKind, Vmar};
use crate::addr::VirtAddr;
use crate::locked::Guard;
use crate::mmu::Mmu;
use crate::region_tree::{HasRange, RegionCursor};

/// A region, as a walk comes by.
pub struct Visited<'g, M: Mmu> {
    cursor: RegionCursor<'g, RegionAdapter<M>>,
    /// The region.
    pub region: &'g Region<M>,
    /// The VMAR whose region it is.
    pub parent: &'g Arc<Vmar<M>>,
    /// How many VMARs it is in, from the top of the walk on; at least one.
    pub depth: usize,
}

impl<M: Mmu> Visited<'_, M> {
    /// A reference to the region that outlives the guard.
    pub fn to_arc(&self) -> Option<Arc<Region<M>>> {
        self.cursor.clone_pointer()
    }
}

/// A walk over the regions below a VMAR, each VMAR before what is in it.
///
/// Depth is up to the user, so a walk neither recurses nor remembers the way: it finds its place in the
/// parent by address. A step takes O(log n).
pub struct Walk<'g, M: Mmu, G> {
    guard: &'g G,
    top: &'g Arc<Vmar<M>>,
    vmar: &'g Arc<Vmar<M>>,
    next: VirtAddr,
    depth: usize,
}

impl<'g, M: Mmu, G: Guard<M>> Walk<'g, M, G> {
    /// A walk over the regions below `top` that end above `from`.
    pub fn new(top: &'g Arc<Vmar<M>>, from: VirtAddr, guard: &'g G) -> Self {
        Self {
            guard,
            top,
            vmar: top,
            next: from,
            depth: 1,
        }
    }

    /// A walk that goes on in `vmar`, which is below `top` by `depth` - 1 VMARs, from `next` on.
    pub fn resume(
        top: &'g Arc<Vmar<M>>,
        vmar: &'g Arc<Vmar<M>>,
        next: VirtAddr,
        depth: usize,
        guard: &'g G,
    ) -> Self {
        Self {
            guard,
            top,
            vmar,
            next,
            depth,
        }
    }

    /// A walk over the regions below `top` that end above `from`, without the VMARs that begin below.
    pub fn behind(top: &'g Arc<Vmar<M>>, from: VirtAddr, guard: &'g G) -> Self {
        let mut walk = Self::new(top, from, guard);
        while let Some(region) = walk.vmar.children(guard).find(from)
            && let RegionKind::Vmar(vmar) = region.kind()
            && vmar.range().base() < from
        {
            walk.enter(vmar);
        }
        walk
    }

    fn enter(&mut self, vmar: &'g Arc<Vmar<M>>) {
        self.next = self.next.max(vmar.range().base());
        self.vmar = vmar;
        self.depth += 1;
    }
}

impl<'g, M: Mmu, G: Guard<M>> Iterator for Walk<'g, M, G> {
    type Item = Visited<'g, M>;

    fn next(&mut self) -> Option<Visited<'g, M>> {
        loop {
            let cursor = self.vmar.children(self.guard).first_from(self.next);
            if let Some(region) = cursor.get() {
                let (parent, depth) = (self.vmar, self.depth);
                match region.kind() {
                    RegionKind::Mapping(_) => self.next = region.range().end(),
                    RegionKind::Vmar(vmar) => self.enter(vmar),
                }
                return Some(Visited {
                    cursor,
                    region,
                    parent,
                    depth,
                });
            }
            if Arc::ptr_eq(self.vmar, self.top) {
                return None;
            }
            self.next = self.vmar.range().end();
            self.vmar = self.vmar.parent(self.guard)?;
            self.depth -= 1;
        }
    }
}
