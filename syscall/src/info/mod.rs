//! What `object_get_info` answers: topics and records.
//!
//! [`Topic`] says what can be asked, and which record answers it. The records about one kind of thing are
//! in a module together; those about handles are here.
//!
//! Every record has a fixed layout without hidden padding, so its bytes can cross the boundary as they
//! are; `zerocopy` proves that at compile time, and the assertions in `record!` pin size and offsets.
//!
//! Source: `docs/spec/abi.md` §9.

mod maps;
mod memory;
mod process;
mod resource;
mod topic;
mod vmo;

pub use maps::{Map, MapKind, Mapping, Vmar};
pub use memory::{KmemStats, KmemStatsV1};
pub use process::{Process, ProcessV1, TaskStats, TaskStatsV1};
pub use resource::Resource;
pub use topic::Topic;
pub use vmo::Vmo;

record! {
    /// Answer to [`Topic::HANDLE_BASIC`].
    pub struct HandleBasic: 32 {
        /// The object.
        0 koid: u64,
        /// The rights of this handle.
        8 rights: u32,
        /// The type of the object.
        12 object_type: u32,
        /// The object's parent or peer; 0 if it has none.
        16 related_koid: u64,
        /// Zero.
        24 reserved: u32,
        /// Zero.
        28 padding: u32,
    }
}

record! {
    /// Answer to [`Topic::HANDLE_COUNT`].
    pub struct HandleCount: 4 {
        /// How many handles name the object, in all processes and in messages under way.
        0 handle_count: u32,
    }
}
