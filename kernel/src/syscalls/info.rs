//! What objects tell about themselves. Source: `docs/spec/abi.md` §9, `docs/spec/objects.md` §2,
//! `docs/spec/vmar.md` §12 and §13, `docs/spec/vmo.md` §15.
//!
//! The order of checks is the same for every topic: the handle, then the buffer.

use alloc::sync::Arc;

use syscall::kernel::UserOut;
use syscall::{HandleValue, Koid, Result, Rights, Status, SystemResource, Topic, info};
use vm::addr::PAGE_SIZE;
use zerocopy::IntoBytes;

use super::caller;
use super::user_memory::{write_bytes, write_if_wanted};
use crate::handle::require;
use crate::memory;
use crate::object::{Job, KernelObject, Object, Process, Resource, VmarObject, VmoObject};
use crate::records::{self, LastVmo, Via};

/// Where the answer goes.
pub struct Answer {
    /// The records.
    pub buffer: UserOut<u8>,
    /// The length of the buffer in bytes.
    pub buffer_size: usize,
    /// How many records were written, if the program wants to know.
    pub actual: UserOut<usize>,
    /// How many records there are, if the program wants to know.
    pub available: UserOut<usize>,
}

/// Answers `topic` about the object that `value` names.
///
/// # Errors
/// As the tables of `docs/spec/` about the topic; `NOT_SUPPORTED` for one that is not known.
pub fn get(value: HandleValue, topic: Topic, answer: &Answer) -> Result<()> {
    match topic {
        Topic::HANDLE_VALID => caller().any_object(value).map(drop),
        Topic::HANDLE_BASIC => {
            let (object, rights) = caller().any_object(value)?;
            answer.one(handle_basic(&object, rights).as_bytes())
        }
        Topic::HANDLE_COUNT => {
            let (object, rights) = caller().any_object(value)?;
            require(rights, Rights::INSPECT)?;
            let handle_count = object.header().handle_count();
            answer.one(info::HandleCount { handle_count }.as_bytes())
        }
        Topic::PROCESS => {
            let process = object::<Process>(value, Rights::INSPECT)?;
            answer.one(process.info().as_bytes())
        }
        Topic::PROCESS_V1 => {
            let process = object::<Process>(value, Rights::INSPECT)?;
            answer.one(info::ProcessV1::from(process.info()).as_bytes())
        }
        Topic::PROCESS_MAPS | Topic::PROCESS_MAPS_V2 | Topic::PROCESS_MAPS_V1 => {
            let process = object::<Process>(value, Rights::INSPECT)?;
            answer.maps(topic, |visit| {
                records::for_each_in_space(process.space(), visit)
            })
        }
        Topic::PROCESS_VMOS
        | Topic::PROCESS_VMOS_V3
        | Topic::PROCESS_VMOS_V2
        | Topic::PROCESS_VMOS_V1 => {
            let process = object::<Process>(value, Rights::INSPECT)?;
            answer.vmos(topic, &process)
        }
        Topic::TASK_STATS => {
            let process = object::<Process>(value, Rights::INSPECT)?;
            answer.one(records::task_stats(&process)?.as_bytes())
        }
        Topic::TASK_STATS_V1 => {
            let process = object::<Process>(value, Rights::INSPECT)?;
            answer.one(info::TaskStatsV1::from(records::task_stats(&process)?).as_bytes())
        }
        Topic::JOB_PROCESSES => {
            let job = object::<Job>(value, Rights::ENUMERATE)?;
            answer.koids(|visit| job.for_each_process(|process| visit(process.header().koid())))
        }
        Topic::VMAR => {
            let vmar = object::<VmarObject>(value, Rights::INSPECT)?;
            let range = vmar.vmar().range();
            let record = info::Vmar {
                base: range.base().raw(),
                len: range.bytes(),
            };
            answer.one(record.as_bytes())
        }
        Topic::VMAR_MAPS => {
            let vmar = object::<VmarObject>(value, Rights::INSPECT)?;
            answer.maps(topic, |visit| records::for_each(vmar.vmar(), visit))
        }
        Topic::VMO | Topic::VMO_V1 | Topic::VMO_V2 | Topic::VMO_V3 => {
            let (vmo, rights) = caller().object::<VmoObject>(value, Rights::NONE)?;
            let record = Via::Handle(rights).record(&records::vmo_itself(vmo.vmo())?);
            answer.one(record.as_answer_to(topic))
        }
        Topic::RESOURCE => {
            let resource = object::<Resource>(value, Rights::INSPECT)?;
            answer.one(resource.info().as_bytes())
        }
        Topic::KMEM_STATS => answer.one(kmem_stats(value)?.as_bytes()),
        Topic::KMEM_STATS_V1 => answer.one(info::KmemStatsV1::from(kmem_stats(value)?).as_bytes()),
        _ => Err(Status::NOT_SUPPORTED),
    }
}

fn object<T: Object>(value: HandleValue, needed: Rights) -> Result<Arc<T>> {
    Ok(caller().object::<T>(value, needed)?.0)
}

