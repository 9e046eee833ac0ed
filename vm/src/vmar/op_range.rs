//! Operations on the pages that a range of addresses shows.
//!
//! The range may be as large as an address space and show millions of pages. So an operation goes step
//! by step, and between two steps nothing is locked:
//!
//! ```text
//!   mapping at `next` ─► checks ─► the next block of pages of its VMO ─► `next` moves on ─► pause
//! ```
//!
//! Each step finds its mapping anew, because the tree may have changed meanwhile, and makes all checks
//! that concern what is left. Source: `spec/vmar.md` §8.

use alloc::sync::Arc;
use core::ops::Range;

use syscall::{Result, Status, VmarOp};

use super::clear::remove_translations;
use super::populate::Fill;
use super::{Mapping, OpChildren, ProtectionRun, Vmar, Walk};
use crate::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use crate::locked::ReadGuard;
use crate::mmu::{Access, Domain, MemoryType, Mmu};
use crate::region_tree::HasRange;
use crate::vmo::{PageIndex, Stock, VmoKind, VmoState, first_block};

/// An operation on the pages that a range shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RangeOp {
    /// Makes every page, and enters it.
    Commit,
    /// Gives the pages back, so that they read as zero.
    Decommit,
    /// Enters the pages that are present.
    MapRange,
    /// Makes the pages read as zero.
    Zero,
    /// Says that the pages will not be used soon: for pages that have no other place, only a hint.
    DontNeed,
    /// Says that the pages should stay, and enters those that are present.
    AlwaysNeed,
    /// Brings in pages that are somewhere else, and enters those that are present.
    Prefetch,
}

/// What to do, and where.
#[derive(Clone, Copy, Debug)]
pub struct RangeRequest {
    /// The operation.
    pub op: RangeOp,
    /// The first address.
    pub address: VirtAddr,
    /// How many bytes; rounded up to pages.
    pub length: usize,
    /// Whether mappings of VMARs below may be meant.
    pub children: OpChildren,
}

impl TryFrom<VmarOp> for RangeOp {
    type Error = Status;

    /// # Errors
    /// `INVALID_ARGS`: there is no such operation.
    fn try_from(op: VmarOp) -> Result<Self> {
        match op {
            VmarOp::COMMIT => Ok(Self::Commit),
            VmarOp::DECOMMIT => Ok(Self::Decommit),
            VmarOp::MAP_RANGE => Ok(Self::MapRange),
            VmarOp::ZERO => Ok(Self::Zero),
            VmarOp::DONT_NEED => Ok(Self::DontNeed),
            VmarOp::ALWAYS_NEED => Ok(Self::AlwaysNeed),
            VmarOp::PREFETCH => Ok(Self::Prefetch),
            _ => Err(Status::INVALID_ARGS),
        }
    }
}

impl RangeOp {
    /// What a mapping must be able to allow.
    const fn needed(self) -> Access {
        match self {
            Self::Commit | Self::Decommit | Self::Zero => Access::WRITE,
            Self::Prefetch => Access::READ,
            Self::MapRange | Self::DontNeed | Self::AlwaysNeed => Access::empty(),
        }
    }

    /// Whether it is never for mappings of VMARs below.
    ///
    /// It would act as if those could be protected to allow more, which only their own VMAR may do.
    const fn is_for_own_mappings(self) -> bool {
        match self {
            Self::Commit | Self::Decommit | Self::Prefetch => true,
            Self::MapRange | Self::Zero | Self::DontNeed | Self::AlwaysNeed => false,
        }
    }

    /// Whether the VMO must have all of the range, and be made of pages.
    const fn needs_pages(self) -> bool {
        match self {
            Self::Commit | Self::Decommit | Self::Zero | Self::Prefetch => true,
            Self::MapRange | Self::DontNeed | Self::AlwaysNeed => false,
        }
    }
}

