//! The types of kernel objects.

use core::fmt;

/// The type of the object that a handle names.
///
/// Source: `docs/spec/abi.md` §4.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct ObjectType(u32);

/// Writes each type once: the associated constant, its name, and Zircon's constant of the same value.
macro_rules! object_types {
    ($($(#[$doc:meta])* $name:ident = $raw_name:ident = $value:literal;)*) => {
        impl ObjectType {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }

        /// The types under Zircon's names.
        pub mod constants {
            $($(#[$doc])* pub const $raw_name: u32 = super::ObjectType::$name.0;)*
        }
    };
}

object_types! {
    /// No object.
    NONE = ZX_OBJ_TYPE_NONE = 0;
    /// A process.
    PROCESS = ZX_OBJ_TYPE_PROCESS = 1;
    /// A thread.
    THREAD = ZX_OBJ_TYPE_THREAD = 2;
    /// A virtual memory object.
    VMO = ZX_OBJ_TYPE_VMO = 3;
    /// One end of a channel.
    CHANNEL = ZX_OBJ_TYPE_CHANNEL = 4;
    /// An event.
    EVENT = ZX_OBJ_TYPE_EVENT = 5;
    /// A port.
    PORT = ZX_OBJ_TYPE_PORT = 6;
    /// An interrupt.
    INTERRUPT = ZX_OBJ_TYPE_INTERRUPT = 9;
    /// A PCI device.
    PCI_DEVICE = ZX_OBJ_TYPE_PCI_DEVICE = 11;
    /// A debug log.
    DEBUGLOG = ZX_OBJ_TYPE_DEBUGLOG = 12;
    /// One end of a socket.
    SOCKET = ZX_OBJ_TYPE_SOCKET = 14;
    /// A resource.
    RESOURCE = ZX_OBJ_TYPE_RESOURCE = 15;
    /// One end of an event pair.
    EVENTPAIR = ZX_OBJ_TYPE_EVENTPAIR = 16;
    /// A job.
    JOB = ZX_OBJ_TYPE_JOB = 17;
    /// A virtual memory address region.
    VMAR = ZX_OBJ_TYPE_VMAR = 18;
    /// One end of a FIFO.
    FIFO = ZX_OBJ_TYPE_FIFO = 19;
    /// A guest.
    GUEST = ZX_OBJ_TYPE_GUEST = 20;
    /// A virtual CPU.
    VCPU = ZX_OBJ_TYPE_VCPU = 21;
    /// A timer.
    TIMER = ZX_OBJ_TYPE_TIMER = 22;
    /// An I/O memory management unit.
    IOMMU = ZX_OBJ_TYPE_IOMMU = 23;
    /// A bus transaction initiator.
    BTI = ZX_OBJ_TYPE_BTI = 24;
    /// A scheduling profile.
    PROFILE = ZX_OBJ_TYPE_PROFILE = 25;
    /// A pinned memory token.
    PMT = ZX_OBJ_TYPE_PMT = 26;
    /// A suspend token.
    SUSPEND_TOKEN = ZX_OBJ_TYPE_SUSPEND_TOKEN = 27;
    /// A pager.
    PAGER = ZX_OBJ_TYPE_PAGER = 28;
    /// An exception.
    EXCEPTION = ZX_OBJ_TYPE_EXCEPTION = 29;
    /// A clock.
    CLOCK = ZX_OBJ_TYPE_CLOCK = 30;
    /// A stream.
    STREAM = ZX_OBJ_TYPE_STREAM = 31;
    /// A message-signalled interrupt allocation.
    MSI = ZX_OBJ_TYPE_MSI = 32;
    /// An I/O buffer.
    IOB = ZX_OBJ_TYPE_IOB = 33;
    /// A counter.
    COUNTER = ZX_OBJ_TYPE_COUNTER = 34;
}

impl ObjectType {
    /// The type with this number; a number without a type is kept as it is.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number of this type.
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "ObjectType({})", self.0),
        }
    }
}
