//! What `object_get_info` answers: topics and records.
//!
//! Every record has a fixed layout without hidden padding, so its bytes can cross the boundary as they
//! are; `zerocopy` proves that at compile time, and the assertions below pin size and offsets.
//!
//! Source: `docs/spec/abi.md` §9.

use core::mem::{offset_of, size_of};

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Name, ProcessInfoFlags};

/// What is asked: a number in the low 28 bits and the version of its record in the high 4.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Topic(u32);

impl Topic {
    /// Whether the handle is one; no record.
    pub const HANDLE_VALID: Self = Self::versioned(1, 0);
    /// Koid, rights and type: one [`HandleBasic`].
    pub const HANDLE_BASIC: Self = Self::versioned(2, 0);
    /// The first version of [`Self::PROCESS`]: one [`ProcessV1`].
    pub const PROCESS_V1: Self = Self::versioned(3, 0);
    /// A process: one [`Process`].
    pub const PROCESS: Self = Self::versioned(3, 1);
    /// The threads of a process: koids.
    pub const PROCESS_THREADS: Self = Self::versioned(4, 0);
    /// A region: one [`Vmar`].
    pub const VMAR: Self = Self::versioned(7, 0);
    /// The child jobs of a job: koids.
    pub const JOB_CHILDREN: Self = Self::versioned(8, 0);
    /// The processes of a job: koids.
    pub const JOB_PROCESSES: Self = Self::versioned(9, 0);
    /// A thread: one record.
    pub const THREAD: Self = Self::versioned(10, 0);
    /// The exception a thread is stopped in: one record.
    pub const THREAD_EXCEPTION_REPORT: Self = Self::versioned(11, 1);
    /// The memory of a process: one record.
    pub const TASK_STATS: Self = Self::versioned(12, 1);
    /// The first version of [`Self::PROCESS_MAPS`]: the record ends after `committed_bytes`, in whose
    /// place it counts pages.
    pub const PROCESS_MAPS_V1: Self = Self::versioned(13, 0);
    /// The second version of [`Self::PROCESS_MAPS`]: the record ends after `populated_bytes`.
    pub const PROCESS_MAPS_V2: Self = Self::versioned(13, 1);
    /// The address space of a process: [`Map`] records.
    pub const PROCESS_MAPS: Self = Self::versioned(13, 2);
    /// The VMOs of a process: [`Vmo`] records.
    pub const PROCESS_VMOS: Self = Self::versioned(14, 3);
    /// The run time of a thread: one record.
    pub const THREAD_STATS: Self = Self::versioned(15, 0);
    /// Each CPU: one record per CPU.
    pub const CPU_STATS: Self = Self::versioned(16, 0);
    /// The first version of [`Self::KMEM_STATS`]: one [`KmemStatsV1`].
    pub const KMEM_STATS_V1: Self = Self::versioned(17, 0);
    /// The memory of the system: one [`KmemStats`].
    pub const KMEM_STATS: Self = Self::versioned(17, 1);
    /// A resource: one record.
    pub const RESOURCE: Self = Self::versioned(18, 0);
    /// How many handles name the object: one [`HandleCount`].
    pub const HANDLE_COUNT: Self = Self::versioned(19, 0);
    /// How many handles of each type a process has: 64 counts.
    pub const PROCESS_HANDLE_STATS: Self = Self::versioned(21, 0);
    /// The first version of [`Self::VMO`]: the record ends before `metadata_bytes`.
    pub const VMO_V1: Self = Self::versioned(23, 0);
    /// The second version of [`Self::VMO`]: the record ends before `populated_bytes`.
    pub const VMO_V2: Self = Self::versioned(23, 1);
    /// The third version of [`Self::VMO`]: the record ends before `committed_private_bytes`.
    pub const VMO_V3: Self = Self::versioned(23, 2);
    /// A VMO: one [`Vmo`].
    pub const VMO: Self = Self::versioned(23, 3);
    /// The handles of a process: one record each.
    pub const HANDLE_TABLE: Self = Self::versioned(27, 0);
    /// The run time of a task: one record.
    pub const TASK_RUNTIME: Self = Self::versioned(30, 1);
    /// A region and all that is in it: [`Map`] records.
    pub const VMAR_MAPS: Self = Self::versioned(36, 0);

    const VERSION_SHIFT: u32 = 28;

