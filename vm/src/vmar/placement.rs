//! Where a new region goes.
//!
//! A request becomes a [`Wish`], and that, with the regions that are there, a place; nothing changes here.
//! Source: `spec/vmar.md` §3, checks 9 to 16, and §4.

use syscall::{Alignment, Result, Status, VmOptions};

use super::RegionAdapter;
use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::aspace::Aslr;
use crate::mmu::Mmu;
use crate::region_tree::{GapRequest, RegionTree};

/// The bits of randomness in a place of a compact VMAR, which keeps its regions together.
const COMPACT_ENTROPY_BITS: u32 = 8;

/// The options that name a place exactly.
const EXACT: VmOptions = VmOptions::SPECIFIC.union(VmOptions::SPECIFIC_OVERWRITE);

/// A wish for a place.
#[derive(Clone, Copy, Debug)]
pub struct PlaceRequest {
    /// `SPECIFIC`, `SPECIFIC_OVERWRITE`, `OFFSET_IS_UPPER_LIMIT` and the alignment count.
    pub options: VmOptions,
    /// The distance in bytes of the place, or of its upper limit, from the base of the VMAR.
    pub offset: usize,
    /// How much room is needed; at least one page.
    pub pages: PageCount,
    /// The logarithm of the alignment that would be good for it.
    pub natural_log2: u32,
}

/// A VMAR, as far as placement looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// Its addresses.
    pub range: VirtRange,
    /// Its flags.
    pub flags: VmOptions,
    /// How to choose among places.
    pub aslr: Aslr,
}

/// A place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// No region is there.
    Free(VirtRange),
    /// There are regions, which `SPECIFIC_OVERWRITE` allows to replace.
    Occupied(VirtRange),
}

/// A wish that makes sense for its VMAR. What it means depends on the regions that are there.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    /// For exactly this place, over other regions or not.
    Exact(VirtRange, Overwrite),
    /// For any place that is free.
    Anywhere(Choice),
}

/// Whether regions may be replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Overwrite {
    /// They may.
    Yes,
    /// They may not.
    No,
}

/// How to choose among the places that are free.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// What a place has to be.
    needed: GapRequest,
    /// How it should be aligned, if there is such a place.
    preferred_log2: u32,
    entropy_bits: u32,
    aslr: Aslr,
}

impl Wish {
    /// Checks a request to a VMAR.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: an exact place and an upper limit at once; an offset that means nothing, or is
    ///   not page aligned.
    /// - `ACCESS_DENIED`: an offset that means something, without `CAN_MAP_SPECIFIC`.
    /// - `INVALID_ARGS`: larger than the VMAR, or outside; an exact place that is not aligned as wished.
    #[inline(always)]
    pub fn new(request: PlaceRequest, vmar: Surroundings) -> Result<Self> {
        let is_exact = request.options.intersects(EXACT);
        let is_limit = request.options.contains(VmOptions::OFFSET_IS_UPPER_LIMIT);
        if is_exact && is_limit || !is_exact && !is_limit && request.offset != 0 {
            return Err(Status::INVALID_ARGS);
        }
        if !request.offset.is_multiple_of(PAGE_SIZE) {
            return Err(Status::INVALID_ARGS);
        }
        if (is_exact || is_limit) && !vmar.flags.contains(VmOptions::CAN_MAP_SPECIFIC) {
            return Err(Status::ACCESS_DENIED);
        }
        let within = bounds(request, vmar.range)?;
        let alignment = request.options.alignment()?;
        let align_log2 = alignment.bytes().trailing_zeros().max(PAGE_SHIFT);
        if is_exact {
            return Self::exact(request, within.base(), align_log2);
        }
        let needed = GapRequest {
            pages: request.pages,
            align_log2,
            within,
        };
        Ok(Self::Anywhere(Choice::new(request, needed, vmar)))
    }

    fn exact(request: PlaceRequest, base: VirtAddr, align_log2: u32) -> Result<Self> {
        let range = VirtRange::new(base, request.pages).ok_or(Status::INVALID_ARGS)?;
        if !base.is_aligned_to(align_log2) {
            return Err(Status::INVALID_ARGS);
        }
        let may_overwrite = request.options.contains(VmOptions::SPECIFIC_OVERWRITE);
        let overwrite = if may_overwrite {
            Overwrite::Yes
        } else {
            Overwrite::No
        };
        Ok(Self::Exact(range, overwrite))
    }

