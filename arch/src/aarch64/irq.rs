//! Interrupts: which one came, and who handles it.
//!
//! A line is the GIC's number of an interrupt (INTID): 0 to 15 come from other CPUs, 16 to 31 from
//! devices that every CPU has for itself, from 32 on are shared devices, which all go to the boot CPU.

use core::sync::atomic::{AtomicU32, Ordering};

use arrayvec::ArrayVec;
use boot::BootInfo;
use vm::addr::{PhysRange, VirtAddr};
use vm::cpu::CpuId;

use super::gic::{self, Acknowledged};
use super::{cpu, smp, timer};
use crate::handlers::{self, Origin};

/// The software-generated interrupt that says "look into the mailbox".
const MAILBOX_LINE: u32 = 0;

/// A line that no interrupt has.
const NO_LINE: u32 = u32::MAX;

static TIMER_LINE: AtomicU32 = AtomicU32::new(NO_LINE);

/// The device memory that [`init`] wants to have mapped.
pub fn windows(info: &BootInfo) -> ArrayVec<PhysRange, 2> {
    gic::windows(info)
}

/// Sets up the interrupt controller, and this CPU's part of it.
///
/// `map` makes each of [`windows`] visible as device memory, for good.
pub fn init(info: &BootInfo, map: &mut dyn FnMut(PhysRange) -> VirtAddr) {
    let addresses: ArrayVec<VirtAddr, 2> = windows(info).into_iter().map(map).collect();
    gic::init(info, &addresses);
    init_cpu();
}

/// Sets up this CPU's part of the interrupt controller.
pub fn init_cpu() {
    gic::init_cpu(cpu::current());
    gic::enable(MAILBOX_LINE, cpu::current());
}

/// Lets interrupt `line` through, to this CPU if every CPU has its own. Lines that do not exist are ignored.
pub fn enable(line: u32) {
    gic::enable(line, cpu::current());
}

/// Interrupts `target` and has it look into its mailbox.
pub(super) fn notify(target: CpuId) {
    gic::send(MAILBOX_LINE, target);
}

pub(super) fn set_timer_line(line: Option<u32>) {
    TIMER_LINE.store(line.unwrap_or(NO_LINE), Ordering::Relaxed);
}

pub(super) fn enable_timer() {
    enable(TIMER_LINE.load(Ordering::Relaxed));
}

/// Handles the interrupt that this CPU was interrupted for. With interrupts masked.
pub(super) fn dispatch(from: Origin) {
    let Some(interrupt) = Acknowledged::next() else {
        return;
    };
    let line = interrupt.line();
    if line == TIMER_LINE.load(Ordering::Relaxed) {
        // The alarm has to be off before the interrupt is done, or it comes again at once; and it has to
        // be done first, because the handler may go on with another thread.
        timer::set_deadline(None);
        drop(interrupt);
        (handlers::installed().tick)(from);
    } else if line == MAILBOX_LINE {
        drop(interrupt);
        smp::serve(from);
    } else {
        (handlers::installed().interrupt)(line);
    }
}
