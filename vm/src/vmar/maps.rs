//! The regions below a VMAR as records, a handful at a time.
//!
//! Whoever asks copies the records to a program's memory, which must not happen under a lock. So
//! [`Maps`] hands them out in batches and remembers its place in between. A tree that changes meanwhile
//! may give a mixture. Source: `spec/vmar.md` §13.

use alloc::sync::Arc;
use core::ops::Range;

use arrayvec::ArrayVec;
use syscall::{Koid, Name, Result};

use super::{Mapping, ProtectionRun, RegionKind, Visited, Vmar, Walk};
use crate::addr::{VirtAddr, VirtRange};
use crate::locked::Guard;
use crate::mmu::{Access, Mmu};
use crate::region_tree::HasRange;
use crate::vmo::{Attribution, PageIndex, Vmo};

/// A VMAR, or a run of equal permissions in a mapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MapEntry {
    /// The name of the VMAR or of the VMO.
    pub name: Name,
    /// The addresses.
    pub range: VirtRange,
    /// How many VMARs it is in, counted from the one that was asked, which itself has depth 0.
    pub depth: usize,
    /// What it is.
    pub kind: MapEntryKind,
}

/// What a [`MapEntry`] is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MapEntryKind {
    /// A VMAR.
    Vmar,
    /// A part of a mapping.
    Mapping {
        /// What it allows.
        access: Access,
        /// The number of the VMO.
        vmo: Koid,
        /// The first byte of the VMO that it shows.
        vmo_offset: u64,
        /// The memory behind what it shows.
        memory: Attribution,
    },
}

/// The records of a VMAR, itself first, then what is below it.
pub struct Maps<M: Mmu> {
    top: Arc<Vmar<M>>,
    place: Place<M>,
}

/// What comes next.
pub(super) enum Place<M: Mmu> {
    /// The VMAR itself.
    Top,
    /// What begins in this VMAR, or reaches, at or above an address.
    From {
        vmar: Arc<Vmar<M>>,
        next: VirtAddr,
        depth: usize,
    },
    /// Nothing.
    End,
}

/// Records in a batch.
pub(super) const BATCH: usize = 8;

impl<M: Mmu> Maps<M> {
    /// All records of `top`.
    pub const fn new(top: Arc<Vmar<M>>) -> Self {
        Self {
            top,
            place: Place::Top,
        }
    }

    /// The next few records; none when there are no more.
    ///
    /// Locks the address space, and VMOs one after the other.
    ///
    /// # Errors
    /// `BAD_STATE`: the VMAR is dead.
    pub fn next_batch(&mut self) -> Result<ArrayVec<MapEntry, BATCH>> {
        self.next_batch_with(|| Ok(()))
    }

    /// As [`next_batch`](Self::next_batch); while it is found out who shares the pages of a mapping, `pause` is
    /// called with nothing locked.
    ///
    /// # Errors
    /// Also that of `pause`, which ends it.
    pub fn next_batch_with(
        &mut self,
        mut pause: impl FnMut() -> Result<()>,
    ) -> Result<ArrayVec<MapEntry, BATCH>> {
        let mut entries = ArrayVec::new();
        for found in self.find_batch()? {
            entries.push(found.into_entry(&mut pause)?);
        }
        Ok(entries)
    }

    /// What is in the next few records.
    fn find_batch(&mut self) -> Result<ArrayVec<Found<M>, BATCH>> {
        let mut batch = ArrayVec::new();
        let top = self.top.clone();
        let guard = top.owner().read();
        top.live(&guard)?;
        let place = core::mem::replace(&mut self.place, Place::End);
        if matches!(place, Place::Top) {
            batch.push(Found::vmar(&top, 0));
        }
        if let Some((walk, from)) = place.walk(&top, &guard) {
            self.place = fill(&mut batch, walk, from, &guard);
        }
        Ok(batch)
    }
}

impl<M: Mmu> Place<M> {
    /// The walk over what comes next below `top`, and the address that it goes on from; `None` at the end.
    pub(super) fn walk<'g, G: Guard<M>>(
        &'g self,
        top: &'g Arc<Vmar<M>>,
        guard: &'g G,
    ) -> Option<(Walk<'g, M, G>, VirtAddr)> {
        match self {
            Self::End => None,
            Self::Top => {
                let base = top.range().base();
                Some((Walk::new(top, base, guard), base))
            }
            Self::From { vmar, next, depth } if vmar.live(guard).is_ok() => {
                Some((Walk::resume(top, vmar, *next, *depth, guard), *next))
            }
            Self::From { next, .. } => Some((Walk::behind(top, *next, guard), *next)),
        }
    }
}

/// Adds what a walk comes by from `from` on until the batch is full; answers where to go on.
fn fill<M: Mmu, G: Guard<M>>(
    batch: &mut ArrayVec<Found<M>, BATCH>,
    walk: Walk<'_, M, G>,
    from: VirtAddr,
    guard: &G,
) -> Place<M> {
    for Visited {
        region,
        parent,
        depth,
        ..
    } in walk
    {
        let range = region.range();
        let mut next = range.base().max(from);
        while next < range.end() {
            if batch.is_full() {
                return Place::From {
                    vmar: parent.clone(),
                    next,
                    depth,
                };
            }
            match region.kind() {
                RegionKind::Vmar(vmar) => {
                    batch.push(Found::vmar(vmar, depth));
                    break;
                }
                RegionKind::Mapping(mapping) => {
                    let part = mapping.run_at(next, range, guard);
                    batch.push(Found::run(mapping, range.base(), part, depth));
                    next = part.range.end();
                }
            }
        }
    }
    Place::End
}

/// A VMAR or a run that has been found. Who shares its pages is asked later, when nothing is locked.
struct Found<M: Mmu> {
    name: Name,
    range: VirtRange,
    depth: usize,
    run: Option<Run<M>>,
}

/// What a run of a mapping shows.
struct Run<M: Mmu> {
    access: Access,
    vmo: Arc<Vmo<M>>,
    pages: Range<PageIndex>,
}

impl<M: Mmu> Found<M> {
    fn vmar(vmar: &Vmar<M>, depth: usize) -> Self {
        Self {
            name: vmar.name(),
            range: vmar.range(),
            depth,
            run: None,
        }
    }

    /// A run in a mapping that begins at `base`.
    fn run(mapping: &Mapping<M>, base: VirtAddr, run: ProtectionRun, depth: usize) -> Self {
        let vmo = mapping.vmo();
        let first = mapping.page_at(base, run.range.base());
        let pages = first..first.saturating_add(run.range.pages().get() as u64);
        Self {
            name: vmo.name(),
            range: run.range,
            depth,
            run: Some(Run {
                access: run.access,
                vmo: vmo.clone(),
                pages,
            }),
        }
    }

    fn into_entry(self, pause: &mut impl FnMut() -> Result<()>) -> Result<MapEntry> {
        let kind = match self.run {
            None => MapEntryKind::Vmar,
            Some(Run { access, vmo, pages }) => MapEntryKind::Mapping {
                access,
                vmo: vmo.koid(),
                vmo_offset: pages.start.offset().unwrap_or(u64::MAX),
                memory: vmo.attribution_with(pages, pause)?,
            },
        };
        Ok(MapEntry {
            name: self.name,
            range: self.range,
            depth: self.depth,
            kind,
        })
    }
}