impl<M: Mmu> Vmar<M> {
    /// Does `request.op` to the pages that its range shows, mapping by mapping.
    ///
    /// `pause` is called now and then, with nothing locked; if it fails, so does the operation.
    ///
    /// Locks the address space for reading, then a VMO, then the page table.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: the address is not page aligned; the length is zero or cannot be rounded up.
    /// - `OUT_OF_RANGE`: the range is not all inside this VMAR.
    /// - `NOT_SUPPORTED`: this is the kernel's address space, whose mappings never lose a page.
    /// - `BAD_STATE`: this VMAR is dead.
    /// - For each mapping, by address: `BAD_STATE` if nothing is mapped before it; `INVALID_ARGS` if it is
    ///   one of a VMAR below and `children` or the operation forbids that; `OUT_OF_RANGE` if it faults
    ///   beyond the stream, which ends before; `ACCESS_DENIED` if it may never allow what the operation
    ///   does; `NOT_SUPPORTED` if the VMO is not made of pages, or must not lose them; `OUT_OF_RANGE` if it
    ///   ends before; `BAD_STATE` if memory that is not cached is to become zero; `NOT_SUPPORTED` if pages are
    ///   to be given back that have been copied; `NO_MEMORY` if there is none for pages or tables.
    /// - `BAD_STATE`: nothing is mapped at the end.
    ///
    /// Mappings before the one that failed stay as the operation left them. So do the blocks of a mapping
    /// before the one that failed, but a `Commit` for which there are not enough frames makes none.
    ///
    /// Source: `spec/vmar.md` §8, checks 4 to 12.
    pub fn op_range(
        self: &Arc<Self>,
        request: RangeRequest,
        mut pause: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let range = self.checked_range(request)?;
        let mut work = Work {
            request,
            next: range.base(),
            end: range.end(),
            afforded: range.base(),
            stock: Stock::new(self.owner().pages()),
        };
        while work.next < work.end {
            match self.step(&mut work)? {
                Step::UpTo(next) => work.next = next,
                Step::Needs(frames) => work.stock.fill_to(frames)?,
            }
            pause()?;
        }
        Ok(())
    }

    /// The pages of a request, if they are inside.
    fn checked_range(&self, request: RangeRequest) -> Result<VirtRange> {
        let rounded = request.length.checked_next_multiple_of(PAGE_SIZE);
        let pages = PageCount::covering(rounded.ok_or(Status::INVALID_ARGS)?);
        if pages == PageCount::ZERO || !request.address.is_page_aligned() {
            return Err(Status::INVALID_ARGS);
        }
        let range = VirtRange::new(request.address, pages)
            .filter(|range| self.range().contains_range(*range))
            .ok_or(Status::OUT_OF_RANGE)?;
        match self.owner().config().domain {
            Domain::User => Ok(range),
            Domain::Kernel => Err(Status::NOT_SUPPORTED),
        }
    }

    /// Deals with one block of the mapping that comes next.
    fn step(self: &Arc<Self>, work: &mut Work) -> Result<Step> {
        let guard = self.owner().read();
        self.live(&guard)?;
        let target = self.target(work, &guard)?;
        let may_decommit = target.mapping.vmo().check_decommit();
        let mut vmo = target.mapping.vmo().lock();
        target.check(work.request.op, &vmo)?;
        if work.request.op == RangeOp::Decommit {
            may_decommit?;
        }
        match work.request.op {
            RangeOp::Commit => target.commit(&mut vmo, work),
            RangeOp::Decommit | RangeOp::Zero => target.clear(&mut vmo),
            RangeOp::MapRange | RangeOp::AlwaysNeed | RangeOp::Prefetch => target.enter_next(&vmo),
            RangeOp::DontNeed => Ok(Step::UpTo(target.part.end())),
        }
    }

    /// The mapping that comes next.
    fn target<'g>(
        self: &'g Arc<Self>,
        work: &Work,
        guard: &'g ReadGuard<'_, M>,
    ) -> Result<Target<'g, M>> {
        for visited in Walk::new(self, work.next, guard) {
            let whole = visited.region.range();
            if whole.base() > work.next {
                break;
            }
            let Some(mapping) = visited.region.as_mapping() else {
                continue;
            };
            let forbids_children = work.request.op.is_for_own_mappings()
                || work.request.children == OpChildren::Forbidden;
            if visited.depth > 1 && forbids_children {
                return Err(Status::INVALID_ARGS);
            }
            let part = VirtRange::between(work.next, whole.end().min(work.end));
            return Ok(Target {
                mapping,
                whole,
                part: part.ok_or(Status::BAD_STATE)?,
                guard,
            });
        }
        Err(Status::BAD_STATE)
    }
}

/// An operation under way.
struct Work {
    request: RangeRequest,
    /// What comes next.
    next: VirtAddr,
    /// Where the range ends.
    end: VirtAddr,
    /// Up to here there were enough frames for a commit when it was begun.
    afforded: VirtAddr,
    stock: Stock,
}

/// How a step ended.
enum Step {
    /// All is done up to this address.
    UpTo(VirtAddr),
    /// Nothing is done: the stock needs this many frames.
    Needs(usize),
}

/// What is left to do in one mapping.
struct Target<'g, M: Mmu> {
    mapping: &'g Mapping<M>,
    /// The addresses of the mapping.
    whole: VirtRange,
    /// Those that are left.
    part: VirtRange,
    guard: &'g ReadGuard<'g, M>,
}

