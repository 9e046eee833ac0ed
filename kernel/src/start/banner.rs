//! What the kernel says about itself and its machine when it starts.

use boot::{BootInfo, ConsoleDevice, InterruptController};
use syscall::vmaps::HumanBytes;

use crate::memory;

/// The line that shows that the console works.
pub fn title() {
    println!(
        "Jacinth {} on {}",
        env!("CARGO_PKG_VERSION"),
        arch::cpu::ARCHITECTURE
    );
}

/// What was found, and when the start began; `first_tick` is the counter at the first instruction.
pub fn machine(info: &BootInfo, running_cpus: usize, first_tick: u64) {
    let total = HumanBytes(memory::total_bytes());
    println!(
        "  cpus       {running_cpus} running, {} described",
        info.cpus.len()
    );
    println!("  memory     {total}");
    match info.initrd {
        Some(initrd) => println!("  initrd     {}", HumanBytes(initrd.bytes as u64)),
        None => println!("  initrd     none: there is no program to run"),
    }
    let interrupts = match info.interrupt_controller {
        InterruptController::Apic(_) => "APIC",
        InterruptController::GicV2 { .. } => "GICv2",
        InterruptController::GicV3 { .. } => "GICv3",
    };
    println!("  interrupts {interrupts}");
    let console = match info.console {
        Some(ConsoleDevice::Uart16550 { .. }) => "16550",
        Some(ConsoleDevice::Pl011 { .. }) => "PL011",
        None => "none",
    };
    println!("  console    {console}");
    println!("  features   {}", arch::cpu::features());
    let now = arch::timer::ticks();
    println!("  counter    {first_tick} at the first instruction, {now} now");
    if !info.command_line.is_empty() {
        println!("  options    {}", info.command_line);
    }
    println!();
}
