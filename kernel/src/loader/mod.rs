//! From a file in the initrd to a running process.
//!
//! [`start`] reads the ELF file ([`elf::Program`]), makes a process, maps the segments with their own
//! permissions into a region for the image, makes a stack with a guard below it, leaves a
//! [`StartupInfo`] there, and starts the first thread:
//!
//! ```text
//!   root ─┬─ region "useralloc"  image   segment, segment, …     each a VMO of its own
//!         └─ region "useralloc"  stack   guard page │ stack pages ▲ arguments, StartupInfo
//! ```

mod elf;
mod initrd;
mod stack;

#[cfg(test)]
mod tests;

use alloc::sync::Arc;
use core::fmt;

use arch::paging::{self, Tables};
use arch::user_memory::UserEntry;
use syscall::startup::StartupInfo;
use syscall::{Name, ResourceKind, Result, Rights, Status, SystemResource, VmOptions, VmoOptions};
use vm::addr::VirtAddr;
use vm::cpu::CpuId;
use vm::mmu::Access;
use vm::vmar::{MapRequest, Vmar};

use crate::handle::Handle;
use crate::memory::try_arc;
use crate::object::{Job, Process, Resource, Start, Thread, VmoObject};
use crate::reclaim::retrying;
use crate::records::permissions;
use crate::sched;

use self::elf::{ElfError, Program, Segment};
use self::stack::Stack;

pub use self::initrd::{paths, set_archive};

/// Why a program was not started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartError {
    /// There is no such file.
    NoFile,
    /// There is no file at all.
    NoArchive,
    /// The file is no program that can run here.
    BadFile(ElfError),
    /// The arguments are too long for the stack.
    ArgumentsTooLong,
    /// The kernel could not give it what it needs.
    Refused(Status),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => formatter.write_str("no such file in the initrd"),
            Self::NoArchive => formatter.write_str(
                "there is no initrd with files; it has to be a cpio archive in the newc format",
            ),
            Self::BadFile(error) => error.fmt(formatter),
            Self::ArgumentsTooLong => formatter.write_str("the arguments are too long"),
            Self::Refused(status) => write!(formatter, "the kernel refused it: {status:?}"),
        }
    }
}

impl From<Status> for StartError {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl From<ElfError> for StartError {
    fn from(error: ElfError) -> Self {
        Self::BadFile(error)
    }
}

impl From<StartError> for Status {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoFile | StartError::NoArchive => Self::NOT_FOUND,
            StartError::BadFile(error) => error.into(),
            StartError::ArgumentsTooLong => Self::OUT_OF_RANGE,
            StartError::Refused(status) => status,
        }
    }
}

/// Starts the program at `path` of the initrd with `arguments`.
///
/// # Errors
/// [`StartError`] says what stands in the way; nothing of the process is left then.
pub fn start(path: &str, arguments: &str) -> Result<Arc<Process>, StartError> {
    let file = initrd::find(path).ok_or_else(|| match paths().next() {
        Some(_) => StartError::NoFile,
        None => StartError::NoArchive,
    })?;
    // Only what the kernel refuses may be had at another attempt.
    retrying(|| match start_file(path, file, arguments) {
        Err(StartError::Refused(status)) => Err(status),
        outcome => Ok(outcome),
    })?
}

/// Starts the program in `file`, which is called `path`.
///
/// # Errors
/// [`StartError`] says what is wrong with the file, or that there is no memory for the process.
pub fn start_file(path: &str, file: &[u8], arguments: &str) -> Result<Arc<Process>, StartError> {
    let program = Program::parse(file, arch::cpu::ELF_MACHINE, paging::USER)?;
    let process = Process::new(Job::root(), Name::new_lossy(base_name(path)))?;
    let started = populate(&process, &program, arguments);
    if started.is_err() {
        process.give_up();
    }
    started.map(|()| process)
}