impl<M: Mmu> Target<'_, M> {
    /// The pages that are left.
    fn pages(&self) -> Range<PageIndex> {
        let first = self
            .mapping
            .owner_page_at(self.whole.base(), self.part.base());
        first..first.saturating_add(self.part.pages().get() as u64)
    }

    /// Where the page at `index` is shown.
    fn address_of(&self, index: PageIndex) -> VirtAddr {
        let distance = index.saturating_since(self.pages().start);
        let bytes = usize::try_from(distance)
            .ok()
            .and_then(|pages| PageCount::new(pages).bytes());
        bytes
            .and_then(|bytes| self.part.base().checked_add(bytes))
            .map_or(self.part.end(), |address| address.min(self.part.end()))
    }

    /// Checks 9 to 11 of the specification.
    fn check(&self, op: RangeOp, vmo: &VmoState<M>) -> Result<()> {
        let pages = self.pages();
        if pages.end > self.mapping.fault_limit(vmo) && self.mapping.faults_beyond_stream() {
            return Err(Status::OUT_OF_RANGE);
        }
        if !self.mapping.maximal().contains(op.needed()) {
            return Err(Status::ACCESS_DENIED);
        }
        if !op.needs_pages() {
            return Ok(());
        }
        let end = self.mapping.vmo().window(vmo).end;
        match self.mapping.vmo().kind() {
            VmoKind::Physical => Err(Status::NOT_SUPPORTED),
            VmoKind::Contiguous if op == RangeOp::Decommit => Err(Status::NOT_SUPPORTED),
            VmoKind::Anonymous | VmoKind::Contiguous if pages.end > end => {
                Err(Status::OUT_OF_RANGE)
            }
            VmoKind::Anonymous | VmoKind::Contiguous => Ok(()),
        }?;
        if op == RangeOp::Zero && vmo.memory() != MemoryType::Cached {
            return Err(Status::BAD_STATE);
        }
        Ok(())
    }

    /// Makes the pages of the first block, and enters them: all or none.
    fn commit(&self, vmo: &mut VmoState<M>, work: &mut Work) -> Result<Step> {
        let pages = self.pages();
        if self.part.end() > work.afforded {
            vmo.check_frames(self.mapping.vmo().pages(), &pages)?;
            work.afforded = self.part.end();
        }
        let block = first_block(&pages);
        let absent = vmo.count_lacking(self.mapping.vmo().pages(), &block) as usize;
        if absent > work.stock.len() {
            return Ok(Step::Needs(absent));
        }
        let made = vmo.fill_block(block.clone(), &mut work.stock)?;
        if let Err(status) = self.enter(vmo, &block) {
            vmo.take_back_block(&made, &mut work.stock);
            return Err(status);
        }
        Ok(Step::UpTo(self.address_of(block.end)))
    }

    /// Gives back the pages of the next block that has some.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for copies of nodes that other VMOs have too.
    fn clear(&self, vmo: &mut VmoState<M>) -> Result<Step> {
        let rest = vmo.clear_next_block(self.mapping.vmo().pages(), self.pages())?;
        Ok(Step::UpTo(self.address_of(rest.start)))
    }

    /// Enters the pages of the next block that has some.
    fn enter_next(&self, vmo: &VmoState<M>) -> Result<Step> {
        let Some(block) = vmo.next_present_block(&self.pages()) else {
            return Ok(Step::UpTo(self.part.end()));
        };
        self.enter(vmo, &block)?;
        Ok(Step::UpTo(self.address_of(block.end)))
    }

    /// Enters the pages in `block` that are present.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame for a table. The block is in no table then.
    fn enter(&self, vmo: &VmoState<M>, block: &Range<PageIndex>) -> Result<()> {
        let (base, end) = (self.address_of(block.start), self.address_of(block.end));
        let Some(addresses) = VirtRange::between(base, end) else {
            return Ok(());
        };
        self.mapping.marks().note_entered();
        let mut next = base;
        while next < end {
            let run = self.mapping.run_at(next, self.whole, self.guard);
            let Some(range) = run.range.intersection(addresses) else {
                return Ok(());
            };
            let first = self.mapping.owner_page_at(self.whole.base(), range.base());
            let run = ProtectionRun { range, ..run };
            if let Err(status) = Fill::part(self.mapping, first, run, vmo).present(vmo) {
                remove_translations(self.mapping.owner().mmu(), addresses);
                return Err(status);
            }
            next = range.end();
        }
        Ok(())
    }
}
