//! Where a new region goes.
//!
//! Pure functions from a request and the regions that are there to a place; nothing changes here.
//! Source: `spec/vmar.md` §3, checks 9 to 16, and §4.

use syscall::{Alignment, Result, Status, VmOptions};

use super::RegionAdapter;
use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::aspace::Aslr;
use crate::mmu::Mmu;
use crate::region_tree::{GapRequest, RegionTree};

/// The bits of randomness in a place, unless the VMAR is compact.
const ENTROPY_BITS: u32 = 30;

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

/// Finds a place among `regions`.
///
/// # Errors
/// In this order:
/// - `INVALID_ARGS`: an exact place and an upper limit at once; an offset that means nothing, or is not
///   page aligned.
/// - `ACCESS_DENIED`: an offset that means something, without `CAN_MAP_SPECIFIC`.
/// - `INVALID_ARGS`: larger than the VMAR, or outside; an exact place that is not aligned as wished.
/// - `ALREADY_EXISTS`: a region is in an exact place that may not be overwritten.
/// - `NO_RESOURCES`: it fits nowhere.
pub fn place<M: Mmu>(
    request: PlaceRequest,
    vmar: Surroundings,
    regions: &RegionTree<RegionAdapter<M>>,
) -> Result<Place> {
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
    let within = bounds(request, vmar.range, is_limit)?;
    let align_log2 = request
        .options
        .alignment()?
        .bytes()
        .trailing_zeros()
        .max(PAGE_SHIFT);
    if is_exact {
        return exact_place(request, within, align_log2, regions);
    }
    let gap = GapRequest {
        pages: request.pages,
        align_log2,
        within,
    };
    let base = natural_place(request, gap, vmar, regions)
        .or_else(|| choose(gap, vmar, regions))
        .ok_or(Status::NO_RESOURCES)?;
    VirtRange::new(base, request.pages)
        .map(Place::Free)
        .ok_or(Status::NO_RESOURCES)
}

/// The addresses at which the region may lie; at least as many as it needs.
fn bounds(request: PlaceRequest, vmar: VirtRange, is_limit: bool) -> Result<VirtRange> {
    let offset = request.offset;
    if offset > vmar.bytes() {
        return Err(Status::INVALID_ARGS);
    }
    let edge = vmar
        .base()
        .checked_add(offset)
        .ok_or(Status::INVALID_ARGS)?;
    let within = if is_limit {
        VirtRange::between(vmar.base(), edge)
    } else {
        VirtRange::between(edge, vmar.end())
    };
    within
        .filter(|within| request.pages <= within.pages())
        .ok_or(Status::INVALID_ARGS)
}

/// The place at the base of `within`.
fn exact_place<M: Mmu>(
    request: PlaceRequest,
    within: VirtRange,
    align_log2: u32,
    regions: &RegionTree<RegionAdapter<M>>,
) -> Result<Place> {
    let range = VirtRange::new(within.base(), request.pages).ok_or(Status::INVALID_ARGS)?;
    if !range.base().is_aligned_to(align_log2) {
        return Err(Status::INVALID_ARGS);
    }
    if !regions.overlaps(range) {
        Ok(Place::Free(range))
    } else if request.options.contains(VmOptions::SPECIFIC_OVERWRITE) {
        Ok(Place::Occupied(range))
    } else {
        Err(Status::ALREADY_EXISTS)
    }
}

/// A place at which large pages can show the region, if it would profit and has no other wish.
///
/// A compact VMAR keeps its regions together instead.
fn natural_place<M: Mmu>(
    request: PlaceRequest,
    gap: GapRequest,
    vmar: Surroundings,
    regions: &RegionTree<RegionAdapter<M>>,
) -> Option<VirtAddr> {
    let align_log2 = request.natural_log2;
    let has_other_wish = request.options.alignment() != Ok(Alignment::default())
        || vmar.flags.contains(VmOptions::COMPACT);
    if align_log2 > PAGE_SHIFT && !has_other_wish {
        choose(GapRequest { align_log2, ..gap }, vmar, regions)
    } else {
        None
    }
}

/// One of the positions at which the region fits.
fn choose<M: Mmu>(
    gap: GapRequest,
    vmar: Surroundings,
    regions: &RegionTree<RegionAdapter<M>>,
) -> Option<VirtAddr> {
    match vmar.aslr {
        Aslr::Off => regions.lowest_gap(gap),
        Aslr::On(random) => {
            let is_compact = vmar.flags.contains(VmOptions::COMPACT);
            let entropy_bits = if is_compact {
                COMPACT_ENTROPY_BITS
            } else {
                ENTROPY_BITS
            };
            regions.random_gap(gap, entropy_bits, random)
        }
    }
}
