//! The contract under Zircon's names: `zx_*` types and calls, `ZX_*` constants.
//!
//! Nothing is defined twice: each constant takes its number from the typed one that its documentation
//! names.

#![allow(non_camel_case_types, reason = "these are Zircon's names")]

use crate::{
    AddressTaggingFeatureFlags, CachePolicy, CpuFeatureFlags, FeatureKind, HandleValue,
    IommuDescDummy, IommuType, Koid, Name, ProcessInfoFlags, ProcessOptions, Property,
    ResourceKind, ResourceOptions, Rights, Signals, SystemResource, TaskRetcode, Topic,
    VmFeatureFlags, VmOptions, VmarOp, VmoChildOptions, VmoInfoFlags, VmoLockState, VmoOp,
    VmoOptions, info,
};

pub use crate::object_type::constants::*;
pub use crate::status::constants::*;
#[cfg(feature = "user")]
pub use crate::user::*;

/// A status: zero for success, negative for an error.
pub type zx_status_t = i32;
/// A handle value; zero is none.
pub type zx_handle_t = u32;
/// A set of rights.
pub type zx_rights_t = u32;
/// A set of signals.
pub type zx_signals_t = u32;
/// An object type.
pub type zx_obj_type_t = u32;
/// A kernel object ID.
pub type zx_koid_t = u64;
/// An option word for regions and mappings.
pub type zx_vm_option_t = u32;
/// A virtual address.
pub type zx_vaddr_t = usize;
/// A physical address.
pub type zx_paddr_t = usize;
/// An instant in nanoseconds.
pub type zx_time_t = i64;
/// An instant of the monotonic clock in nanoseconds.
pub type zx_instant_mono_t = i64;
/// A length of time in nanoseconds.
pub type zx_duration_t = i64;
/// A length of time of the monotonic clock in nanoseconds.
pub type zx_duration_mono_t = i64;
/// An offset in a VMO in bytes.
pub type zx_off_t = u64;
/// A topic of `zx_object_get_info`.
pub type zx_object_info_topic_t = u32;
/// What a resource gives access to.
pub type zx_rsrc_kind_t = u32;
/// The value of a futex.
pub type zx_futex_t = core::sync::atomic::AtomicI32;

/// Record of `ZX_INFO_HANDLE_BASIC`.
pub type zx_info_handle_basic_t = info::HandleBasic;
/// Record of `ZX_INFO_HANDLE_COUNT`.
pub type zx_info_handle_count_t = info::HandleCount;
/// Record of `ZX_INFO_PROCESS`.
pub type zx_info_process_t = info::Process;
/// Record of `ZX_INFO_PROCESS_V1`.
pub type zx_info_process_v1_t = info::ProcessV1;
/// Record of `ZX_INFO_TASK_STATS`.
pub type zx_info_task_stats_t = info::TaskStats;
/// Record of `ZX_INFO_TASK_STATS_V1`.
pub type zx_info_task_stats_v1_t = info::TaskStatsV1;
/// Record of `ZX_INFO_VMAR`.
pub type zx_info_vmar_t = info::Vmar;
/// Record of `ZX_INFO_VMAR_MAPS` and `ZX_INFO_PROCESS_MAPS`.
pub type zx_info_maps_t = info::Map;
/// Mapping part of [`zx_info_maps_t`].
pub type zx_info_maps_mapping_t = info::Mapping;
/// Record of `ZX_INFO_VMO` and `ZX_INFO_PROCESS_VMOS`.
pub type zx_info_vmo_t = info::Vmo;
/// Record of `ZX_INFO_RESOURCE`.
pub type zx_info_resource_t = info::Resource;
/// Record of `ZX_INFO_KMEM_STATS_V1`.
pub type zx_info_kmem_stats_v1_t = info::KmemStatsV1;
/// Record of `ZX_INFO_KMEM_STATS`.
pub type zx_info_kmem_stats_t = info::KmemStats;

/// What locking a discardable VMO tells.
pub type zx_vmo_lock_state_t = VmoLockState;
/// The description of an IOMMU that is none.
pub type zx_iommu_desc_dummy_t = IommuDescDummy;

