//! The serial console: a 16550 UART at an I/O port.
//!
//! Output waits for the device; input is taken from its buffer, on an interrupt ([`input_line`]) or by asking.

use boot::ConsoleDevice;
use uart_16550::backend::PioBackend;
use uart_16550::spec::registers::IER;
use uart_16550::{Config, Uart16550};
use vm::addr::VirtAddr;

use crate::irq_lock::IrqLock;

/// The ISA interrupt of the first serial port.
const LINE: u32 = 4;

static UART: IrqLock<Option<Uart16550<PioBackend>>> = IrqLock::new(None);

/// Makes `device` the console. Other devices than a 16550 are not there on a PC and are ignored.
pub fn init_early(device: ConsoleDevice) {
    let ConsoleDevice::Uart16550 { port } = device else {
        return;
    };
    // SAFETY:
    // 1. `boot` names the port of a serial device, and only this module uses it.
    let Ok(mut uart) = (unsafe { Uart16550::new_port(port) }) else {
        return;
    };
    // A device that fails its self-test may still write, and there is nowhere else to complain.
    let _ = uart.init(Config::default());
    *UART.lock() = Some(uart);
}

/// Nothing to do: I/O ports need no mapping. (A memory-mapped console moves into the kernel VMAR here.)
pub fn remap(_window: VirtAddr) {}

/// Writes `bytes`, a carriage return before each line feed.
pub fn write(bytes: &[u8]) {
    let mut uart = UART.lock();
    let Some(uart) = uart.as_mut() else { return };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.split_last() {
            Some((b'\n', text)) => {
                uart.send_bytes_exact(text);
                uart.send_bytes_exact(b"\r\n");
            }
            _ => uart.send_bytes_exact(line),
        }
    }
}

/// The next byte that was typed, if any.
pub fn read() -> Option<u8> {
    UART.lock().as_mut()?.try_receive_byte().ok()
}

/// The interrupt that says that something was typed.
pub fn input_line() -> Option<u32> {
    UART.lock().is_some().then_some(LINE)
}

/// Has the device raise [`input_line`] when something was typed.
pub fn enable_input_interrupt() {
    if let Some(uart) = UART.lock().as_mut() {
        uart.enable_interrupts(IER::DATA_READY);
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
