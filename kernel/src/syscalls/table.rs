//! One method per system call: which function it is, and which arguments belong together.

use syscall::kernel::{SystemCalls, UserIn, UserOut};
use syscall::{
    FeatureKind, HandleValue, IommuType, ProcessOptions, Property, ResourceOptions, Result, Rights,
    Signals, Topic, TransferDataOptions, VmOptions, VmarOp, VmoChildOptions, VmoOp, VmoOptions,
};

use super::{
    Calls, caller, debug, device, handle, info, object, process, signal, system, vmar, vmo,
};

impl SystemCalls for Calls {
    fn vmar_allocate(
        &self,
        parent: HandleValue,
        options: VmOptions,
        offset: usize,
        size: usize,
        child_vmar: UserOut<HandleValue>,
        child_address: UserOut<usize>,
    ) -> Result<()> {
        let request = vmar::Allocation {
            options,
            offset,
            size,
        };
        vmar::allocate(parent, request, child_vmar, child_address)
    }

    fn vmar_map(
        &self,
        vmar: HandleValue,
        options: VmOptions,
        vmar_offset: usize,
        vmo: HandleValue,
        vmo_offset: u64,
        length: usize,
        mapped_address: UserOut<usize>,
    ) -> Result<()> {
        let request = vmar::Placement {
            options,
            vmar_offset,
            vmo_offset,
            length,
        };
        vmar::map(vmar, vmo, request, mapped_address)
    }

    fn vmar_unmap(&self, vmar: HandleValue, address: usize, length: usize) -> Result<()> {
        vmar::unmap(vmar, address, length)
    }

    fn vmar_protect(
        &self,
        vmar: HandleValue,
        options: VmOptions,
        address: usize,
        length: usize,
    ) -> Result<()> {
        vmar::protect(vmar, options, address, length)
    }

    fn vmar_destroy(&self, vmar: HandleValue) -> Result<()> {
        vmar::destroy(vmar)
    }

    fn vmar_op_range(
        &self,
        vmar: HandleValue,
        op: VmarOp,
        address: usize,
        length: usize,
        buffer: UserOut<u8>,
        buffer_size: usize,
    ) -> Result<()> {
        let range = vmar::Range { address, length };
        vmar::op_range(vmar, op, range, (buffer, buffer_size))
    }

    fn vmo_create(&self, size: u64, options: VmoOptions, vmo: UserOut<HandleValue>) -> Result<()> {
        vmo::create(size, options, vmo)
    }

    fn vmo_read(
        &self,
        vmo: HandleValue,
        buffer: UserOut<u8>,
        offset: u64,
        buffer_size: usize,
    ) -> Result<()> {
        vmo::read(vmo, buffer, offset, buffer_size)
    }

    fn vmo_write(
        &self,
        vmo: HandleValue,
        buffer: UserIn<u8>,
        offset: u64,
        buffer_size: usize,
    ) -> Result<()> {
        vmo::write(vmo, buffer, offset, buffer_size)
    }

    fn vmo_get_size(&self, vmo: HandleValue, size: UserOut<u64>) -> Result<()> {
        vmo::get_size(vmo, size)
    }

    fn vmo_set_size(&self, vmo: HandleValue, size: u64) -> Result<()> {
        vmo::set_size(vmo, size)
    }

    fn vmo_get_stream_size(&self, vmo: HandleValue, size: UserOut<u64>) -> Result<()> {
        vmo::get_stream_size(vmo, size)
    }

    fn vmo_set_stream_size(&self, vmo: HandleValue, size: u64) -> Result<()> {
        vmo::set_stream_size(vmo, size)
    }

    fn handle_close(&self, handle: HandleValue) -> Result<()> {
        handle::close(handle)
    }

    fn handle_duplicate(
        &self,
        handle: HandleValue,
        rights: Rights,
        duplicate: UserOut<HandleValue>,
    ) -> Result<()> {
        handle::duplicate(handle, rights, duplicate)
    }

    fn vmo_replace_as_executable(
        &self,
        vmo: HandleValue,
        vmex: HandleValue,
        replacement: UserOut<HandleValue>,
    ) -> Result<()> {
        vmo::replace_as_executable(vmo, vmex, replacement)
    }

    fn handle_replace(
        &self,
        handle: HandleValue,
        rights: Rights,
        replacement: UserOut<HandleValue>,
    ) -> Result<()> {
        handle::replace(handle, rights, replacement)
    }

    fn handle_check_valid(&self, handle: HandleValue) -> Result<()> {
        caller().any_object(handle).map(drop)
    }

    fn object_get_info(
        &self,
        handle: HandleValue,
        topic: Topic,
        buffer: UserOut<u8>,
        buffer_size: usize,
        actual: UserOut<usize>,
        available: UserOut<usize>,
    ) -> Result<()> {
        let answer = info::Answer {
            buffer,
            buffer_size,
            actual,
            available,
        };
        info::get(handle, topic, &answer)
    }

    fn object_get_property(
        &self,
        handle: HandleValue,
        property: Property,
        value: UserOut<u8>,
        value_size: usize,
    ) -> Result<()> {
        object::get_property(handle, property, value, value_size)
    }

    fn object_set_property(
        &self,
        handle: HandleValue,
        property: Property,
        value: UserIn<u8>,
        value_size: usize,
    ) -> Result<()> {
        object::set_property(handle, property, value, value_size)
    }

    fn process_exit(&self, return_code: i64) {
        // The thread ends at its next safe point, on the way out of this call.
        caller().begin_exit(return_code);
    }

