//! What a PVH loader passes: `hvm_start_info` (Xen, `xen/include/public/arch-x86/hvm/start_info.h`).
//!
//! ```text
//!   0 magic   4 version   8 flags   12 module count   16 modules   24 command line
//!   32 RSDP   40 memory map   48 its length            (all addresses 64 bits)
//! ```

use super::loader::LoaderInfo;
use super::physical::PhysicalMemory;
use crate::info::BootError;

const MAGIC: u32 = 0x336e_c578;

/// The first version with a memory map.
const VERSION_WITH_MEMORY_MAP: u32 = 1;

const MEMORY_ENTRY_BYTES: u64 = 24;

/// More entries than any firmware makes.
const MEMORY_ENTRIES_LIMIT: u32 = 1024;

/// Reads the structure at `information`.
pub(super) fn parse(
    memory: &impl PhysicalMemory,
    information: u64,
) -> Result<LoaderInfo, BootError> {
    let at = |offset| information.saturating_add(offset);
    if memory.read_u32(at(0))? != MAGIC || memory.read_u32(at(4))? < VERSION_WITH_MEMORY_MAP {
        return Err(BootError::BadTable("hvm_start_info"));
    }
    let mut info = LoaderInfo::default();
    let entries = memory.read_u64(at(40))?;
    for index in 0..memory.read_u32(at(48))?.min(MEMORY_ENTRIES_LIMIT) {
        let entry = entries.saturating_add(u64::from(index) * MEMORY_ENTRY_BYTES);
        let base = memory.read_u64(entry)?;
        let bytes = memory.read_u64(entry.saturating_add(8))?;
        info.add_memory(base, bytes, memory.read_u32(entry.saturating_add(16))?)?;
    }
    if memory.read_u32(at(12))? != 0 {
        let module = memory.read_u64(at(16))?;
        info.add_module(
            memory.read_u64(module)?,
            memory.read_u64(module.saturating_add(8))?,
        );
    }
    match memory.read_u64(at(24))? {
        0 => {}
        address => info.read_command_line(memory, address)?,
    }
    info.acpi_root = Some(memory.read_u64(at(32))?).filter(|root| *root != 0);
    Ok(info)
}

#[cfg(test)]
mod tests {
    use vm::addr::PhysAddr;

    use super::super::physical::testing::TestMemory;
    use super::*;
    use crate::info::Initrd;
    use crate::memory_map::MemoryKind;

    const BASE: u64 = 0x1000;

    fn start_info() -> TestMemory {
        let mut memory = TestMemory::new(BASE, 0x1000);
        memory.put(BASE, &MAGIC.to_le_bytes());
        memory.put(BASE + 4, &1u32.to_le_bytes());
        memory.put(BASE + 12, &1u32.to_le_bytes());
        memory.put(BASE + 16, &(BASE + 0x100).to_le_bytes());
        memory.put(BASE + 24, &(BASE + 0x200).to_le_bytes());
        memory.put(BASE + 32, &0xf5000u64.to_le_bytes());
        memory.put(BASE + 40, &(BASE + 0x300).to_le_bytes());
        memory.put(BASE + 48, &2u32.to_le_bytes());
        memory.put(BASE + 0x100, &0x700_0000u64.to_le_bytes());
        memory.put(BASE + 0x108, &12345u64.to_le_bytes());
        memory.put(BASE + 0x200, b"one=1 two\0junk");
        memory.put(BASE + 0x300, &0x10_0000u64.to_le_bytes());
        memory.put(BASE + 0x308, &0x700_0000u64.to_le_bytes());
        memory.put(BASE + 0x310, &1u32.to_le_bytes());
        memory
    }

    #[test]
    fn everything_is_found_and_an_empty_memory_entry_is_ignored() {
        let info = parse(&start_info(), BASE).expect("a valid structure");
        assert_eq!(info.command_line.as_str(), "one=1 two");
        assert_eq!(info.acpi_root, Some(0xf5000));
        let initrd = Initrd {
            address: PhysAddr::new(0x700_0000),
            bytes: 12345,
        };
        assert_eq!(info.initrd, Some(initrd));
        assert_eq!(info.memory.regions().len(), 1);
        assert_eq!(info.memory.of_kind(MemoryKind::Usable).count(), 1);
    }

    #[test]
    fn a_wrong_magic_number_is_refused() {
        let mut memory = start_info();
        memory.put(BASE, &[0]);
        let error = parse(&memory, BASE).expect_err("not the structure");
        assert_eq!(error, BootError::BadTable("hvm_start_info"));
    }

    #[test]
    fn an_address_without_memory_is_an_error() {
        let mut memory = start_info();
        memory.put(BASE + 24, &u64::MAX.to_le_bytes());
        assert!(matches!(
            parse(&memory, BASE),
            Err(BootError::OutOfReach(_))
        ));
        assert!(matches!(
            parse(&memory, u64::MAX),
            Err(BootError::OutOfReach(_))
        ));
    }
}
