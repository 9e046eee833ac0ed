//! What a program finds when it starts.
//!
//! The first thread of a program starts with its first argument register 0 and its second one holding
//! the address of a [`StartupInfo`], which lies on its stack above the stack pointer. The stack pointer
//! is a multiple of 16; all other general registers are 0. The argument text lies above the record.
//!
//! ```text
//!   top of stack ─►┌──────────────────────┐
//!                  │ argument text        │◄─┐
//!                  ├──────────────────────┤  │ arguments
//!   second arg ───►│ StartupInfo          │──┘
//!                  ├──────────────────────┤◄── stack pointer (multiple of 16)
//!                  │ free                 │
//! ```

use core::mem::{offset_of, size_of};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::HandleValue;

/// The alignment of the stack pointer at the entry of a program, in bytes.
pub const STACK_ALIGNMENT: usize = 16;

/// What the kernel tells a program about itself.
///
/// The handles belong to the program; it alone decides when to close them.
#[derive(
    Clone, Copy, Debug, Default, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, PartialEq,
)]
#[repr(C)]
pub struct StartupInfo {
    /// [`StartupInfo::VERSION`] of the kernel that wrote the record.
    pub version: u32,
    /// The size of the record in bytes; a later version only appends fields.
    pub size: u32,
    /// The program's process.
    pub process_self: HandleValue,
    /// The program's first thread, or `INVALID` while threads have no handles.
    pub thread_self: HandleValue,
    /// The root region of the program's address space.
    pub vmar_root: HandleValue,
    /// A resource of kind SYSTEM that covers DEBUG and INFO, or `INVALID` for a program without it.
    pub system_resource: HandleValue,
    /// The first address of the program's loaded image.
    pub image_base: usize,
    /// The size of the loaded image in bytes, gaps included.
    pub image_size: usize,
    /// The address of the argument text: UTF-8, words separated by spaces, no NUL.
    pub arguments: usize,
    /// The length of the argument text in bytes.
    pub arguments_size: usize,
    /// The job in which the program may create processes, or `INVALID` for a program without one.
    pub job_default: HandleValue,
    /// A resource of kind MMIO that covers the addresses of devices, or `INVALID` for a program without it.
    pub mmio_resource: HandleValue,
    /// A resource of kind SYSTEM that covers IOMMU, or `INVALID` for a program without it.
    pub iommu_resource: HandleValue,
    /// Zero.
    pub reserved: u32,
}

impl StartupInfo {
    /// The version of this layout.
    pub const VERSION: u32 = 3;
}

const _: () = {
    assert!(size_of::<StartupInfo>() == 72);
    assert!(offset_of!(StartupInfo, image_base) == 24);
    assert!(offset_of!(StartupInfo, job_default) == 56);
    assert!(offset_of!(StartupInfo, iommu_resource) == 64);
};
