//! Virtual memory objects: arrays of pages that can be mapped, read, written and resized.
//!
//! Read [`Vmo`] first, then `Supply`, what a VMO answers when a fault asks for a page. Contents live
//! in a `PageTree`; absent pages read as zero and cost nothing.
//!
//! ```text
//!   Vmo ─┬─ name, koid, place in its family
//!        └─ lock ──► VmoState ─┬─ contents   pages, or a range of physical addresses
//!                              ├─ size, stream size
//!                              └─ mappings   every region that shows it, in any address space
//! ```
//!
//! Slices and references have no state of their own: they show that of their *owner*. What has to do with
//! state counts pages as the owner does.
//!
//! A VMO knows its mappings so that taking a page away reaches every page table that shows it. The rule
//! that makes this safe: a translation to a page of a VMO is entered only while the VMO is locked and
//! the mapping is in its list, and a mapping leaves the list only after its translations are gone.
//!
//! Locks: after the address space's, before the page table's. Source: `spec/vmo.md`.

mod attribution;
mod cache;
mod child;
mod commit;
mod contiguous;
mod copy;
mod cow;
mod cut;
mod discardable;
mod family;
mod index;
mod info;
mod mapping_list;
mod op_range;
mod page_tree;
mod resize;
mod runs;
mod scan;
mod sharers;
mod state;
mod steps;
mod stream_size;
#[cfg(test)]
mod tests;
mod transfer;
mod view;

pub use attribution::Attribution;
pub use child::ChildRequest;
pub(crate) use commit::Stock;
pub use contiguous::ContiguousRequest;
pub use copy::{CopyStep, PageView, PageViewMut};
pub use discardable::LockState;
pub use family::ChildObserver;
pub use index::PageIndex;
pub use info::VmoInfo;
pub(crate) use mapping_list::{Marks, RegionList};
pub use page_tree::Sharing;
pub use sharers::SharedRun;
pub(crate) use state::{Asker, Stale, Supply, VmoState, Want};
pub(crate) use steps::first_block;
pub use transfer::{Transfer, TransferRequest};

use alloc::sync::{Arc, Weak};

use family::Membership;
use spin::{Mutex, Once};
use syscall::{Koid, Name, Result, Status, VmoChildOptions, VmoOptions};
use view::{Own, Source};

use crate::addr::{PAGE_SIZE, PhysRange};
use crate::mmu::{MemoryType, Mmu};
use crate::pages::PageDatabase;
use crate::reclaim::Place;
use crate::try_alloc::ArcPermit;

/// The size of the largest VMO in bytes.
pub const MAX_SIZE: u64 = u64::MAX - 64 * PAGE_SIZE as u64 + 1;

/// A virtual memory object.
///
/// 1. Its pages are before `VmoState::end`; what is beyond is absent, in the tree and in every page table.
/// 2. A region is in the list of mappings exactly while it may have translations.
pub struct Vmo<M: Mmu> {
    pages: &'static PageDatabase,
    koid: Koid,
    options: VmoOptions,
    /// What kind of child it was made as; empty if it was not.
    child: VmoChildOptions,
    kind: VmoKind,
    name: Mutex<Name>,
    /// Goes before the parent is told, so that an owner that nobody else needs is gone then.
    source: Source<M>,
    /// Set with the first child, or when it is made as a child.
    membership: Once<Membership<M>>,
    observer: Once<Weak<dyn ChildObserver>>,
    /// In the lists of the page database's reclaimer, if it is made of pages of its own.
    place: Place,
}

/// Where the contents of a VMO come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VmoKind {
    /// From the page database, page by page.
    Anonymous,
    /// From the page database, side by side and all at once; they stay until the VMO goes.
    Contiguous,
    /// From a fixed range of physical addresses that nobody else hands out.
    Physical,
}

