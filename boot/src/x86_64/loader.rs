//! What both protocols say, in one form.

use arrayvec::ArrayString;
use vm::addr::PhysAddr;

use super::physical::PhysicalMemory;
use crate::info::{BootError, COMMAND_LINE_BYTES, Initrd};
use crate::memory_map::{MemoryKind, MemoryMap};

/// What the loader says.
#[derive(Debug, Default)]
pub(super) struct LoaderInfo {
    pub(super) memory: MemoryMap,
    pub(super) initrd: Option<Initrd>,
    pub(super) command_line: ArrayString<COMMAND_LINE_BYTES>,
    /// Where the ACPI root pointer lies.
    pub(super) acpi_root: Option<u64>,
}

impl LoaderInfo {
    /// Notes `bytes` bytes of memory at `base`, of a type as the BIOS numbers it
    /// (ACPI 6.5, table 15.4).
    pub(super) fn add_memory(&mut self, base: u64, bytes: u64, kind: u32) -> Result<(), BootError> {
        const RAM: u32 = 1;
        const ACPI_RECLAIMABLE: u32 = 3;
        const ACPI_NON_VOLATILE: u32 = 4;
        let kind = match kind {
            RAM => MemoryKind::Usable,
            ACPI_RECLAIMABLE | ACPI_NON_VOLATILE => MemoryKind::Firmware,
            _ => MemoryKind::Reserved,
        };
        self.memory.add(base, bytes, kind)
    }

    /// Notes the first module as the initrd; empty and further ones are ignored.
    pub(super) fn add_module(&mut self, base: u64, bytes: u64) {
        let (Ok(address), Ok(bytes)) = (usize::try_from(base), usize::try_from(bytes)) else {
            return;
        };
        if bytes != 0 && self.initrd.is_none() {
            self.initrd = Some(Initrd {
                address: PhysAddr::new(address),
                bytes,
            });
        }
    }

    /// Copies the zero-terminated text at `address`, as far as it fits and is text.
    pub(super) fn read_command_line(
        &mut self,
        memory: &impl PhysicalMemory,
        address: u64,
    ) -> Result<(), BootError> {
        self.command_line.clear();
        for offset in 0..COMMAND_LINE_BYTES as u64 {
            let byte = memory.read_u8(address.saturating_add(offset))?;
            let character = if byte.is_ascii() {
                char::from(byte)
            } else {
                '?'
            };
            if byte == 0 || self.command_line.try_push(character).is_err() {
                break;
            }
        }
        Ok(())
    }
}
