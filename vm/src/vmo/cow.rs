//! Copy-on-write: pages that several VMOs have, and what happens when one of them is to change.
//!
//! ```text
//!   snapshot     parent ─┐
//!                        ├─► page      no page table may allow to write to it any more
//!                child ──┘
//!
//!   write        parent ──► copy       its own, so that writing is allowed
//!                child ───► page       its own as well, now that nobody shares it
//! ```
//!
//! Which pages are shared, the tree of pages knows. Here is what the rest of a VMO has to do about it: see
//! to it that a translation to a shared page never allows to write, and make copies.

use core::ops::{ControlFlow, Range};

use syscall::{Result, Status};

use super::page_tree::{Found, Lookup, PageTree, Sharing};
use super::state::{Asker, Contents, Page, Stale, Supply, Want};
use super::{PageIndex, VmoState};
use crate::mmu::{Mmu, MmuCursor};
use crate::pages::{PageDatabase, owner};

/// The contents of a part of a VMO at one moment.
#[must_use = "the pages are lost if no VMO gets them"]
pub struct Snapshot {
    pub(super) contents: PageTree<Page>,
    /// How far the part lies from the first page of the first of all ancestors.
    pub(super) distance: PageIndex,
}

impl<M: Mmu> VmoState<M> {
    /// Checks that `pages` pages from `first` on can be told apart from all others of the family.
    ///
    /// # Errors
    /// `INVALID_ARGS`: the place in the first of all ancestors where they end is beyond every byte offset.
    pub fn check_reach(&self, first: PageIndex, pages: u64) -> Result<()> {
        let room = PageIndex::LIMIT.saturating_since(self.distance(first));
        if pages >= room {
            return Err(Status::INVALID_ARGS);
        }
        Ok(())
    }

    /// The contents of the pages in `range`, of which only those in `window` count, for a VMO that begins
    /// with them. From now on no translation to them allows to write.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the edges. Nothing changes.
    pub fn snapshot(
        &mut self,
        pages: &PageDatabase,
        range: Range<PageIndex>,
        window: Range<PageIndex>,
    ) -> Result<Snapshot> {
        let Contents::Anonymous(tree) = &self.contents else {
            return Err(Status::NOT_SUPPORTED);
        };
        let past = range.end.min(window.end).max(range.start);
        let contents = tree.snapshot(range.start..past, pages)?;
        self.write_protect(range.start..past);
        let distance = self.distance(range.start);
        Ok(Snapshot { contents, distance })
    }

    /// Gives the VMO a copy of its own of a page that it shares, to be written to.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is no frame, or no memory for nodes. Nothing changes, but that other mappings
    /// may have to fault again.
    #[inline(never)]
    pub(super) fn copy_shared(
        &mut self,
        pages: &PageDatabase,
        index: PageIndex,
        asker: Asker<'_, M>,
    ) -> Result<Supply> {
        self.remove_others(index, &asker);
        let Contents::Anonymous(tree) = &mut self.contents else {
            return Err(Status::NOT_SUPPORTED);
        };
        let mut copy = pages.allocate::<owner::Vmo>()?;
        if let Some(page) = tree.get(index) {
            pages.copy(page, &mut copy);
        }
        let address = copy.address();
        let before = put(tree, pages, index, copy)?;
        Ok(match (before, asker) {
            (Some(page), Asker::Fault(_)) => Supply::Copied(address, Stale::new(page)),
            (Some(page), Asker::Call) => {
                pages.free(page);
                Supply::Present(address)
            }
            (None, _) => Supply::Present(address),
        })
    }

    /// The page at `index`, if there is one, for changes to its bytes: a copy, if it was shared.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for a copy. Nothing changes.
    pub(super) fn own_page(
        &mut self,
        pages: &PageDatabase,
        index: PageIndex,
    ) -> Result<Option<&mut Page>> {
        if let Contents::Anonymous(tree) = &self.contents
            && let Found::Shared(_) = tree.find(index, pages)
        {
            self.supply(pages, index, Want::Write, Asker::Call)?;
        }
        Ok(self.page_mut(pages, index))
    }

    /// The page at `index` for changes, if it is this VMO's alone.
    pub(super) fn page_mut(&mut self, pages: &PageDatabase, index: PageIndex) -> Option<&mut Page> {
        match &mut self.contents {
            Contents::Anonymous(tree) => match tree.look_up(index, pages) {
                Lookup::Own(page) => Some(page),
                Lookup::Shared(_) | Lookup::Vacant(_) | Lookup::NoWay => None,
            },
            Contents::Physical(_) => None,
        }
    }

    /// Whether a page in `range` is shared.
    pub(super) fn has_shared(&self, pages: &PageDatabase, range: Range<PageIndex>) -> bool {
        self.visit_present(pages, range, |_, _, sharing| match sharing {
            Sharing::Own => ControlFlow::Continue(()),
            Sharing::Shared => ControlFlow::Break(()),
        })
        .is_break()
    }

    /// How many pages of `range` are this VMO's alone.
    pub(super) fn count_own(&self, pages: &PageDatabase, range: Range<PageIndex>) -> u64 {
        let mut own = 0;
        let _ = self.visit_present(pages, range, |_, _, sharing| {
            own += u64::from(sharing == Sharing::Own);
            ControlFlow::<()>::Continue(())
        });
        own
    }

    /// Takes the permission to write from all translations to the pages in `range`, on every CPU.
    fn write_protect(&self, range: Range<PageIndex>) {
        self.edit_translations(range, None, |cursor, count, batch| {
            cursor.write_protect(count, batch);
        });
    }
}

/// Puts `page` where another may be, which is the answer.
///
/// # Errors
/// `NO_MEMORY`: there is none for nodes. The page is given back.
pub fn put(
    tree: &mut PageTree<Page>,
    pages: &PageDatabase,
    index: PageIndex,
    page: Page,
) -> Result<Option<Page>> {
    tree.put(index, page, pages).map_err(|page| {
        pages.free(page);
        Status::NO_MEMORY
    })
}
