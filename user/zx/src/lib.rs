//! Fuchsia's `zx` wrapper API over Jacinth's system calls.
//!
//! Every kernel object is a type around a [`Handle`], which closes itself when dropped. Read [`Handle`],
//! [`HandleBased`], [`Vmar`] and [`Vmo`] first; [`sys`] has the raw calls, types and constants.
//!
//! ```no_run
//! use zx::{Vmar, VmarFlags, Vmo};
//!
//! /// Maps one fresh page into `region` and says where.
//! fn fresh_page(region: &Vmar) -> Result<usize, zx::Status> {
//!     let vmo = Vmo::create(4096)?;
//!     region.map(0, &vmo, 0, 4096, VmarFlags::PERM_READ | VmarFlags::PERM_WRITE)
//! }
//! ```
//!
//! Signatures are those of the reference generation in `docs/spec/zx-crate.md`, with the spellings of
//! later generations beside them. What needs system calls that do not exist yet (ports) is left out.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod device;
mod features;
mod handle;
mod info;
mod job;
mod maps;
mod process;
mod property;
mod resource;
mod system;
mod task;
mod time;
mod unowned;
mod vmar;
mod vmar_flags;
mod vmo;
mod wait;

pub use device::{Bti, Iommu};
pub use features::{FeatureFlags, system_get_feature_flags};
pub use handle::{AsHandleRef, Handle, HandleBased, NullableHandle};
pub use info::{
    HandleBasicInfo, HandleCountInfo, ObjectQuery, object_get_info, object_get_info_single,
    object_get_info_vec,
};
pub use job::Job;
pub use maps::{MapDetails, MapInfo, MappingDetails};
pub use process::{Process, ProcessInfo, TaskStatsInfo};
pub use property::{PropertyQuery, object_get_property, object_set_property};
pub use resource::{MemStats, Resource, ResourceFlag, ResourceInfo, ResourceKind};
pub use syscall::{
    AddressTaggingFeatureFlags, CachePolicy, CpuFeatureFlags, IommuDescDummy, Koid, Name,
    ObjectType, ProcessInfoFlags, ProcessOptions, Property, Rights, Signals, Status, TaskRetcode,
    Topic, TransferDataOptions, VmFeatureFlags, VmarOp, VmoChildOptions, VmoInfoFlags,
    VmoLockState, VmoOp, VmoOptions, sys,
};
pub use system::{
    cprng_draw, debug_write, system_get_num_cpus, system_get_page_size, system_get_physmem,
    system_get_version_string,
};
pub use task::{Task, Thread};
pub use time::{
    Duration, Instant, MonotonicDuration, MonotonicInstant, MonotonicTimeline, NsUnit, Timeline,
};
pub use unowned::{HandleRef, Unowned};
pub use vmar::{Vmar, VmarInfo};
pub use vmar_flags::{VmarFlags, VmarFlagsExtended};
pub use vmo::{Vmo, VmoInfo};
pub use wait::WaitResult;

/// The traits that give object types their common methods.
pub mod prelude {
    pub use crate::{AsHandleRef, HandleBased, Task};
}

/// Turns a raw status into a result: zero and positive numbers are success.
///
/// # Errors
/// The status itself, if it is negative.
pub const fn ok(raw: sys::zx_status_t) -> Result<(), Status> {
    Status::ok(raw)
}