/// The handle value that names nothing.
pub const ZX_HANDLE_INVALID: zx_handle_t = HandleValue::INVALID.into_raw();
/// The koid that names nothing.
pub const ZX_KOID_INVALID: zx_koid_t = Koid::INVALID.raw_koid();
/// The koid of the kernel.
pub const ZX_KOID_KERNEL: zx_koid_t = Koid::KERNEL.raw_koid();
/// The first koid of an object that programs can see.
pub const ZX_KOID_FIRST: zx_koid_t = Koid::FIRST.raw_koid();
/// The size of a name, including the terminating NUL.
pub const ZX_MAX_NAME_LEN: usize = Name::CAPACITY;
/// An instant that never comes.
pub const ZX_TIME_INFINITE: zx_time_t = i64::MAX;
/// An instant before all others.
pub const ZX_TIME_INFINITE_PAST: zx_time_t = i64::MIN;

/// The longest description of an IOMMU in bytes.
pub const ZX_IOMMU_MAX_DESC_LEN: usize = crate::IOMMU_MAX_DESC_LEN;
/// The bits of a cache policy.
pub const ZX_CACHE_POLICY_MASK: u32 = 3;

/// Mirrors typed constants as plain numbers under Zircon's names.
macro_rules! mirror {
    ($($plain:ty, $type:ident.$into:ident { $($raw_name:ident = $name:ident,)* })*) => {
        $($(
            #[doc = concat!("[`", stringify!($type), "::", stringify!($name), "`] as a number.")]
            pub const $raw_name: $plain = $type::$name.$into();
        )*)*
    };
}

