//! What processes are made with, and how they tell that they ended.
//!
//! Source: `docs/spec/abi.md` §7 and §9.

bitflags::bitflags! {
    /// How a process is to be created.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct ProcessOptions: u32 {
        /// Others may later share a part of its address space. Nothing makes use of that yet.
        const SHARED = 1 << 0;
    }
}

bitflags::bitflags! {
    /// How far a process has come, in its info record.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
    #[repr(transparent)]
    pub struct ProcessInfoFlags: u32 {
        /// It has, or had, a thread.
        const STARTED = 1 << 0;
        /// Nothing is left of it but its return code.
        const EXITED = 1 << 1;
        /// A debugger listens to its exceptions.
        const DEBUGGER_ATTACHED = 1 << 2;
    }
}

impl ProcessOptions {
    /// Whether the word has bits without a meaning.
    pub const fn has_undefined_bits(self) -> bool {
        !Self::all().contains(self)
    }
}

/// Why the kernel ended a task, as the task's return code.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(i64)]
pub enum TaskRetcode {
    /// `task_kill` was called for it.
    SyscallKill = -1024,
    /// Memory ran out.
    OomKill = -1025,
    /// It did what a policy of its job forbids.
    PolicyKill = -1026,
    /// It used the vDSO in a way that is not allowed.
    VdsoKill = -1027,
    /// It caused an exception that nobody handled.
    ExceptionKill = -1028,
}