    /// The place to try first. It is nearly always free, and whoever fills it finds out anyway.
    #[inline]
    pub fn guess<M: Mmu>(&self, regions: &RegionTree<RegionAdapter<M>>) -> Option<VirtRange> {
        match *self {
            Self::Exact(range, _) => Some(range),
            Self::Anywhere(choice) => choice.guess(regions),
        }
    }

    /// Finds a place among `regions`.
    ///
    /// # Errors
    /// - `ALREADY_EXISTS`: a region is in an exact place that may not be overwritten.
    /// - `NO_RESOURCES`: it fits nowhere.
    pub fn place<M: Mmu>(&self, regions: &RegionTree<RegionAdapter<M>>) -> Result<Place> {
        match *self {
            Self::Exact(range, _) if !regions.overlaps(range) => Ok(Place::Free(range)),
            Self::Exact(range, Overwrite::Yes) => Ok(Place::Occupied(range)),
            Self::Exact(_, Overwrite::No) => Err(Status::ALREADY_EXISTS),
            Self::Anywhere(choice) => {
                let range = choice.place(regions);
                range.map(Place::Free).ok_or(Status::NO_RESOURCES)
            }
        }
    }
}

impl Choice {
    #[inline(always)]
    fn new(request: PlaceRequest, needed: GapRequest, vmar: Surroundings) -> Self {
        let is_compact = vmar.flags.contains(VmOptions::COMPACT);
        // A place at which large pages can show the region, if it would profit and has no other wish. A
        // compact VMAR keeps its regions together instead.
        let has_other_wish = request.options.alignment() != Ok(Alignment::default()) || is_compact;
        let preferred_log2 = if has_other_wish {
            needed.align_log2
        } else {
            needed.align_log2.max(request.natural_log2)
        };
        Self {
            needed,
            preferred_log2,
            entropy_bits: match vmar.aslr {
                Aslr::Off => 0,
                Aslr::On(_) if is_compact => COMPACT_ENTROPY_BITS,
                Aslr::On(entropy) => entropy.bits,
            },
            aslr: vmar.aslr,
        }
    }

    /// What a place should be.
    #[inline]
    const fn preferred(&self) -> GapRequest {
        GapRequest {
            align_log2: self.preferred_log2,
            ..self.needed
        }
    }

    #[inline(always)]
    fn guess<M: Mmu>(&self, regions: &RegionTree<RegionAdapter<M>>) -> Option<VirtRange> {
        match self.aslr {
            Aslr::Off => self.find(self.preferred(), regions),
            Aslr::On(entropy) => self.preferred().guess(self.entropy_bits, entropy.source),
        }
    }

    fn place<M: Mmu>(&self, regions: &RegionTree<RegionAdapter<M>>) -> Option<VirtRange> {
        let preferred = (self.preferred_log2 != self.needed.align_log2)
            .then(|| self.find(self.preferred(), regions))
            .flatten();
        preferred.or_else(|| self.find(self.needed, regions))
    }

    /// One of the places for `gap`.
    fn find<M: Mmu>(
        &self,
        gap: GapRequest,
        regions: &RegionTree<RegionAdapter<M>>,
    ) -> Option<VirtRange> {
        let base = match self.aslr {
            Aslr::Off => regions.lowest_gap(gap),
            Aslr::On(entropy) => regions.random_gap(gap, self.entropy_bits, entropy.source),
        };
        VirtRange::new(base?, gap.pages)
    }
}

/// The addresses at which the region may lie; at least as many as it needs.
#[inline]
fn bounds(request: PlaceRequest, vmar: VirtRange) -> Result<VirtRange> {
    let offset = request.offset;
    if offset > vmar.bytes() {
        return Err(Status::INVALID_ARGS);
    }
    let edge = vmar
        .base()
        .checked_add(offset)
        .ok_or(Status::INVALID_ARGS)?;
    let is_limit = request.options.contains(VmOptions::OFFSET_IS_UPPER_LIMIT);
    let within = if is_limit {
        VirtRange::between(vmar.base(), edge)
    } else {
        VirtRange::between(edge, vmar.end())
    };
    within
        .filter(|within| request.pages <= within.pages())
        .ok_or(Status::INVALID_ARGS)
}
