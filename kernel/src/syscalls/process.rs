//! Calls about processes. Source: `docs/spec/objects.md` §8 and §9.

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::kernel::{UserIn, UserOut};
use syscall::{HandleValue, Name, ProcessOptions, Result, Rights, Status};
use vm::addr::VirtAddr;
use vm::vmo::Vmo;

use super::transfer::{Reason, Stopped, Transfer};
use super::{caller, deliver, user_memory};
use crate::handle::{self, Handle};
use crate::object::{Job, KernelObject, Process};

/// The most bytes that one call copies out of or into a process.
const MOST_BYTES: usize = 64 << 20;

/// A name in the memory of a program.
#[derive(Clone, Copy)]
pub struct UserName {
    /// Where it is.
    pub bytes: UserIn<u8>,
    /// Its length; what does not fit a name is cut off.
    pub size: usize,
}

impl UserName {
    /// Fetches the name.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: there is no address, or nothing to be read there.
    fn read(self) -> Result<Name> {
        if self.bytes.is_null() {
            return Err(Status::INVALID_ARGS);
        }
        let mut bytes = [0; Name::MAX_LEN];
        let kept = &mut bytes[..self.size.min(Name::MAX_LEN)];
        user_memory::read_bytes(self.bytes, kept)?;
        Ok(Name::from_bytes_lossy(kept))
    }
}

/// Where the handles of a new process go.
#[derive(Clone, Copy)]
pub struct NewProcess {
    /// That of the process.
    pub process: UserOut<HandleValue>,
    /// That of its root region.
    pub vmar: UserOut<HandleValue>,
}

/// Creates a process without threads.
///
/// A process of which the caller cannot be told is destroyed again.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §8, in its order.
pub fn create(
    job: HandleValue,
    name: UserName,
    options: ProcessOptions,
    out: NewProcess,
) -> Result<()> {
    if options.has_undefined_bits() {
        return Err(Status::INVALID_ARGS);
    }
    let name = name.read()?;
    let (job, _) = caller().object::<Job>(job, Rights::MANAGE_PROCESS)?;
    let process = Process::new(&job, name)?;
    let root = Handle::new(Arc::clone(process.root()), Rights::VMAR_ROOT_DEFAULT);
    let handle = Handle::new(process, Rights::PROCESS_DEFAULT);
    let value = caller().add_handle(handle)?;
    let told = user_memory::write(out.process, &value).and_then(|()| deliver(root, out.vmar));
    // As in `deliver`, the program itself may have closed it already.
    told.inspect_err(|_| drop(caller().remove_handle(value)))
}

/// Ends a process, or all processes of a job.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §8, in its order.
pub fn kill(task: HandleValue) -> Result<()> {
    let (object, held) = caller().any_object(task)?;
    match object {
        KernelObject::Process(process) => {
            handle::require(held, Rights::DESTROY)?;
            process.kill();
        }
        KernelObject::Job(job) => {
            handle::require(held, Rights::DESTROY)?;
            job.kill();
        }
        KernelObject::Thread(_)
        | KernelObject::Vmar(_)
        | KernelObject::Vmo(_)
        | KernelObject::Resource(_)
        | KernelObject::Iommu(_)
        | KernelObject::Bti(_) => return Err(Status::WRONG_TYPE),
    }
    Ok(())
}

/// The memory of a process that a call wants to copy from or to.
#[derive(Clone, Copy)]
pub struct Target {
    /// The process.
    pub process: HandleValue,
    /// The first address.
    pub address: usize,
    /// The length in bytes.
    pub size: usize,
}

/// Copies bytes out of the memory of a process, as far as one mapping and its VMO go.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §9, in its order.
pub fn read_memory(target: Target, buffer: UserOut<u8>, actual: UserOut<usize>) -> Result<()> {
    let memory = target.locate(buffer.address(), Rights::READ | Rights::WRITE)?;
    tell_count(memory.transfer().read(), &memory, actual)
}

/// Copies bytes into the memory of a process, as far as one mapping and its VMO go.
///
/// # Errors
/// As the table of `docs/spec/objects.md` §9, in its order.
pub fn write_memory(target: Target, buffer: UserIn<u8>, actual: UserOut<usize>) -> Result<()> {
    let memory = target.locate(buffer.address(), Rights::WRITE)?;
    tell_count(memory.transfer().write(), &memory, actual)
}

/// Tells the caller how many bytes were copied, if that is what the call answers.
///
/// # Errors
/// Why the copy ended early; but a VMO that has shrunk meanwhile is an end like any other.
fn tell_count(
    outcome: core::result::Result<(), Stopped>,
    memory: &Memory,
    actual: UserOut<usize>,
) -> Result<()> {
    let count = match outcome {
        Ok(()) => memory.size,
        Err(Stopped {
            done: done @ 1..,
            reason: Reason::Vmo(Status::OUT_OF_RANGE),
        }) => done,
        Err(stopped) => return Err(stopped.reason.status(Status::INVALID_ARGS)),
    };
    user_memory::write(actual, &count)
}

/// Memory of a process, and the caller's buffer for it.
///
/// The VMO stays whatever becomes of the mapping in which it was found.
struct Memory {
    vmo: Arc<Vmo<Tables>>,
    offset: u64,
    buffer: usize,
    size: usize,
}

impl Memory {
    fn transfer(&self) -> Transfer<'_> {
        Transfer {
            vmo: &self.vmo,
            offset: self.offset,
            buffer: self.buffer,
            size: self.size,
        }
    }
}

impl Target {
    /// Finds the memory, as the table of `docs/spec/objects.md` §9 says, in its order.
    fn locate(self, buffer: usize, needed: Rights) -> Result<Memory> {
        if buffer == 0 || self.size == 0 || self.size > MOST_BYTES {
            return Err(Status::INVALID_ARGS);
        }
        let (process, _) = caller().object::<Process>(self.process, needed)?;
        let shown = process.space().locate(VirtAddr::new(self.address))?;
        let behind = shown.vmo.size().saturating_sub(shown.offset);
        let behind = usize::try_from(behind).unwrap_or(usize::MAX);
        if behind == 0 {
            return Err(Status::OUT_OF_RANGE);
        }
        Ok(Memory {
            vmo: shown.vmo,
            offset: shown.offset,
            buffer,
            size: self.size.min(shown.bytes).min(behind),
        })
    }
}