impl<M: Mmu> Vmo<M> {
    /// A VMO of `size` bytes, rounded up to pages, that reads as zero and occupies no page.
    ///
    /// # Errors
    /// In this order:
    /// - `INVALID_ARGS`: `RESIZABLE` together with `UNBOUNDED`.
    /// - `OUT_OF_RANGE`: `size` cannot be rounded up to a page.
    /// - `INVALID_ARGS`: options other than `RESIZABLE`, `DISCARDABLE` and `UNBOUNDED`.
    /// - `OUT_OF_RANGE`: larger than [`MAX_SIZE`].
    /// - `NO_MEMORY`: there is none for the object.
    ///
    /// Source: `spec/vmo.md` §2.
    pub fn create(
        pages: &'static PageDatabase,
        koid: Koid,
        size: u64,
        options: VmoOptions,
    ) -> Result<Arc<Self>> {
        if options.contains(VmoOptions::RESIZABLE | VmoOptions::UNBOUNDED) {
            return Err(Status::INVALID_ARGS);
        }
        let rounded = round_up(size)?;
        let known = VmoOptions::RESIZABLE | VmoOptions::DISCARDABLE | VmoOptions::UNBOUNDED;
        if !known.contains(options) {
            return Err(Status::INVALID_ARGS);
        }
        if rounded > MAX_SIZE {
            return Err(Status::OUT_OF_RANGE);
        }
        let is_unbounded = options.contains(VmoOptions::UNBOUNDED);
        let end = PageIndex::covering(if is_unbounded { MAX_SIZE } else { rounded });
        let state = VmoState::anonymous(end, size);
        let vmo = ArcPermit::new()?.fill_cyclic(|this| Self {
            options,
            ..Self::new(this, pages, koid, Source::Own(Own::new(pages, state)))
        });
        pages.reclaimer().enter(&vmo, vmo.first_standing());
        Ok(vmo)
    }

    /// A VMO that shows `range` of the physical address space, such as a device's registers.
    ///
    /// The kernel's own memory is not shown: it would be cached in one way here and in another there, and
    /// programs would see what is none of their business.
    ///
    /// # Errors
    /// In this order:
    /// - `ACCESS_DENIED`: the kernel has some of the range for itself.
    /// - `NO_MEMORY`: there is none for the object.
    pub fn physical(
        pages: &'static PageDatabase,
        koid: Koid,
        range: PhysRange,
        memory: MemoryType,
    ) -> Result<Arc<Self>> {
        if pages.has_any_of(range) {
            return Err(Status::ACCESS_DENIED);
        }
        let state = VmoState::physical(range, memory);
        Ok(ArcPermit::new()?.fill_cyclic(|this| Self {
            kind: VmoKind::Physical,
            ..Self::new(this, pages, koid, Source::Own(Own::new(pages, state)))
        }))
    }

    /// An ordinary VMO that nobody else knows.
    fn new(this: &Weak<Self>, pages: &'static PageDatabase, koid: Koid, source: Source<M>) -> Self {
        Self {
            pages,
            koid,
            options: VmoOptions::empty(),
            child: VmoChildOptions::empty(),
            kind: VmoKind::Anonymous,
            name: Mutex::new(Name::default()),
            source,
            membership: Once::new(),
            observer: Once::new(),
            place: Place::new(this.clone(), pages.reclaimer()),
        }
    }

    /// The number that names the object.
    pub const fn koid(&self) -> Koid {
        self.koid
    }

    /// Where the contents come from.
    pub const fn kind(&self) -> VmoKind {
        self.kind
    }

    /// Whether the size may change.
    pub const fn is_resizable(&self) -> bool {
        self.options.contains(VmoOptions::RESIZABLE)
    }

    /// Whether the kernel may drop the contents while nobody has locked them.
    pub const fn is_discardable(&self) -> bool {
        self.options.contains(VmoOptions::DISCARDABLE)
    }

    /// The name.
    pub fn name(&self) -> Name {
        *self.name.lock()
    }

    /// Changes the name.
    pub fn set_name(&self, name: Name) {
        *self.name.lock() = name;
    }

    fn membership(&self) -> Option<&Membership<M>> {
        self.membership.get()
    }

    /// The page database that the pages come from.
    #[inline]
    pub(crate) const fn pages(&self) -> &'static PageDatabase {
        self.pages
    }
}

/// `size` rounded up to pages.
fn round_up(size: u64) -> Result<u64> {
    size.checked_next_multiple_of(PAGE_SIZE as u64)
        .ok_or(Status::OUT_OF_RANGE)
}