mirror! {
    zx_rights_t, Rights.bits {
        ZX_RIGHT_NONE = NONE,
        ZX_RIGHT_DUPLICATE = DUPLICATE,
        ZX_RIGHT_TRANSFER = TRANSFER,
        ZX_RIGHT_READ = READ,
        ZX_RIGHT_WRITE = WRITE,
        ZX_RIGHT_EXECUTE = EXECUTE,
        ZX_RIGHT_MAP = MAP,
        ZX_RIGHT_GET_PROPERTY = GET_PROPERTY,
        ZX_RIGHT_SET_PROPERTY = SET_PROPERTY,
        ZX_RIGHT_ENUMERATE = ENUMERATE,
        ZX_RIGHT_DESTROY = DESTROY,
        ZX_RIGHT_SET_POLICY = SET_POLICY,
        ZX_RIGHT_GET_POLICY = GET_POLICY,
        ZX_RIGHT_SIGNAL = SIGNAL,
        ZX_RIGHT_SIGNAL_PEER = SIGNAL_PEER,
        ZX_RIGHT_WAIT = WAIT,
        ZX_RIGHT_INSPECT = INSPECT,
        ZX_RIGHT_MANAGE_JOB = MANAGE_JOB,
        ZX_RIGHT_MANAGE_PROCESS = MANAGE_PROCESS,
        ZX_RIGHT_MANAGE_THREAD = MANAGE_THREAD,
        ZX_RIGHT_APPLY_PROFILE = APPLY_PROFILE,
        ZX_RIGHT_MANAGE_SOCKET = MANAGE_SOCKET,
        ZX_RIGHT_OP_CHILDREN = OP_CHILDREN,
        ZX_RIGHT_RESIZE = RESIZE,
        ZX_RIGHT_ATTACH_VMO = ATTACH_VMO,
        ZX_RIGHT_MANAGE_VMO = MANAGE_VMO,
        ZX_RIGHT_SAME_RIGHTS = SAME_RIGHTS,
        ZX_RIGHTS_BASIC = BASIC,
        ZX_RIGHTS_IO = IO,
        ZX_RIGHTS_PROPERTY = PROPERTY,
        ZX_RIGHTS_POLICY = POLICY,
        ZX_DEFAULT_CHANNEL_RIGHTS = CHANNEL_DEFAULT,
        ZX_DEFAULT_EVENT_RIGHTS = EVENT_DEFAULT,
        ZX_DEFAULT_EVENTPAIR_RIGHTS = EVENTPAIR_DEFAULT,
        ZX_DEFAULT_PORT_RIGHTS = PORT_DEFAULT,
        ZX_DEFAULT_PROCESS_RIGHTS = PROCESS_DEFAULT,
        ZX_DEFAULT_THREAD_RIGHTS = THREAD_DEFAULT,
        ZX_DEFAULT_JOB_RIGHTS = JOB_DEFAULT,
        ZX_DEFAULT_VMAR_RIGHTS = VMAR_DEFAULT,
        ZX_DEFAULT_VMO_RIGHTS = VMO_DEFAULT,
        ZX_DEFAULT_RESOURCE_RIGHTS = RESOURCE_DEFAULT,
        ZX_DEFAULT_IOMMU_RIGHTS = IOMMU_DEFAULT,
        ZX_DEFAULT_BTI_RIGHTS = BTI_DEFAULT,
    }

    zx_signals_t, Signals.bits {
        ZX_SIGNAL_NONE = NONE,
        ZX_OBJECT_SIGNAL_ALL = OBJECT_ALL,
        ZX_USER_SIGNAL_ALL = USER_ALL,
        ZX_SIGNAL_HANDLE_CLOSED = HANDLE_CLOSED,
        ZX_USER_SIGNAL_0 = USER_0,
        ZX_USER_SIGNAL_1 = USER_1,
        ZX_USER_SIGNAL_2 = USER_2,
        ZX_USER_SIGNAL_3 = USER_3,
        ZX_USER_SIGNAL_4 = USER_4,
        ZX_USER_SIGNAL_5 = USER_5,
        ZX_USER_SIGNAL_6 = USER_6,
        ZX_USER_SIGNAL_7 = USER_7,
        ZX_TASK_TERMINATED = TASK_TERMINATED,
        ZX_PROCESS_TERMINATED = PROCESS_TERMINATED,
        ZX_THREAD_TERMINATED = THREAD_TERMINATED,
        ZX_THREAD_RUNNING = THREAD_RUNNING,
        ZX_THREAD_SUSPENDED = THREAD_SUSPENDED,
        ZX_VMO_ZERO_CHILDREN = VMO_ZERO_CHILDREN,
    }

    zx_vm_option_t, VmOptions.bits {
        ZX_VM_PERM_READ = PERM_READ,
        ZX_VM_PERM_WRITE = PERM_WRITE,
        ZX_VM_PERM_EXECUTE = PERM_EXECUTE,
        ZX_VM_COMPACT = COMPACT,
        ZX_VM_SPECIFIC = SPECIFIC,
        ZX_VM_SPECIFIC_OVERWRITE = SPECIFIC_OVERWRITE,
        ZX_VM_CAN_MAP_SPECIFIC = CAN_MAP_SPECIFIC,
        ZX_VM_CAN_MAP_READ = CAN_MAP_READ,
        ZX_VM_CAN_MAP_WRITE = CAN_MAP_WRITE,
        ZX_VM_CAN_MAP_EXECUTE = CAN_MAP_EXECUTE,
        ZX_VM_MAP_RANGE = MAP_RANGE,
        ZX_VM_REQUIRE_NON_RESIZABLE = REQUIRE_NON_RESIZABLE,
        ZX_VM_ALLOW_FAULTS = ALLOW_FAULTS,
        ZX_VM_OFFSET_IS_UPPER_LIMIT = OFFSET_IS_UPPER_LIMIT,
        ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED = PERM_READ_IF_XOM_UNSUPPORTED,
        ZX_VM_FAULT_BEYOND_STREAM_SIZE = FAULT_BEYOND_STREAM_SIZE,
    }

    u32, VmoOptions.bits {
        ZX_VMO_RESIZABLE = RESIZABLE,
        ZX_VMO_DISCARDABLE = DISCARDABLE,
        ZX_VMO_TRAP_DIRTY = TRAP_DIRTY,
        ZX_VMO_UNBOUNDED = UNBOUNDED,
    }

    u32, VmoChildOptions.bits {
        ZX_VMO_CHILD_SNAPSHOT = SNAPSHOT,
        ZX_VMO_CHILD_RESIZABLE = RESIZABLE,
        ZX_VMO_CHILD_SLICE = SLICE,
        ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE = SNAPSHOT_AT_LEAST_ON_WRITE,
        ZX_VMO_CHILD_NO_WRITE = NO_WRITE,
        ZX_VMO_CHILD_REFERENCE = REFERENCE,
        ZX_VMO_CHILD_SNAPSHOT_MODIFIED = SNAPSHOT_MODIFIED,
    }

    u32, VmoOp.into_raw {
        ZX_VMO_OP_COMMIT = COMMIT,
        ZX_VMO_OP_DECOMMIT = DECOMMIT,
        ZX_VMO_OP_LOCK = LOCK,
        ZX_VMO_OP_UNLOCK = UNLOCK,
        ZX_VMO_OP_CACHE_SYNC = CACHE_SYNC,
        ZX_VMO_OP_CACHE_INVALIDATE = CACHE_INVALIDATE,
        ZX_VMO_OP_CACHE_CLEAN = CACHE_CLEAN,
        ZX_VMO_OP_CACHE_CLEAN_INVALIDATE = CACHE_CLEAN_INVALIDATE,
        ZX_VMO_OP_ZERO = ZERO,
        ZX_VMO_OP_TRY_LOCK = TRY_LOCK,
        ZX_VMO_OP_DONT_NEED = DONT_NEED,
        ZX_VMO_OP_ALWAYS_NEED = ALWAYS_NEED,
        ZX_VMO_OP_PREFETCH = PREFETCH,
    }

    u32, IommuType.into_raw {
        ZX_IOMMU_TYPE_DUMMY = DUMMY,
    }

    u32, ResourceOptions.bits {
        ZX_RSRC_FLAG_EXCLUSIVE = EXCLUSIVE,
    }

    u32, VmoInfoFlags.bits {
        ZX_INFO_VMO_TYPE_PAGED = PAGED,
        ZX_INFO_VMO_RESIZABLE = RESIZABLE,
        ZX_INFO_VMO_IS_COW_CLONE = IS_COW_CLONE,
        ZX_INFO_VMO_VIA_HANDLE = VIA_HANDLE,
        ZX_INFO_VMO_VIA_MAPPING = VIA_MAPPING,
        ZX_INFO_VMO_PAGER_BACKED = PAGER_BACKED,
        ZX_INFO_VMO_CONTIGUOUS = CONTIGUOUS,
        ZX_INFO_VMO_DISCARDABLE = DISCARDABLE,
        ZX_INFO_VMO_IMMUTABLE = IMMUTABLE,
        ZX_INFO_VMO_VIA_IOB_HANDLE = VIA_IOB_HANDLE,
    }

    u32, VmarOp.into_raw {
        ZX_VMAR_OP_COMMIT = COMMIT,
        ZX_VMAR_OP_DECOMMIT = DECOMMIT,
        ZX_VMAR_OP_MAP_RANGE = MAP_RANGE,
        ZX_VMAR_OP_ZERO = ZERO,
        ZX_VMAR_OP_DONT_NEED = DONT_NEED,
        ZX_VMAR_OP_ALWAYS_NEED = ALWAYS_NEED,
        ZX_VMAR_OP_PREFETCH = PREFETCH,
    }

    u32, FeatureKind.into_raw {
        ZX_FEATURE_KIND_CPU = CPU,
        ZX_FEATURE_KIND_HW_BREAKPOINT_COUNT = HW_BREAKPOINT_COUNT,
        ZX_FEATURE_KIND_HW_WATCHPOINT_COUNT = HW_WATCHPOINT_COUNT,
        ZX_FEATURE_KIND_ADDRESS_TAGGING = ADDRESS_TAGGING,
        ZX_FEATURE_KIND_VM = VM,
    }

    u32, CpuFeatureFlags.bits {
        ZX_HAS_CPU_FEATURES = HAS_CPU_FEATURES,
    }

    u32, AddressTaggingFeatureFlags.bits {
        ZX_ARM64_FEATURE_ADDRESS_TAGGING_TBI = ARM64_FEATURE_ADDRESS_TAGGING_TBI,
    }

    u32, VmFeatureFlags.bits {
        ZX_VM_FEATURE_CAN_MAP_XOM = VM_FEATURE_CAN_MAP_XOM,
    }

    u32, ProcessOptions.bits {
        ZX_PROCESS_SHARED = SHARED,
    }

    u32, ProcessInfoFlags.bits {
        ZX_INFO_PROCESS_FLAG_STARTED = STARTED,
        ZX_INFO_PROCESS_FLAG_EXITED = EXITED,
        ZX_INFO_PROCESS_FLAG_DEBUGGER_ATTACHED = DEBUGGER_ATTACHED,
    }

    u32, Property.into_raw {
        ZX_PROP_REGISTER_GS = REGISTER_GS,
        ZX_PROP_NAME = NAME,
        ZX_PROP_REGISTER_FS = REGISTER_FS,
        ZX_PROP_PROCESS_DEBUG_ADDR = PROCESS_DEBUG_ADDR,
        ZX_PROP_PROCESS_VDSO_BASE_ADDRESS = PROCESS_VDSO_BASE_ADDRESS,
        ZX_PROP_PROCESS_BREAK_ON_LOAD = PROCESS_BREAK_ON_LOAD,
        ZX_PROP_VMO_CONTENT_SIZE = VMO_CONTENT_SIZE,
    }

    zx_object_info_topic_t, Topic.into_raw {
        ZX_INFO_HANDLE_VALID = HANDLE_VALID,
        ZX_INFO_HANDLE_BASIC = HANDLE_BASIC,
        ZX_INFO_PROCESS_V1 = PROCESS_V1,
        ZX_INFO_PROCESS = PROCESS,
        ZX_INFO_PROCESS_THREADS = PROCESS_THREADS,
        ZX_INFO_VMAR = VMAR,
        ZX_INFO_JOB_CHILDREN = JOB_CHILDREN,
        ZX_INFO_JOB_PROCESSES = JOB_PROCESSES,
        ZX_INFO_THREAD = THREAD,
        ZX_INFO_THREAD_EXCEPTION_REPORT = THREAD_EXCEPTION_REPORT,
        ZX_INFO_TASK_STATS_V1 = TASK_STATS_V1,
        ZX_INFO_TASK_STATS = TASK_STATS,
        ZX_INFO_PROCESS_MAPS_V1 = PROCESS_MAPS_V1,
        ZX_INFO_PROCESS_MAPS_V2 = PROCESS_MAPS_V2,
        ZX_INFO_PROCESS_MAPS = PROCESS_MAPS,
        ZX_INFO_PROCESS_VMOS_V1 = PROCESS_VMOS_V1,
        ZX_INFO_PROCESS_VMOS_V2 = PROCESS_VMOS_V2,
        ZX_INFO_PROCESS_VMOS_V3 = PROCESS_VMOS_V3,
        ZX_INFO_PROCESS_VMOS = PROCESS_VMOS,
        ZX_INFO_THREAD_STATS = THREAD_STATS,
        ZX_INFO_CPU_STATS = CPU_STATS,
        ZX_INFO_KMEM_STATS_V1 = KMEM_STATS_V1,
        ZX_INFO_KMEM_STATS = KMEM_STATS,
        ZX_INFO_RESOURCE = RESOURCE,
        ZX_INFO_HANDLE_COUNT = HANDLE_COUNT,
        ZX_INFO_PROCESS_HANDLE_STATS = PROCESS_HANDLE_STATS,
        ZX_INFO_VMO_V1 = VMO_V1,
        ZX_INFO_VMO_V2 = VMO_V2,
        ZX_INFO_VMO_V3 = VMO_V3,
        ZX_INFO_VMO = VMO,
        ZX_INFO_HANDLE_TABLE = HANDLE_TABLE,
        ZX_INFO_TASK_RUNTIME = TASK_RUNTIME,
        ZX_INFO_VMAR_MAPS = VMAR_MAPS,
    }
}

