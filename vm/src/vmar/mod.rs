//! Virtual memory address regions.
//!
//! A [`Vmar`] is a range of addresses in which regions are placed: mappings, which show a part of a VMO,
//! and VMARs again. Read [`Vmar`] and `Region` first.
//!
//! ```text
//!   root   [0x200000 ─────────────────────────────── …)
//!            ├─ mapping [0x400000, 0x404000)  program text
//!            └─ vmar    [0x10000000, 0x20000000)
//!                 ├─ mapping [0x10000000, 0x10001000)
//!                 └─ mapping [0x1fff0000, 0x20000000)
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `region`, `protection` | a region; the permissions of a mapping's pages |
//! | `placement` | where a region goes |
//! | `allocate`, `map`, `unmap`, `protect`, `destroy` | the operations of those names |
//! | `clear` | makes room in a range, for the last four |
//! | `op_range` | operations on the pages that a range shows |
//! | `populate`, `enter` | enters pages before anybody touches them; large pages |
//! | `walk`, `maps`, `mapped_vmos` | all regions in order; as records; the VMOs of the mappings |
//!
//! Every operation first does what can fail, and then changes things, which cannot. Source: `spec/vmar.md`.

mod allocate;
mod clear;
mod destroy;
mod enter;
mod map;
mod mapped_vmos;
mod maps;
mod merge;
mod op_range;
mod placement;
mod populate;
mod protect;
mod protection;
mod region;
#[cfg(test)]
mod tests;
mod unmap;
mod walk;

pub(crate) use enter::Enter;
pub use map::{MapRequest, Mapped};
pub use mapped_vmos::{MappedVmo, MappedVmos};
pub use maps::{MapEntry, MapEntryKind, Maps};
pub use op_range::{RangeOp, RangeRequest};
pub(crate) use region::{Mapping, Region, RegionKind, RegionListAdapter};
pub(crate) use walk::Walk;

use placement::{PlaceRequest, Surroundings, Wish};
use protection::ProtectionRun;
use region::{NewMapping, RegionAdapter};
use walk::Visited;

use alloc::sync::Arc;

use syscall::{Name, Result, Status, VmOptions};

use crate::addr::VirtRange;
use crate::aspace::AddressSpace;
use crate::locked::{Guard, LockedBy, WriteGuard};
use crate::mmu::{Access, Mmu};
use crate::region_tree::RegionTree;

/// Whether an operation on a VMAR may reach into the VMARs below it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OpChildren {
    /// It may: the handle has the right.
    Allowed,
    /// It may not.
    Forbidden,
}

/// A range of addresses with regions in it.
pub struct Vmar<M: Mmu> {
    range: VirtRange,
    /// `COMPACT` and the `CAN_MAP_…` bits.
    flags: VmOptions,
    name: Name,
    state: LockedBy<M, VmarState<M>>,
}

/// The part of a VMAR that changes.
pub struct VmarState<M: Mmu> {
    life: Life<M>,
    children: RegionTree<RegionAdapter<M>>,
}

/// Whether a VMAR can still be used.
enum Life<M: Mmu> {
    /// It can, and is a region of this parent; the root has none.
    Alive(Option<Arc<Vmar<M>>>),
    /// It has been destroyed, for ever, and has no regions.
    Dead,
}

impl<M: Mmu> Vmar<M> {
    /// The root of an address space.
    pub(crate) fn root(owner: Arc<AddressSpace<M>>, range: VirtRange, flags: VmOptions) -> Self {
        Self::new(owner, range, flags, None, Name::new_lossy("root"))
    }

    fn new(
        owner: Arc<AddressSpace<M>>,
        range: VirtRange,
        flags: VmOptions,
        parent: Option<Arc<Self>>,
        name: Name,
    ) -> Self {
        let children = RegionTree::new(RegionAdapter::new(), range);
        let state = VmarState {
            life: Life::Alive(parent),
            children,
        };
        Self {
            range,
            flags,
            name,
            state: LockedBy::new(owner, state),
        }
    }

    /// The addresses, also of a dead VMAR.
    #[inline]
    pub const fn range(&self) -> VirtRange {
        self.range
    }

    /// `COMPACT` and the `CAN_MAP_…` bits it was made with.
    #[inline]
    pub const fn flags(&self) -> VmOptions {
        self.flags
    }

    /// The name.
    pub const fn name(&self) -> Name {
        self.name
    }

    /// The address space it belongs to.
    #[inline]
    pub const fn owner(&self) -> &Arc<AddressSpace<M>> {
        self.state.owner()
    }

    /// Whether it has been destroyed.
    pub fn is_dead(&self) -> bool {
        self.live(&self.owner().read()).is_err()
    }

    /// What its mappings may allow at most.
    fn can_map(&self) -> Access {
        let mut access = Access::empty();
        access.set(Access::READ, self.flags.contains(VmOptions::CAN_MAP_READ));
        access.set(Access::WRITE, self.flags.contains(VmOptions::CAN_MAP_WRITE));
        access.set(
            Access::EXECUTE,
            self.flags.contains(VmOptions::CAN_MAP_EXECUTE),
        );
        access
    }

    /// Checks what is wished for a new region.
    ///
    /// # Errors
    /// Those of [`Wish::new`].
    fn wish(&self, request: PlaceRequest) -> Result<Wish> {
        let (range, flags) = (self.range, self.flags);
        let vmar = Surroundings {
            range,
            flags,
            aslr: self.owner().config().aslr,
        };
        Wish::new(request, vmar)
    }

    /// Adds a region at a free place.
    fn insert(&self, region: Arc<Region<M>>, guard: &mut WriteGuard<'_, M>) {
        let inserted = self.state.get_mut(guard).children.insert(region);
        assert!(
            inserted.is_ok(),
            "the place was found free, or was cleared, under this lock"
        );
    }

    /// Its regions.
    ///
    /// # Errors
    /// `BAD_STATE`: it is dead.
    #[inline]
    fn live<'a>(&'a self, guard: &'a impl Guard<M>) -> Result<&'a RegionTree<RegionAdapter<M>>> {
        let state = self.state.get(guard);
        match state.life {
            Life::Alive(_) => Ok(&state.children),
            Life::Dead => Err(Status::BAD_STATE),
        }
    }

    /// Its regions; none if it is dead.
    #[inline]
    pub(crate) fn children<'a>(
        &'a self,
        guard: &'a impl Guard<M>,
    ) -> &'a RegionTree<RegionAdapter<M>> {
        &self.state.get(guard).children
    }

    /// The VMAR whose region it is.
    pub(crate) fn parent<'a>(&'a self, guard: &'a impl Guard<M>) -> Option<&'a Arc<Self>> {
        match &self.state.get(guard).life {
            Life::Alive(parent) => parent.as_ref(),
            Life::Dead => None,
        }
    }
}

/// The permissions that an option word asks for.
fn requested(options: VmOptions) -> Access {
    let mut access = Access::empty();
    access.set(Access::READ, options.contains(VmOptions::PERM_READ));
    access.set(Access::WRITE, options.contains(VmOptions::PERM_WRITE));
    access.set(Access::EXECUTE, options.contains(VmOptions::PERM_EXECUTE));
    access
}
