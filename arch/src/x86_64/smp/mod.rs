//! Other CPUs: starting them, and asking them for something.

pub(super) mod flush;
pub(super) mod sleep;
mod startup;

use core::sync::atomic::{AtomicBool, Ordering};

use boot::BootInfo;
use spin::Once;
use vm::addr::VirtAddr;
use vm::cpu::{CpuId, CpuSet};

use self::startup::StartupArea;
use super::apic::{self, Message};
use super::record::{PerCpu, this_cpu};
use super::segments;
use super::{cpu, irq, paging, timer, trap};
use crate::handlers::{self, Origin};
use crate::requests::Request;

/// How long a CPU may take to begin (Intel SDM 3A, 8.4.4.1 allows 10 ms; emulators need more).
const START_LIMIT: u64 = 2_000_000_000;

/// After INIT, before the first startup message (8.4.4.1).
const INIT_PAUSE: u64 = 10_000_000;

/// Between the two startup messages (8.4.4.1).
const STARTUP_PAUSE: u64 = 200_000;

/// Where started CPUs go in the kernel.
static ENTRY: Once<fn(CpuId) -> !> = Once::new();

/// Whether CPUs that get a non-maskable interrupt shall stop.
static IS_HALTING: AtomicBool = AtomicBool::new(false);

/// Starts the other CPUs one after the other, and answers how many run, this one included.
///
/// Each calls `entry` with interrupts off, on the stack that ends at `stack_for` of it, with its record,
/// traps, interrupt controller and timer ready and no program's tables active.
///
/// Called once, on the boot CPU, after `timer::init`. The first CPU that does not come ends it: it might
/// still come later, so its stack and number are not used again.
pub fn start_all(
    info: &BootInfo,
    stack_for: &dyn Fn(CpuId) -> VirtAddr,
    entry: fn(CpuId) -> !,
) -> usize {
    let Some(pages) = info.startup_area.filter(|_| info.cpus.len() > 1) else {
        return cpu::count();
    };
    ENTRY.call_once(|| entry);
    // SAFETY:
    // 1. `boot` found the pages to be unused memory below 1 MiB, four of them, and keeps them out of what
    //    is usable; the direct map shows them.
    let area = unsafe { StartupArea::new(pages) };
    let others = info.cpus.iter().enumerate().skip(1);
    for (index, description) in others {
        let Some(number) = CpuId::new(index) else {
            break;
        };
        let hardware_id = description.hardware_id as u32;
        if !start(&area, number, hardware_id, stack_for(number)) {
            // It may be in the pages at any time.
            core::mem::forget(area);
            break;
        }
    }
    cpu::count()
}

/// The CPUs that run.
pub fn online() -> CpuSet {
    CpuSet::first(cpu::count())
}

/// Starts one CPU; says whether it came.
fn start(area: &StartupArea, number: CpuId, hardware_id: u32, stack: VirtAddr) -> bool {
    let record = PerCpu::prepare(number, hardware_id);
    // SAFETY:
    // 1. The CPU does not run yet.
    unsafe { segments::prepare(number, record, stack) };
    area.aim_at(record, stack);
    apic::send(hardware_id, Message::Init);
    timer::pause(INIT_PAUSE);
    let has_come = |wait: u64| {
        let end = timer::now().saturating_add(wait);
        while cpu::count() <= number.index() && timer::now() < end {
            core::hint::spin_loop();
        }
        cpu::count() > number.index()
    };
    apic::send(hardware_id, Message::Startup(area.code_page()));
    if has_come(STARTUP_PAUSE) {
        return true;
    }
    apic::send(hardware_id, Message::Startup(area.code_page()));
    has_come(START_LIMIT)
}

/// Where a started CPU enters Rust: on its stack, under the kernel's tables, interrupts off.
extern "C" fn secondary_main(record: &'static PerCpu) -> ! {
    // SAFETY:
    // 1. `start` prepared the record for this CPU, which has just begun.
    unsafe { trap::init_cpu(record) };
    paging::note_kernel_active();
    irq::init_cpu();
    timer::init_cpu();
    cpu::note_started();
    // Until it was counted, nobody asked this CPU to forget anything.
    paging::tlb::forget_everything(paging::tlb::Scope::Kernel);
    let entry = ENTRY
        .get()
        .expect("`start_all` sets it before it starts a CPU");
    entry(record.id())
}

/// Posts `request` to every CPU of `targets` that runs, and interrupts it. Does not wait.
pub fn request(targets: CpuSet, request: Request) {
    for target in targets.intersection(online()).iter() {
        let record = PerCpu::of(target);
        record.mailbox.post(request);
        apic::send(
            record.hardware_id(),
            Message::Interrupt(irq::MESSAGE_VECTOR),
        );
    }
}

/// Stops all other CPUs, even with interrupts off, for a CPU that reports its own end.
pub fn halt_others() {
    if cpu::count() == 1 {
        return;
    }
    IS_HALTING.store(true, Ordering::SeqCst);
    let others = online().without(cpu::current());
    for other in others.iter() {
        apic::send(PerCpu::of(other).hardware_id(), Message::NonMaskable);
    }
}

/// Does not return if another CPU called [`halt_others`].
pub(super) fn halt_if_asked() {
    if IS_HALTING.load(Ordering::SeqCst) {
        super::power::halt();
    }
}

/// Serves what other CPUs posted to this one, which was in `origin`. Interrupts are off.
pub(super) fn serve_requests(origin: Origin) {
    let record = this_cpu();
    flush::answer(record);
    let requests = record.mailbox.take();
    if requests.has(Request::Halt) {
        super::power::halt();
    }
    if requests.has(Request::Reschedule) {
        (handlers::installed().reschedule)(origin);
    }
}
