//! Why an access faults: the regions around an address, and what each kind of access lacks.
//!
//! [`AddressSpace::explain`] answers with data; whoever reports a fault to people turns it into words.

use alloc::sync::Arc;
use core::ops::ControlFlow;

use arrayvec::ArrayVec;
use syscall::{Koid, Name, Status, VmOptions};

use crate::addr::{VirtAddr, VirtRange};
use crate::aspace::AddressSpace;
use crate::locked::{Guard, ReadGuard};
use crate::mmu::{Access, Mmu};
use crate::region_tree::HasRange;
use crate::vmar::{Mapping, Region, RegionKind, Vmar, Walk};
use crate::vmo::{PageIndex, Sharing, VmoState};

/// How many regions around an address are told.
pub const CHAIN: usize = 8;

/// What is known about an address.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The regions that contain the address, the root VMAR first. If there are more than [`CHAIN`], those
    /// after the root are left out.
    pub chain: ArrayVec<RegionReport, CHAIN>,
    /// How many are left out.
    pub omitted: usize,
    /// If nothing is mapped at the address: the nearest mapping below.
    pub below: Option<RegionReport>,
    /// If nothing is mapped at the address: the nearest mapping above.
    pub above: Option<RegionReport>,
    /// If a page of a VMO is mapped at the address: whether the VMO has it.
    pub backing: Option<Backing>,
    /// Why it cannot be read; `None` if it can.
    pub read: Option<Refusal>,
    /// Why it cannot be written; `None` if it can.
    pub write: Option<Refusal>,
    /// Why it cannot be executed; `None` if it can.
    pub execute: Option<Refusal>,
}

/// A region around an address.
#[derive(Clone, Debug)]
pub struct RegionReport {
    /// The name of the VMAR or of the VMO.
    pub name: Name,
    /// The addresses; of a mapping, those that allow the same.
    pub range: VirtRange,
    /// What it is.
    pub kind: RegionReportKind,
}

/// What a region around an address is.
#[derive(Clone, Debug)]
pub enum RegionReportKind {
    /// A VMAR.
    Vmar {
        /// `COMPACT` and its capabilities.
        flags: VmOptions,
    },
    /// A mapping.
    Mapping {
        /// What it allows now.
        access: Access,
        /// What it may ever allow.
        maximal: Access,
        /// The number of the VMO.
        vmo: Koid,
        /// The first byte of the VMO that `range` shows.
        vmo_offset: u64,
        /// The size of the VMO in bytes.
        vmo_size: u64,
        /// Bytes of pages that the VMO has in `range`.
        committed_bytes: u64,
    },
}

/// Whether a VMO has a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Backing {
    /// It has, alone.
    Present,
    /// It has, and so have others.
    Shared,
    /// It has not: the page reads as zeros.
    Absent,
}

/// Why an access is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// Nothing is mapped there.
    NotMapped,
    /// The mapping does not allow it.
    NotAllowed {
        /// What it allows.
        access: Access,
        /// What it may ever allow: whether changing its protection would help.
        maximal: Access,
    },
    /// The VMO ends before.
    BeyondVmo {
        /// The byte of the VMO that would be shown.
        offset: u64,
        /// Where touching it begins to fault.
        limit: u64,
    },
}

impl<M: Mmu> AddressSpace<M> {
    /// What is known about `address`.
    ///
    /// Locks the address space for reading, and VMOs one after the other.
    pub fn explain(&self, address: VirtAddr) -> Explanation {
        let guard = self.read();
        let mut explanation = Explanation {
            chain: ArrayVec::new(),
            omitted: 0,
            below: None,
            above: None,
            backing: None,
            read: Some(Refusal::NotMapped),
            write: Some(Refusal::NotMapped),
            execute: Some(Refusal::NotMapped),
        };
        let Some(root) = guard.root() else {
            return explanation;
        };
        if !root.range().contains(address) {
            explanation.add_neighbours(root, address, &guard);
            return explanation;
        }
        let mut vmar = root;
        loop {
            explanation.add(vmar_report(vmar));
            match vmar
                .children(&guard)
                .find(address)
                .map(|region| (region, region.kind()))
            {
                None => {
                    explanation.add_neighbours(root, address, &guard);
                    return explanation;
                }
                Some((_, RegionKind::Vmar(below))) => vmar = below,
                Some((region, RegionKind::Mapping(mapping))) => {
                    explanation.add(mapping_report(region, mapping, address, &guard));
                    explanation.judge(region, mapping, address, &guard);
                    return explanation;
                }
            }
        }
    }
}

impl Refusal {
    /// What the fault is refused with.
    pub const fn status(self) -> Status {
        match self {
            Self::NotMapped => Status::NOT_FOUND,
            Self::NotAllowed { .. } => Status::ACCESS_DENIED,
            Self::BeyondVmo { .. } => Status::OUT_OF_RANGE,
        }
    }
}

impl Explanation {
    /// Why `access`, of one kind, is refused; `None` if it is not.
    pub fn refusal(&self, access: Access) -> Option<Refusal> {
        if access.contains(Access::EXECUTE) {
            self.execute
        } else if access.contains(Access::WRITE) {
            self.write
        } else {
            self.read
        }
    }

