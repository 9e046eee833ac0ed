//! Address spaces: a page table, and the tree of VMARs that says what belongs into it.
//!
//! [`AddressSpace`] owns the root VMAR and the lock of the whole tree. Changes to the tree take the lock
//! for writing; faults and questions take it for reading, so that faults of one address space run in
//! parallel.
//!
//! ```text
//!   AddressSpace ─┬─ lock ──► root Vmar ─► Region ─► Mapping ─► Vmo
//!                 │                      └► Region ─► Vmar ─► …
//!                 └─ mmu      what the CPUs see; filled by faults, emptied by unmap and friends
//! ```
//!
//! The objects of the tree refer back to their address space, so it lives until [`AddressSpace::destroy`]
//! has taken the tree apart. Lock order: address space, VMO, page table, page database.

use alloc::sync::Arc;
use core::sync::atomic::AtomicU64;

use syscall::{Name, Result, Status, VmOptions};

use crate::addr::VirtRange;
use crate::locked::{Guard, ReadGuard, WriteGuard};
use crate::mmu::{Domain, Mmu};
use crate::pages::PageDatabase;
use crate::sync::RwLock;
use crate::try_alloc::try_arc;
use crate::vmar::Vmar;

/// The root of the tree; `None` before it is made and after the end.
pub(crate) type Root<M> = Option<Arc<Vmar<M>>>;

/// Where regions go that may go anywhere.
#[derive(Clone, Copy, Debug)]
pub enum Aslr {
    /// To the lowest place.
    Off,
    /// To a place chosen at random.
    On(Entropy),
}

/// Where random choices come from, and how many places they choose among.
#[derive(Clone, Copy, Debug)]
pub struct Entropy {
    /// The next random number.
    pub source: fn() -> u64,
    /// A place is one of the lowest 2 to the power of this; beyond [`Self::MAX_BITS`] nothing changes.
    pub bits: u32,
}

impl Entropy {
    /// The usual number of bits.
    pub const DEFAULT_BITS: u32 = 30;

    /// The bits that tell all pages of the largest address space apart.
    pub const MAX_BITS: u32 = 36;

    /// The usual number of bits from `source`.
    pub const fn new(source: fn() -> u64) -> Self {
        Self {
            source,
            bits: Self::DEFAULT_BITS,
        }
    }
}

/// What an address space is made of.
#[derive(Clone, Copy, Debug)]
pub struct AspaceConfig {
    /// Its name.
    pub name: Name,
    /// All its addresses: the range of its root VMAR.
    pub range: VirtRange,
    /// Who uses it. Mappings of the kernel are filled at once and never fault.
    pub domain: Domain,
    /// How places are chosen.
    pub aslr: Aslr,
}

/// A page table, and the tree of VMARs that says what belongs into it.
///
/// 1. A translation is in the page table only if a mapping in the tree shows its page there, and allows
///    at least as much.
/// 2. The tree changes only under the write lock.
pub struct AddressSpace<M: Mmu> {
    lock: RwLock<Root<M>>,
    mmu: M,
    pages: &'static PageDatabase,
    config: AspaceConfig,
    /// The stamp of the last count of address spaces that found this one.
    mark: AtomicU64,
}

impl<M: Mmu> AddressSpace<M> {
    /// An address space with an empty root VMAR.
    ///
    /// It must be ended with [`destroy`](Self::destroy), or its memory is never given back.
    ///
    /// # Errors
    /// `NO_MEMORY`: there is none for the objects. `mmu` is dropped.
    pub fn new(config: AspaceConfig, mmu: M, pages: &'static PageDatabase) -> Result<Arc<Self>> {
        let (lock, mark) = (RwLock::new(None), AtomicU64::new(0));
        let space = try_arc(Self {
            lock,
            mmu,
            pages,
            config,
            mark,
        })?;
        let flags = VmOptions::CAN_MAP_SPECIFIC | VmOptions::CAN_MAP_PERMISSIONS;
        let root = try_arc(Vmar::root(space.clone(), config.range, flags))?;
        *space.write().root_mut() = Some(root);
        Ok(space)
    }

    /// Ends the address space: every VMAR becomes dead, every mapping goes.
    ///
    /// VMARs that others hold stay valid objects and answer `BAD_STATE`. Does nothing the second time.
    pub fn destroy(&self) {
        let mut guard = self.write();
        if let Some(root) = guard.root_mut().take() {
            root.destroy_root(guard);
        }
    }

    /// The root VMAR.
    ///
    /// # Errors
    /// `BAD_STATE`: the address space has ended.
    pub fn root(&self) -> Result<Arc<Vmar<M>>> {
        self.read().root().clone().ok_or(Status::BAD_STATE)
    }

    /// The page table.
    #[inline]
    pub const fn mmu(&self) -> &M {
        &self.mmu
    }

    /// The page database that its page tables come from.
    #[inline]
    pub const fn pages(&self) -> &'static PageDatabase {
        self.pages
    }

    /// What it was made of.
    #[inline]
    pub const fn config(&self) -> &AspaceConfig {
        &self.config
    }

    /// Locks the tree for reading.
    #[inline]
    pub(crate) fn read(&self) -> ReadGuard<'_, M> {
        ReadGuard::new(self)
    }

    /// Locks the tree for changes.
    #[inline]
    pub(crate) fn write(&self) -> WriteGuard<'_, M> {
        WriteGuard::new(self)
    }

    /// The lock, for the guards to take.
    #[inline]
    pub(crate) const fn lock(&self) -> &RwLock<Root<M>> {
        &self.lock
    }

    /// Where a count of address spaces leaves its stamp.
    pub(crate) const fn mark(&self) -> &AtomicU64 {
        &self.mark
    }
}
