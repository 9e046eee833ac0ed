//! The other CPUs: starting them, and asking things of them.

use core::arch::asm;
use core::sync::atomic::{AtomicUsize, Ordering};

use boot::{BootInfo, SecondaryStart};
use spin::Once;
use spin::mutex::SpinMutex;
use vm::addr::{PhysAddr, VirtAddr};
use vm::cpu::{AtomicCpuSet, CpuId, CpuSet};

use super::{cpu, firmware, irq, paging, power, timer};
use crate::handlers::{self, Origin};
use crate::requests::Request;

/// How long a CPU may take to start, or to stop.
const PATIENCE_NANOSECONDS: u64 = 1_000_000_000;

static ONLINE: AtomicCpuSet = AtomicCpuSet::new();
static HALTED: AtomicCpuSet = AtomicCpuSet::new();

/// Where started CPUs go on.
static ENTRY: Once<fn(CpuId) -> !> = Once::new();

/// With what the CPU that is being started begins.
static START: SpinMutex<SecondaryStart> = SpinMutex::new(SecondaryStart {
    kernel_tables: PhysAddr::new(0),
    stack_top: VirtAddr::new(0),
    argument: 0,
    entry: secondary_main,
});

/// The stack of the CPU that is being started.
static STACK_TOP: AtomicUsize = AtomicUsize::new(0);

/// Starts all other CPUs, one after the other, and answers how many run, this one included.
///
/// Each gets the stack that ends at `stack_for` of it, has its record, vectors, interrupt controller and empty
/// lower half, and goes on in `entry` with interrupts off. To be called after [`irq::init`]. One that does not start within a second ends the procedure, because
/// it might still come later.
pub fn start_all(
    info: &BootInfo,
    stack_for: &dyn Fn(CpuId) -> VirtAddr,
    entry: fn(CpuId) -> !,
) -> usize {
    ONLINE.insert(cpu::current());
    ENTRY.call_once(|| entry);
    let others = info.cpus.iter().enumerate().skip(1);
    for (index, description) in others {
        let Some(cpu) = CpuId::new(index) else { break };
        if !start(cpu, description.hardware_id, stack_for(cpu)) {
            break;
        }
    }
    cpu::count()
}

/// The CPUs that run.
pub fn online() -> CpuSet {
    ONLINE.load()
}

/// Has `targets` serve `request` soon: at once, or when they let interrupts through.
pub fn request(targets: CpuSet, request: Request) {
    for target in targets.intersection(online()).iter() {
        cpu::record(target).mailbox.post(request);
        irq::notify(target);
    }
}

/// Stops all other CPUs, for a report that nobody shall disturb. Waits for them, but not forever.
pub fn halt_others() {
    let others = online().without(cpu::current());
    request(others, Request::Halt);
    wait_until(|| HALTED.load().intersection(others) == others);
}

/// Does what others have asked of this CPU. With interrupts off.
pub(super) fn serve(from: Origin) {
    let requests = cpu::local().mailbox.take();
    if requests.has(Request::Halt) {
        HALTED.insert(cpu::current());
        power::halt();
    }
    // Nothing to do for `Flush`: on this architecture TLB invalidations reach all CPUs by themselves.
    if requests.has(Request::Reschedule) {
        (handlers::installed().reschedule)(from);
    }
}

fn start(cpu: CpuId, hardware_id: u64, stack_top: VirtAddr) -> bool {
    let mut start = START.lock();
    start.kernel_tables = paging::kernel_root();
    start.stack_top = stack_top;
    start.argument = cpu.index();
    STACK_TOP.store(stack_top.raw(), Ordering::Release);
    let context = clean(&start);
    if firmware::cpu_on(hardware_id, boot::secondary_entry(), context).is_err() {
        return false;
    }
    wait_until(|| online().contains(cpu))
}

/// Writes `start`, which is part of the image, back to memory, where the CPU reads it with its caches off;
/// answers where that is.
fn clean(start: &SecondaryStart) -> PhysAddr {
    let address = (&raw const *start).addr();
    // SAFETY:
    // 1. Cleaning a line changes no contents. The structure is one line long and aligned to it.
    unsafe { asm!("dc cvac, {}", "dsb sy", in(reg) address, options(nostack, preserves_flags)) };
    boot::image_physical_address(VirtAddr::new(address))
}

/// The first function on a new CPU.
extern "C" fn secondary_main(index: usize) -> ! {
    let cpu = CpuId::new(index).expect("start_all counts with CpuId");
    cpu::init(cpu, VirtAddr::new(STACK_TOP.load(Ordering::Acquire)));
    paging::activate_kernel();
    let entry = ENTRY
        .get()
        .expect("start_all sets it before it starts a CPU");
    irq::init_cpu();
    ONLINE.insert(cpu);
    entry(cpu)
}

/// Waits for `condition`, at most for the time of `PATIENCE_NANOSECONDS`.
fn wait_until(condition: impl Fn() -> bool) -> bool {
    let end = timer::now().saturating_add(PATIENCE_NANOSECONDS);
    while timer::now() < end {
        if condition() {
            return true;
        }
        core::hint::spin_loop();
    }
    condition()
}
