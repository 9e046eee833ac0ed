//! Making the absent pages of a block.
//!
//! Frames are taken, and filled with zeros, while nothing is locked; a [`Stock`] holds them until a block
//! is filled. Filling a block makes all of its pages or none. A block that is made as a whole gets frames
//! that lie side by side, if there are any, so that a large page can show it.

use core::ops::Range;

use syscall::{Result, Status};

use super::page_tree::Lookup;
use super::state::{Contents, Page};
use super::steps::BLOCK_PAGES;
use super::{PageIndex, VmoState};
use crate::mmu::{Mmu, PageSize};
use crate::pages::{FrameList, PageDatabase, owner};

/// What a whole block may become.
const LARGE: PageSize = PageSize::Large;

/// Frames full of zeros, for pages that are to be made. What is left of it is given back.
pub struct Stock {
    pages: &'static PageDatabase,
    frames: FrameList<owner::Vmo>,
}

/// The pages of a block that were made for it.
#[must_use = "they must be taken back if the rest of the operation fails"]
pub struct Made {
    block: Range<PageIndex>,
    bits: [u64; WORDS],
}

/// What was in the place of a page that is to be made.
enum Before {
    Present,
    Absent,
}

/// The words of a set of pages of one block.
const WORDS: usize = (BLOCK_PAGES / u64::BITS as u64) as usize;

impl Stock {
    /// An empty stock of frames from `pages`.
    pub const fn new(pages: &'static PageDatabase) -> Self {
        Self {
            pages,
            frames: FrameList::new(),
        }
    }

    /// How many frames are in it.
    pub const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Brings it up to `count` frames.
    ///
    /// For all pages of a block it gets the frames of a large page, if they are at hand, and hands them out
    /// first and in order.
    ///
    /// # Errors
    /// `NO_MEMORY`: there are not that many. It keeps those that it got.
    pub fn fill_to(&mut self, count: usize) -> Result<()> {
        if count == LARGE.pages().get() {
            self.add_run();
        }
        while self.frames.len() < count {
            let frame = self.pages.allocate_zeroed()?;
            self.put(frame);
        }
        Ok(())
    }

    /// Adds the frames of a large page, if they are at hand.
    fn add_run(&mut self) {
        let run = self
            .pages
            .allocate_contiguous_at_hand(LARGE.pages(), LARGE.shift());
        let Ok(run) = run else { return };
        let frames = self.pages.take_apart(run, |frame| self.pages.zero(frame));
        // These are all that is needed, and they must come first.
        let others = core::mem::replace(&mut self.frames, frames);
        self.pages.free_list(others);
    }

    /// One frame.
    ///
    /// # Errors
    /// `NO_MEMORY`: it is empty.
    pub(super) fn take(&mut self) -> Result<Page> {
        self.frames.pop(self.pages).ok_or(Status::NO_MEMORY)
    }

    /// Takes back a page for which there was no place.
    fn refuse(&mut self, mut page: Page) -> Status {
        // It may be a copy.
        self.pages.zero(&mut page);
        self.put(page);
        Status::NO_MEMORY
    }

    fn put(&mut self, page: Page) {
        if let Err(shared) = self.frames.push(self.pages, page) {
            self.pages.free(shared);
        }
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        self.pages.free_list(core::mem::take(&mut self.frames));
    }
}

impl Made {
    const fn nothing(block: Range<PageIndex>) -> Self {
        let bits = [0; WORDS];
        Self { block, bits }
    }

    fn add(&mut self, index: PageIndex) {
        let place = self.place(index);
        self.bits[place / u64::BITS as usize] |= 1 << (place % u64::BITS as usize);
    }

    fn contains(&self, index: PageIndex) -> bool {
        let place = self.place(index);
        self.bits[place / u64::BITS as usize] >> (place % u64::BITS as usize) & 1 != 0
    }

    fn is_nothing(&self) -> bool {
        self.bits == [0; WORDS]
    }

