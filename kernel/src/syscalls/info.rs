//! What objects tell about themselves. Source: `docs/spec/abi.md` §9, `docs/spec/objects.md` §2,
//! `docs/spec/vmar.md` §12 and §13, `docs/spec/vmo.md` §15.
//!
//! The order of checks is the same for every topic: the handle, then the buffer.

use alloc::sync::Arc;

use arch::paging::Tables;
use syscall::kernel::UserOut;
use syscall::{HandleValue, Result, Rights, Status, SystemResource, Topic, info};
use vm::vmar::Vmar;
use zerocopy::IntoBytes;

use super::caller;
use super::user_memory::{write_bytes, write_if_wanted};
use crate::handle::require;
use crate::memory;
use crate::object::{KernelObject, Object, Resource, VmarObject, VmoObject};
use crate::records;

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
            answer.maps(vmar.vmar())
        }
        Topic::VMO | Topic::VMO_V1 | Topic::VMO_V2 | Topic::VMO_V3 => {
            let (vmo, rights) = caller().object::<VmoObject>(value, Rights::NONE)?;
            answer.one(records::vmo(&vmo, rights).as_answer_to(topic))
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
    memory::trim();
    Ok(memory::kmem_stats())
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

    /// Answers with the records of a region, as many as fit; no lock is held while they are copied.
    ///
    /// # Errors
    /// - `BAD_STATE`: the region is dead.
    /// - `INVALID_ARGS`: a pointer is bad.
    fn maps(&self, vmar: &Arc<Vmar<Tables>>) -> Result<()> {
        const RECORD: usize = size_of::<info::Map>();
        let fitting = self.buffer_size / RECORD;
        let mut available = 0;
        records::for_each(vmar, |record| {
            if available < fitting {
                let place = self.buffer.address().checked_add(available * RECORD);
                write_bytes(place.ok_or(Status::INVALID_ARGS)?, record.as_bytes())?;
            }
            available += 1;
            Ok(())
        })?;
        self.count(available.min(fitting), available)
    }

    fn count(&self, actual: usize, available: usize) -> Result<()> {
        write_if_wanted(self.actual, &actual)?;
        write_if_wanted(self.available, &available)
    }
}
