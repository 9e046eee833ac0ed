//! Processes: their memory, and how far they have come.

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::slice;

use crate::handle::handle_type;
use crate::info::queries;
use crate::{
    AsHandleRef, Job, MapInfo, MonotonicInstant, Name, ProcessOptions, Status, Vmar, VmoInfo,
    object_get_info, object_get_info_single, object_get_info_vec, ok, sys,
};

handle_type! {
    /// A process: an address space, a handle table and threads.
    pub struct Process;
}

queries! {
    /// How far a process has come.
    ProcessState: PROCESS -> sys::zx_info_process_t;
    /// The address space of a process.
    ProcessMaps: PROCESS_MAPS -> MapInfo;
    /// The VMOs of a process.
    ProcessVmos: PROCESS_VMOS -> sys::zx_info_vmo_t;
    /// The memory of a process.
    TaskStats: TASK_STATS -> sys::zx_info_task_stats_t;
}

/// The memory that a process answers for through its mappings, in bytes.
///
/// What several mappings show counts for each of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TaskStatsInfo {
    /// The lengths of all mappings.
    pub mem_mapped_bytes: usize,
    /// What is present and only this process can see, in one VMO.
    pub mem_private_bytes: usize,
    /// What is present and other VMOs or processes see too.
    pub mem_shared_bytes: usize,
    /// The same, each page divided by the VMOs that share it and by the processes that map this VMO.
    pub mem_scaled_shared_bytes: usize,
    /// The fraction left out of `mem_scaled_shared_bytes`; 2^63 stands for one byte.
    pub mem_fractional_scaled_shared_bytes: u64,
}

impl From<sys::zx_info_task_stats_t> for TaskStatsInfo {
    fn from(record: sys::zx_info_task_stats_t) -> Self {
        Self {
            mem_mapped_bytes: record.mem_mapped_bytes,
            mem_private_bytes: record.mem_private_bytes,
            mem_shared_bytes: record.mem_shared_bytes,
            mem_scaled_shared_bytes: record.mem_scaled_shared_bytes,
            mem_fractional_scaled_shared_bytes: record.mem_fractional_scaled_shared_bytes,
        }
    }
}

/// How far a process has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProcessInfo {
    /// What it ended with; 0 before the end.
    pub return_code: i64,
    /// When its first thread was started; 0 before.
    pub start_time: MonotonicInstant,
    /// Bits of [`ProcessInfoFlags`](crate::ProcessInfoFlags).
    pub flags: u32,
}

impl From<sys::zx_info_process_t> for ProcessInfo {
    fn from(record: sys::zx_info_process_t) -> Self {
        Self {
            return_code: record.return_code,
            start_time: MonotonicInstant::from_nanos(record.start_time),
            flags: record.flags,
        }
    }
}

impl Process {
    /// Creates a process without threads in `job`; returns it and its root region.
    ///
    /// # Errors
    /// As [`Job::create_child_process`].
    pub fn create(job: &Job, name: Name, options: ProcessOptions) -> Result<(Self, Vmar), Status> {
        job.create_child_process(options, name.as_bytes())
    }

