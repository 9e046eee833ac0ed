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
