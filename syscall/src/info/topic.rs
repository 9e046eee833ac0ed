//! What can be asked about an object.

/// What is asked: a number in the low 28 bits and the version of its record in the high 4.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Topic(u32);

impl Topic {
    /// Whether the handle is one; no record.
    pub const HANDLE_VALID: Self = Self::versioned(1, 0);
    /// Koid, rights and type: one [`HandleBasic`](super::HandleBasic).
    pub const HANDLE_BASIC: Self = Self::versioned(2, 0);
    /// The first version of [`Self::PROCESS`]: one [`ProcessV1`](super::ProcessV1).
    pub const PROCESS_V1: Self = Self::versioned(3, 0);
    /// A process: one [`Process`](super::Process).
    pub const PROCESS: Self = Self::versioned(3, 1);
    /// The threads of a process: koids.
    pub const PROCESS_THREADS: Self = Self::versioned(4, 0);
    /// A region: one [`Vmar`](super::Vmar).
    pub const VMAR: Self = Self::versioned(7, 0);
    /// The child jobs of a job: koids.
    pub const JOB_CHILDREN: Self = Self::versioned(8, 0);
    /// The processes of a job: koids.
    pub const JOB_PROCESSES: Self = Self::versioned(9, 0);
    /// A thread: one record.
    pub const THREAD: Self = Self::versioned(10, 0);
    /// The exception a thread is stopped in: one record.
    pub const THREAD_EXCEPTION_REPORT: Self = Self::versioned(11, 1);
    /// The first version of [`Self::TASK_STATS`]: one [`TaskStatsV1`](super::TaskStatsV1).
    pub const TASK_STATS_V1: Self = Self::versioned(12, 0);
    /// The memory of a process: one [`TaskStats`](super::TaskStats).
    pub const TASK_STATS: Self = Self::versioned(12, 1);
    /// The first version of [`Self::PROCESS_MAPS`]: the record ends after `committed_bytes`, in whose
    /// place it counts pages.
    pub const PROCESS_MAPS_V1: Self = Self::versioned(13, 0);
    /// The second version of [`Self::PROCESS_MAPS`]: the record ends after `populated_bytes`.
    pub const PROCESS_MAPS_V2: Self = Self::versioned(13, 1);
    /// The address space of a process: [`Map`](super::Map) records.
    pub const PROCESS_MAPS: Self = Self::versioned(13, 2);
    /// The first version of [`Self::PROCESS_VMOS`]: records as of [`Self::VMO_V1`].
    pub const PROCESS_VMOS_V1: Self = Self::versioned(14, 0);
    /// The second version of [`Self::PROCESS_VMOS`]: records as of [`Self::VMO_V2`].
    pub const PROCESS_VMOS_V2: Self = Self::versioned(14, 1);
    /// The third version of [`Self::PROCESS_VMOS`]: records as of [`Self::VMO_V3`].
    pub const PROCESS_VMOS_V3: Self = Self::versioned(14, 2);
    /// The VMOs of a process: [`Vmo`](super::Vmo) records.
    pub const PROCESS_VMOS: Self = Self::versioned(14, 3);
    /// The run time of a thread: one record.
    pub const THREAD_STATS: Self = Self::versioned(15, 0);
    /// Each CPU: one record per CPU.
    pub const CPU_STATS: Self = Self::versioned(16, 0);
    /// The first version of [`Self::KMEM_STATS`]: one [`KmemStatsV1`](super::KmemStatsV1).
    pub const KMEM_STATS_V1: Self = Self::versioned(17, 0);
    /// The memory of the system: one [`KmemStats`](super::KmemStats).
    pub const KMEM_STATS: Self = Self::versioned(17, 1);
    /// A resource: one [`Resource`](super::Resource).
    pub const RESOURCE: Self = Self::versioned(18, 0);
    /// How many handles name the object: one [`HandleCount`](super::HandleCount).
    pub const HANDLE_COUNT: Self = Self::versioned(19, 0);
    /// How many handles of each type a process has: 64 counts.
    pub const PROCESS_HANDLE_STATS: Self = Self::versioned(21, 0);
    /// The first version of [`Self::VMO`]: the record ends before `metadata_bytes`.
    pub const VMO_V1: Self = Self::versioned(23, 0);
    /// The second version of [`Self::VMO`]: the record ends before `populated_bytes`.
    pub const VMO_V2: Self = Self::versioned(23, 1);
    /// The third version of [`Self::VMO`]: the record ends before `committed_private_bytes`.
    pub const VMO_V3: Self = Self::versioned(23, 2);
    /// A VMO: one [`Vmo`](super::Vmo).
    pub const VMO: Self = Self::versioned(23, 3);
    /// The handles of a process: one record each.
    pub const HANDLE_TABLE: Self = Self::versioned(27, 0);
    /// The run time of a task: one record.
    pub const TASK_RUNTIME: Self = Self::versioned(30, 1);
    /// A region and all that is in it: [`Map`](super::Map) records.
    pub const VMAR_MAPS: Self = Self::versioned(36, 0);

    const VERSION_SHIFT: u32 = 28;

    /// The topic with this number and record version.
    const fn versioned(number: u32, version: u32) -> Self {
        Self(version << Self::VERSION_SHIFT | number)
    }

    /// The topic with this word, known or not.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The word of this topic.
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Topic;

    #[test]
    fn topics_carry_their_version_in_the_top_bits() {
        assert_eq!(Topic::VMAR_MAPS.into_raw(), 36);
        assert_eq!(Topic::KMEM_STATS.into_raw(), 0x1000_0011);
        assert_eq!(Topic::PROCESS_MAPS.into_raw(), 0x2000_000d);
        assert_eq!(Topic::VMO.into_raw(), 0x3000_0017);
        assert_eq!(Topic::PROCESS_VMOS.into_raw(), 0x3000_000e);
        assert_eq!(Topic::TASK_STATS.into_raw(), 0x1000_000c);
    }
}
