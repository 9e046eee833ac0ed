//! How things are named across the boundary: handles, koids, resources.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A number that names a handle in the table of one process.
///
/// The number is opaque. Zero is never a handle.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Eq,
    FromBytes,
    Hash,
    Immutable,
    IntoBytes,
    KnownLayout,
    Ord,
    PartialEq,
    PartialOrd,
)]
#[repr(transparent)]
pub struct HandleValue(u32);

impl HandleValue {
    /// The value that names no handle.
    pub const INVALID: Self = Self(0);

    /// The value with this number.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number of this value.
    pub const fn into_raw(self) -> u32 {
        self.0
    }

    /// Whether this is the value that names no handle.
    pub const fn is_invalid(self) -> bool {
        self.0 == Self::INVALID.0
    }
}

/// A number that names a kernel object for the whole life of the system; never reused.
///
/// Source: `docs/spec/abi.md` §1.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Eq,
    FromBytes,
    Hash,
    Immutable,
    IntoBytes,
    KnownLayout,
    Ord,
    PartialEq,
    PartialOrd,
)]
#[repr(transparent)]
pub struct Koid(u64);

impl Koid {
    /// Names no object.
    pub const INVALID: Self = Self(0);
    /// Names the kernel.
    pub const KERNEL: Self = Self(1);
    /// The first koid of an object that programs can see.
    pub const FIRST: Self = Self(1024);

    /// The koid with this number.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number of this koid.
    pub const fn raw_koid(&self) -> u64 {
        self.0
    }
}

/// What a resource handle gives access to.
///
/// Source: `docs/spec/abi.md` §7.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum ResourceKind {
    /// Ranges of device memory.
    Mmio = 0,
    /// Interrupt lines.
    Irq = 1,
    /// I/O ports.
    IoPort = 2,
    /// Everything.
    Root = 3,
    /// Secure monitor calls.
    Smc = 4,
    /// The services of [`SystemResource`].
    System = 5,
}

impl ResourceKind {
    /// The kind with this number, if there is one.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            0 => Some(Self::Mmio),
            1 => Some(Self::Irq),
            2 => Some(Self::IoPort),
            3 => Some(Self::Root),
            4 => Some(Self::Smc),
            5 => Some(Self::System),
            _ => None,
        }
    }
}

/// The services behind a resource of kind [`ResourceKind::System`], as its base numbers.
///
/// Source: `docs/spec/abi.md` §7.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum SystemResource {
    /// Running guests.
    Hypervisor = 0,
    /// Marking VMOs executable.
    Vmex = 1,
    /// Console input and monitor commands.
    Debug = 2,
    /// Statistics of the whole system.
    Info = 3,
    /// Control of CPUs.
    Cpu = 4,
    /// Switching the machine off.
    Power = 5,
    /// Starting another kernel.
    Mexec = 6,
    /// Control of IOMMUs.
    Iommu = 8,
}
