//! What a CPU does when no thread of it can run.

use syscall::Result;
use vm::cpu::CpuId;

use super::{bury_dead, queue_of, switch, take_request, yield_now};
use crate::object::Thread;

/// Makes the flow that booted `cpu`, which calls this, the idle thread of that CPU.
///
/// # Errors
/// - `NO_MEMORY`: no memory for the thread.
pub fn join_as_idle(cpu: CpuId) -> Result<()> {
    let thread = Thread::boot(cpu)?;
    switch::note_current(alloc::sync::Arc::as_ptr(&thread));
    queue_of(cpu).lock().set_idle(thread);
    Ok(())
}

/// Runs whatever becomes ready on this CPU, and sleeps in between.
///
/// The flow that booted the CPU ends up here.
pub fn idle() -> ! {
    loop {
        crate::console::deliver_input();
        yield_now();
        // Whoever ended while others ran is buried before the CPU sleeps: somebody may wait for that.
        bury_dead();
        arch::cpu::disable_interrupts();
        if !take_request() {
            // Interrupts are off, so whatever comes after the look is still pending here and ends
            // the sleep at once.
            arch::cpu::idle();
        }
        arch::cpu::enable_interrupts();
    }
}
