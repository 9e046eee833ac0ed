//! The serial console: a PrimeCell PL011 (Arm DDI 0183).

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use arm_pl011_uart::{Interrupts, PL011Registers, Uart, UniqueMmioPointer};
use boot::{ConsoleDevice, PHYSMAP_BASE};
use vm::addr::VirtAddr;

use crate::irq_lock::IrqLock;

static UART: IrqLock<Option<Uart<'static>>> = IrqLock::new(None);

/// The interrupt that [`input_line`] names; [`NO_LINE`] if there is none.
static LINE: AtomicU32 = AtomicU32::new(NO_LINE);

/// Not an interrupt of the GIC (1020 to 1023 are special).
const NO_LINE: u32 = 1023;

/// Makes `device` the console, at its place in the direct map. Only a PL011 can be one; firmware has set
/// its speed.
pub fn init_early(device: ConsoleDevice) {
    let ConsoleDevice::Pl011 { base, line } = device else {
        return;
    };
    if let Some(window) = PHYSMAP_BASE.checked_add(base.raw()) {
        LINE.store(line.unwrap_or(NO_LINE), Ordering::Relaxed);
        remap(window);
    }
}

/// Goes on at `window`, where the device's page is mapped as device memory.
pub fn remap(window: VirtAddr) {
    let registers = core::ptr::with_exposed_provenance_mut::<PL011Registers>(window.raw());
    *UART.lock() = NonNull::new(registers).map(|registers| {
        // SAFETY:
        // 1. The boot tables, the final tables and the kernel's device windows map the page.
        // 2. Only this module uses the device, and the instance before is dropped by the assignment.
        Uart::new(unsafe { UniqueMmioPointer::new(registers) })
    });
}

/// Writes `bytes`, a carriage return before each line feed. Waits for the device.
pub fn write(bytes: &[u8]) {
    let mut uart = UART.lock();
    let Some(uart) = uart.as_mut() else { return };
    for byte in bytes {
        if *byte == b'\n' {
            put(uart, b'\r');
        }
        put(uart, *byte);
    }
}

fn put(uart: &mut Uart<'_>, byte: u8) {
    while uart.is_tx_fifo_full() {
        core::hint::spin_loop();
    }
    uart.write_word(byte);
}

/// The next byte that was typed, if any. Bytes that arrived damaged are dropped.
pub fn read() -> Option<u8> {
    let mut uart = UART.lock();
    let uart = uart.as_mut()?;
    loop {
        if let Ok(byte) = uart.read_word() {
            return byte;
        }
    }
}

/// The interrupt that says that something was typed, if the firmware names one.
pub fn input_line() -> Option<u32> {
    Some(LINE.load(Ordering::Relaxed)).filter(|line| *line != NO_LINE)
}

/// Has the device raise [`input_line`] until everything that was typed is read.
pub fn enable_input_interrupt() {
    if let Some(uart) = UART.lock().as_mut() {
        uart.set_interrupt_masks(Interrupts::RXI | Interrupts::RTI);
    }
}

/// Opens the console to a CPU that reports its own end.
///
/// # Safety
/// 1. Whoever held the console never runs again.
pub unsafe fn seize() {
    // SAFETY:
    // 1. The caller promises what `force_unlock` asks for.
    unsafe { UART.force_unlock() }
}
