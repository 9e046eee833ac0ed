//! What the kernel knows about its machine, whatever started it.
//!
//! [`BootInfo`] is the same on both architectures; where machines differ in kind, it is an enum
//! ([`InterruptController`], [`ConsoleDevice`]). Nothing in it borrows from boot memory.

use core::fmt;

use arrayvec::{ArrayString, ArrayVec};
use vm::addr::{PhysAddr, PhysRange};

use crate::memory_map::MemoryMap;

/// The most CPUs that are described; further ones stay asleep.
pub const MAX_CPUS: usize = 32;

/// The room for a command line in bytes. One that does not fit is cut; see [`BootInfo::is_command_line_cut`].
pub const COMMAND_LINE_BYTES: usize = 1024;

/// The machine as firmware and loader describe it.
#[derive(Clone, Debug)]
pub struct BootInfo {
    /// All of memory that was described: sorted, disjoint, whole pages. The kernel image, the initrd and
    /// tables that are still needed are not part of what is usable.
    pub memory: MemoryMap,
    /// Where the initial programs lie: an address, and a length in bytes.
    pub initrd: Option<Initrd>,
    /// What the user wrote after the kernel's name.
    pub command_line: ArrayString<COMMAND_LINE_BYTES>,
    /// The CPUs that can be started; the one that runs now is the first.
    pub cpus: ArrayVec<CpuDescription, MAX_CPUS>,
    /// The serial console.
    pub console: Option<ConsoleDevice>,
    /// How interrupts reach a CPU.
    pub interrupt_controller: InterruptController,
    /// How power and CPUs are controlled through the firmware (aarch64).
    pub psci: Option<PsciConduit>,
    /// The interrupt of the per-CPU timer, where the firmware has to tell (aarch64).
    pub timer_line: Option<u32>,
    /// Where the ACPI root pointer (RSDP) lies.
    pub acpi_root: Option<PhysAddr>,
    /// Where the flattened device tree lies.
    pub device_tree: Option<PhysAddr>,
    /// Unused memory that CPUs can be started through (x86_64: below 1 MiB). Not part of what is usable.
    pub startup_area: Option<PhysRange>,
    /// Memory below this address can be read through the direct map as it is at hand-off.
    pub direct_map_limit: PhysAddr,
}

impl BootInfo {
    /// Whether a part of the command line may be missing, because there is no room for another character.
    pub fn is_command_line_cut(&self) -> bool {
        self.command_line.remaining_capacity() < char::MAX.len_utf8()
    }
}

/// The file of initial programs, as the loader placed it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Initrd {
    /// The first byte.
    pub address: PhysAddr,
    /// The length in bytes, not in pages.
    pub bytes: usize,
}

/// One CPU.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CpuDescription {
    /// The name the hardware gives it: the APIC identifier on x86_64, the affinity fields of `MPIDR_EL1`
    /// on aarch64.
    pub hardware_id: u64,
}

/// A serial device that the kernel can talk to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConsoleDevice {
    /// A PC serial port at an I/O port.
    Uart16550 {
        /// The first of its eight ports.
        port: u16,
    },
    /// An Arm PrimeCell UART.
    Pl011 {
        /// The first of its registers.
        base: PhysAddr,
        /// Its interrupt, if the firmware names one.
        line: Option<u32>,
    },
}

/// How interrupts reach a CPU.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InterruptController {
    /// Local APICs and I/O APICs.
    Apic(ApicDescription),
    /// An Arm generic interrupt controller, version 2.
    GicV2 {
        /// The distributor's registers.
        distributor: PhysAddr,
        /// The CPU interface's registers.
        cpu: PhysAddr,
    },
    /// An Arm generic interrupt controller, version 3.
    GicV3 {
        /// The distributor's registers.
        distributor: PhysAddr,
        /// The redistributors' registers, one after the other.
        redistributors: PhysAddr,
        /// The length of all redistributors in bytes.
        redistributors_bytes: usize,
    },
}

/// What ACPI says about the APICs of a machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApicDescription {
    /// The registers of each CPU's local APIC.
    pub local: PhysAddr,
    /// The I/O APICs.
    pub io: ArrayVec<IoApic, 4>,
    /// Which lines of the old controllers arrive elsewhere.
    pub overrides: ArrayVec<IsaOverride, 16>,
    /// The I/O port of the ACPI timer that counts at 3.579545 MHz.
    pub timer_port: Option<u16>,
}

/// One I/O APIC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IoApic {
    /// Its registers.
    pub address: PhysAddr,
    /// The global number of its first line.
    pub first_line: u32,
}

/// An ISA interrupt that arrives on another line, or with other signalling, than its number says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IsaOverride {
    /// The ISA number.
    pub source: u8,
    /// The global line.
    pub line: u32,
    /// Whether the signal is active low.
    pub active_low: bool,
    /// Whether the signal is a level, not an edge.
    pub level: bool,
}

/// The instruction that calls the firmware (aarch64).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PsciConduit {
    /// `hvc`
    Hvc,
    /// `smc`
    Smc,
}

/// Why the machine's description cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BootError {
    /// A table has a wrong magic number, length or checksum.
    BadTable(&'static str),
    /// A table that is needed is not there.
    MissingTable(&'static str),
    /// A table lies outside the memory that can be read this early.
    OutOfReach(PhysAddr),
    /// There are more regions of memory than [`MAX_REGIONS`](crate::MAX_REGIONS).
    TooManyRegions,
    /// No region of memory is usable.
    NoMemory,
}

impl fmt::Display for BootError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadTable(name) => write!(formatter, "the boot table `{name}` is damaged"),
            Self::MissingTable(name) => write!(formatter, "the boot table `{name}` is missing"),
            Self::OutOfReach(address) => {
                write!(
                    formatter,
                    "a boot table at {address} lies beyond the early direct map"
                )
            }
            Self::TooManyRegions => write!(formatter, "the memory map has too many regions"),
            Self::NoMemory => write!(formatter, "the memory map has no usable memory"),
        }
    }
}
