//! Interrupts: from vectors to the kernel's handlers.
//!
//! | vectors | what |
//! |---|---|
//! | 0x20 to 0x2f | the old controllers, which are silenced but may still stammer |
//! | 0x30 to 0xaf | device lines 0 to 127 |
//! | 0xf0 | the timer of this CPU |
//! | 0xf1 | another CPU |
//! | 0xff | withdrawn interrupts |

use arrayvec::ArrayVec;
use boot::{ApicDescription, BootInfo, InterruptController};
use vm::addr::{PageCount, PhysAddr, PhysRange, VirtAddr};
use x86_64::instructions::port::Port;

use super::record::this_cpu;
use super::{apic, io_apic, smp, timer};
use crate::handlers::{self, Origin};

/// The timer of this CPU.
pub(super) const TIMER_VECTOR: u8 = 0xf0;
/// Another CPU wants something.
pub(super) const MESSAGE_VECTOR: u8 = 0xf1;

const FIRST_LINE_VECTOR: u8 = 0x30;
const LINES: u32 = 128;
const OLD_CONTROLLERS_VECTOR: u8 = 0x20;

/// The most device windows that [`windows`] names: the local APIC and the I/O APICs.
pub const MAX_WINDOWS: usize = 5;

/// The pages of device registers that [`init`] will want to have mapped.
pub fn windows(info: &BootInfo) -> ArrayVec<PhysRange, MAX_WINDOWS> {
    let Some(apic) = description(info) else {
        return ArrayVec::new();
    };
    let addresses = core::iter::once(apic.local).chain(apic.io.iter().map(|io| io.address));
    addresses.filter_map(page_of).collect()
}

/// Takes over the interrupt controllers. `map` maps pages of device registers, for good, uncached.
///
/// Called once, on the boot CPU; also turns on the boot CPU's own controller.
pub fn init(info: &BootInfo, map: &mut dyn FnMut(PhysRange) -> VirtAddr) {
    silence_old_controllers();
    let Some(description) = description(info) else {
        return;
    };
    let mut window = |address: PhysAddr| {
        let page = page_of(address).map_or(VirtAddr::default(), &mut *map);
        VirtAddr::new(page.raw() + address.page_offset())
    };
    apic::init(window(description.local));
    io_apic::init(description, |index| window(description.io[index].address));
    init_cpu();
}

/// Turns on the interrupt controller of this CPU.
pub fn init_cpu() {
    apic::init_cpu();
}

/// Lets device line `line` interrupt the boot CPU; lines that do not exist stay silent.
pub fn enable(line: u32) {
    if line < LINES {
        let boot_cpu = super::record::PerCpu::of(vm::cpu::CpuId::BOOT);
        let destination = boot_cpu.hardware_id();
        io_apic::route(line, FIRST_LINE_VECTOR + line as u8, destination);
    }
}

/// Serves the interrupt with `vector`, which came from `origin`. Interrupts are off.
pub(super) fn dispatch(vector: usize, origin: Origin) {
    const FIRST_LINE: usize = FIRST_LINE_VECTOR as usize;
    const LAST_LINE: usize = FIRST_LINE + LINES as usize - 1;
    const TIMER: usize = TIMER_VECTOR as usize;
    const MESSAGE: usize = MESSAGE_VECTOR as usize;
    this_cpu().sleep.wake();
    match vector {
        TIMER => {
            apic::end_of_interrupt();
            if timer::has_expired(this_cpu()) {
                (handlers::installed().tick)(origin);
            }
        }
        MESSAGE => {
            apic::end_of_interrupt();
            smp::serve_requests(origin);
        }
        FIRST_LINE..=LAST_LINE => {
            (handlers::installed().interrupt)((vector - FIRST_LINE) as u32);
            apic::end_of_interrupt();
        }
        // The old controllers and withdrawn interrupts: nobody waits for an answer.
        _ => {}
    }
}

fn description(info: &BootInfo) -> Option<&ApicDescription> {
    match &info.interrupt_controller {
        InterruptController::Apic(description) => Some(description),
        InterruptController::GicV2 { .. } | InterruptController::GicV3 { .. } => None,
    }
}

fn page_of(address: PhysAddr) -> Option<PhysRange> {
    PhysRange::new(address.page_base(), PageCount::new(1))
}

/// Moves the vectors of the two 8259 controllers away from the exceptions and masks all their lines
/// (Intel 8259A datasheet, "Initialization Command Words").
fn silence_old_controllers() {
    const COMMAND_PORTS: [u16; 2] = [0x20, 0xa0];
    const INITIALISE: u8 = 0x11;
    const CASCADE: [u8; 2] = [1 << 2, 2];
    const MODE_8086: u8 = 1;
    const ALL_MASKED: u8 = 0xff;
    for (index, command) in COMMAND_PORTS.into_iter().enumerate() {
        let vector = OLD_CONTROLLERS_VECTOR + 8 * index as u8;
        let mut data = Port::<u8>::new(command + 1);
        // SAFETY:
        // 1. These are the controllers' ports on every PC, and nothing where there are none.
        // 2. Interrupts are off, so half-set vectors hurt nobody.
        unsafe {
            Port::<u8>::new(command).write(INITIALISE);
            data.write(vector);
            data.write(CASCADE[index]);
            data.write(MODE_8086);
            data.write(ALL_MASKED);
        }
    }
}
