//! VMOs whose pages lie side by side in memory, for devices that know no page tables.
//!
//! All pages are there from the start, and stay until the VMO goes. Otherwise they are like the pages of any
//! other VMO: each goes back by itself.

use alloc::sync::Arc;

use syscall::{Koid, Result, Status};

use super::cow::put;
use super::page_tree::PageTree;
use super::state::Page;
use super::view::{Own, Source};
use super::{PageIndex, Vmo, VmoKind, VmoState, round_up};
use crate::addr::{PAGE_SHIFT, PAGE_SIZE, PageCount};
use crate::mmu::Mmu;
use crate::pages::{PageDatabase, owner};
use crate::reclaim::Standing;
use crate::try_alloc::ArcPermit;

/// Memory side by side that is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ContiguousRequest {
    size: u64,
    alignment_log2: u32,
}

impl ContiguousRequest {
    /// A request for `size` bytes, rounded up to pages, that begin at a multiple of `2^alignment_log2` bytes;
    /// 0 stands for the size of a page.
    ///
    /// # Errors
    /// `INVALID_ARGS`: `size` is zero; the alignment is smaller than a page, or does not fit 64 bits.
    ///
    /// Source: `spec/vmo.md` §14.
    pub fn new(size: u64, alignment_log2: u32) -> Result<Self> {
        let alignment_log2 = match alignment_log2 {
            0 => PAGE_SHIFT,
            other => other,
        };
        if size == 0 || !(PAGE_SHIFT..u64::BITS).contains(&alignment_log2) {
            return Err(Status::INVALID_ARGS);
        }
        Ok(Self {
            size,
            alignment_log2,
        })
    }

    /// How many pages are asked for.
    fn pages(&self) -> Result<PageCount> {
        let pages = usize::try_from(round_up(self.size)? / PAGE_SIZE as u64);
        Ok(PageCount::new(pages.map_err(|_| Status::OUT_OF_RANGE)?))
    }
}

impl<M: Mmu> Vmo<M> {
    /// A VMO of pages that are full of zeros and lie side by side. Nothing is locked while it is made.
    ///
    /// # Errors
    /// In this order:
    /// - `OUT_OF_RANGE`: the size cannot be rounded up to a page.
    /// - `NO_MEMORY`: there is no such place that is free, or no memory for the object.
    pub fn contiguous(
        pages: &'static PageDatabase,
        koid: Koid,
        request: ContiguousRequest,
    ) -> Result<Arc<Self>> {
        let end = PageIndex::new(request.pages()?.get() as u64).ok_or(Status::OUT_OF_RANGE)?;
        let permit = ArcPermit::new()?;
        let tree = contiguous_tree(pages, request)?;
        let source = Source::Own(Own::new(pages, VmoState::contiguous(tree, end)));
        let vmo = permit.fill_cyclic(|this| Self {
            kind: VmoKind::Contiguous,
            ..Self::new(this, pages, koid, source)
        });
        pages.reclaimer().enter(&vmo, Standing::Kept);
        Ok(vmo)
    }
}

/// The contents: all pages that were asked for.
fn contiguous_tree(pages: &PageDatabase, request: ContiguousRequest) -> Result<PageTree<Page>> {
    let run = pages.allocate_contiguous::<owner::Vmo>(request.pages()?, request.alignment_log2)?;
    let mut frames = pages.take_apart(run, |frame| pages.zero(frame));
    let mut tree = PageTree::new();
    let mut index = PageIndex::ZERO;
    while let Some(page) = frames.pop(pages) {
        if let Err(status) = put(&mut tree, pages, index, page) {
            pages.free_list(frames);
            tree.drain(PageIndex::ZERO..PageIndex::LIMIT, pages, &mut |_, page| {
                pages.free(page);
            });
            return Err(status);
        }
        index = index.saturating_add(1);
    }
    Ok(tree)
}

#[cfg(test)]
mod tests;
