//! Taking many pages out of a VMO at once, and giving them back a block at a time.
//!
//! What somebody writes after a VMO has become shorter must stay, so all that was cut off has to be gone by
//! then, however much it is. The tree of pages makes that quick: it is divided like a snapshot,
//!
//! ```text
//!   contents   ├──────── stay ────────┤├─────────── cut ───────────┤
//!                                        one step for all of them, while the VMO is locked
//!                                      ├─────┤├─────┤├─────┤  …
//!                                        given back while nothing is locked
//! ```

use core::ops::{ControlFlow, Range};

use super::page_tree::PageTree;
use super::state::{Contents, Page};
use super::steps::first_block;
use super::{PageIndex, VmoState};
use crate::mmu::Mmu;
use crate::pages::{FrameList, PageDatabase};

/// Pages that were in a VMO and are in none any more.
#[must_use = "the pages have to be given back"]
pub struct Cut {
    pages: PageTree<Page>,
}

/// All page numbers.
const ALL: Range<PageIndex> = PageIndex::ZERO..PageIndex::LIMIT;

impl Cut {
    /// Gives the pages back, a block at a time; in between, `pause` is called.
    pub fn free(mut self, pages: &PageDatabase, mut pause: impl FnMut()) {
        while let Some(block) = self.next_block() {
            // Without memory for copies of nodes, all go in one step: those need none.
            let block = match self.pages.own_edges(block.clone(), pages) {
                Ok(()) => block,
                Err(_) => ALL,
            };
            free_range(&mut self.pages, pages, block);
            pause();
        }
    }

    fn next_block(&self) -> Option<Range<PageIndex>> {
        match self.pages.visit(ALL, |index, _| ControlFlow::Break(index)) {
            ControlFlow::Break(first) => Some(first_block(&(first..PageIndex::LIMIT))),
            ControlFlow::Continue(()) => None,
        }
    }
}

impl<M: Mmu> VmoState<M> {
    /// Takes the pages in `range` out, which no translation shows any more. That has been prepared with
    /// [`prepare_free`](Self::prepare_free), and cannot fail.
    pub(super) fn cut(&mut self, pages: &PageDatabase, range: Range<PageIndex>) -> Cut {
        let nothing = Cut {
            pages: PageTree::new(),
        };
        let Some(block) = self.next_present_block(&range) else {
            return nothing;
        };
        let rest = block.end..range.end;
        if self.first_present(&rest).is_some()
            && let Some(cut) = self.divide(pages, range.clone())
        {
            return cut;
        }
        // They are few, or there is no memory to be quick.
        self.free_pages(pages, range);
        nothing
    }

    /// Divides the contents. `None`: there is no memory for nodes; nothing changes, and `range` can still be
    /// taken out.
    fn divide(&mut self, pages: &PageDatabase, range: Range<PageIndex>) -> Option<Cut> {
        let Contents::Anonymous(tree) = &mut self.contents else {
            return None;
        };
        let mut cut = tree.snapshot(range.clone(), pages).ok()?;
        if tree.own_edges(range.clone(), pages).is_err() {
            free_range(&mut cut, pages, ALL);
            return None;
        }
        // What both have only loses a reference.
        free_range(tree, pages, range);
        Some(Cut { pages: cut })
    }
}

/// Gives back the pages in `range`, which is all or has been prepared.
pub(super) fn free_range(tree: &mut PageTree<Page>, pages: &PageDatabase, range: Range<PageIndex>) {
    let mut freed = FrameList::new();
    tree.drain(range, pages, &mut |_, page| {
        if let Err(shared) = freed.push(pages, page) {
            pages.free(shared);
        }
    });
    pages.free_list(freed);
}

#[cfg(test)]
mod tests;
