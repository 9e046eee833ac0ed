//! The I/O APICs: which interrupt line goes to which vector of which CPU.
//!
//! Source: Intel 82093AA datasheet, section 3. Lines are named by their global number, except those
//! below 16, which are named by their ISA number and may arrive elsewhere.

use arrayvec::ArrayVec;
use boot::{ApicDescription, IsaOverride};
use vm::addr::VirtAddr;

use crate::irq_lock::IrqLock;

/// Lines below this one are ISA interrupts.
const ISA_LINES: u32 = 16;

/// Indirect access: the register's number goes to one word, its value to the other (3.1).
const SELECT_OFFSET: usize = 0x00;
const WINDOW_OFFSET: usize = 0x10;

const VERSION_REGISTER: u32 = 1;
const FIRST_REDIRECTION_REGISTER: u32 = 0x10;

/// Bits of the low half of a redirection entry (3.2.4).
const ACTIVE_LOW: u32 = 1 << 13;
const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

struct IoApic {
    base: usize,
    first_line: u32,
    lines: u32,
}

#[derive(Default)]
struct IoApics {
    controllers: ArrayVec<IoApic, 4>,
    overrides: ArrayVec<IsaOverride, 16>,
}

static IO_APICS: IrqLock<Option<IoApics>> = IrqLock::new(None);

/// Masks every line of the controllers, which are mapped where `map` says.
pub(super) fn init(description: &ApicDescription, mut map: impl FnMut(usize) -> VirtAddr) {
    let mut all = IoApics {
        overrides: description.overrides.clone(),
        ..IoApics::default()
    };
    for (index, described) in description.io.iter().enumerate() {
        let mut controller = IoApic {
            base: map(index).raw(),
            first_line: described.first_line,
            lines: 0,
        };
        controller.lines = (controller.read(VERSION_REGISTER) >> 16 & 0xff) + 1;
        for entry in 0..controller.lines {
            controller.write_entry(entry, MASKED, 0);
        }
        all.controllers.push(controller);
    }
    *IO_APICS.lock() = Some(all);
}

/// Has `line` interrupt the CPU with APIC identifier `destination` with `vector`.
///
/// Lines of controllers that do not exist stay silent.
pub(super) fn route(line: u32, vector: u8, destination: u32) {
    const DESTINATION_SHIFT: u32 = 24;
    let guard = IO_APICS.lock();
    let Some(all) = guard.as_ref() else { return };
    let isa = IsaOverride {
        source: 0,
        line,
        active_low: false,
        level: false,
    };
    let overridden = all
        .overrides
        .iter()
        .find(|entry| u32::from(entry.source) == line);
    let wiring = match overridden {
        Some(entry) if line < ISA_LINES => *entry,
        _ => isa,
    };
    let mut low = u32::from(vector);
    if wiring.active_low {
        low |= ACTIVE_LOW;
    }
    if wiring.level {
        low |= LEVEL;
    }
    for controller in &all.controllers {
        if let Some(entry) = wiring.line.checked_sub(controller.first_line)
            && entry < controller.lines
        {
            controller.write_entry(entry, low, destination << DESTINATION_SHIFT);
        }
    }
}

impl IoApic {
    /// Writes a redirection entry, masked while only half of it is new.
    fn write_entry(&self, entry: u32, low: u32, high: u32) {
        let register = FIRST_REDIRECTION_REGISTER + 2 * entry;
        self.write(register, MASKED);
        self.write(register + 1, high);
        self.write(register, low);
    }

    fn read(&self, register: u32) -> u32 {
        // SAFETY:
        // 1. The two words are registers of the controller, mapped as device memory for good.
        // 2. The lock around all controllers keeps the two accesses together.
        unsafe {
            ((self.base + SELECT_OFFSET) as *mut u32).write_volatile(register);
            ((self.base + WINDOW_OFFSET) as *const u32).read_volatile()
        }
    }

    fn write(&self, register: u32, value: u32) {
        // SAFETY:
        // 1. The two words are registers of the controller, mapped as device memory for good.
        // 2. The lock around all controllers keeps the two accesses together.
        unsafe {
            ((self.base + SELECT_OFFSET) as *mut u32).write_volatile(register);
            ((self.base + WINDOW_OFFSET) as *mut u32).write_volatile(value);
        }
    }
}