    const fn place(&self, index: PageIndex) -> usize {
        (index.saturating_since(self.block.start) % BLOCK_PAGES) as usize
    }
}

impl<M: Mmu> VmoState<M> {
    /// Sees to it that making several blocks does not begin what it cannot end.
    ///
    /// # Errors
    /// `NO_MEMORY`: there are not enough free frames for the pages of `range` that are absent or shared.
    pub fn check_frames(&self, pages: &PageDatabase, range: &Range<PageIndex>) -> Result<()> {
        if range.end.saturating_since(range.start) <= BLOCK_PAGES {
            return Ok(());
        }
        pages.check_free(self.count_lacking(pages, range))
    }

    /// Makes the absent pages of `block`, which is one at most, and copies those that other VMOs have too,
    /// with frames from `stock`.
    ///
    /// Where they are made, the page of zeros goes from every page table; so does what was copied.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for a node, or not enough stock. No page was made, and the frames are in
    /// the stock again; some may have been copied, which shows only in what the VMO accounts for.
    pub fn fill_block(&mut self, block: Range<PageIndex>, stock: &mut Stock) -> Result<Made> {
        let mut made = Made::nothing(block.clone());
        if self.has_shared(stock.pages, block.clone()) {
            self.remove_translations(block.clone(), None);
        }
        for index in pages_of(&block) {
            match self.make(index, stock) {
                Ok(Before::Present) => {}
                Ok(Before::Absent) => made.add(index),
                Err(status) => {
                    self.remove_made(&made, stock);
                    return Err(status);
                }
            }
        }
        if made.is_nothing() {
            return Ok(made);
        }
        if let Err(status) = self.adopt_range(stock.pages, block.clone()) {
            self.remove_made(&made, stock);
            return Err(status);
        }
        if self.shows_zeros_in(&block) {
            self.remove_translations(block, None);
        }
        Ok(made)
    }

    /// Undoes a [`fill_block`](Self::fill_block), since when the VMO has stayed locked.
    pub fn take_back_block(&mut self, made: &Made, stock: &mut Stock) {
        if !made.is_nothing() {
            self.remove_translations(made.block.clone(), None);
            self.remove_made(made, stock);
        }
    }

    /// Makes a page, if it is absent, or copies it, if it is shared; then no translation shows it.
    fn make(&mut self, index: PageIndex, stock: &mut Stock) -> Result<Before> {
        let Contents::Anonymous(tree) = &mut self.contents else {
            return Ok(Before::Present);
        };
        let pages = stock.pages;
        match tree.look_up(index, pages) {
            Lookup::Own(_) => return Ok(Before::Present),
            Lookup::Vacant(vacant) => vacant.fill(stock.take()?),
            Lookup::NoWay => {
                tree.put(index, stock.take()?, pages)
                    .map_err(|page| stock.refuse(page))?;
            }
            Lookup::Shared(page) => {
                let mut copy = stock.take()?;
                pages.copy(page, &mut copy);
                let before = tree.put(index, copy, pages);
                if let Some(shared) = before.map_err(|page| stock.refuse(page))? {
                    pages.free(shared);
                }
                return Ok(Before::Present);
            }
        }
        Ok(Before::Absent)
    }

    /// Takes the pages out that were made. Nobody has seen them, so they are still all zeros.
    fn remove_made(&mut self, made: &Made, stock: &mut Stock) {
        let Contents::Anonymous(tree) = &mut self.contents else {
            return;
        };
        for index in pages_of(&made.block).filter(|index| made.contains(*index)) {
            // The way to it is the VMO's own, so there is nothing to copy.
            if let Ok(Some(page)) = tree.remove(index, stock.pages) {
                stock.put(page);
            }
        }
    }
}

fn pages_of(block: &Range<PageIndex>) -> impl Iterator<Item = PageIndex> {
    (block.start.number()..block.end.number()).filter_map(PageIndex::new)
}
