//! The contract between Jacinth's kernel and its programs, written once.
//!
//! Statuses, rights, signals, option bits and the records that cross the boundary are plain types here.
//! The system calls themselves are the rows of one table, [`for_each_system_call!`], from which come
//! their numbers ([`SystemCall`]), the stubs programs call (`user`, feature `user`) and the dispatcher
//! the kernel runs (`kernel`, feature `kernel`).
//!
//! Read [`VmOptions`], [`Status`] and the table first. [`sys`] has the same things under Zircon's names.
//!
//! ```text
//!            for_each_system_call!            one row per call: number, name, arguments, result
//!        ┌───────────┼──────────────┐
//!        ▼           ▼              ▼
//!   SystemCall   user::zx_*    kernel::{SystemCalls, dispatch}
//! ```
//!
//! Source: `docs/spec/abi.md`.

#![no_std]

#[cfg(test)]
extern crate std;

#[macro_use]
mod record;

mod device;
mod features;
mod identity;
pub mod info;
#[cfg(feature = "kernel")]
pub mod kernel;
mod name;
mod number;
mod object_type;
mod options;
mod process;
mod property;
mod rights;
mod signals;
pub mod startup;
mod status;
pub mod sys;
mod table;
#[cfg(feature = "user")]
pub mod user;
pub mod vmaps;
mod vmar_op;
mod vmo_op;

pub use device::{IOMMU_MAX_DESC_LEN, IommuDescDummy, IommuType, ResourceOptions};
pub use features::{AddressTaggingFeatureFlags, CpuFeatureFlags, FeatureKind, VmFeatureFlags};
pub use identity::{HandleValue, Koid, ResourceKind, SystemResource};
pub use info::Topic;
pub use name::Name;
pub use number::SystemCall;
pub use object_type::ObjectType;
pub use options::{
    Alignment, CachePolicy, TransferDataOptions, VmOptions, VmoChildOptions, VmoInfoFlags,
    VmoOptions,
};
pub use process::{ProcessInfoFlags, ProcessOptions, TaskRetcode};
pub use property::Property;
pub use rights::Rights;
pub use signals::Signals;
pub use status::{Result, Status};
pub use vmar_op::VmarOp;
pub use vmo_op::{VmoLockState, VmoOp};

/// The size of a base page in bytes, on every architecture.
pub const PAGE_SIZE: usize = 4096;

/// The longest version string in bytes, including the terminating NUL.
pub const VERSION_STRING_BYTES: usize = 64;