/// Fills a new process and starts its first thread.
fn populate(
    process: &Arc<Process>,
    program: &Program<'_>,
    arguments: &str,
) -> Result<(), StartError> {
    let root = process.root().vmar();
    load(root, program)?;
    let mut stack = Stack::new(root)?;
    let (text, text_bytes) = stack.push(arguments.as_bytes(), 1)?;
    // The thread needs the address of the record and the record the handle of the thread, so the
    // place is found first and filled last.
    let record = stack.reserve(size_of::<StartupInfo>(), syscall::startup::STACK_ALIGNMENT)?;
    let entry = UserEntry {
        program_counter: program.entry,
        stack_pointer: record,
        arg1: 0,
        arg2: record.raw(),
    };
    let name = Name::new_lossy("main");
    let home = CpuId::BOOT;
    let thread = Thread::new(name, Some(Arc::clone(process)), home, Start::User(entry))?;
    let info = StartupInfo {
        arguments: text.raw(),
        arguments_size: text_bytes,
        image_base: program.range.base().raw(),
        image_size: program.range.bytes(),
        ..startup_handles(process, &thread)?
    };
    stack.write(record, zerocopy::IntoBytes::as_bytes(&info))?;
    process.add_thread(Arc::clone(&thread))?;
    sched::start_thread(&thread);
    Ok(())
}

/// Gives the process the handles that every program begins with.
fn startup_handles(process: &Arc<Process>, thread: &Arc<Thread>) -> Result<StartupInfo> {
    let services = |first, last| {
        let range = first as u64..last as u64 + 1;
        let name = Name::new_lossy("system");
        try_arc(Resource::new(ResourceKind::System, range, name))
    };
    let system = services(SystemResource::Debug, SystemResource::Info)?;
    let iommu = services(SystemResource::Iommu, SystemResource::Iommu)?;
    let devices = try_arc(Resource::all_devices())?;
    let give = |handle| process.add_handle(handle);
    let give_resource =
        |resource: Arc<Resource>| give(Handle::new(resource, Rights::RESOURCE_DEFAULT));
    Ok(StartupInfo {
        version: StartupInfo::VERSION,
        size: size_of::<StartupInfo>() as u32,
        process_self: give(Handle::new(Arc::clone(process), Rights::PROCESS_DEFAULT))?,
        thread_self: give(Handle::new(Arc::clone(thread), Rights::THREAD_DEFAULT))?,
        vmar_root: give(Handle::new(
            Arc::clone(process.root()),
            Rights::VMAR_ROOT_DEFAULT,
        ))?,
        system_resource: give_resource(system)?,
        job_default: give(Handle::new(Arc::clone(Job::root()), Rights::JOB_DEFAULT))?,
        mmio_resource: give_resource(devices)?,
        iommu_resource: give_resource(iommu)?,
        ..StartupInfo::default()
    })
}

/// Maps the segments of a program into a region of their own.
fn load(root: &Arc<Vmar<Tables>>, program: &Program<'_>) -> Result<()> {
    let options =
        VmOptions::SPECIFIC | VmOptions::CAN_MAP_SPECIFIC | VmOptions::CAN_MAP_PERMISSIONS;
    let offset = offset_in(root, program.range.base())?;
    let image = root.allocate(options, offset, program.range.bytes())?;
    program
        .segments
        .iter()
        .try_for_each(|segment| load_segment(&image, segment))
}

/// Maps one segment, from a VMO that nobody else can write to.
fn load_segment(image: &Arc<Vmar<Tables>>, segment: &Segment<'_>) -> Result<()> {
    let bytes = segment.range.bytes();
    let vmo = VmoObject::create(bytes as u64, VmoOptions::empty())?;
    vmo.set_name(Name::new_lossy(segment_name(segment.access)));
    vmo.vmo().write(segment.offset as u64, segment.data)?;
    image.map(MapRequest {
        options: VmOptions::SPECIFIC | permissions(segment.access),
        offset: offset_in(image, segment.range.base())?,
        vmo: Arc::clone(vmo.vmo()),
        vmo_offset: 0,
        length: bytes,
        permitted: segment.access,
    })?;
    Ok(())
}

fn segment_name(access: Access) -> &'static str {
    if access.contains(Access::EXECUTE) {
        "text"
    } else if access.contains(Access::WRITE) {
        "data"
    } else {
        "rodata"
    }
}

/// The distance of `address` from the beginning of a region.
fn offset_in(vmar: &Vmar<Tables>, address: VirtAddr) -> Result<usize> {
    address
        .checked_sub(vmar.range().base())
        .ok_or(Status::OUT_OF_RANGE)
}

/// The last component of a path.
fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
