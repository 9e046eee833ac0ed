//! Processes of the tests' own, and the calls on processes with arguments of any value.

use core::ops::Deref;
use core::ptr;

use zx::{
    AsHandleRef, Handle, Name, Process, ProcessOptions, Status, Vmar, VmarFlags, Vmo, ok, sys,
};

use crate::fixtures::{P, READ_WRITE};

/// A process without threads, which ends with this value.
pub struct Child {
    process: Process,
    /// Its root region.
    pub root: Vmar,
    /// The first address of that.
    pub base: usize,
}

impl Child {
    /// A process with nothing in it.
    pub fn new() -> Result<Self, Status> {
        let (process, root) = Process::create(
            &rt::job_default(),
            Name::new_lossy("child"),
            ProcessOptions::empty(),
        )?;
        let base = root.info()?.base;
        Ok(Self {
            process,
            root,
            base,
        })
    }

    /// A process that has been killed.
    pub fn killed() -> Result<Self, Status> {
        let child = Self::new()?;
        zx::Task::kill(&child.process)?;
        Ok(child)
    }

    /// The address of a page, counted from the beginning of the root region.
    pub fn at(&self, page: usize) -> usize {
        self.base + page * P
    }

    /// Maps the beginning of `vmo` readable and writable at page `page`.
    pub fn map_at(&self, page: usize, vmo: &Vmo, pages: usize) -> Result<usize, Status> {
        let flags = READ_WRITE | VmarFlags::SPECIFIC;
        self.root.map(page * P, vmo, 0, pages * P, flags)
    }
}

impl Deref for Child {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// Arguments of `zx_process_create`.
#[derive(Clone, Copy)]
pub struct CreateCall {
    pub job: sys::zx_handle_t,
    pub name: *const u8,
    pub name_size: usize,
    pub options: u32,
}

impl CreateCall {
    /// A process with a name.
    pub fn new() -> Self {
        const NAME: &[u8] = b"created";
        Self {
            job: rt::job_default().raw_handle(),
            name: NAME.as_ptr(),
            name_size: NAME.len(),
            options: 0,
        }
    }

    /// Makes the call.
    pub fn make(self) -> Result<(Process, Vmar), Status> {
        let (mut process, mut vmar) = (sys::ZX_HANDLE_INVALID, sys::ZX_HANDLE_INVALID);
        self.make_into(&mut process, &mut vmar)?;
        // SAFETY: the kernel made the handles for this call, so nothing else owns them.
        let handles = unsafe { (Handle::from_raw(process), Handle::from_raw(vmar)) };
        Ok((Process::from(handles.0), Vmar::from(handles.1)))
    }

    /// Makes the call with any addresses for the results.
    pub fn make_into(self, process: *mut u32, vmar: *mut u32) -> Result<(), Status> {
        let Self {
            job,
            name,
            name_size,
            options,
        } = self;
        // SAFETY: wild addresses are refused, which is what is tested.
        ok(unsafe { sys::zx_process_create(job, name, name_size, options, process, vmar) })
    }
}

/// Whether memory is read or written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    Read,
    Write,
}

/// Both of them.
pub const BOTH: [Direction; 2] = [Direction::Read, Direction::Write];

/// Arguments of `zx_process_read_memory` and `zx_process_write_memory`.
#[derive(Clone, Copy)]
pub struct MemoryCall {
    pub direction: Direction,
    pub process: sys::zx_handle_t,
    pub address: usize,
    pub buffer: *mut u8,
    pub size: usize,
}

impl MemoryCall {
    /// All of `buffer`, from or to `address` of `process`.
    pub fn new(direction: Direction, process: &Process, address: usize, buffer: &mut [u8]) -> Self {
        Self {
            direction,
            process: process.raw_handle(),
            address,
            buffer: buffer.as_mut_ptr(),
            size: buffer.len(),
        }
    }

    /// Makes the call; returns how many bytes were copied.
    pub fn make(self) -> Result<usize, Status> {
        let mut actual = usize::MAX;
        self.make_into(&mut actual)?;
        Ok(actual)
    }

    /// Makes the call with any address for the number of bytes.
    pub fn make_into(self, actual: *mut usize) -> Result<(), Status> {
        let Self {
            direction,
            process,
            address,
            buffer,
            size,
        } = self;
        // SAFETY: the tests give their own buffers or addresses that the kernel refuses, and write only
        // to memory that nothing else uses.
        ok(unsafe {
            match direction {
                Direction::Read => {
                    sys::zx_process_read_memory(process, address, buffer, size, actual)
                }
                Direction::Write => {
                    sys::zx_process_write_memory(process, address, buffer, size, actual)
                }
            }
        })
    }
}

/// An address that nobody can read or write.
pub const fn wild(address: usize) -> *mut u8 {
    ptr::without_provenance_mut(address)
}
