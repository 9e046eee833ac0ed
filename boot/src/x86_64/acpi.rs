//! The little of ACPI that the kernel needs: CPUs, interrupt controllers, the timer's port.
//!
//! ```text
//!   RSDP ─► XSDT (or RSDT) ─► MADT: local APICs, I/O APICs, ISA overrides
//!                          └► FADT: the port of the ACPI timer
//! ```
//!
//! Chapter and table numbers are those of the ACPI specification 6.5. Every length is checked against
//! the table around it, so that damaged tables end in a [`BootError`]. The `acpi` crate is not used
//! because it needs compiler features that are not stable and believes the lengths it reads.

use arrayvec::ArrayVec;
use vm::addr::PhysAddr;

use super::physical::PhysicalMemory;
use crate::info::{ApicDescription, BootError, CpuDescription, IoApic, IsaOverride, MAX_CPUS};

/// Where local APICs are unless a table says otherwise (Intel SDM 3A, 11.4.1).
const DEFAULT_LOCAL_APIC: usize = 0xfee0_0000;

/// The bytes of the header that all tables but the RSDP begin with (table 5.4).
const HEADER_BYTES: u32 = 36;

/// No table that is read here comes near.
const TABLE_LIMIT: u32 = 1 << 20;

/// What the tables say.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Acpi {
    pub(super) cpus: ArrayVec<CpuDescription, MAX_CPUS>,
    pub(super) apic: ApicDescription,
}

impl Acpi {
    /// What is assumed without any table: the running CPU, alone.
    pub(super) fn absent(boot_cpu: u64) -> Self {
        let mut cpus = ArrayVec::new();
        cpus.push(CpuDescription {
            hardware_id: boot_cpu,
        });
        let apic = ApicDescription {
            local: PhysAddr::new(DEFAULT_LOCAL_APIC),
            io: ArrayVec::new(),
            overrides: ArrayVec::new(),
            timer_port: None,
        };
        Self { cpus, apic }
    }

    /// Reads the tables that the root pointer at `root` leads to.
    pub(super) fn parse(
        memory: &impl PhysicalMemory,
        root: u64,
        boot_cpu: u64,
    ) -> Result<Self, BootError> {
        let mut result = Self::absent(boot_cpu);
        let directory = Directory::from_root(memory, root)?;
        for index in 0..directory.entries() {
            let address = directory.entry(memory, index)?;
            match &memory.array::<4>(address)? {
                b"APIC" => result.read_madt(memory, Table::at(memory, address, "MADT")?)?,
                b"FACP" => result.read_fadt(memory, Table::at(memory, address, "FADT")?)?,
                _ => {}
            }
        }
        Ok(result)
    }

    /// Reads the list of interrupt controllers (5.2.12).
    fn read_madt(&mut self, memory: &impl PhysicalMemory, table: Table) -> Result<(), BootError> {
        const FIRST_ENTRY: u64 = 44;
        if u64::from(table.bytes) < FIRST_ENTRY {
            return Err(BootError::BadTable("MADT"));
        }
        self.apic.local = PhysAddr::new(memory.read_u32(table.address + 36)? as usize);
        let end = table.address + u64::from(table.bytes);
        let mut entry = table.address + FIRST_ENTRY;
        while entry + 2 <= end {
            let bytes = memory.read_u8(entry + 1)?;
            if bytes < 2 || entry + u64::from(bytes) > end {
                return Err(BootError::BadTable("MADT"));
            }
            self.read_madt_entry(memory, entry, bytes)?;
            entry += u64::from(bytes);
        }
        Ok(())
    }