/// Declares the numbers of a closed set that has an enum.
macro_rules! mirror_enum {
    ($($plain:ty, $type:path { $($raw_name:ident = $name:ident,)* })*) => {
        $($(
            #[doc = concat!("[`", stringify!($type), "::", stringify!($name), "`] as a number.")]
            pub const $raw_name: $plain = { use $type as Enum; Enum::$name as $plain };
        )*)*
    };
}

mirror_enum! {
    u32, CachePolicy {
        ZX_CACHE_POLICY_CACHED = Cached,
        ZX_CACHE_POLICY_UNCACHED = UnCached,
        ZX_CACHE_POLICY_UNCACHED_DEVICE = UnCachedDevice,
        ZX_CACHE_POLICY_WRITE_COMBINING = WriteCombining,
    }
    zx_rsrc_kind_t, ResourceKind {
        ZX_RSRC_KIND_MMIO = Mmio,
        ZX_RSRC_KIND_IRQ = Irq,
        ZX_RSRC_KIND_IOPORT = IoPort,
        ZX_RSRC_KIND_ROOT = Root,
        ZX_RSRC_KIND_SMC = Smc,
        ZX_RSRC_KIND_SYSTEM = System,
    }
    u64, SystemResource {
        ZX_RSRC_SYSTEM_HYPERVISOR_BASE = Hypervisor,
        ZX_RSRC_SYSTEM_VMEX_BASE = Vmex,
        ZX_RSRC_SYSTEM_DEBUG_BASE = Debug,
        ZX_RSRC_SYSTEM_INFO_BASE = Info,
        ZX_RSRC_SYSTEM_CPU_BASE = Cpu,
        ZX_RSRC_SYSTEM_POWER_BASE = Power,
        ZX_RSRC_SYSTEM_MEXEC_BASE = Mexec,
        ZX_RSRC_SYSTEM_IOMMU_BASE = Iommu,
    }
    i64, TaskRetcode {
        ZX_TASK_RETCODE_SYSCALL_KILL = SyscallKill,
        ZX_TASK_RETCODE_OOM_KILL = OomKill,
        ZX_TASK_RETCODE_POLICY_KILL = PolicyKill,
        ZX_TASK_RETCODE_VDSO_KILL = VdsoKill,
        ZX_TASK_RETCODE_EXCEPTION_KILL = ExceptionKill,
    }
    u32, info::MapKind {
        ZX_INFO_MAPS_TYPE_NONE = None,
        ZX_INFO_MAPS_TYPE_ASPACE = AddressSpace,
        ZX_INFO_MAPS_TYPE_VMAR = Vmar,
        ZX_INFO_MAPS_TYPE_MAPPING = Mapping,
    }
}