    /// The topic with this number and record version.
    const fn versioned(number: u32, version: u32) -> Self {
        Self(version << Self::VERSION_SHIFT | number)
    }

    /// The topic with this word, known or not.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The word of this topic.
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}

/// Declares a record, its derives, and the layout that must hold.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident: $size:literal {
            $($(#[$field_doc:meta])* $offset:literal $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, Eq, FromBytes, Immutable, IntoBytes, KnownLayout, PartialEq,
        )]
        #[repr(C)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        const _: () = {
            assert!(size_of::<$name>() == $size);
            $(assert!(offset_of!($name, $field) == $offset);)*
        };
    };
}

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

record! {
    /// Answer to [`Topic::PROCESS`].
    pub struct Process: 24 {
        /// What it ended with; 0 before the end.
        0 return_code: i64,
        /// When its first thread was started, on the monotonic clock; 0 before.
        8 start_time: i64,
        /// Bits of `ProcessInfoFlags`.
        16 flags: u32,
        /// Zero.
        20 padding: u32,
    }
}

record! {
    /// Answer to [`Topic::PROCESS_V1`].
    pub struct ProcessV1: 16 {
        /// What it ended with; 0 before the end.
        0 return_code: i64,
        /// 1 from the start of its first thread on.
        8 started: u8,
        /// 1 from its end on.
        9 exited: u8,
        /// 1 while a debugger listens to its exceptions.
        10 debugger_attached: u8,
        /// Zero.
        11 padding: [u8; 5],
    }
}

impl From<Process> for ProcessV1 {
    fn from(process: Process) -> Self {
        let flags = ProcessInfoFlags::from_bits_retain(process.flags);
        let as_byte = |flag| u8::from(flags.contains(flag));
        Self {
            return_code: process.return_code,
            started: as_byte(ProcessInfoFlags::STARTED),
            exited: as_byte(ProcessInfoFlags::EXITED),
            debugger_attached: as_byte(ProcessInfoFlags::DEBUGGER_ATTACHED),
            padding: [0; 5],
        }
    }
}

record! {
    /// Answer to [`Topic::VMAR`].
    pub struct Vmar: 16 {
        /// The first address.
        0 base: usize,
        /// The size in bytes.
        8 len: usize,
    }
}

/// The kind of a [`Map`] record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u32)]
pub enum MapKind {
    /// Nothing.
    None = 0,
    /// A whole address space.
    AddressSpace = 1,
    /// A region.
    Vmar = 2,
    /// A mapping.
    Mapping = 3,
}

impl MapKind {
    /// The kind with this number; `None` if there is none.
    pub const fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            0 => Some(Self::None),
            1 => Some(Self::AddressSpace),
            2 => Some(Self::Vmar),
            3 => Some(Self::Mapping),
            _ => None,
        }
    }
}

record! {
    /// One line of the answers to [`Topic::VMAR_MAPS`] and [`Topic::PROCESS_MAPS`].
    pub struct Map: 152 {
        /// The name of the region or of the mapped VMO.
        0 name: Name,
        /// The first address.
        32 base: usize,
        /// The size in bytes.
        40 size: usize,
        /// The depth in the tree; the first record has 0.
        48 depth: usize,
        /// A [`MapKind`] as a number.
        56 kind: u32,
        /// Zero.
        60 padding: u32,
        /// What is mapped; all zero unless the record is a mapping.
        64 mapping: Mapping,
    }
}

record! {
    /// What a [`Map`] record of kind [`MapKind::Mapping`] shows.
    pub struct Mapping: 88 {
        /// The current permissions, as bits of the `ZX_VM_*` word.
        0 mmu_flags: u32,
        /// Zero.
        4 padding: u32,
        /// The VMO.
        8 vmo_koid: u64,
        /// The place in the VMO, in bytes, that the first address shows.
        16 vmo_offset: u64,
        /// Bytes of pages that are present.
        24 committed_bytes: usize,
        /// Committed bytes and those that are compressed.
        32 populated_bytes: usize,
        /// The committed bytes that no other VMO sees.
        40 committed_private_bytes: usize,
        /// The populated bytes that no other VMO sees.
        48 populated_private_bytes: usize,
        /// Committed bytes, each page divided by the VMOs that share it.
        56 committed_scaled_bytes: usize,
        /// Populated bytes, each page divided by the VMOs that share it.
        64 populated_scaled_bytes: usize,
        /// The fraction left out of `committed_scaled_bytes`; 2^63 stands for one byte.
        72 committed_fractional_scaled_bytes: u64,
        /// The fraction left out of `populated_scaled_bytes`; 2^63 stands for one byte.
        80 populated_fractional_scaled_bytes: u64,
    }
}

