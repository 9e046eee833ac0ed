//! The one table through which trap code calls the kernel.
//!
//! The kernel installs a [`Handlers`] once, early in its start. Until then every entry is one that
//! panics, so that a trap that comes too early is a report and not a jump to nowhere.

use core::fmt;
use core::sync::atomic::{AtomicPtr, Ordering};

use syscall::Status;
use vm::addr::VirtAddr;
use vm::mmu::Access;

use crate::trap::TrapFrame;

/// What the machine asks of the kernel.
pub struct Handlers {
    /// A user thread made system call `number`; the answer goes into its first result register.
    /// Called with interrupts on, on the thread's kernel stack.
    pub system_call: fn(number: usize, args: &[usize; 8]) -> usize,
    /// Makes the page present or says why not. Called for faults of user threads and of the user
    /// copies in [`crate::user`], with interrupts on, with no lock held.
    pub page_fault: fn(&PageFault) -> Result<(), Status>,
    /// A user thread did something that is not a page fault, or a fault that `page_fault` refused.
    /// Called with interrupts on; need not return.
    pub exception: fn(&mut TrapFrame, Exception),
    /// This CPU's deadline has passed. Called with interrupts off; from [`Origin::User`] it may
    /// switch threads.
    pub tick: fn(Origin),
    /// Another CPU posted [`crate::requests::Request::Reschedule`]. Called like `tick`.
    pub reschedule: fn(Origin),
    /// Device interrupt `line` (as in [`crate::irq`]) came. Called with interrupts off.
    pub interrupt: fn(line: u32),
    /// The kernel itself did something impossible. Called with interrupts off.
    pub kernel_fault: fn(&TrapFrame, KernelFault) -> !,
}

/// From which side a trap came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A user thread was running.
    User,
    /// The kernel was running.
    Kernel,
}

/// An access to memory that the page tables did not allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageFault {
    /// The address that was accessed.
    pub address: VirtAddr,
    /// The access that was tried: exactly one of read, write, execute.
    pub access: Access,
    /// Who tried.
    pub origin: Origin,
    /// Whether a translation is there that forbids the access.
    pub present: bool,
    /// The instruction that tried.
    pub program_counter: VirtAddr,
}

/// What a user thread did that it cannot go on from by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exception {
    /// A page fault that the kernel refused, and the status that says why.
    PageFault(PageFault, Status),
    /// An instruction that does not exist, or not in user mode.
    UndefinedInstruction,
    /// A breakpoint instruction.
    Breakpoint,
    /// A debug event: single step, watchpoint.
    Debug,
    /// A division by zero or a floating-point trap.
    Arithmetic,
    /// An access, stack pointer or program counter that is not aligned as it must be.
    Alignment(VirtAddr),
    /// Anything else; `code` is the machine's own number for it (x86: error code, arm: `ESR_EL1`).
    General {
        /// The machine's own description.
        code: u64,
    },
}

/// Why the kernel cannot go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KernelFault {
    /// An exception that only user code may raise.
    Exception(Exception),
    /// A kernel stack ran into its guard page at this address.
    StackOverflow(VirtAddr),
    /// The machine reports an error of its own: name of the exception, and its code.
    Machine(&'static str, u64),
}

/// Makes `handlers` the table that traps call, on every CPU.
pub fn install(handlers: &'static Handlers) {
    INSTALLED.store((handlers as *const Handlers).cast_mut(), Ordering::Release);
}

/// The table in force.
#[inline]
pub(crate) fn installed() -> &'static Handlers {
    // SAFETY:
    // 1. `INSTALLED` only ever holds pointers made from `&'static Handlers`: its initial value and
    //    what `install` stores.
    // 2. Nobody writes through it: the `*mut` is only what `AtomicPtr` wants.
    unsafe { &*INSTALLED.load(Ordering::Acquire) }
}

static INSTALLED: AtomicPtr<Handlers> = AtomicPtr::new((&raw const NOBODY).cast_mut());

/// What is in force before the kernel has installed its own.
static NOBODY: Handlers = Handlers {
    system_call: |number, _| panic!("system call {number} before the kernel was ready"),
    page_fault: |fault| panic!("page fault before the kernel was ready: {fault}"),
    exception: |frame, exception| {
        panic!("exception before the kernel was ready: {exception}\n{frame}")
    },
    tick: |_| panic!("timer interrupt before the kernel was ready"),
    reschedule: |_| panic!("reschedule request before the kernel was ready"),
    interrupt: |line| panic!("interrupt {line} before the kernel was ready"),
    kernel_fault: |frame, fault| panic!("{fault}\n{frame}"),
};

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::User => "user",
            Self::Kernel => "kernel",
        })
    }
}

impl fmt::Display for PageFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.access.contains(Access::EXECUTE) {
            "execute"
        } else if self.access.contains(Access::WRITE) {
            "write"
        } else {
            "read"
        };
        let page = if self.present {
            "protected page"
        } else {
            "absent page"
        };
        let Self {
            address,
            origin,
            program_counter,
            ..
        } = self;
        write!(
            formatter,
            "{origin} {verb} of {address} ({page}) at pc {program_counter}"
        )
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PageFault(fault, status) => write!(formatter, "{fault}: {status:?}"),
            Self::UndefinedInstruction => formatter.write_str("undefined instruction"),
            Self::Breakpoint => formatter.write_str("breakpoint"),
            Self::Debug => formatter.write_str("debug event"),
            Self::Arithmetic => formatter.write_str("arithmetic error"),
            Self::Alignment(address) => write!(formatter, "misaligned access to {address}"),
            Self::General { code } => write!(formatter, "exception with code {code:#x}"),
        }
    }
}

impl fmt::Display for KernelFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Nobody was asked for a page, so there is no status worth naming.
            Self::Exception(Exception::PageFault(fault, _)) => write!(formatter, "{fault}"),
            Self::Exception(exception) => write!(formatter, "{exception}"),
            Self::StackOverflow(address) => {
                write!(
                    formatter,
                    "kernel stack overflow: guard page hit at {address}"
                )
            }
            Self::Machine(name, code) => write!(formatter, "{name} (code {code:#x})"),
        }
    }
}
