//! Starting the other CPUs.
//!
//! Each one gets a kernel stack with guards, its own per-CPU data, and becomes the idle thread of its
//! own queue of threads. One that does not come up is left out; the machine runs with fewer.

use arrayvec::ArrayVec;
use boot::BootInfo;
use syscall::Result;
use vm::addr::VirtAddr;
use vm::cpu::{CpuId, MAX_CPUS};

use crate::kernel_stack::KernelStack;
use crate::sched;

/// Starts every CPU that the machine describes; returns how many run, this one included.
///
/// # Errors
/// - `NO_MEMORY`: no memory for the stacks.
pub fn start_others(info: &BootInfo) -> Result<usize> {
    let mut stacks: ArrayVec<VirtAddr, MAX_CPUS> = ArrayVec::new();
    for _ in &info.cpus {
        let stack = KernelStack::new()?;
        stacks.push(stack.top());
        // A CPU stands on its stack for ever.
        core::mem::forget(stack);
    }
    let started = arch::smp::start_all(info, &|cpu| stacks[cpu.index()], enter);
    if started < info.cpus.len() {
        println!(
            "jacinth: only {started} of {} CPUs have started",
            info.cpus.len()
        );
    }
    Ok(started)
}

/// The first function of the kernel on another CPU; interrupts are off.
fn enter(cpu: CpuId) -> ! {
    arch::timer::init_cpu();
    if let Err(error) = sched::join_as_idle(cpu) {
        panic!("CPU {cpu} has no memory for its idle thread: {error:?}");
    }
    arch::cpu::enable_interrupts();
    sched::idle()
}
