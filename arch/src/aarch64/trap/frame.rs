//! What a trap saves.

use core::fmt;

use vm::addr::VirtAddr;

use crate::handlers::Origin;

/// The state of a thread at the moment of a trap; laid out as `vectors.s` has it.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct TrapFrame {
    /// `x0` to `x30`.
    pub registers: [u64; 31],
    /// `SP_EL0` of a program, `SP_EL1` of the kernel.
    pub stack_pointer: u64,
    /// `ELR_EL1`: the instruction that trapped or will be next.
    pub program_counter: u64,
    /// `SPSR_EL1`: flags, interrupt masks and exception level.
    pub status: u64,
    /// `ESR_EL1`: why. Only meaningful for exceptions, not for interrupts.
    pub syndrome: u64,
    /// `FAR_EL1`: the address, where the reason has one.
    pub fault_address: u64,
}

const _: () = assert!(
    size_of::<TrapFrame>() == 288,
    "vectors.s has FRAME_BYTES = 288"
);

impl TrapFrame {
    /// The instruction that trapped or will be next.
    pub const fn program_counter(&self) -> VirtAddr {
        VirtAddr::new(self.program_counter as usize)
    }

    /// The stack pointer.
    pub const fn stack_pointer(&self) -> VirtAddr {
        VirtAddr::new(self.stack_pointer as usize)
    }

    /// The frame pointer, `x29`.
    pub const fn frame_pointer(&self) -> VirtAddr {
        VirtAddr::new(self.registers[29] as usize)
    }

    /// From where the trap came (`SPSR_EL1.M`; Arm ARM C5.2.19).
    pub const fn origin(&self) -> Origin {
        const LEVEL: u64 = 0b1100;
        if self.status & LEVEL == 0 {
            Origin::User
        } else {
            Origin::Kernel
        }
    }

    /// Whether the code that trapped ran with interrupts masked.
    pub(super) const fn had_interrupts_masked(&self) -> bool {
        const MASKED: u64 = 1 << 7;
        self.status & MASKED != 0
    }
}

impl fmt::Display for TrapFrame {
    /// All registers, four to a line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.registers.iter().enumerate() {
            let end = if index % 4 == 3 { '\n' } else { ' ' };
            write!(formatter, "{:>4}{index:<2} {value:#018x}{end}", "x")?;
        }
        writeln!(formatter, "{:>6} {:#018x}", "sp", self.stack_pointer)?;
        write!(formatter, "{:>6} {:#018x} ", "pc", self.program_counter)?;
        write!(formatter, "{:>6} {:#018x} ", "spsr", self.status)?;
        write!(formatter, "{:>6} {:#018x} ", "esr", self.syndrome)?;
        write!(formatter, "{:>6} {:#018x}", "far", self.fault_address)
    }
}
