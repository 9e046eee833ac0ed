//! VMOs and VMARs as kernel objects.
//!
//! The subject itself is in `vm`; here it gets an identity and a handle count. A region or VMO is
//! wrapped once, where it is created, so that all handles to it count together.

use alloc::sync::{Arc, Weak};

use arch::paging::Tables;
use syscall::{Name, Result, Signals, VmoOptions};
use vm::vmar::Vmar;
use vm::vmo::{ChildObserver, Vmo};

use super::{Header, next_koid};
use crate::memory::{pages, try_arc};

/// A region of an address space, as handles know it.
///
/// The region lives until it is destroyed, whatever happens to this object.
pub struct VmarObject {
    header: Header,
    vmar: Arc<Vmar<Tables>>,
}

impl VmarObject {
    /// The object for a region that has none yet.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the object.
    pub fn new(vmar: Arc<Vmar<Tables>>) -> Result<Arc<Self>> {
        try_arc(Self {
            header: Header::new(Signals::NONE),
            vmar,
        })
    }

    /// The object's identity.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The region.
    pub const fn vmar(&self) -> &Arc<Vmar<Tables>> {
        &self.vmar
    }
}

/// An array of pages, as handles know it.
///
/// Mappings keep the VMO itself alive, not this object.
pub struct VmoObject {
    header: Header,
    vmo: Arc<Vmo<Tables>>,
}

impl VmoObject {
    /// A new VMO of `size` bytes and its object.
    ///
    /// # Errors
    /// Those of [`Vmo::create`].
    pub fn create(size: u64, options: VmoOptions) -> Result<Arc<Self>> {
        Self::new(Vmo::create(pages(), next_koid(), size, options)?)
    }

    /// The object for a VMO that has none yet.
    ///
    /// # Errors
    /// - `NO_MEMORY`: no memory for the object.
    pub fn new(vmo: Arc<Vmo<Tables>>) -> Result<Arc<Self>> {
        let object = try_arc(Self {
            header: Header::with_koid(vmo.koid(), Signals::VMO_ZERO_CHILDREN),
            vmo,
        })?;
        let observer: Weak<Self> = Arc::downgrade(&object);
        object.vmo.set_child_observer(observer);
        Ok(object)
    }

    /// Makes `ZERO_CHILDREN` tell whether the VMO has children now.
    ///
    /// Whoever makes a child calls this afterwards; `vm` has it called after a child has gone. Both look at
    /// the children under the lock of the signals, so the last one to do so is right, in whatever order
    /// they come.
    pub fn update_children(&self) {
        self.header.signals().update(|active| {
            let mut signals = active;
            let has_none = self.vmo.num_children() == 0;
            signals.set(Signals::VMO_ZERO_CHILDREN, has_none);
            signals
        });
    }

    /// The object's identity; the koid is the VMO's own.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The VMO.
    pub const fn vmo(&self) -> &Arc<Vmo<Tables>> {
        &self.vmo
    }

    /// The VMO's name.
    pub fn name(&self) -> Name {
        self.vmo.name()
    }

    /// Renames the VMO.
    pub fn set_name(&self, name: Name) {
        self.vmo.set_name(name);
    }
}

impl ChildObserver for VmoObject {
    fn children_changed(&self) {
        self.update_children();
    }
}
