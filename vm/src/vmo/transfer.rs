//! Moving contents from a VMO to another one, or within one.
//!
//! Pages that nobody else has change hands; others are copied, because a page that VMOs share has the same
//! place in all of them. It goes block by block, and two VMOs are never locked together:
//!
//! ```text
//!   source       ├──────────****──────┤   1. take: they leave the source, all of a block or none
//!                          ╲
//!   hand                    ****          2. in nobody's hands but the call's
//!                            ╲
//!   destination     ├─────────****──────┤ 3. put: in the place of what was there; cannot fail
//! ```
//!
//! Whatever a block can need (frames for copies, memory for nodes) is there before anything is taken, so that
//! nothing gets lost when memory runs out. Within one VMO, the blocks come in the order in which none is
//! overwritten before it has been taken.
//!
//! Source: `spec/vmo.md` §14.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::{ControlFlow, Range};
use core::ptr;

use syscall::{Result, Status};

use super::page_tree::{MOST_REPLACED, NodeStock, Sharing};
use super::state::{Contents, Page};
use super::steps::{BLOCK_PAGES, first_block, last_block};
use super::{PageIndex, Stock, Vmo, VmoKind, VmoState};
use crate::addr::PAGE_SIZE;
use crate::mmu::{MemoryType, Mmu};
use crate::pages::PageDatabase;
use crate::try_alloc::try_box;

const _: () = assert!(MOST_REPLACED as u64 == BLOCK_PAGES);

/// What is to be moved, and where.
pub struct TransferRequest<'a, M: Mmu> {
    /// Where it comes from.
    pub source: &'a Arc<Vmo<M>>,
    /// The first byte there.
    pub source_offset: u64,
    /// Where it goes.
    pub destination: &'a Arc<Vmo<M>>,
    /// The first byte there.
    pub destination_offset: u64,
    /// How many bytes.
    pub length: u64,
}

/// A transfer under way. What has been moved stays moved.
#[must_use = "nothing has been moved yet"]
pub struct Transfer<'a, M: Mmu> {
    source: &'a Arc<Vmo<M>>,
    /// The first page there, as its owner counts.
    source_first: PageIndex,
    destination: &'a Arc<Vmo<M>>,
    /// The first page there, as its owner counts.
    first: PageIndex,
    /// The destination's pages that are left.
    left: Range<PageIndex>,
    order: Order,
    frames: Stock,
    nodes: NodeStock<Page>,
    hand: Box<Hand>,
}

/// Which block comes first.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Order {
    LowestFirst,
    HighestFirst,
}

/// The pages of one block that are in no VMO.
struct Hand {
    pages: [Option<Page>; MOST_REPLACED],
    database: &'static PageDatabase,
}

/// How an attempt to take a block ended.
enum Take {
    Taken,
    /// Nothing is taken: the stock needs this many frames for copies.
    Needs(usize),
}

impl<'a, M: Mmu> Transfer<'a, M> {
    /// A transfer that can begin.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: offsets or length are not multiples of a page.
    /// - `OUT_OF_RANGE`: a range does not lie in its VMO.
    /// - `NOT_SUPPORTED`: one of them is not made of pages that may come and go.
    /// - `BAD_STATE`: the memory of one of them is not cached.
    /// - `NO_MEMORY`: there is none for the transfer itself.
    pub fn new(request: &TransferRequest<'a, M>) -> Result<Self> {
        let &TransferRequest {
            source,
            source_offset,
            destination,
            destination_offset,
            length,
        } = request;
        let is_aligned = |bytes: u64| bytes.is_multiple_of(PAGE_SIZE as u64);
        if ![source_offset, destination_offset, length]
            .into_iter()
            .all(is_aligned)
        {
            return Err(Status::INVALID_ARGS);
        }
        destination.check_range(destination_offset, length)?;
        source.check_range(source_offset, length)?;
        for vmo in [source, destination] {
            match vmo.kind() {
                VmoKind::Anonymous => vmo.lock().check_cached()?,
                VmoKind::Contiguous | VmoKind::Physical => return Err(Status::NOT_SUPPORTED),
            }
        }
        let source_first = source.owner_page(PageIndex::containing(source_offset));
        let first = destination.owner_page(PageIndex::containing(destination_offset));
        let is_one = ptr::eq(source.state_address(), destination.state_address());
        Ok(Self {
            source,
            source_first,
            destination,
            first,
            left: first..first.saturating_add(length / PAGE_SIZE as u64),
            order: if is_one && first > source_first {
                Order::HighestFirst
            } else {
                Order::LowestFirst
            },
            frames: Stock::new(source.pages()),
            nodes: NodeStock::new(),
            hand: try_box(Hand::new(source.pages()))?,
        })
    }

    /// Moves what is left. After `NO_MEMORY`, it can be called again.
    ///
    /// `pause` is called between blocks, with nothing locked; if it fails, so does the transfer.
    ///
    /// # Errors
    /// Blocks before the one that failed have been moved; that one is where it was.
    /// - `OUT_OF_RANGE`: one of the VMOs has become too short. Of what was to lie beyond the end of the
    ///   destination, nothing is left.
    /// - `BAD_STATE`: the memory of one of them is not cached any more. If that happened to the destination
    ///   while a block was under way, the block is gone.
    /// - `NO_MEMORY`: there is none for copies of what other VMOs have too, or for nodes.
    pub fn go_on(&mut self, mut pause: impl FnMut() -> Result<()>) -> Result<()> {
        while let Some(block) = self.next_block() {
            self.nodes.fill()?;
            match self.take(&block)? {
                Take::Taken => self.put(&block)?,
                Take::Needs(frames) => self.frames.fill_to(frames)?,
            }
            pause()?;
        }
        Ok(())
    }

