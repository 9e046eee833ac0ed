//! Kernel objects: what handles refer to.
//!
//! [`KernelObject`] is any of them, [`Header`] is what all of them begin with, and [`Object`] lets
//! code ask for one type. The set is closed, so it is an enum and not a trait object.

mod device;
mod job;
mod memory;
mod process;
mod process_list;
mod resource;
mod signals;
#[cfg(test)]
mod tests;
mod thread;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use syscall::{Koid, Name, ObjectType, Signals};

pub use device::{Bti, Iommu};
pub use job::Job;
pub use memory::{VmarObject, VmoObject};
pub use process::{EXCEPTION_KILL, Phase, Process, set_last_words};
pub use process_list::processes;
pub use resource::Resource;
use signals::SignalState;
pub use signals::Wait;
pub use thread::{Start, Thread, ThreadState};

/// The identity of an object, its signals, and the number of handles to it.
pub struct Header {
    koid: Koid,
    handles: AtomicU32,
    signals: SignalState,
}

impl Header {
    /// A header with a koid that no other object has, these signals, and no handle yet.
    pub fn new(active: Signals) -> Self {
        Self::with_koid(next_koid(), active)
    }

    /// A header for the object that `koid` was drawn for.
    pub const fn with_koid(koid: Koid, active: Signals) -> Self {
        Self {
            koid,
            handles: AtomicU32::new(0),
            signals: SignalState::new(active),
        }
    }

    /// The number that names the object for ever.
    pub const fn koid(&self) -> Koid {
        self.koid
    }

    /// What the object tells those who wait for it.
    pub const fn signals(&self) -> &SignalState {
        &self.signals
    }

    /// The number of handles to the object, in all processes.
    pub fn handle_count(&self) -> u32 {
        self.handles.load(Ordering::Relaxed)
    }

    /// Counts one more handle.
    pub fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one handle less; answers whether there are others.
    pub fn remove_handle(&self) -> Remaining {
        // What was done through other handles comes before whatever the loss of the last one does.
        match self.handles.fetch_sub(1, Ordering::AcqRel) {
            1 => Remaining::None,
            _ => Remaining::Some,
        }
    }
}

/// Whether an object still has handles.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "the loss of the last handle may end the object"]
pub enum Remaining {
    /// It has none.
    None,
    /// It has some.
    Some,
}

/// Draws a koid; none is ever drawn twice.
pub fn next_koid() -> Koid {
    static NEXT: AtomicU64 = AtomicU64::new(Koid::FIRST.raw_koid());
    Koid::from_raw(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A type of kernel object.
pub trait Object: Sized {
    /// The object inside `object`, if it is of this type.
    fn of(object: &KernelObject) -> Option<&Arc<Self>>;
}

/// Any kernel object, owned together with everybody else who has it.
#[derive(Clone)]
pub enum KernelObject {
    /// A group of processes.
    Job(Arc<Job>),
    /// An address space, a handle table and threads.
    Process(Arc<Process>),
    /// A flow of execution.
    Thread(Arc<Thread>),
    /// A part of an address space.
    Vmar(Arc<VmarObject>),
    /// An array of pages.
    Vmo(Arc<VmoObject>),
    /// The permission to use something of the system's.
    Resource(Arc<Resource>),
    /// What stands between devices and memory.
    Iommu(Arc<Iommu>),
    /// A device that reads and writes memory.
    Bti(Arc<Bti>),
}

macro_rules! object_types {
    ($($variant:ident($object:ty) = $object_type:ident;)*) => {
        impl KernelObject {
            /// The object's identity and handle count.
            pub fn header(&self) -> &Header {
                match self {
                    $(Self::$variant(object) => object.header(),)*
                }
            }

            /// The object's type.
            pub const fn object_type(&self) -> ObjectType {
                match self {
                    $(Self::$variant(_) => ObjectType::$object_type,)*
                }
            }
        }

        $(
            impl Object for $object {
                fn of(object: &KernelObject) -> Option<&Arc<Self>> {
                    match object {
                        KernelObject::$variant(object) => Some(object),
                        _ => None,
                    }
                }
            }

            impl From<Arc<$object>> for KernelObject {
                fn from(object: Arc<$object>) -> Self {
                    Self::$variant(object)
                }
            }
        )*
    };
}

object_types! {
    Job(Job) = JOB;
    Process(Process) = PROCESS;
    Thread(Thread) = THREAD;
    Vmar(VmarObject) = VMAR;
    Vmo(VmoObject) = VMO;
    Resource(Resource) = RESOURCE;
    Iommu(Iommu) = IOMMU;
    Bti(Bti) = BTI;
}

impl KernelObject {
    /// The koid of the object's parent; `INVALID` if it has none.
    ///
    /// Source: `docs/spec/objects.md` §2.
    pub fn related_koid(&self) -> Koid {
        match self {
            Self::Thread(thread) => thread
                .process()
                .map_or(Koid::INVALID, |process| process.header().koid()),
            Self::Process(process) => process.job().header().koid(),
            Self::Job(_)
            | Self::Vmar(_)
            | Self::Vmo(_)
            | Self::Resource(_)
            | Self::Iommu(_)
            | Self::Bti(_) => Koid::INVALID,
        }
    }

    /// The signals that programs may change; `None` if they may change none of this type.
    ///
    /// Source: `docs/spec/objects.md` §3.
    pub const fn user_signals(&self) -> Option<Signals> {
        match self {
            Self::Job(_) | Self::Process(_) | Self::Thread(_) | Self::Vmo(_) => {
                Some(Signals::USER_ALL)
            }
            Self::Vmar(_) | Self::Resource(_) | Self::Iommu(_) | Self::Bti(_) => None,
        }
    }

    /// Whether objects of this type can be waited for.
    ///
    /// Programs get no handle with `WAIT` to others, so this asks whether the kernel made no mistake.
    pub const fn is_waitable(&self) -> bool {
        match self {
            Self::Job(_) | Self::Process(_) | Self::Thread(_) | Self::Vmo(_) => true,
            Self::Vmar(_) | Self::Resource(_) | Self::Iommu(_) | Self::Bti(_) => false,
        }
    }

    /// What follows when the last handle to the object is closed.
    ///
    /// Source: `docs/spec/objects.md` §2. Called without a lock.
    pub fn lose_last_handle(&self) {
        match self {
            Self::Process(process) => process.abandon(),
            Self::Job(_)
            | Self::Thread(_)
            | Self::Vmar(_)
            | Self::Vmo(_)
            | Self::Resource(_)
            | Self::Iommu(_)
            | Self::Bti(_) => {}
        }
    }

    /// The object's name; `None` if its type has none.
    pub fn name(&self) -> Option<Name> {
        match self {
            Self::Job(job) => Some(job.name()),
            Self::Process(process) => Some(process.name()),
            Self::Thread(thread) => Some(thread.name()),
            Self::Vmo(vmo) => Some(vmo.name()),
            Self::Bti(bti) => Some(bti.name()),
            Self::Vmar(_) | Self::Resource(_) | Self::Iommu(_) => None,
        }
    }

    /// Renames the object; `None` if its type has no name.
    pub fn set_name(&self, name: Name) -> Option<()> {
        match self {
            Self::Job(job) => job.set_name(name),
            Self::Process(process) => process.set_name(name),
            Self::Thread(thread) => thread.set_name(name),
            Self::Vmo(vmo) => vmo.set_name(name),
            Self::Bti(bti) => bti.set_name(name),
            Self::Vmar(_) | Self::Resource(_) | Self::Iommu(_) => return None,
        }
        Some(())
    }
}