fn handle_basic(object: &KernelObject, rights: Rights) -> info::HandleBasic {
    info::HandleBasic {
        koid: object.header().koid().raw_koid(),
        rights: rights.bits(),
        object_type: object.object_type().into_raw(),
        related_koid: object.related_koid().raw_koid(),
        reserved: 0,
        padding: 0,
    }
}

fn kmem_stats(value: HandleValue) -> Result<info::KmemStats> {
    object::<Resource>(value, Rights::NONE)?.check_system(SystemResource::Info)?;
    let discardable = memory::pages().reclaimer().discardable()?;
    memory::trim();
    let [locked, unlocked] =
        [discardable.locked, discardable.unlocked].map(|pages| (pages.get() * PAGE_SIZE) as u64);
    Ok(info::KmemStats {
        vmo_reclaim_total_bytes: unlocked,
        vmo_discardable_locked_bytes: locked,
        vmo_discardable_unlocked_bytes: unlocked,
        ..memory::kmem_stats()
    })
}

impl Answer {
    /// Answers a topic that has exactly one record, with the bytes of that record.
    ///
    /// # Errors
    /// - `BUFFER_TOO_SMALL`: it does not fit; the counts are written all the same.
    /// - `INVALID_ARGS`: a pointer is bad.
    fn one(&self, record: &[u8]) -> Result<()> {
        if self.buffer_size < record.len() {
            self.count(0, 1)?;
            return Err(Status::BUFFER_TOO_SMALL);
        }
        write_bytes(self.buffer.address(), record)?;
        self.count(1, 1)
    }

    /// Answers with the records of `walk` in the version of `topic`, as many as fit.
    ///
    /// No lock is held while they are copied.
    ///
    /// # Errors
    /// - `BAD_STATE`: the region is dead, or the process has ended.
    /// - `INVALID_ARGS`: a pointer is bad.
    /// - `CANCELED`: the caller is to end.
    fn maps(
        &self,
        topic: Topic,
        walk: impl FnOnce(&mut dyn FnMut(&info::Map) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let mut array = Array::new(self, info::Map::size_in(topic));
        walk(&mut |record| {
            let record = record.in_version_of(topic);
            array.push(record.as_bytes())
        })?;
        array.finish()
    }

    /// Answers with the VMOs of `process` in the version of `topic`, as many as fit.
    ///
    /// No lock is held while they are copied. Those that do not fit are only counted.
    ///
    /// # Errors
    /// - `BAD_STATE`: the process has ended.
    /// - `INVALID_ARGS`: a pointer is bad.
    /// - `CANCELED`: the caller is to end.
    fn vmos(&self, topic: Topic, process: &Process) -> Result<()> {
        let mut array = Array::new(self, info::Vmo::size_in(topic));
        let mut last = LastVmo::default();
        records::for_each_vmo(process, |vmo, via| {
            if array.is_full() {
                array.skip();
                return Ok(());
            }
            array.push(via.record(last.record_of(vmo)?).as_bytes())
        })?;
        array.finish()
    }

    /// Answers with the koids of `walk`, as many as fit.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: a pointer is bad.
    fn koids(&self, walk: impl FnOnce(&mut dyn FnMut(Koid))) -> Result<()> {
        let mut array = Array::new(self, size_of::<u64>());
        let mut pushed = Ok(());
        walk(&mut |koid| {
            if pushed.is_ok() {
                pushed = array.push(koid.raw_koid().as_bytes());
            }
        });
        pushed?;
        array.finish()
    }

    fn count(&self, actual: usize, available: usize) -> Result<()> {
        write_if_wanted(self.actual, &actual)?;
        write_if_wanted(self.available, &available)
    }
}

/// The answer to a topic with any number of records.
struct Array<'a> {
    answer: &'a Answer,
    record_bytes: usize,
    fitting: usize,
    available: usize,
}

impl<'a> Array<'a> {
    /// An array of records of `record_bytes` each, none of which is written yet.
    const fn new(answer: &'a Answer, record_bytes: usize) -> Self {
        Self {
            answer,
            record_bytes,
            fitting: answer.buffer_size / record_bytes,
            available: 0,
        }
    }

    /// Counts the next record and, if there is room, writes the beginning of it that counts.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: the buffer cannot be written there.
    fn push(&mut self, record: &[u8]) -> Result<()> {
        if !self.is_full() {
            let start = self.answer.buffer.address();
            let place = start.checked_add(self.available * self.record_bytes);
            let place = place.ok_or(Status::INVALID_ARGS)?;
            write_bytes(place, &record[..self.record_bytes])?;
        }
        self.skip();
        Ok(())
    }

    /// Whether there is no room for another record.
    const fn is_full(&self) -> bool {
        self.available >= self.fitting
    }

    /// Counts the next record without writing it.
    const fn skip(&mut self) {
        self.available += 1;
    }

    /// Tells how many records were written and how many there are.
    ///
    /// # Errors
    /// - `INVALID_ARGS`: they cannot be told.
    fn finish(self) -> Result<()> {
        let actual = self.available.min(self.fitting);
        self.answer.count(actual, self.available)
    }
}
