//! Changing the size of a VMO.

use core::ops::Range;
use core::ptr;

use arrayvec::ArrayVec;
use syscall::{Result, Status};

use super::{MAX_SIZE, PageIndex, Vmo, VmoState, round_up};
use crate::addr::{PAGE_SIZE, PageCount, VirtRange};
use crate::mmu::{Mmu, MmuCursor, TlbBatch};
use crate::pages::PageDatabase;
use crate::region_tree::HasRange;
use crate::vmar::{Mapping, Region};

/// How many address spaces have their translations removed at the same time.
const SPACES: usize = 4;

impl<M: Mmu> Vmo<M> {
    /// Makes the VMO `size` bytes long, rounded up to pages.
    ///
    /// Pages beyond the new end are freed, after their translations have gone from every address space
    /// on every CPU. The bytes from `size` to the end of its page become zero. Allocates nothing.
    ///
    /// Locks the VMO, then the page tables of its mappings one after the other.
    ///
    /// # Errors
    /// - `UNAVAILABLE`: the VMO is not resizable.
    /// - `OUT_OF_RANGE`: `size` cannot be rounded up to a page, or is larger than [`MAX_SIZE`].
    ///
    /// Source: `spec/vmo.md` §4.
    pub fn set_size(&self, size: u64) -> Result<()> {
        if !self.is_resizable() {
            return Err(Status::UNAVAILABLE);
        }
        let rounded = round_up(size)?;
        if rounded > MAX_SIZE {
            return Err(Status::OUT_OF_RANGE);
        }
        let end = PageIndex::covering(rounded);
        let mut state = self.lock();
        let old_end = state.end;
        state.end = end;
        state.stream_size = size;
        if end < old_end {
            state.remove_translations(end..old_end, None);
            state.free_pages(self.pages(), end..old_end);
        }
        state.zero_tail(self.pages(), size);
        Ok(())
    }
}

impl<M: Mmu> VmoState<M> {
    /// Takes the translations to the pages in `range` out of every page table, on every CPU, but for those
    /// of one mapping.
    ///
    /// All mappings of one address space share a flush, unless those of more than [`SPACES`] are mixed.
    pub(super) fn remove_translations(&self, range: Range<PageIndex>, except: Option<&Mapping<M>>) {
        let mut pending = ArrayVec::<(&M, TlbBatch), SPACES>::new();
        for region in self.mappings.iter() {
            if is_of(region, except) {
                continue;
            }
            let Some((mmu, part)) = shown_part(region, &range) else {
                continue;
            };
            let batch = batch_for(mmu, &mut pending);
            mmu.cursor(part).unmap(part.pages(), batch);
        }
        for (mmu, batch) in pending {
            mmu.flush(batch);
        }
    }

    /// Zeroes what lies between `stream_size` and the end of its page.
    pub(super) fn zero_tail(&mut self, pages: &PageDatabase, stream_size: u64) {
        let used = (stream_size % PAGE_SIZE as u64) as usize;
        if used == 0 {
            return;
        }
        self.change_page(pages, PageIndex::containing(stream_size), |page| {
            pages.zero_part(page, used..PAGE_SIZE);
        });
    }
}

/// The batch for one of several address spaces. If there are too many, that of another is flushed.
fn batch_for<'p, 'm, M: Mmu>(
    mmu: &'m M,
    pending: &'p mut ArrayVec<(&'m M, TlbBatch), SPACES>,
) -> &'p mut TlbBatch {
    let known = pending.iter().position(|(other, _)| ptr::eq(*other, mmu));
    let place = known.unwrap_or_else(|| {
        if pending.is_full()
            && let Some((other, batch)) = pending.pop()
        {
            other.flush(batch);
        }
        pending.push((mmu, TlbBatch::new()));
        pending.len() - 1
    });
    &mut pending[place].1
}

/// Whether `region` is this mapping.
fn is_of<M: Mmu>(region: &Region<M>, mapping: Option<&Mapping<M>>) -> bool {
    match (region.as_mapping(), mapping) {
        (Some(own), Some(mapping)) => ptr::eq(own, mapping),
        (None, _) | (_, None) => false,
    }
}

/// The addresses at which `region` may show pages of `range`, and the tables they are in.
fn shown_part<'a, M: Mmu>(
    region: &'a Region<M>,
    range: &Range<PageIndex>,
) -> Option<(&'a M, VirtRange)> {
    let mapping = region
        .as_mapping()
        .filter(|mapping| mapping.marks().has_entered())?;
    let addresses = region.range();
    let skipped = usize::try_from(range.start.saturating_since(mapping.first())).ok()?;
    let past = usize::try_from(range.end.saturating_since(mapping.first())).unwrap_or(usize::MAX);
    let pages = past.min(addresses.pages().get()).checked_sub(skipped)?;
    let base = addresses
        .base()
        .checked_add(PageCount::new(skipped).bytes()?)?;
    Some((
        mapping.owner().mmu(),
        VirtRange::new(base, PageCount::new(pages))?,
    ))
}
