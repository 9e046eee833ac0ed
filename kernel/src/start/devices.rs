//! Interrupt controller, clock and console, once there is memory.

use arch::{console as device, irq, timer};
use arrayvec::ArrayVec;
use boot::{BootInfo, ConsoleDevice};
use syscall::{Result, Status};
use vm::addr::{PageCount, PhysAddr, PhysRange, VirtAddr};

use crate::{console, memory};

/// More windows than any machine's interrupt controllers have.
const MAX_WINDOWS: usize = 8;

/// Maps the devices' registers, and lets interrupts come.
///
/// # Errors
/// - `NO_MEMORY`, `NO_RESOURCES`: a device's registers cannot be mapped.
pub fn init(info: &BootInfo) -> Result<()> {
    if let Some(ConsoleDevice::Pl011 { base, .. }) = info.console {
        device::remap(map_registers(base)?);
    }
    let mut windows: ArrayVec<(PhysRange, VirtAddr), MAX_WINDOWS> = ArrayVec::new();
    for window in irq::windows(info) {
        let entry = (window, memory::map_device(window)?);
        windows.try_push(entry).map_err(|_| Status::NO_RESOURCES)?;
    }
    irq::init(info, &mut |window| {
        let mapped = windows.iter().find(|(range, _)| *range == window);
        mapped
            .expect("the controllers want the windows that they have named")
            .1
    });
    timer::init(info);
    timer::init_cpu();
    if let Some(line) = device::input_line() {
        irq::enable(line);
    }
    Ok(())
}

/// The registers that the kernel uses.
pub fn windows(info: &BootInfo) -> impl Iterator<Item = PhysRange> {
    let console = match info.console {
        Some(ConsoleDevice::Pl011 { base, .. }) => page_of(base),
        Some(ConsoleDevice::Uart16550 { .. }) | None => None,
    };
    irq::windows(info).into_iter().chain(console)
}

/// Called by trap code when a device raises its line.
pub fn interrupt(line: u32) {
    if Some(line) == device::input_line() {
        console::collect_input();
        console::hurry_delivery();
    }
}

/// Where the registers at `address` are to be seen.
fn map_registers(address: PhysAddr) -> Result<VirtAddr> {
    let window = memory::map_device(page_of(address).ok_or(Status::INTERNAL)?)?;
    window
        .checked_add(address.page_offset())
        .ok_or(Status::INTERNAL)
}

/// The page that `address` lies in.
fn page_of(address: PhysAddr) -> Option<PhysRange> {
    PhysRange::new(address.page_base(), PageCount::new(1))
}
