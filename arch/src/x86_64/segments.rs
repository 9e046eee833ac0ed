//! Descriptor tables: segments, the task state, and the stacks for exceptions that cannot trust theirs.
//!
//! | selector | segment | needed by |
//! |---|---|---|
//! | 0x08 | kernel code | `syscall` (with 0x10 implied) |
//! | 0x10 | kernel data | `syscall` |
//! | 0x1b | user data | `sysret` (0x10 + 8) |
//! | 0x23 | user code | `sysret` (0x10 + 16) |
//! | 0x28 | task state | stacks |
//!
//! A double fault, an NMI, a machine check and a debug exception can hit when the stack pointer or GS is not the
//! kernel's. Each has a stack of its own on every CPU, at whose top lies the address of the CPU's record,
//! and under which the final tables show nothing:
//!
//! ```text
//!   [ guard page ][ … stack ◄─ grows ][ address of PerCpu ][ zero ]
//!                                     ▲ where the CPU starts to push
//! ```

use core::cell::UnsafeCell;
use core::mem::offset_of;

use vm::addr::{PAGE_SIZE, PageCount, VirtAddr, VirtRange};
use vm::cpu::{CpuId, MAX_CPUS};
use x86_64::PrivilegeLevel::{Ring0, Ring3};
use x86_64::instructions::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::registers::segmentation::SegmentSelector;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

use super::record::PerCpu;

/// Kernel code.
pub(super) const KERNEL_CODE: SegmentSelector = SegmentSelector::new(1, Ring0);
/// Kernel data.
pub(super) const KERNEL_DATA: SegmentSelector = SegmentSelector::new(2, Ring0);
/// User data.
pub(super) const USER_DATA: SegmentSelector = SegmentSelector::new(3, Ring3);
/// User code.
pub(super) const USER_CODE: SegmentSelector = SegmentSelector::new(4, Ring3);
const TASK_STATE: SegmentSelector = SegmentSelector::new(5, Ring0);

/// The exceptions with a stack of their own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ExceptionStack {
    DoubleFault,
    NonMaskable,
    MachineCheck,
    Debug,
}

impl ExceptionStack {
    const ALL: [Self; 4] = [
        Self::DoubleFault,
        Self::NonMaskable,
        Self::MachineCheck,
        Self::Debug,
    ];

    /// The size of one stack: reports are formatted on it.
    const BYTES: usize = 4 * PAGE_SIZE;

    /// The number in a gate descriptor; zero there means "no own stack".
    pub(super) const fn gate_index(self) -> u8 {
        self as u8 + 1
    }
}

/// A stack and the page under it, which [`guard_pages`] names.
#[repr(C, align(4096))]
struct GuardedStack {
    guard: [u8; PAGE_SIZE],
    stack: UnsafeCell<[u8; ExceptionStack::BYTES]>,
}

// SAFETY:
// 1. Rust code never looks inside, except `prepare` before the CPU runs: only the CPU uses it, as a stack.
unsafe impl Sync for GuardedStack {}

impl GuardedStack {
    const fn new() -> Self {
        Self {
            guard: [0; PAGE_SIZE],
            stack: UnsafeCell::new([0; ExceptionStack::BYTES]),
        }
    }
}

/// The exception stacks of each CPU. Those of the boot CPU are needed before memory can be allocated.
static STACKS: [[GuardedStack; ExceptionStack::ALL.len()]; MAX_CPUS] =
    [const { [const { GuardedStack::new() }; ExceptionStack::ALL.len()] }; MAX_CPUS];

/// The pages under the exception stacks, which the final tables leave out.
pub(super) fn guard_pages() -> impl Iterator<Item = VirtRange> {
    STACKS.iter().flatten().filter_map(|stack| {
        let base = VirtAddr::new((&raw const stack.guard).addr());
        VirtRange::new(base, PageCount::new(1))
    })
}

/// One CPU's descriptor tables.
#[repr(C)]
pub(super) struct Segments {
    /// Puts the stack pointers of the task state, which begin at its byte 4, on multiples of eight.
    _padding: u32,
    task_state: TaskStateSegment,
    table: GlobalDescriptorTable,
}

impl Segments {
    /// The distance of the kernel stack pointer (`RSP0`) from the beginning.
    pub(super) const KERNEL_STACK_OFFSET: usize =
        offset_of!(Self, task_state) + offset_of!(TaskStateSegment, privilege_stack_table);

    pub(super) const fn new() -> Self {
        Self {
            _padding: 0,
            task_state: TaskStateSegment::new(),
            table: GlobalDescriptorTable::new(),
        }
    }
}

/// Fills in the tables of `record`, which is that of `cpu`.
///
/// # Safety
/// 1. The CPU does not run yet, or is the caller and has not loaded the tables.
pub(super) unsafe fn prepare(cpu: CpuId, record: &'static PerCpu, kernel_stack: VirtAddr) {
    let address = |at: VirtAddr| x86_64::VirtAddr::new_truncate(at.raw() as u64);
    // SAFETY:
    // 1. Nobody else uses the tables, by the caller's promise.
    let segments = unsafe { &mut *record.segments() };
    let task_state = &raw const segments.task_state;
    segments.task_state.privilege_stack_table[0] = address(kernel_stack);
    for stack in ExceptionStack::ALL {
        let base = STACKS[cpu.index()][stack as usize].stack.get();
        let top = base.addr() + ExceptionStack::BYTES - 2 * size_of::<usize>();
        // SAFETY:
        // 1. The word lies at the top of a stack that nobody uses yet, by the caller's promise.
        unsafe { (top as *mut *const PerCpu).write(record) };
        segments.task_state.interrupt_stack_table[stack as usize] = address(VirtAddr::new(top));
    }
    segments.table = GlobalDescriptorTable::new();
    segments.table.append(Descriptor::kernel_code_segment());
    segments.table.append(Descriptor::kernel_data_segment());
    segments.table.append(Descriptor::user_data_segment());
    segments.table.append(Descriptor::user_code_segment());
    // SAFETY:
    // 1. The task state lives as long as the record, which is static.
    segments
        .table
        .append(unsafe { Descriptor::tss_segment_unchecked(task_state) });
}

/// Loads the tables of `record` into the CPU that runs.
///
/// # Safety
/// 1. The tables are prepared, and `record` is that of this CPU.
/// 2. The CPU runs in the kernel; the base of GS is set afterwards.
pub(super) unsafe fn load(record: &'static PerCpu) {
    // SAFETY:
    // 1. The tables are static and nobody writes them while they are loaded, except the CPU itself.
    // 2. The selectors are those of the entries that `prepare` appended, in the same order.
    unsafe {
        (*record.segments()).table.load_unsafe();
        CS::set_reg(KERNEL_CODE);
        SS::set_reg(KERNEL_DATA);
        DS::set_reg(SegmentSelector::NULL);
        ES::set_reg(SegmentSelector::NULL);
        FS::set_reg(SegmentSelector::NULL);
        GS::set_reg(SegmentSelector::NULL);
        load_tss(TASK_STATE);
    }
}