/// Where in the option word the exponent of an alignment begins.
pub const ZX_VM_ALIGN_BASE: zx_vm_option_t = 24;

/// Declares `ZX_VM_ALIGN_*` from the exponents of the alignments.
macro_rules! alignments {
    ($($raw_name:ident = $exponent:literal,)*) => {
        $(
            #[doc = concat!("Aligned to 2 to the power of ", stringify!($exponent), " bytes.")]
            pub const $raw_name: zx_vm_option_t = $exponent << ZX_VM_ALIGN_BASE;
        )*
    };
}

alignments! {
    ZX_VM_ALIGN_1KB = 10,
    ZX_VM_ALIGN_2KB = 11,
    ZX_VM_ALIGN_4KB = 12,
    ZX_VM_ALIGN_8KB = 13,
    ZX_VM_ALIGN_16KB = 14,
    ZX_VM_ALIGN_32KB = 15,
    ZX_VM_ALIGN_64KB = 16,
    ZX_VM_ALIGN_128KB = 17,
    ZX_VM_ALIGN_256KB = 18,
    ZX_VM_ALIGN_512KB = 19,
    ZX_VM_ALIGN_1MB = 20,
    ZX_VM_ALIGN_2MB = 21,
    ZX_VM_ALIGN_4MB = 22,
    ZX_VM_ALIGN_8MB = 23,
    ZX_VM_ALIGN_16MB = 24,
    ZX_VM_ALIGN_32MB = 25,
    ZX_VM_ALIGN_64MB = 26,
    ZX_VM_ALIGN_128MB = 27,
    ZX_VM_ALIGN_256MB = 28,
    ZX_VM_ALIGN_512MB = 29,
    ZX_VM_ALIGN_1GB = 30,
    ZX_VM_ALIGN_2GB = 31,
    ZX_VM_ALIGN_4GB = 32,
}
