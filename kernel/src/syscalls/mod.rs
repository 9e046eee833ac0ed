//! What each system call does, once its arguments are decoded.
//!
//! [`Calls`] implements the trait that comes from the table of calls; its methods live in one module
//! per family. They all follow the same order: handles, then arguments, then the work in `vm` or in
//! the objects, then results out. What a call cannot deliver it takes back.
//!
//! Whatever a program passes is a claim; [`user_memory`] is the only way to the bytes behind it.

mod debug;
mod handle;
mod info;
mod object;
mod process;
mod signal;
mod system;
mod transfer;
mod user_memory;
mod vmar;
mod vmo;

#[cfg(test)]
mod tests;

use syscall::kernel::{MAX_ARGUMENTS, SystemCalls, UserIn, UserOut, dispatch};
use syscall::{
    FeatureKind, HandleValue, ProcessOptions, Property, Result, Rights, Signals, Topic, VmOptions,
    VmarOp, VmoOptions,
};

use crate::handle::Handle;
use crate::sched::{self, CurrentProcess};

/// Makes system call `number` for the current thread; called by trap code.
pub fn system_call(number: usize, arguments: &[usize; MAX_ARGUMENTS]) -> usize {
    let result = dispatch(&Calls, number, arguments);
    sched::before_user();
    result
}

/// The system calls of the thread that runs.
pub struct Calls;

/// The process of the thread that runs.
///
/// # Panics
/// If that is a thread of the kernel's own: those make no system calls.
#[inline]
fn caller() -> CurrentProcess {
    sched::current_process().expect("only threads of processes make system calls")
}

/// Gives the caller a handle and tells it the value; takes the handle back if it cannot be told.
fn deliver(handle: Handle, out: UserOut<HandleValue>) -> Result<()> {
    let process = caller();
    let value = process.add_handle(handle)?;
    // Another thread of the program may have guessed the value and closed the handle meanwhile.
    user_memory::write(out, &value).inspect_err(|_| drop(process.remove_handle(value)))
}

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
}
