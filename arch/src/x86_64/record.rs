//! What each CPU has for itself: one [`PerCpu`] record, found through the base of GS.
//!
//! ```text
//!   in the kernel: GS base ─► PerCpu          in user mode: GS base = the program's,
//!                  swap MSR = the program's                 swap MSR ─► PerCpu
//! ```
//!
//! `swapgs` changes between the two on every entry from and exit to user mode. Exceptions that can hit
//! between a CPU's arrival in the kernel and its `swapgs` run on their own stacks (see
//! [`super::segments`]), which say by themselves whose they are.
//!
//! Fields that other CPUs look at are atomic; the rest belongs to the CPU itself.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use vm::addr::VirtAddr;
use vm::counters::Counters;
use vm::cpu::{CpuId, MAX_CPUS};
use x86_64::registers::model_specific::{GsBase, KernelGsBase};

use super::segments::Segments;
use super::smp::flush::FlushRequest;
use super::smp::sleep::Sleep;
use crate::requests::Mailbox;

/// What one CPU has for itself.
#[repr(C, align(64))]
pub struct PerCpu {
    /// The address of this record: so that one load finds it.
    address: AtomicPtr<PerCpu>,
    /// The user's stack pointer while the entry of system calls switches stacks.
    user_stack: AtomicUsize,
    /// This CPU's number.
    number: AtomicU32,
    /// The identifier of its local APIC.
    hardware_id: AtomicU32,
    /// What the kernel keeps here: the thread that runs.
    pub kernel_slot: AtomicUsize,
    /// What the kernel keeps here too: whether somebody wants this CPU's thread to come to a safe point.
    pub kernel_flag: AtomicBool,
    /// The root of the page tables in use, and the one that is about to be, as physical addresses; see
    /// [`super::paging`].
    pub(super) active_root: AtomicUsize,
    /// The root that is about to be active; zero if none is.
    pub(super) next_root: AtomicUsize,
    /// When this CPU wants its tick, in nanoseconds since boot; `u64::MAX` for never.
    pub(super) deadline: AtomicU64,
    /// Whether it waits for an interrupt.
    pub(super) sleep: Sleep,
    /// What other CPUs ask of this one.
    pub(super) mailbox: Mailbox,
    /// The CPUs whose [`flush`](Self::flush) this one still has to serve.
    pub(super) flush_callers: AtomicU32,
    /// What this CPU asks others to forget.
    pub(super) flush: FlushRequest,
    /// What it has done in memory management.
    pub counters: Counters,
    /// Its descriptor tables.
    segments: UnsafeCell<Segments>,
}

// SAFETY:
// 1. `segments` is used only by the CPU that the record belongs to, or before that CPU runs; see
//    `PerCpu::segments`.
// 2. Everything else is atomic.
unsafe impl Sync for PerCpu {}

static RECORDS: [PerCpu; MAX_CPUS] = [const { PerCpu::new() }; MAX_CPUS];

/// Offsets for assembly.
pub(super) const ADDRESS_OFFSET: usize = offset_of!(PerCpu, address);
/// Where the entry of system calls keeps the user's stack pointer.
pub(super) const USER_STACK_OFFSET: usize = offset_of!(PerCpu, user_stack);
/// Where the CPU's kernel stack is noted.
pub(super) const KERNEL_STACK_OFFSET: usize =
    offset_of!(PerCpu, segments) + Segments::KERNEL_STACK_OFFSET;

impl PerCpu {
    const fn new() -> Self {
        Self {
            address: AtomicPtr::new(core::ptr::null_mut()),
            user_stack: AtomicUsize::new(0),
            number: AtomicU32::new(0),
            hardware_id: AtomicU32::new(0),
            kernel_slot: AtomicUsize::new(0),
            kernel_flag: AtomicBool::new(false),
            active_root: AtomicUsize::new(0),
            next_root: AtomicUsize::new(0),
            deadline: AtomicU64::new(u64::MAX),
            sleep: Sleep::new(),
            mailbox: Mailbox::new(),
            flush_callers: AtomicU32::new(0),
            flush: FlushRequest::new(),
            counters: Counters::new(),
            segments: UnsafeCell::new(Segments::new()),
        }
    }

    /// The record of any CPU.
    #[inline]
    pub(super) fn of(cpu: CpuId) -> &'static Self {
        &RECORDS[cpu.index()]
    }

    /// Which CPU this is the record of.
    pub fn id(&self) -> CpuId {
        CpuId::new(self.number.load(Ordering::Relaxed) as usize)
            .expect("only `CpuId` values are stored")
    }

    /// The descriptor tables.
    pub(super) fn segments(&self) -> *mut Segments {
        self.segments.get()
    }

    /// The identifier of its local APIC.
    pub(super) fn hardware_id(&self) -> u32 {
        self.hardware_id.load(Ordering::Relaxed)
    }

    /// Makes the record ready for CPU `cpu`, which does not run yet or is the caller.
    pub(super) fn prepare(cpu: CpuId, hardware_id: u32) -> &'static Self {
        let record = Self::of(cpu);
        record.hardware_id.store(hardware_id, Ordering::Relaxed);
        record.number.store(cpu.index() as u32, Ordering::Relaxed);
        record
            .address
            .store((record as *const Self).cast_mut(), Ordering::Relaxed);
        record
    }

    /// Makes this the record of the CPU that runs.
    ///
    /// # Safety
    /// 1. The record is prepared, and no other CPU uses it.
    /// 2. The CPU has not been in user mode yet.
    pub(super) unsafe fn install(&'static self) {
        let base = (self as *const Self).addr() as u64;
        GsBase::write(x86_64::VirtAddr::new_truncate(base));
        KernelGsBase::write(x86_64::VirtAddr::zero());
    }
}

/// The record of the CPU that runs.
///
/// Without interrupts off the caller may be on another CPU the moment after.
#[inline(always)]
pub(super) fn this_cpu() -> &'static PerCpu {
    let address: *const PerCpu;
    // SAFETY:
    // 1. In the kernel the base of GS is the record of the CPU, from `trap::init_early` on.
    // 2. The asm is not `pure`, so that it is repeated after a thread has moved to another CPU.
    unsafe {
        asm!(
            "mov {}, gs:[{offset}]",
            out(reg) address,
            offset = const ADDRESS_OFFSET,
            options(nostack, preserves_flags, readonly),
        );
    }
    // SAFETY:
    // 1. The address is that of an element of `RECORDS`, stored by `prepare`.
    unsafe { &*address }
}

/// The top of the stack that traps and system calls from user mode use on this CPU.
#[inline]
pub(super) fn set_kernel_stack(top: VirtAddr) {
    // SAFETY:
    // 1. One store into the record of this very CPU; the CPU reads it only on entries from user mode,
    //    which cannot happen while this code runs.
    unsafe {
        asm!(
            "mov gs:[{offset}], {}",
            in(reg) top.raw(),
            offset = const KERNEL_STACK_OFFSET,
            options(nostack, preserves_flags),
        );
    }
}
