//! The one table of system calls.

/// Hands every row of the table to the macro `consumer`, which makes of it what it needs.
///
/// A row reads
///
/// ```text
/// /// What the call does.
/// NUMBER name zx_name(argument: KIND Type, …) -> RESULT;
/// ```
///
/// | kind | the register holds |
/// |---|---|
/// | `value T` | the number itself; a type of 32 bits takes the low half |
/// | `input T` | the address of values that the kernel reads |
/// | `output T` | the address of values that the kernel writes |
///
/// | result | the result register holds |
/// |---|---|
/// | `status` | a status |
/// | `value T` | a number |
/// | `nothing` | nothing |
/// | `never` | the call does not return |
///
/// Where a buffer has a size, the next argument is its length in bytes. Numbers are dense from zero, so
/// that a dispatcher is one jump through a table, and a number is never given away twice.
///
/// Source: `docs/spec/abi.md` §11.
///
/// ```
/// macro_rules! count {
///     ($($(#[$doc:meta])* $number:literal $name:ident $stub:ident $arguments:tt
///         -> $result:ident $($type:ident)?;)*) => {
///         [$(stringify!($name)),*].len()
///     };
/// }
/// assert_eq!(syscall::for_each_system_call!(count), syscall::SystemCall::COUNT);
/// ```
#[macro_export]
macro_rules! for_each_system_call {
    ($($consumer:tt)+) => { $($consumer)+! {
        /// Reserves a range of `parent` as a new region.
        0 vmar_allocate zx_vmar_allocate(
            parent: value HandleValue,
            options: value VmOptions,
            offset: value usize,
            size: value usize,
            child_vmar: output HandleValue,
            child_address: output usize,
        ) -> status;
        /// Shows a range of a VMO in a region.
        1 vmar_map zx_vmar_map(
            vmar: value HandleValue,
            options: value VmOptions,
            vmar_offset: value usize,
            vmo: value HandleValue,
            vmo_offset: value u64,
            length: value usize,
            mapped_address: output usize,
        ) -> status;
        /// Removes the mappings and whole regions in a range of addresses.
        2 vmar_unmap zx_vmar_unmap(
            vmar: value HandleValue,
            address: value usize,
            length: value usize,
        ) -> status;
        /// Changes the permissions of the mappings in a range of addresses.
        3 vmar_protect zx_vmar_protect(
            vmar: value HandleValue,
            options: value VmOptions,
            address: value usize,
            length: value usize,
        ) -> status;
        /// Ends a region and all that is in it.
        4 vmar_destroy zx_vmar_destroy(vmar: value HandleValue) -> status;
        /// Creates a VMO of `size` bytes.
        5 vmo_create zx_vmo_create(
            size: value u64,
            options: value VmoOptions,
            vmo: output HandleValue,
        ) -> status;
        /// Copies bytes out of a VMO.
        6 vmo_read zx_vmo_read(
            vmo: value HandleValue,
            buffer: output u8,
            offset: value u64,
            buffer_size: value usize,
        ) -> status;
        /// Copies bytes into a VMO.
        7 vmo_write zx_vmo_write(
            vmo: value HandleValue,
            buffer: input u8,
            offset: value u64,
            buffer_size: value usize,
        ) -> status;
        /// Asks for the size of a VMO in bytes.
        8 vmo_get_size zx_vmo_get_size(vmo: value HandleValue, size: output u64) -> status;
        /// Changes the size of a resizable VMO.
        9 vmo_set_size zx_vmo_set_size(vmo: value HandleValue, size: value u64) -> status;
        /// Closes a handle.
        10 handle_close zx_handle_close(handle: value HandleValue) -> status;
        /// Makes another handle to the same object with the same or fewer rights.
        11 handle_duplicate zx_handle_duplicate(
            handle: value HandleValue,
            rights: value Rights,
            duplicate: output HandleValue,
        ) -> status;
        /// Closes a handle and makes another one to the same object with the same or fewer rights.
        12 handle_replace zx_handle_replace(
            handle: value HandleValue,
            rights: value Rights,
            replacement: output HandleValue,
        ) -> status;
        /// Asks whether a value names a handle of the caller.
        13 handle_check_valid zx_handle_check_valid(handle: value HandleValue) -> status;
        /// Asks for the records of a topic.
        14 object_get_info zx_object_get_info(
            handle: value HandleValue,
            topic: value Topic,
            buffer: output u8,
            buffer_size: value usize,
            actual: output usize,
            available: output usize,
        ) -> status;
        /// Reads a property.
        15 object_get_property zx_object_get_property(
            handle: value HandleValue,
            property: value Property,
            value: output u8,
            value_size: value usize,
        ) -> status;
        /// Changes a property.
        16 object_set_property zx_object_set_property(
            handle: value HandleValue,
            property: value Property,
            value: input u8,
            value_size: value usize,
        ) -> status;
        /// Ends the calling process.
        17 process_exit zx_process_exit(return_code: value i64) -> never;
        /// Writes bytes to the console.
        18 debug_write zx_debug_write(buffer: input u8, buffer_size: value usize) -> status;
        /// Waits for console input and reads what is there; `resource` covers DEBUG.
        ///
        /// No bytes, though there was room, mean that the input has ended.
        19 debug_read zx_debug_read(
            resource: value HandleValue,
            buffer: output u8,
            buffer_size: value usize,
            actual: output usize,
        ) -> status;
        /// Gives a line to the kernel's monitor; `resource` covers DEBUG.
        20 debug_send_command zx_debug_send_command(
            resource: value HandleValue,
            buffer: input u8,
            buffer_size: value usize,
        ) -> status;
        /// The nanoseconds since the machine started.
        21 clock_get_monotonic zx_clock_get_monotonic() -> value i64;
        /// Sleeps until the monotonic clock has reached `deadline`.
        22 nanosleep zx_nanosleep(deadline: value i64) -> status;
        /// The size of a base page in bytes.
        23 system_get_page_size zx_system_get_page_size() -> value u32;
        /// The number of CPUs.
        24 system_get_num_cpus zx_system_get_num_cpus() -> value u32;
        /// The bytes of RAM.
        25 system_get_physmem zx_system_get_physmem() -> value u64;
        /// Copies the NUL-terminated version string, which has at most 64 bytes.
        ///
        /// Differs from Zircon: the newest one returns a pointer into its vDSO. Without a vDSO the
        /// older form that copies into the caller's buffer is the natural one.
        26 system_get_version_string zx_system_get_version_string(
            version: output u8,
            version_size: value usize,
        ) -> status;
        /// Fills a buffer with random bytes; a bad buffer ends the caller.
        27 cprng_draw zx_cprng_draw(buffer: output u8, buffer_size: value usize) -> nothing;
        /// Performs an operation on what is mapped in a range of addresses.
        28 vmar_op_range zx_vmar_op_range(
            vmar: value HandleValue,
            op: value VmarOp,
            address: value usize,
            length: value usize,
            buffer: output u8,
            buffer_size: value usize,
        ) -> status;
        /// Asks for the stream size of a VMO in bytes.
        29 vmo_get_stream_size zx_vmo_get_stream_size(
            vmo: value HandleValue,
            size: output u64,
        ) -> status;
        /// Changes the stream size of a VMO; what is beyond it becomes zero.
        30 vmo_set_stream_size zx_vmo_set_stream_size(
            vmo: value HandleValue,
            size: value u64,
        ) -> status;
        /// Asks what the machine can do.
        31 system_get_features zx_system_get_features(
            kind: value FeatureKind,
            features: output u32,
        ) -> status;
        /// Creates a process without threads in a job, and tells its root region.
        32 process_create zx_process_create(
            job: value HandleValue,
            name: input u8,
            name_size: value usize,
            options: value ProcessOptions,
            process: output HandleValue,
            vmar: output HandleValue,
        ) -> status;
        /// Copies bytes out of the memory of a process, as far as one mapping goes.
        33 process_read_memory zx_process_read_memory(
            process: value HandleValue,
            address: value usize,
            buffer: output u8,
            buffer_size: value usize,
            actual: output usize,
        ) -> status;
        /// Copies bytes into the memory of a process, as far as one mapping goes.
        34 process_write_memory zx_process_write_memory(
            process: value HandleValue,
            address: value usize,
            buffer: input u8,
            buffer_size: value usize,
            actual: output usize,
        ) -> status;
        /// Ends a process, or all processes of a job.
        35 task_kill zx_task_kill(task: value HandleValue) -> status;
        /// Closes a handle to a VMO and makes another one that may execute as well.
        36 vmo_replace_as_executable zx_vmo_replace_as_executable(
            vmo: value HandleValue,
            vmex: value HandleValue,
            replacement: output HandleValue,
        ) -> status;
        /// Clears, then sets signals of an object that belong to programs.
        37 object_signal zx_object_signal(
            handle: value HandleValue,
            clear: value Signals,
            set: value Signals,
        ) -> status;
        /// Waits until the object has one of `signals`, and tells all that it has then.
        38 object_wait_one zx_object_wait_one(
            handle: value HandleValue,
            signals: value Signals,
            deadline: value i64,
            observed: output Signals,
        ) -> status;
        /// Performs an operation on a range of a VMO.
        39 vmo_op_range zx_vmo_op_range(
            vmo: value HandleValue,
            op: value VmoOp,
            offset: value u64,
            size: value u64,
            buffer: output u8,
            buffer_size: value usize,
        ) -> status;
        /// Makes a VMO from a range of another one.
        40 vmo_create_child zx_vmo_create_child(
            vmo: value HandleValue,
            options: value VmoChildOptions,
            offset: value u64,
            size: value u64,
            child: output HandleValue,
        ) -> status;
        /// Changes how the memory of a VMO is cached.
        41 vmo_set_cache_policy zx_vmo_set_cache_policy(
            vmo: value HandleValue,
            policy: value u32,
        ) -> status;
        /// Creates a VMO whose pages lie side by side in physical memory; `bti` names who uses them.
        42 vmo_create_contiguous zx_vmo_create_contiguous(
            bti: value HandleValue,
            size: value usize,
            alignment_log2: value u32,
            vmo: output HandleValue,
        ) -> status;
        /// Creates a VMO that shows physical addresses; `resource` covers them.
        43 vmo_create_physical zx_vmo_create_physical(
            resource: value HandleValue,
            physical_address: value usize,
            size: value usize,
            vmo: output HandleValue,
        ) -> status;
        /// Moves contents from a VMO to another one.
        44 vmo_transfer_data zx_vmo_transfer_data(
            destination: value HandleValue,
            options: value TransferDataOptions,
            offset: value u64,
            length: value u64,
            source: value HandleValue,
            source_offset: value u64,
        ) -> status;
        /// Makes a resource for a part of what another one covers.
        45 resource_create zx_resource_create(
            parent: value HandleValue,
            options: value ResourceOptions,
            base: value u64,
            size: value usize,
            name: input u8,
            name_size: value usize,
            resource: output HandleValue,
        ) -> status;
        /// Makes the object that stands for an IOMMU; `resource` covers IOMMU.
        46 iommu_create zx_iommu_create(
            resource: value HandleValue,
            iommu_type: value IommuType,
            description: input u8,
            description_size: value usize,
            iommu: output HandleValue,
        ) -> status;
        /// Makes the object that stands for a device behind an IOMMU.
        47 bti_create zx_bti_create(
            iommu: value HandleValue,
            options: value u32,
            bti_id: value u64,
            bti: output HandleValue,
        ) -> status;
    } };
}