    /// The next block of the destination in which something changes.
    fn next_block(&mut self) -> Option<Range<PageIndex>> {
        if self.left.is_empty() {
            return None;
        }
        let source = self.source_pages(&self.left);
        let back = |index: PageIndex| {
            self.first
                .saturating_add(index.saturating_since(self.source_first))
        };
        match self.order {
            Order::LowestFirst => {
                let there = self.source.lock().first_present(&source).map(back);
                let here = self.destination.lock().first_present(&self.left);
                self.left.start = there.into_iter().chain(here).min()?;
                Some(first_block(&self.left))
            }
            Order::HighestFirst => {
                let there = self.source.lock().last_present(&source).map(back);
                let here = self.destination.lock().last_present(&self.left);
                self.left.end = there.into_iter().chain(here).max()?.saturating_add(1);
                Some(last_block(&self.left))
            }
        }
    }

    /// Where the pages come from that go to `range`.
    fn source_pages(&self, range: &Range<PageIndex>) -> Range<PageIndex> {
        let place = |index: PageIndex| {
            self.source_first
                .saturating_add(index.saturating_since(self.first))
        };
        place(range.start)..place(range.end)
    }

    /// Takes the pages that go to `block` out of the source.
    fn take(&mut self, block: &Range<PageIndex>) -> Result<Take> {
        let range = self.source_pages(block);
        let mut state = self.source.lock();
        if range.end > self.source.window(&state).end {
            return Err(Status::OUT_OF_RANGE);
        }
        state.check_cached()?;
        state.take_block(range, &mut self.frames, &mut self.hand)
    }

    /// Puts the pages that were taken in the place of those of `block`.
    fn put(&mut self, block: &Range<PageIndex>) -> Result<()> {
        let mut state = self.destination.lock();
        let end = self.destination.window(&state).end;
        let range = block.start..block.end.min(end).max(block.start);
        let is_cached = state.check_cached();
        if is_cached.is_ok() {
            state.put_block(
                range.clone(),
                (block.start, &mut self.hand),
                &mut self.nodes,
            );
        }
        drop(state);
        self.hand.empty();
        match self.order {
            Order::LowestFirst => self.left.start = block.end,
            Order::HighestFirst => self.left.end = block.start,
        }
        is_cached?;
        if range.end < block.end {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(())
    }
}

impl Hand {
    const fn new(database: &'static PageDatabase) -> Self {
        let pages = [const { None }; MOST_REPLACED];
        Self { pages, database }
    }

    /// The place for the page at `index` of a block that begins at `first`.
    fn place(&mut self, first: PageIndex, index: PageIndex) -> &mut Option<Page> {
        let place = index.saturating_since(first) as usize % MOST_REPLACED;
        &mut self.pages[place]
    }

    /// Gives back what is in it.
    fn empty(&mut self) {
        for page in self.pages.iter_mut().filter_map(Option::take) {
            self.database.free(page);
        }
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.empty();
    }
}

impl<M: Mmu> VmoState<M> {
    fn check_cached(&self) -> Result<()> {
        match self.memory() {
            MemoryType::Cached => Ok(()),
            MemoryType::Uncached | MemoryType::UncachedDevice | MemoryType::WriteCombining => {
                Err(Status::BAD_STATE)
            }
        }
    }

    /// Takes the pages in `range`, a block at most, after their translations have gone from every page table.
    /// Those that others have too stay with them; what is taken is a copy.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for copies of nodes. Nothing changes.
    fn take_block(
        &mut self,
        range: Range<PageIndex>,
        frames: &mut Stock,
        hand: &mut Hand,
    ) -> Result<Take> {
        let pages = hand.database;
        let shared = self.count_shared(pages, &range);
        if shared > frames.len() {
            return Ok(Take::Needs(shared));
        }
        self.prepare_free(pages, range.clone())?;
        self.remove_translations(range.clone(), None);
        let Contents::Anonymous(tree) = &mut self.contents else {
            return Err(Status::NOT_SUPPORTED);
        };
        let first = range.start;
        let copied = tree.visit_own(range.clone(), pages, |index, page, sharing| {
            if sharing == Sharing::Shared {
                match frames.take() {
                    Ok(mut copy) => {
                        pages.copy(page, &mut copy);
                        *hand.place(first, index) = Some(copy);
                    }
                    Err(status) => return ControlFlow::Break(status),
                }
            }
            ControlFlow::Continue(())
        });
        if let ControlFlow::Break(status) = copied {
            hand.empty();
            return Err(status);
        }
        tree.drain(range, pages, &mut |index, page| {
            let place = hand.place(first, index);
            if place.is_some() {
                // Whoever else had it may have let go of it meanwhile, but there is a copy already.
                pages.free(page);
            } else {
                *place = Some(page);
            }
        });
        Ok(Take::Taken)
    }

    /// Puts what is in the hand for the pages in `range` in the place of what is there. The hand's block begins
    /// at `first`; the stock of nodes is full.
    fn put_block(
        &mut self,
        range: Range<PageIndex>,
        (first, hand): (PageIndex, &mut Hand),
        nodes: &mut NodeStock<Page>,
    ) {
        self.remove_translations(range.clone(), None);
        if let Contents::Anonymous(tree) = &mut self.contents {
            let pages = hand.database;
            tree.replace(range, pages, nodes, |index| hand.place(first, index).take());
        }
    }

    /// How many pages of `range` others may have too.
    fn count_shared(&self, pages: &PageDatabase, range: &Range<PageIndex>) -> usize {
        let mut shared = 0;
        let _ = self.visit_present(pages, range.clone(), |_, _, sharing| {
            shared += usize::from(sharing == Sharing::Shared);
            ControlFlow::<()>::Continue(())
        });
        shared
    }
}

#[cfg(test)]
mod tests;
