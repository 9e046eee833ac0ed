//! What can happen to a window.

use syscall::{VmOptions, VmarOp};

/// Whether a handle allows to change what lies in regions below its own: the right `OP_CHILDREN`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// It does.
    Descendants,
    /// It does not.
    Own,
}

/// A handle to a region.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    /// The number of the region, in the order in which they were allocated. The window is number 0.
    pub region: usize,
    /// Which of the rights to read, write and execute it has, as permissions. A handle never has more
    /// than the region itself can map.
    pub rights: VmOptions,
    /// Whether it has the right `OP_CHILDREN`.
    pub reach: Reach,
}

/// Arguments of `vmar_allocate`.
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// The parent.
    pub parent: Handle,
    /// The option word.
    pub options: VmOptions,
    /// The offset in bytes.
    pub offset: usize,
    /// The size in bytes.
    pub size: usize,
}

/// Arguments of `vmar_map`.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// Where to map.
    pub vmar: Handle,
    /// The option word.
    pub options: VmOptions,
    /// The offset in the region, in bytes.
    pub offset: usize,
    /// The number of the VMO.
    pub vmo: usize,
    /// What the handle to the VMO allows, as permissions.
    pub vmo_rights: VmOptions,
    /// The offset in the VMO, in bytes.
    pub vmo_offset: u64,
    /// The length in bytes.
    pub length: usize,
}

/// Arguments of `vmar_unmap`.
#[derive(Clone, Copy, Debug)]
pub struct Removal {
    /// The region.
    pub vmar: Handle,
    /// The first address.
    pub address: usize,
    /// The length in bytes.
    pub length: usize,
}

/// Arguments of `vmar_protect`.
#[derive(Clone, Copy, Debug)]
pub struct Protection {
    /// The region.
    pub vmar: Handle,
    /// The option word.
    pub options: VmOptions,
    /// The first address.
    pub address: usize,
    /// The length in bytes.
    pub length: usize,
}

/// Arguments of `vmar_op_range`.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The region.
    pub vmar: Handle,
    /// What to do.
    pub op: VmarOp,
    /// The first address.
    pub address: usize,
    /// The length in bytes.
    pub length: usize,
}

/// An access to the first byte of a page, as an instruction makes it.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    /// The page, counted from the window's base.
    pub page: usize,
    /// One of the permissions: what the instruction does.
    pub access: VmOptions,
    /// What a write puts there.
    pub value: u8,
    /// A number that says which processor does it.
    pub cpu: usize,
}

/// One thing that happens.
///
/// [`Model::judge`](crate::Model::judge) says what each answers if it succeeds: zero, unless its own
/// description says otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A region is reserved; answers its address.
    Allocate(Allocation),
    /// A VMO is mapped; answers the address.
    Map(Mapping),
    /// A range is unmapped.
    Unmap(Removal),
    /// A range gets other permissions.
    Protect(Protection),
    /// Something is done to the pages of a range.
    Operate(Operation),
    /// A region is destroyed.
    Destroy(Handle),
    /// A page is touched; answers the byte that is there then.
    Touch(Touch),
    /// A VMO gets another size, in bytes.
    Resize {
        /// The VMO.
        vmo: usize,
        /// The size.
        size: u64,
    },
    /// The stream of a VMO gets another size, in bytes.
    SetStream {
        /// The VMO.
        vmo: usize,
        /// The size.
        size: u64,
    },
    /// The first byte of a page of a VMO is written by a call.
    Write {
        /// The VMO.
        vmo: usize,
        /// The page.
        page: usize,
        /// The byte.
        value: u8,
    },
}

impl Step {
    /// What happens, in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Allocate(_) => "allocate",
            Self::Map(_) => "map",
            Self::Unmap(_) => "unmap",
            Self::Protect(_) => "protect",
            Self::Operate(_) => "operate",
            Self::Destroy(_) => "destroy",
            Self::Touch(_) => "touch",
            Self::Resize { .. } => "resize",
            Self::SetStream { .. } => "set_stream",
            Self::Write { .. } => "write",
        }
    }
}

/// The permissions that stand for the capabilities in `flags`.
pub const fn capabilities(flags: VmOptions) -> VmOptions {
    let shift = VmOptions::CAN_MAP_READ.bits().trailing_zeros();
    let can_map = flags.intersection(VmOptions::CAN_MAP_PERMISSIONS).bits();
    VmOptions::from_bits_retain(can_map >> shift)
}

/// The capabilities that stand for permissions.
pub(crate) const fn can_map(permissions: VmOptions) -> VmOptions {
    let shift = VmOptions::CAN_MAP_READ.bits().trailing_zeros();
    VmOptions::from_bits_retain(permissions.intersection(VmOptions::PERMISSIONS).bits() << shift)
}
