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
    /// As [`resize`](Self::resize), without letting others have their turns.
    ///
    /// # Errors
    /// As there.
    pub fn set_size(&self, size: u64) -> Result<()> {
        self.resize(size, || {})
    }

    /// Makes the VMO `size` bytes long, rounded up to pages.
    ///
    /// Pages beyond the new end are gone at once, after their translations have gone from every address space
    /// on every CPU; they are freed block by block, and in between `pause` is called with nothing locked. The
    /// bytes from `size` to the end of its page become zero. Needs memory only where pages or nodes are shared
    /// with other VMOs.
    ///
    /// Locks the VMO, then the page tables of its mappings one after the other.
    ///
    /// # Errors
    /// - `UNAVAILABLE`: the VMO is not resizable.
    /// - `OUT_OF_RANGE`: `size` cannot be rounded up to a page, or is larger than [`MAX_SIZE`].
    /// - `INVALID_ARGS`: the end cannot be told apart from others in the first of all ancestors.
    /// - `NO_MEMORY`: there is none for copies of what is shared. Nothing changes.
    ///
    /// Source: `spec/vmo.md` §4.
    pub fn resize(&self, size: u64, pause: impl FnMut()) -> Result<()> {
        if !self.is_resizable() {
            return Err(Status::UNAVAILABLE);
        }
        let rounded = round_up(size)?;
        if rounded > MAX_SIZE {
            return Err(Status::OUT_OF_RANGE);
        }
        let end = PageIndex::covering(rounded);
        let mut state = self.lock();
        state.check_reach(PageIndex::ZERO, end.number())?;
        let old_end = state.end;
        if end < old_end {
            state.prepare_free(self.pages(), end..old_end)?;
        }
        let tail = (size % PAGE_SIZE as u64) as usize;
        state.zero_tail(self.pages(), PageIndex::containing(size), tail)?;
        state.end = end;
        state.set_stream_size(size);
        if end < old_end {
            state.remove_translations(end..old_end, None);
            let cut = state.cut(self.pages(), end..old_end);
            drop(state);
            cut.free(self.pages(), pause);
        }
        Ok(())
    }
}

impl<M: Mmu> VmoState<M> {
    /// Takes the translations to the pages in `range` out of every page table, on every CPU, but for those
    /// of one mapping.
    pub(super) fn remove_translations(&self, range: Range<PageIndex>, except: Option<&Mapping<M>>) {
        self.edit_translations(range, except, |cursor, count, batch| {
            cursor.unmap(count, batch);
        });
    }

    /// Changes the translations to the pages in `range` in every page table, but for those of one mapping,
    /// and makes every CPU forget what they were.
    ///
    /// All mappings of one address space share a flush, unless those of more than [`SPACES`] are mixed.
    pub(super) fn edit_translations(
        &self,
        range: Range<PageIndex>,
        except: Option<&Mapping<M>>,
        edit: impl Fn(&mut M::Cursor<'_>, PageCount, &mut TlbBatch),
    ) {
        let mut pending = ArrayVec::<(&M, TlbBatch), SPACES>::new();
        for region in self.mappings.iter() {
            if is_of(region, except) {
                continue;
            }
            let Some((mmu, part)) = shown_part(region, &range) else {
                continue;
            };
            let batch = batch_for(mmu, &mut pending);
            edit(&mut mmu.cursor(part), part.pages(), batch);
        }
        // Moving all places, most of them empty, to where a loop takes them from would cost more than the rest.
        for (mmu, batch) in pending.drain(..) {
            mmu.flush(batch);
        }
    }

    /// Zeroes what lies in the page at `index` from byte `used` on; nothing if that is zero.
    ///
    /// # Errors
    /// `NO_MEMORY`: the page is shared, and there is none for a copy. Nothing changes.
    pub(super) fn zero_tail(
        &mut self,
        pages: &PageDatabase,
        index: PageIndex,
        used: usize,
    ) -> Result<()> {
        if used != 0
            && let Some(page) = self.own_page(pages, index)?
        {
            pages.zero_part(page, used..PAGE_SIZE);
        }
        Ok(())
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
    let first = mapping.first_owner_page();
    let skipped = usize::try_from(range.start.saturating_since(first)).ok()?;
    let past = usize::try_from(range.end.saturating_since(first)).unwrap_or(usize::MAX);
    let pages = past.min(addresses.pages().get()).checked_sub(skipped)?;
    let base = addresses
        .base()
        .checked_add(PageCount::new(skipped).bytes()?)?;
    Some((
        mapping.owner().mmu(),
        VirtRange::new(base, PageCount::new(pages))?,
    ))
}