impl Map {
    /// The size in bytes of the record that `topic` has; it is the current one for all but the older
    /// versions of [`Topic::PROCESS_MAPS`].
    pub const fn size_in(topic: Topic) -> usize {
        let mapping = offset_of!(Self, mapping);
        match topic {
            Topic::PROCESS_MAPS_V1 => mapping + offset_of!(Mapping, populated_bytes),
            Topic::PROCESS_MAPS_V2 => mapping + offset_of!(Mapping, committed_private_bytes),
            _ => size_of::<Self>(),
        }
    }

    /// The record whose first [`size_in`](Self::size_in) bytes are what `topic` has.
    #[must_use]
    pub const fn in_version_of(mut self, topic: Topic) -> Self {
        if topic.into_raw() == Topic::PROCESS_MAPS_V1.into_raw() {
            self.mapping.committed_bytes /= crate::PAGE_SIZE;
        }
        self
    }
}

record! {
    /// Answer to [`Topic::VMO`], and one line of the answer to [`Topic::PROCESS_VMOS`].
    pub struct Vmo: 176 {
        /// The object.
        0 koid: u64,
        /// Its name.
        8 name: Name,
        /// The size in bytes.
        40 size_bytes: u64,
        /// The VMO it is a child of; 0 if it is none.
        48 parent_koid: u64,
        /// How many children it has.
        56 num_children: usize,
        /// How many mappings show it.
        64 num_mappings: usize,
        /// How many address spaces have a mapping of it.
        72 share_count: usize,
        /// Bits of `VmoInfoFlags`.
        80 flags: u32,
        /// Zero.
        84 padding: u32,
        /// Bytes of pages that are present.
        88 committed_bytes: u64,
        /// The rights of the handle; 0 if reported because of a mapping.
        96 handle_rights: u32,
        /// A `CachePolicy` as a number.
        100 cache_policy: u32,
        /// Bytes the kernel spends to keep track of the pages.
        104 metadata_bytes: u64,
        /// How often the committed bytes changed by the kernel's own doing.
        112 committed_change_events: u64,
        /// Committed bytes and those that are compressed.
        120 populated_bytes: u64,
        /// The committed bytes that no other VMO sees.
        128 committed_private_bytes: u64,
        /// The populated bytes that no other VMO sees.
        136 populated_private_bytes: u64,
        /// Committed bytes, each page divided by the VMOs that share it.
        144 committed_scaled_bytes: u64,
        /// Populated bytes, each page divided by the VMOs that share it.
        152 populated_scaled_bytes: u64,
        /// The fraction left out of `committed_scaled_bytes`; 2^63 stands for one byte.
        160 committed_fractional_scaled_bytes: u64,
        /// The fraction left out of `populated_scaled_bytes`; 2^63 stands for one byte.
        168 populated_fractional_scaled_bytes: u64,
    }
}

impl Vmo {
    /// The record as `topic`, one of [`Topic::VMO`] and its older versions, has it.
    ///
    /// Each version only added fields at the end.
    pub fn as_answer_to(&self, topic: Topic) -> &[u8] {
        let size = match topic {
            Topic::VMO_V1 => offset_of!(Self, metadata_bytes),
            Topic::VMO_V2 => offset_of!(Self, populated_bytes),
            Topic::VMO_V3 => offset_of!(Self, committed_private_bytes),
            _ => size_of::<Self>(),
        };
        &self.as_bytes()[..size]
    }
}

