//! The local APIC of each CPU, through memory (xAPIC mode): timer, inter-processor interrupts, end of
//! interrupt.
//!
//! All CPUs see their own at the same address. Section numbers are those of the Intel SDM, volume 3A,
//! chapter 11. The driver is our own because `x2apic` 0.5 puts the destination of an interrupt into the
//! wrong bits in this mode.

use core::sync::atomic::{AtomicUsize, Ordering};

use vm::addr::VirtAddr;
use x86_64::registers::model_specific::Msr;

use super::cpu::without_interrupts;

/// Registers by their distance from the base (table 11-1).
#[derive(Clone, Copy)]
#[repr(usize)]
enum Register {
    EndOfInterrupt = 0xb0,
    SpuriousVector = 0xf0,
    CommandLow = 0x300,
    CommandHigh = 0x310,
    TimerEntry = 0x320,
    TimerInitialCount = 0x380,
    TimerCount = 0x390,
    TimerDivider = 0x3e0,
}

/// What a CPU sends to another (11.6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Message {
    /// An interrupt with this vector.
    Interrupt(u8),
    /// An interrupt that cannot be turned off.
    NonMaskable,
    /// Back to the state after a reset.
    Init,
    /// Begin to run, in real mode, at this page of the first megabyte.
    Startup(u8),
}

/// Where the registers are mapped; zero before [`init`].
static BASE: AtomicUsize = AtomicUsize::new(0);

/// Vector for interrupts that were withdrawn (11.9). They must not be acknowledged.
pub(super) const SPURIOUS_VECTOR: u8 = 0xff;

/// Notes that the registers are mapped at `window`.
pub(super) fn init(window: VirtAddr) {
    BASE.store(window.raw(), Ordering::Release);
}

/// Turns the local APIC of this CPU on (11.4.3, 11.9), with its timer silent.
pub(super) fn init_cpu() {
    const SOFTWARE_ENABLE: u32 = 1 << 8;
    leave_x2apic_mode();
    write(Register::TimerDivider, DIVIDE_BY_ONE);
    stop_timer();
    write(
        Register::SpuriousVector,
        SOFTWARE_ENABLE | u32::from(SPURIOUS_VECTOR),
    );
}

/// The divider's odd encoding (figure 11-10).
const DIVIDE_BY_ONE: u32 = 0b1011;

/// Firmware may have chosen the other mode, which can only be left by way of "off" (11.12.5).
fn leave_x2apic_mode() {
    const X2APIC: u64 = 1 << 10;
    const ENABLED: u64 = 1 << 11;
    let mut base = Msr::new(0x1b);
    // SAFETY:
    // 1. Every CPU with a local APIC has this register.
    // 2. The address in it stays; with the bits in this order each step is a legal transition.
    unsafe {
        let before = base.read();
        if before & X2APIC != 0 {
            base.write(before & !(X2APIC | ENABLED));
        }
        base.write(before & !X2APIC | ENABLED);
    }
}

/// Says that the interrupt being served is done (11.8.5).
#[inline]
pub(super) fn end_of_interrupt() {
    write(Register::EndOfInterrupt, 0);
}

/// Sends `message` to the CPU with APIC identifier `destination` (11.6.1).
pub(super) fn send(destination: u32, message: Message) {
    const DESTINATION_SHIFT: u32 = 24;
    const ASSERT: u32 = 1 << 14;
    const NON_MASKABLE: u32 = 0b100 << 8;
    const INIT: u32 = 0b101 << 8;
    const STARTUP: u32 = 0b110 << 8;
    let command = match message {
        Message::Interrupt(vector) => u32::from(vector),
        Message::NonMaskable => NON_MASKABLE,
        Message::Init => INIT,
        Message::Startup(page) => STARTUP | u32::from(page),
    };
    // An interrupt between the two writes could send something itself.
    without_interrupts(|| {
        wait_until_sent();
        write(Register::CommandHigh, destination << DESTINATION_SHIFT);
        write(Register::CommandLow, ASSERT | command);
        wait_until_sent();
    });
}

fn wait_until_sent() {
    const PENDING: u32 = 1 << 12;
    while read(Register::CommandLow) & PENDING != 0 {
        core::hint::spin_loop();
    }
}

/// Has the timer interrupt this CPU with `vector` after `ticks` of its clock, once (11.5.4).
pub(super) fn start_timer(ticks: u32, vector: u8) {
    write(Register::TimerEntry, u32::from(vector));
    write(Register::TimerInitialCount, ticks);
}

/// Keeps the timer of this CPU from interrupting.
pub(super) fn stop_timer() {
    const MASKED: u32 = 1 << 16;
    write(Register::TimerEntry, MASKED);
    write(Register::TimerInitialCount, 0);
}

/// Lets the timer count down silently from its maximum, to be measured with [`timer_count`].
pub(super) fn run_timer_silently() {
    stop_timer();
    write(Register::TimerInitialCount, u32::MAX);
}

/// How far the timer is from zero.
pub(super) fn timer_count() -> u32 {
    read(Register::TimerCount)
}

fn read(register: Register) -> u32 {
    let address = BASE.load(Ordering::Relaxed) + register as usize;
    // SAFETY:
    // 1. `init` noted where the kernel has mapped the registers, as device memory, for good.
    // 2. Reading has no effect on memory.
    unsafe { (address as *const u32).read_volatile() }
}

fn write(register: Register, value: u32) {
    let address = BASE.load(Ordering::Relaxed) + register as usize;
    // SAFETY:
    // 1. `init` noted where the kernel has mapped the registers, as device memory, for good.
    // 2. Only this module writes them, with values that the manual allows.
    unsafe { (address as *mut u32).write_volatile(value) }
}