    fn read_madt_entry(
        &mut self,
        memory: &impl PhysicalMemory,
        entry: u64,
        bytes: u8,
    ) -> Result<(), BootError> {
        const LOCAL_APIC: (u8, u8) = (0, 8);
        const IO_APIC: (u8, u8) = (1, 12);
        const OVERRIDE: (u8, u8) = (2, 10);
        const LOCAL_ADDRESS: (u8, u8) = (5, 12);
        const LOCAL_X2APIC: (u8, u8) = (9, 16);
        match (memory.read_u8(entry)?, bytes) {
            LOCAL_APIC => {
                let flags = memory.read_u32(entry + 4)?;
                self.add_cpu(u64::from(memory.read_u8(entry + 3)?), flags);
            }
            LOCAL_X2APIC => {
                let flags = memory.read_u32(entry + 8)?;
                self.add_cpu(u64::from(memory.read_u32(entry + 4)?), flags);
            }
            IO_APIC => {
                let address = PhysAddr::new(memory.read_u32(entry + 4)? as usize);
                let first_line = memory.read_u32(entry + 8)?;
                // More than there is room for serve devices that nobody drives.
                let _ = self.apic.io.try_push(IoApic {
                    address,
                    first_line,
                });
            }
            OVERRIDE => self.add_override(
                memory.read_u8(entry + 3)?,
                memory.read_u32(entry + 4)?,
                memory.read_u16(entry + 8)?,
            ),
            LOCAL_ADDRESS => {
                let address = usize::try_from(memory.read_u64(entry + 4)?);
                self.apic.local = PhysAddr::new(address.map_err(|_| BootError::BadTable("MADT"))?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes a CPU that is enabled (table 5.22) and can be named without x2APIC mode.
    fn add_cpu(&mut self, hardware_id: u64, flags: u32) {
        const ENABLED: u32 = 1;
        const BROADCAST: u64 = 0xff;
        let known = self.cpus.iter().any(|cpu| cpu.hardware_id == hardware_id);
        if flags & ENABLED != 0 && hardware_id < BROADCAST && !known {
            // CPUs beyond the limit stay asleep.
            let _ = self.cpus.try_push(CpuDescription { hardware_id });
        }
    }

    /// Notes that ISA interrupt `source` arrives at `line` (table 5.25; flags: table 5.26).
    fn add_override(&mut self, source: u8, line: u32, flags: u16) {
        const LOW: u16 = 0b11;
        const LEVEL: u16 = 0b11;
        let active_low = flags & 0b11 == LOW;
        let level = (flags >> 2) & 0b11 == LEVEL;
        // There are sixteen ISA interrupts, and room for as many.
        let _ = self.apic.overrides.try_push(IsaOverride {
            source,
            line,
            active_low,
            level,
        });
    }

    /// Reads the port of the ACPI timer (table 5.9, `PM_TMR_BLK` and `PM_TMR_LEN`).
    fn read_fadt(&mut self, memory: &impl PhysicalMemory, table: Table) -> Result<(), BootError> {
        const TIMER_PORT: u64 = 76;
        const TIMER_LENGTH: u64 = 91;
        const TIMER_BYTES: u8 = 4;
        if u64::from(table.bytes) > TIMER_LENGTH
            && memory.read_u8(table.address + TIMER_LENGTH)? == TIMER_BYTES
        {
            let port = memory.read_u32(table.address + TIMER_PORT)?;
            self.apic.timer_port = u16::try_from(port).ok().filter(|port| *port != 0);
        }
        Ok(())
    }
}

/// A table whose checksum is right.
#[derive(Clone, Copy)]
struct Table {
    address: u64,
    bytes: u32,
}

impl Table {
    fn at(
        memory: &impl PhysicalMemory,
        address: u64,
        name: &'static str,
    ) -> Result<Self, BootError> {
        let bytes = memory.read_u32(address.saturating_add(4))?;
        if !(HEADER_BYTES..=TABLE_LIMIT).contains(&bytes) || !memory.sums_to_zero(address, bytes)? {
            return Err(BootError::BadTable(name));
        }
        Ok(Self { address, bytes })
    }
}

/// The table of tables: XSDT (5.2.8) or RSDT (5.2.7).
struct Directory {
    table: Table,
    entry_bytes: u32,
}

impl Directory {
    fn from_root(memory: &impl PhysicalMemory, root: u64) -> Result<Self, BootError> {
        const OLD_ROOT_BYTES: u32 = 20;
        let at = |offset| root.saturating_add(offset);
        let genuine =
            memory.array(root)? == *b"RSD PTR " && memory.sums_to_zero(root, OLD_ROOT_BYTES)?;
        if !genuine {
            return Err(BootError::BadTable("RSDP"));
        }
        let extended = match memory.read_u8(at(15))? {
            0 | 1 => 0,
            _ => memory.read_u64(at(24))?,
        };
        let (address, entry_bytes, name) = match extended {
            0 => (u64::from(memory.read_u32(at(16))?), 4, "RSDT"),
            address => (address, 8, "XSDT"),
        };
        Ok(Self {
            table: Table::at(memory, address, name)?,
            entry_bytes,
        })
    }

    fn entries(&self) -> u32 {
        (self.table.bytes - HEADER_BYTES) / self.entry_bytes
    }

    fn entry(&self, memory: &impl PhysicalMemory, index: u32) -> Result<u64, BootError> {
        let address = self.table.address + u64::from(HEADER_BYTES + index * self.entry_bytes);
        match self.entry_bytes {
            4 => memory.read_u32(address).map(u64::from),
            _ => memory.read_u64(address),
        }
    }
}

#[cfg(test)]
#[path = "acpi_tests.rs"]
mod tests;