    fn add(&mut self, report: RegionReport) {
        if self.chain.is_full() {
            self.chain.remove(1);
            self.omitted += 1;
        }
        self.chain.push(report);
    }

    fn add_neighbours<M: Mmu>(
        &mut self,
        root: &Arc<Vmar<M>>,
        address: VirtAddr,
        guard: &ReadGuard<'_, M>,
    ) {
        let above = Walk::new(root, address, guard)
            .find_map(|visited| Some((visited.region, visited.region.as_mapping()?)));
        self.above = above
            .map(|(region, mapping)| mapping_report(region, mapping, region.range().base(), guard));
        self.below = last_mapping_below(root, address, guard).map(|(region, mapping)| {
            let last = VirtAddr::new(region.range().end().raw() - 1);
            mapping_report(region, mapping, last, guard)
        });
    }

    /// Says for each kind of access what `mapping` refuses at `address`.
    fn judge<M: Mmu>(
        &mut self,
        region: &Region<M>,
        mapping: &Mapping<M>,
        address: VirtAddr,
        guard: &ReadGuard<'_, M>,
    ) {
        let range = region.range();
        let (access, maximal) = (
            mapping.run_at(address, range, guard).access,
            mapping.maximal(),
        );
        let page = mapping.owner_page_at(range.base(), address.page_base());
        let vmo = mapping.vmo().lock();
        let limit = mapping.fault_limit(&vmo);
        let first = mapping.vmo().window(&vmo).start;
        self.backing = (page < limit).then(|| backing(mapping, &vmo, page));
        drop(vmo);
        // Told as the VMO counts, which may be a slice.
        let own = |page: PageIndex| PageIndex::ZERO.saturating_add(page.saturating_since(first));
        let (page, limit) = (own(page), own(limit));
        let judge = |kind| {
            if !access.contains(kind) {
                return Some(Refusal::NotAllowed { access, maximal });
            }
            let offset = page.offset().unwrap_or(u64::MAX);
            let limit_offset = limit.offset().unwrap_or(u64::MAX);
            (page >= limit).then_some(Refusal::BeyondVmo {
                offset,
                limit: limit_offset,
            })
        };
        self.read = judge(Access::READ);
        self.write = judge(Access::WRITE);
        self.execute = judge(Access::EXECUTE);
    }
}

/// Whether the VMO that `mapping` shows has `page`.
fn backing<M: Mmu>(mapping: &Mapping<M>, vmo: &VmoState<M>, page: PageIndex) -> Backing {
    let range = page..page.saturating_add(1);
    let pages = mapping.vmo().pages();
    let found = vmo.visit_present(pages, range, |_, _, sharing| ControlFlow::Break(sharing));
    match found {
        ControlFlow::Break(Sharing::Own) => Backing::Present,
        ControlFlow::Break(Sharing::Shared) => Backing::Shared,
        ControlFlow::Continue(()) => Backing::Absent,
    }
}

fn vmar_report<M: Mmu>(vmar: &Vmar<M>) -> RegionReport {
    let kind = RegionReportKind::Vmar {
        flags: vmar.flags(),
    };
    RegionReport {
        name: vmar.name(),
        range: vmar.range(),
        kind,
    }
}

/// Tells of the part of a mapping that allows the same as at `address`.
fn mapping_report<M: Mmu>(
    region: &Region<M>,
    mapping: &Mapping<M>,
    address: VirtAddr,
    guard: &ReadGuard<'_, M>,
) -> RegionReport {
    let range = region.range();
    let run = mapping.run_at(address.page_base(), range, guard);
    let vmo = mapping.vmo();
    let first = mapping.page_at(range.base(), run.range.base());
    let past = first.saturating_add(run.range.pages().get() as u64);
    let kind = RegionReportKind::Mapping {
        access: run.access,
        maximal: mapping.maximal(),
        vmo: vmo.koid(),
        vmo_offset: first.offset().unwrap_or(u64::MAX),
        vmo_size: vmo.size(),
        committed_bytes: vmo.committed_bytes(first..past),
    };
    RegionReport {
        name: vmo.name(),
        range: run.range,
        kind,
    }
}

/// The last mapping below `address`, wherever it is under `root`.
///
/// Looks from right to left, goes into each VMAR that it meets, and out again where there is none.
fn last_mapping_below<'g, M: Mmu>(
    root: &'g Arc<Vmar<M>>,
    address: VirtAddr,
    guard: &'g ReadGuard<'_, M>,
) -> Option<(&'g Region<M>, &'g Mapping<M>)> {
    let (mut vmar, mut limit) = (root, address);
    loop {
        match vmar.children(guard).last_below(limit).get() {
            Some(region) => match region.kind() {
                RegionKind::Mapping(mapping) => return Some((region, mapping)),
                RegionKind::Vmar(below) => vmar = below,
            },
            None if Arc::ptr_eq(vmar, root) => return None,
            None => {
                limit = vmar.range().base();
                vmar = vmar.parent(guard)?;
            }
        }
    }
}
