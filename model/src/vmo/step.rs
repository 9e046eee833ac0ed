//! What can happen to families of VMOs.

use alloc::vec::Vec;

use syscall::{Rights, VmOptions, VmarOp, VmoChildOptions, VmoOptions};

/// A handle to a VMO.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    /// The number of the VMO, in the order in which they were created.
    pub vmo: usize,
    /// The rights that it has been left, if the VMO's first handle has them.
    pub rights: Rights,
}

/// Arguments of `vmo_create_child`.
#[derive(Clone, Copy, Debug)]
pub struct Child {
    /// The parent.
    pub parent: Handle,
    /// The option word.
    pub options: VmoChildOptions,
    /// Where the child begins in the parent, in bytes.
    pub offset: u64,
    /// The size in bytes.
    pub size: u64,
}

/// Some bytes of a VMO.
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// The VMO.
    pub vmo: Handle,
    /// The first byte.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

/// What the model knows of `vmo_op_range`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RangeOp {
    /// Makes all pages present.
    Commit,
    /// Frees pages.
    Decommit,
    /// Makes bytes zero.
    Zero,
    /// Brings pages in, of which there are none to bring.
    Prefetch,
    /// A hint.
    DontNeed,
    /// A hint.
    AlwaysNeed,
}

/// Arguments of `vmo_transfer_data`.
#[derive(Clone, Copy, Debug)]
pub struct Transfer {
    /// Where the pages go.
    pub to: Handle,
    /// The first byte there.
    pub to_offset: u64,
    /// How many bytes.
    pub length: u64,
    /// Where the pages come from.
    pub from: Handle,
    /// The first byte there.
    pub from_offset: u64,
}

/// Some pages of one of the windows.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Which window.
    pub window: usize,
    /// The first page, counted from the window's base.
    pub first: usize,
    /// How many, at least one; none lies beyond the window.
    pub count: usize,
}

/// Arguments of `vmar_map`.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// The VMO.
    pub vmo: Handle,
    /// The option word, `SPECIFIC` or `SPECIFIC_OVERWRITE` included.
    pub options: VmOptions,
    /// The first byte of the VMO.
    pub offset: u64,
    /// Where.
    pub place: Place,
}

/// An access to one byte, as an instruction makes it.
#[derive(Clone, Copy, Debug)]
pub struct Touch {
    /// The window.
    pub window: usize,
    /// The page, counted from the window's base.
    pub page: usize,
    /// The byte in the page.
    pub offset: usize,
    /// What is written there; nothing if the byte is read.
    pub value: Option<u8>,
    /// A number that says which processor does it.
    pub cpu: usize,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A VMO is created.
    Create {
        /// The size in bytes.
        size: u64,
        /// The option word.
        options: VmoOptions,
    },
    /// A VMO gets a child, which is the next VMO.
    CreateChild(Child),
    /// The first handle of a VMO is closed.
    Close(usize),
    /// Bytes are read; answers them.
    Read(Bytes),
    /// Bytes are written, the [`pattern`] of this seed.
    Write(Bytes, u8),
    /// A VMO gets another size, in bytes.
    Resize(Handle, u64),
    /// The stream of a VMO gets another size, in bytes.
    SetStream(Handle, u64),
    /// Something is done to a range of bytes.
    Operate(RangeOp, Bytes),
    /// Pages move.
    Transfer(Transfer),
    /// A VMO is mapped.
    Map(Mapping),
    /// Pages of a window are unmapped.
    Unmap(Place),
    /// Pages of a window get other permissions.
    Protect(Place, VmOptions),
    /// Something is done to the contents that a window shows.
    OperateMapped(VmarOp, Place),
    /// A byte is touched through a window; answers what is there then.
    Touch(Touch),
}

impl Step {
    /// What happens, in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::CreateChild(child) => kind_name(child.options),
            Self::Close(_) => "close",
            Self::Read(_) => "read",
            Self::Write(..) => "write",
            Self::Resize(..) => "resize",
            Self::SetStream(..) => "set_stream",
            Self::Operate(op, _) => op.name(),
            Self::Transfer(_) => "transfer",
            Self::Map(_) => "map",
            Self::Unmap(_) => "unmap",
            Self::Protect(..) => "protect",
            Self::OperateMapped(..) => "operate_mapped",
            Self::Touch(Touch { value: None, .. }) => "load",
            Self::Touch(_) => "store",
        }
    }
}

impl RangeOp {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Commit,
        Self::Decommit,
        Self::Zero,
        Self::Prefetch,
        Self::DontNeed,
        Self::AlwaysNeed,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Decommit => "decommit",
            Self::Zero => "zero",
            Self::Prefetch => "prefetch",
            Self::DontNeed => "dont_need",
            Self::AlwaysNeed => "always_need",
        }
    }
}

/// What a step answers if it succeeds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// That it is done.
    Done,
    /// A byte.
    Byte(u8),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The bytes that a write of this seed writes: no two next to each other are the same.
pub fn pattern(seed: u8, length: u64) -> Vec<u8> {
    let bytes = (0..length).map(|number| seed.wrapping_add((number % 251) as u8));
    bytes.collect()
}

const fn kind_name(options: VmoChildOptions) -> &'static str {
    if options.contains(VmoChildOptions::SLICE) {
        "slice"
    } else if options.contains(VmoChildOptions::REFERENCE) {
        "reference"
    } else {
        "snapshot"
    }
}