    fn process_create(
        &self,
        job: HandleValue,
        name: UserIn<u8>,
        name_size: usize,
        options: ProcessOptions,
        process: UserOut<HandleValue>,
        vmar: UserOut<HandleValue>,
    ) -> Result<()> {
        let name = process::UserName {
            bytes: name,
            size: name_size,
        };
        let out = process::NewProcess { process, vmar };
        process::create(job, name, options, out)
    }

    fn process_read_memory(
        &self,
        process: HandleValue,
        address: usize,
        buffer: UserOut<u8>,
        buffer_size: usize,
        actual: UserOut<usize>,
    ) -> Result<()> {
        let target = process::Target {
            process,
            address,
            size: buffer_size,
        };
        process::read_memory(target, buffer, actual)
    }

    fn process_write_memory(
        &self,
        process: HandleValue,
        address: usize,
        buffer: UserIn<u8>,
        buffer_size: usize,
        actual: UserOut<usize>,
    ) -> Result<()> {
        let target = process::Target {
            process,
            address,
            size: buffer_size,
        };
        process::write_memory(target, buffer, actual)
    }

    fn task_kill(&self, task: HandleValue) -> Result<()> {
        process::kill(task)
    }

    fn debug_write(&self, buffer: UserIn<u8>, buffer_size: usize) -> Result<()> {
        debug::write_console(buffer, buffer_size)
    }

    fn debug_read(
        &self,
        resource: HandleValue,
        buffer: UserOut<u8>,
        buffer_size: usize,
        actual: UserOut<usize>,
    ) -> Result<()> {
        debug::read(resource, buffer, buffer_size, actual)
    }

    fn debug_send_command(
        &self,
        resource: HandleValue,
        buffer: UserIn<u8>,
        buffer_size: usize,
    ) -> Result<()> {
        debug::send_command(resource, buffer, buffer_size)
    }

    fn clock_get_monotonic(&self) -> i64 {
        system::clock_get_monotonic()
    }

    fn nanosleep(&self, deadline: i64) -> Result<()> {
        system::nanosleep(deadline)
    }

    fn system_get_page_size(&self) -> u32 {
        syscall::PAGE_SIZE as u32
    }

    fn system_get_num_cpus(&self) -> u32 {
        system::num_cpus()
    }

    fn system_get_physmem(&self) -> u64 {
        system::physmem()
    }

    fn system_get_version_string(&self, version: UserOut<u8>, version_size: usize) -> Result<()> {
        system::get_version_string(version, version_size)
    }

    fn system_get_features(&self, kind: FeatureKind, features: UserOut<u32>) -> Result<()> {
        system::get_features(kind, features)
    }

    fn cprng_draw(&self, buffer: UserOut<u8>, buffer_size: usize) {
        system::cprng_draw(buffer, buffer_size);
    }

    fn object_signal(&self, handle: HandleValue, clear: Signals, set: Signals) -> Result<()> {
        signal::signal(handle, clear, set)
    }

    fn object_wait_one(
        &self,
        handle: HandleValue,
        signals: Signals,
        deadline: i64,
        observed: UserOut<Signals>,
    ) -> Result<()> {
        signal::wait_one(handle, signals, deadline, observed)
    }

    fn vmo_op_range(
        &self,
        vmo: HandleValue,
        op: VmoOp,
        offset: u64,
        size: u64,
        buffer: UserOut<u8>,
        buffer_size: usize,
    ) -> Result<()> {
        let bytes = vmo::Bytes { offset, size };
        vmo::op_range(vmo, op, bytes, (buffer, buffer_size))
    }

    fn vmo_create_child(
        &self,
        vmo: HandleValue,
        options: VmoChildOptions,
        offset: u64,
        size: u64,
        child: UserOut<HandleValue>,
    ) -> Result<()> {
        vmo::create_child(vmo, options, vmo::Bytes { offset, size }, child)
    }

    fn vmo_set_cache_policy(&self, vmo: HandleValue, policy: u32) -> Result<()> {
        vmo::set_cache_policy(vmo, policy)
    }

    fn vmo_create_contiguous(
        &self,
        bti: HandleValue,
        size: usize,
        alignment_log2: u32,
        vmo: UserOut<HandleValue>,
    ) -> Result<()> {
        vmo::create_contiguous(bti, size, alignment_log2, vmo)
    }

    fn vmo_create_physical(
        &self,
        resource: HandleValue,
        physical_address: usize,
        size: usize,
        vmo: UserOut<HandleValue>,
    ) -> Result<()> {
        vmo::create_physical(resource, physical_address, size, vmo)
    }

    fn vmo_transfer_data(
        &self,
        destination: HandleValue,
        options: TransferDataOptions,
        offset: u64,
        length: u64,
        source: HandleValue,
        source_offset: u64,
    ) -> Result<()> {
        let place = |vmo, offset| vmo::Place { vmo, offset };
        let to = place(destination, offset);
        vmo::transfer_data(to, options, length, place(source, source_offset))
    }

    fn resource_create(
        &self,
        parent: HandleValue,
        options: ResourceOptions,
        base: u64,
        size: usize,
        name: UserIn<u8>,
        name_size: usize,
        resource: UserOut<HandleValue>,
    ) -> Result<()> {
        let wanted = device::Wanted {
            options,
            base,
            size,
            name,
            name_size,
        };
        device::create_resource(parent, &wanted, resource)
    }

    fn iommu_create(
        &self,
        resource: HandleValue,
        iommu_type: IommuType,
        description: UserIn<u8>,
        description_size: usize,
        iommu: UserOut<HandleValue>,
    ) -> Result<()> {
        device::create_iommu(resource, iommu_type, (description, description_size), iommu)
    }

    fn bti_create(
        &self,
        iommu: HandleValue,
        options: u32,
        _bti_id: u64,
        bti: UserOut<HandleValue>,
    ) -> Result<()> {
        device::create_bti(iommu, options, bti)
    }
}