record! {
    /// Answer to [`Topic::KMEM_STATS`]; everything in bytes.
    pub struct KmemStats: 152 {
        /// All memory.
        0 total_bytes: u64,
        /// Free.
        8 free_bytes: u64,
        /// Free but lent by contiguous VMOs.
        16 free_loaned_bytes: u64,
        /// Kernel image, page database and other memory that never moves.
        24 wired_bytes: u64,
        /// The kernel heap, used or not.
        32 total_heap_bytes: u64,
        /// The unused part of the kernel heap.
        40 free_heap_bytes: u64,
        /// Contents of VMOs.
        48 vmo_bytes: u64,
        /// Page tables.
        56 mmu_overhead_bytes: u64,
        /// Messages.
        64 ipc_bytes: u64,
        /// Kept for reuse by caches.
        72 cache_bytes: u64,
        /// Kept by slab allocators.
        80 slab_bytes: u64,
        /// Compressed pages.
        88 zram_bytes: u64,
        /// The rest.
        96 other_bytes: u64,
        /// VMO memory that could be reclaimed.
        104 vmo_reclaim_total_bytes: u64,
        /// The youngest part of it.
        112 vmo_reclaim_newest_bytes: u64,
        /// The oldest part of it.
        120 vmo_reclaim_oldest_bytes: u64,
        /// VMO memory exempt from reclaim.
        128 vmo_reclaim_disabled_bytes: u64,
        /// Locked discardable memory.
        136 vmo_discardable_locked_bytes: u64,
        /// Unlocked discardable memory.
        144 vmo_discardable_unlocked_bytes: u64,
    }
}

record! {
    /// Answer to [`Topic::KMEM_STATS_V1`]; everything in bytes, as in [`KmemStats`].
    pub struct KmemStatsV1: 72 {
        /// All memory.
        0 total_bytes: u64,
        /// Free.
        8 free_bytes: u64,
        /// Memory that never moves.
        16 wired_bytes: u64,
        /// The kernel heap, used or not.
        24 total_heap_bytes: u64,
        /// The unused part of the kernel heap.
        32 free_heap_bytes: u64,
        /// Contents of VMOs.
        40 vmo_bytes: u64,
        /// Page tables.
        48 mmu_overhead_bytes: u64,
        /// Messages.
        56 ipc_bytes: u64,
        /// The rest.
        64 other_bytes: u64,
    }
}

impl From<KmemStats> for KmemStatsV1 {
    fn from(stats: KmemStats) -> Self {
        Self {
            total_bytes: stats.total_bytes,
            free_bytes: stats.free_bytes,
            wired_bytes: stats.wired_bytes,
            total_heap_bytes: stats.total_heap_bytes,
            free_heap_bytes: stats.free_heap_bytes,
            vmo_bytes: stats.vmo_bytes,
            mmu_overhead_bytes: stats.mmu_overhead_bytes,
            ipc_bytes: stats.ipc_bytes,
            other_bytes: stats.other_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, Mapping, Process, ProcessV1, Topic, Vmo};

    #[test]
    fn older_versions_of_a_vmo_record_are_its_beginning() {
        let topics = [Topic::VMO_V1, Topic::VMO_V2, Topic::VMO_V3, Topic::VMO];
        let sizes = topics.map(|topic| Vmo::default().as_answer_to(topic).len());
        assert_eq!(sizes, [104, 120, 128, 176]);
    }

    #[test]
    fn older_versions_of_a_map_record_are_shorter_and_the_first_one_counts_pages() {
        let topics = [
            Topic::PROCESS_MAPS_V1,
            Topic::PROCESS_MAPS_V2,
            Topic::PROCESS_MAPS,
            Topic::VMAR_MAPS,
        ];
        assert_eq!(topics.map(Map::size_in), [96, 104, 152, 152]);
        let mapping = Mapping {
            committed_bytes: 3 * crate::PAGE_SIZE,
            ..Mapping::default()
        };
        let map = Map {
            mapping,
            ..Map::default()
        };
        let committed = topics.map(|topic| map.in_version_of(topic).mapping.committed_bytes);
        assert_eq!(committed, [3, 3 * 4096, 3 * 4096, 3 * 4096]);
    }

    #[test]
    fn the_first_version_of_a_process_record_has_a_byte_for_each_flag() {
        let process = Process {
            return_code: -1024,
            start_time: 5,
            flags: 0b10,
            padding: 0,
        };
        let old = ProcessV1::from(process);
        assert_eq!((old.return_code, old.started, old.exited), (-1024, 0, 1));
        assert_eq!(Topic::PROCESS_V1.into_raw(), 3);
        assert_eq!(Topic::PROCESS.into_raw(), 0x1000_0003);
    }

    #[test]
    fn topics_carry_their_version_in_the_top_bits() {
        assert_eq!(Topic::VMAR_MAPS.into_raw(), 36);
        assert_eq!(Topic::KMEM_STATS.into_raw(), 0x1000_0011);
        assert_eq!(Topic::PROCESS_MAPS.into_raw(), 0x2000_000d);
        assert_eq!(Topic::VMO.into_raw(), 0x3000_0017);
    }
}
