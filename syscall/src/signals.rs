//! What an object tells those who wait for it.

bitflags::bitflags! {
    /// The signals of an object.
    ///
    /// Bits 0 to 23 belong to the kernel and mean something different for each object type; bits 24 to
    /// 31 belong to programs.
    ///
    /// Source: `docs/spec/abi.md` §5.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct Signals: u32 {
        /// Kernel signal 0.
        const OBJECT_0 = 1 << 0;
        /// Kernel signal 1.
        const OBJECT_1 = 1 << 1;
        /// Kernel signal 2.
        const OBJECT_2 = 1 << 2;
        /// Kernel signal 3.
        const OBJECT_3 = 1 << 3;
        /// Kernel signal 4.
        const OBJECT_4 = 1 << 4;
        /// Kernel signal 5.
        const OBJECT_5 = 1 << 5;
        /// Kernel signal 6.
        const OBJECT_6 = 1 << 6;
        /// Kernel signal 7.
        const OBJECT_7 = 1 << 7;
        /// Kernel signal 8.
        const OBJECT_8 = 1 << 8;
        /// Kernel signal 9.
        const OBJECT_9 = 1 << 9;
        /// Kernel signal 10.
        const OBJECT_10 = 1 << 10;
        /// Kernel signal 11.
        const OBJECT_11 = 1 << 11;
        /// Kernel signal 12.
        const OBJECT_12 = 1 << 12;
        /// Kernel signal 13.
        const OBJECT_13 = 1 << 13;
        /// Kernel signal 14.
        const OBJECT_14 = 1 << 14;
        /// Kernel signal 15.
        const OBJECT_15 = 1 << 15;
        /// Kernel signal 16.
        const OBJECT_16 = 1 << 16;
        /// Kernel signal 17.
        const OBJECT_17 = 1 << 17;
        /// Kernel signal 18.
        const OBJECT_18 = 1 << 18;
        /// Kernel signal 19.
        const OBJECT_19 = 1 << 19;
        /// Kernel signal 20.
        const OBJECT_20 = 1 << 20;
        /// Kernel signal 21.
        const OBJECT_21 = 1 << 21;
        /// Kernel signal 22.
        const OBJECT_22 = 1 << 22;
        /// The handle waited through was closed; seen by waiters, never set on an object.
        const OBJECT_HANDLE_CLOSED = 1 << 23;
        /// Program signal 0.
        const USER_0 = 1 << 24;
        /// Program signal 1.
        const USER_1 = 1 << 25;
        /// Program signal 2.
        const USER_2 = 1 << 26;
        /// Program signal 3.
        const USER_3 = 1 << 27;
        /// Program signal 4.
        const USER_4 = 1 << 28;
        /// Program signal 5.
        const USER_5 = 1 << 29;
        /// Program signal 6.
        const USER_6 = 1 << 30;
        /// Program signal 7.
        const USER_7 = 1 << 31;
    }
}

/// What the bits mean for each object.
impl Signals {
    /// No signal.
    pub const NONE: Self = Self::empty();
    /// All signals of the kernel.
    pub const OBJECT_ALL: Self = Self::from_bits_retain(0x00ff_ffff);
    /// All signals of programs.
    pub const USER_ALL: Self = Self::from_bits_retain(0xff00_0000);

    /// Something can be read.
    pub const OBJECT_READABLE: Self = Self::OBJECT_0;
    /// Something can be written.
    pub const OBJECT_WRITABLE: Self = Self::OBJECT_1;
    /// The other end is closed.
    pub const OBJECT_PEER_CLOSED: Self = Self::OBJECT_2;
    /// The handle waited through was closed.
    pub const HANDLE_CLOSED: Self = Self::OBJECT_HANDLE_CLOSED;

    /// A message waits.
    pub const CHANNEL_READABLE: Self = Self::OBJECT_READABLE;
    /// The other end is open.
    pub const CHANNEL_WRITABLE: Self = Self::OBJECT_WRITABLE;
    /// The other end is closed.
    pub const CHANNEL_PEER_CLOSED: Self = Self::OBJECT_PEER_CLOSED;
    /// The event was signalled.
    pub const EVENT_SIGNALED: Self = Self::OBJECT_3;
    /// The event pair was signalled.
    pub const EVENTPAIR_SIGNALED: Self = Self::OBJECT_3;
    /// The other end is closed.
    pub const EVENTPAIR_PEER_CLOSED: Self = Self::OBJECT_PEER_CLOSED;
    /// The other end is closed.
    pub const EVENTPAIR_CLOSED: Self = Self::EVENTPAIR_PEER_CLOSED;
    /// The task has ended.
    pub const TASK_TERMINATED: Self = Self::OBJECT_3;
    /// The process has ended.
    pub const PROCESS_TERMINATED: Self = Self::TASK_TERMINATED;
    /// The job has ended.
    pub const JOB_TERMINATED: Self = Self::TASK_TERMINATED;
    /// The job has no child jobs.
    pub const JOB_NO_JOBS: Self = Self::OBJECT_4;
    /// The job has no processes.
    pub const JOB_NO_PROCESSES: Self = Self::OBJECT_5;
    /// The thread has ended.
    pub const THREAD_TERMINATED: Self = Self::TASK_TERMINATED;
    /// The thread runs.
    pub const THREAD_RUNNING: Self = Self::OBJECT_4;
    /// The thread is suspended.
    pub const THREAD_SUSPENDED: Self = Self::OBJECT_5;
    /// The VMO has no children.
    pub const VMO_ZERO_CHILDREN: Self = Self::OBJECT_3;
}
