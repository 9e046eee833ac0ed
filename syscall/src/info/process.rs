//! What is told about a process.

use crate::ProcessInfoFlags;

record! {
    /// Answer to [`Topic::PROCESS`](super::Topic::PROCESS).
    pub struct Process: 24 {
        /// What it ended with; 0 before the end.
        0 return_code: i64,
        /// When its first thread was started, on the monotonic clock; 0 before.
        8 start_time: i64,
        /// Bits of `ProcessInfoFlags`.
        16 flags: u32,
        /// Zero.
        20 padding: u32,
    }
}

record! {
    /// Answer to [`Topic::PROCESS_V1`](super::Topic::PROCESS_V1).
    pub struct ProcessV1: 16 {
        /// What it ended with; 0 before the end.
        0 return_code: i64,
        /// 1 from the start of its first thread on.
        8 started: u8,
        /// 1 from its end on.
        9 exited: u8,
        /// 1 while a debugger listens to its exceptions.
        10 debugger_attached: u8,
        /// Zero.
        11 padding: [u8; 5],
    }
}

impl From<Process> for ProcessV1 {
    fn from(process: Process) -> Self {
        let flags = ProcessInfoFlags::from_bits_retain(process.flags);
        let as_byte = |flag| u8::from(flags.contains(flag));
        Self {
            return_code: process.return_code,
            started: as_byte(ProcessInfoFlags::STARTED),
            exited: as_byte(ProcessInfoFlags::EXITED),
            debugger_attached: as_byte(ProcessInfoFlags::DEBUGGER_ATTACHED),
            padding: [0; 5],
        }
    }
}

record! {
    /// Answer to [`Topic::TASK_STATS`](super::Topic::TASK_STATS); everything in bytes. What several mappings
    /// show counts for each of them.
    pub struct TaskStats: 40 {
        /// The lengths of all mappings.
        0 mem_mapped_bytes: usize,
        /// What is present and only this process can see, in one VMO.
        8 mem_private_bytes: usize,
        /// What is present and other VMOs or processes see too.
        16 mem_shared_bytes: usize,
        /// The same, each page divided by the VMOs that share it and by the processes that map this VMO.
        24 mem_scaled_shared_bytes: usize,
        /// The fraction left out of `mem_scaled_shared_bytes`; 2^63 stands for one byte.
        32 mem_fractional_scaled_shared_bytes: u64,
    }
}

record! {
    /// Answer to [`Topic::TASK_STATS_V1`](super::Topic::TASK_STATS_V1); in bytes, as [`TaskStats`].
    pub struct TaskStatsV1: 32 {
        /// The lengths of all mappings.
        0 mem_mapped_bytes: usize,
        /// What is present and only this process can see.
        8 mem_private_bytes: usize,
        /// What is present and others see too.
        16 mem_shared_bytes: usize,
        /// The part of that for which this process answers.
        24 mem_scaled_shared_bytes: usize,
    }
}

impl From<TaskStats> for TaskStatsV1 {
    fn from(stats: TaskStats) -> Self {
        Self {
            mem_mapped_bytes: stats.mem_mapped_bytes,
            mem_private_bytes: stats.mem_private_bytes,
            mem_shared_bytes: stats.mem_shared_bytes,
            mem_scaled_shared_bytes: stats.mem_scaled_shared_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, ProcessV1};
    use crate::Topic;

    #[test]
    fn the_first_version_of_a_process_record_has_a_byte_for_each_flag() {
        let process = Process {
            return_code: -1024,
            start_time: 5,
            flags: 0b10,
            padding: 0,
        };
        let old = ProcessV1::from(process);
        assert_eq!((old.return_code, old.started, old.exited), (-1024, 0, 1));
        assert_eq!(Topic::PROCESS_V1.into_raw(), 3);
        assert_eq!(Topic::PROCESS.into_raw(), 0x1000_0003);
    }
}