    /// How far this process has come.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    pub fn info(&self) -> Result<ProcessInfo, Status> {
        object_get_info_single::<ProcessState>(self.as_handle_ref()).map(ProcessInfo::from)
    }

    /// The address space of this process and all that is in it, in pre-order.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    /// - `BAD_STATE`: the process has ended.
    /// - `NO_MEMORY`: no room for the records.
    pub fn info_maps_vec(&self) -> Result<Vec<MapInfo>, Status> {
        object_get_info_vec::<ProcessMaps>(self.as_handle_ref())
    }

    /// As much of the address space as `buffer` holds.
    ///
    /// Returns the records written, the rest of the buffer, and how many records there are in all.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    /// - `BAD_STATE`: the process has ended.
    #[allow(
        clippy::type_complexity,
        reason = "the signature is that of the reference generation"
    )]
    pub fn info_maps<'a>(
        &self,
        buffer: &'a mut [MaybeUninit<MapInfo>],
    ) -> Result<(&'a mut [MapInfo], &'a mut [MaybeUninit<MapInfo>], usize), Status> {
        object_get_info::<ProcessMaps>(self.as_handle_ref(), buffer)
    }

    /// The VMOs of this process: once for each handle, then once for each mapping.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    /// - `BAD_STATE`: the process has ended.
    /// - `NO_MEMORY`: no room for the records.
    pub fn info_vmos_vec(&self) -> Result<Vec<VmoInfo>, Status> {
        let records = object_get_info_vec::<ProcessVmos>(self.as_handle_ref())?;
        let mut vmos = Vec::new();
        vmos.try_reserve_exact(records.len())
            .map_err(|_| Status::NO_MEMORY)?;
        vmos.extend(records.into_iter().map(VmoInfo::from));
        Ok(vmos)
    }

    /// As many of the VMOs as `buffer` holds.
    ///
    /// Returns the records written, the rest of the buffer, and how many records there are in all.
    ///
    /// # Errors
    /// As [`info_vmos_vec`](Self::info_vmos_vec).
    #[allow(
        clippy::type_complexity,
        reason = "the signature is that of the reference generation"
    )]
    pub fn info_vmos<'a>(
        &self,
        buffer: &'a mut [MaybeUninit<VmoInfo>],
    ) -> Result<(&'a mut [VmoInfo], &'a mut [MaybeUninit<VmoInfo>], usize), Status> {
        let mut records = Vec::new();
        records
            .try_reserve_exact(buffer.len())
            .map_err(|_| Status::NO_MEMORY)?;
        let (room, _) = records.spare_capacity_mut().split_at_mut(buffer.len());
        let (written, _, available) = object_get_info::<ProcessVmos>(self.as_handle_ref(), room)?;
        let (filled, rest) = buffer.split_at_mut(written.len());
        for (place, record) in filled.iter_mut().zip(written) {
            place.write(VmoInfo::from(*record));
        }
        // SAFETY:
        // 1. The loop has written every element of `filled`, which is as long as `written`.
        // 2. The pointer and length are those of `filled`, whose borrow ends here.
        let filled = unsafe { slice::from_raw_parts_mut(filled.as_mut_ptr().cast(), filled.len()) };
        Ok((filled, rest, available))
    }

    /// The memory that this process answers for through its mappings.
    ///
    /// # Errors
    /// - `ACCESS_DENIED`: no `INSPECT` right.
    /// - `BAD_STATE`: the process has ended.
    pub fn task_stats(&self) -> Result<TaskStatsInfo, Status> {
        object_get_info_single::<TaskStats>(self.as_handle_ref()).map(TaskStatsInfo::from)
    }

    /// Copies bytes from `vaddr` on into `bytes`, as far as one mapping and its VMO go; returns how many.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: no bytes, or more than 64 MiB.
    /// - `ACCESS_DENIED`: no `READ` and `WRITE` rights.
    /// - `BAD_STATE`: the process has ended, or the memory is not cached.
    /// - `NOT_FOUND`: nothing is mapped at `vaddr`.
    /// - `OUT_OF_RANGE`: the VMO that is mapped there ends before.
    ///
    /// Source: `docs/spec/objects.md` §9.
    pub fn read_memory(&self, vaddr: usize, bytes: &mut [u8]) -> Result<usize, Status> {
        let length = bytes.len();
        // SAFETY: `MaybeUninit<u8>` has the layout of `u8`, and only bytes are written to it.
        let bytes = unsafe { slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), length) };
        let (filled, _) = self.read_memory_uninit(vaddr, bytes)?;
        Ok(filled.len())
    }

    /// As [`read_memory`](Self::read_memory), into bytes without a value; returns those that have one
    /// now, and the rest.
    ///
    /// # Errors
    /// As there.
    #[allow(
        clippy::type_complexity,
        reason = "the signature is that of the reference generation"
    )]
    pub fn read_memory_uninit<'a>(
        &self,
        vaddr: usize,
        bytes: &'a mut [MaybeUninit<u8>],
    ) -> Result<(&'a mut [u8], &'a mut [MaybeUninit<u8>]), Status> {
        let mut actual = 0;
        // SAFETY:
        // 1. `bytes` is borrowed for writing and the length is its own.
        // 2. `actual` is a live local.
        ok(unsafe {
            sys::zx_process_read_memory(
                self.raw_handle(),
                vaddr,
                bytes.as_mut_ptr().cast(),
                bytes.len(),
                &mut actual,
            )
        })?;
        let (filled, rest) = bytes.split_at_mut(actual);
        // SAFETY: the kernel has written these bytes.
        let filled = unsafe { slice::from_raw_parts_mut(filled.as_mut_ptr().cast(), filled.len()) };
        Ok((filled, rest))
    }

    /// Copies `bytes` to `vaddr`, as far as one mapping and its VMO go; returns how many.
    ///
    /// Nobody asks what the mapping allows. In the memory of the calling process this is as dangerous as
    /// any raw pointer.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: no bytes, or more than 64 MiB.
    /// - `ACCESS_DENIED`: no `WRITE` right.
    /// - `BAD_STATE`: the process has ended, or the memory is not cached.
    /// - `NOT_FOUND`: nothing is mapped at `vaddr`.
    /// - `OUT_OF_RANGE`: the VMO that is mapped there ends before.
    /// - `NO_MEMORY`: a page could not be made.
    ///
    /// Source: `docs/spec/objects.md` §9.
    pub fn write_memory(&self, vaddr: usize, bytes: &[u8]) -> Result<usize, Status> {
        let mut actual = 0;
        // SAFETY:
        // 1. `bytes` is borrowed for reading and the length is its own.
        // 2. `actual` is a live local.
        ok(unsafe {
            sys::zx_process_write_memory(
                self.raw_handle(),
                vaddr,
                bytes.as_ptr(),
                bytes.len(),
                &mut actual,
            )
        })?;
        Ok(actual)
    }

    /// Ends the calling process at once; nothing is dropped.
    pub fn exit(return_code: i64) -> ! {
        // SAFETY: nothing of this process runs afterwards, so nothing it relied on can be missed.
        unsafe { sys::zx_process_exit(return_code) }
    }
}
