//! What a multiboot2 loader passes: a list of tags (Multiboot2 specification, 3.6 "Boot information").
//!
//! ```text
//!   0 total size   4 reserved   8 [ 0 type   4 size   8 contents … ] aligned to 8   [ … ]
//! ```

use super::loader::LoaderInfo;
use super::physical::PhysicalMemory;
use crate::info::BootError;
use crate::memory_map::MemoryKind;

/// More than GRUB ever writes.
const TOTAL_LIMIT: u32 = 1 << 20;

const NAME: &str = "multiboot2 information";

/// A tag's type and size come first.
const TAG_HEADER_BYTES: u64 = 8;

/// Reads the list at `information`.
///
/// The list itself is marked in the memory map, because it contains the ACPI root pointer.
pub(super) fn parse(
    memory: &impl PhysicalMemory,
    information: u64,
) -> Result<LoaderInfo, BootError> {
    let total = memory.read_u32(information)?;
    if total > TOTAL_LIMIT {
        return Err(BootError::BadTable(NAME));
    }
    let mut info = LoaderInfo::default();
    info.memory
        .add(information, u64::from(total), MemoryKind::Firmware)?;
    let end = information.saturating_add(u64::from(total));
    let mut tag = information.saturating_add(8);
    while tag.saturating_add(TAG_HEADER_BYTES) <= end {
        let bytes = u64::from(memory.read_u32(tag + 4)?);
        if bytes < TAG_HEADER_BYTES || tag.saturating_add(bytes) > end {
            return Err(BootError::BadTable(NAME));
        }
        if read_tag(
            memory,
            Tag {
                address: tag,
                bytes,
            },
            &mut info,
        )? == Then::Stop
        {
            break;
        }
        tag += bytes.next_multiple_of(8);
    }
    Ok(info)
}

/// Where a tag lies and how long it is, its header included.
#[derive(Clone, Copy)]
struct Tag {
    address: u64,
    bytes: u64,
}

#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Stop,
}

fn read_tag(
    memory: &impl PhysicalMemory,
    tag: Tag,
    info: &mut LoaderInfo,
) -> Result<Then, BootError> {
    const END: u32 = 0;
    const COMMAND_LINE: u32 = 1;
    const MODULE: u32 = 3;
    const MEMORY_MAP: u32 = 6;
    const ACPI_OLD: u32 = 14;
    const ACPI_NEW: u32 = 15;
    let contents = tag.address + TAG_HEADER_BYTES;
    match memory.read_u32(tag.address)? {
        END => return Ok(Then::Stop),
        COMMAND_LINE => info.read_command_line(memory, contents)?,
        MODULE => {
            let start = u64::from(memory.read_u32(contents)?);
            let end = u64::from(memory.read_u32(contents + 4)?);
            info.add_module(start, end.saturating_sub(start));
        }
        MEMORY_MAP => read_memory_map(memory, tag, info)?,
        ACPI_OLD if info.acpi_root.is_none() => info.acpi_root = Some(contents),
        ACPI_NEW => info.acpi_root = Some(contents),
        _ => {}
    }
    Ok(Then::GoOn)
}

fn read_memory_map(
    memory: &impl PhysicalMemory,
    tag: Tag,
    info: &mut LoaderInfo,
) -> Result<(), BootError> {
    const FIRST_ENTRY: u64 = 16;
    const ENTRY_BYTES_USED: u64 = 20;
    let stride = u64::from(memory.read_u32(tag.address + 8)?);
    if stride < ENTRY_BYTES_USED {
        return Err(BootError::BadTable(NAME));
    }
    let mut offset = FIRST_ENTRY;
    while offset + ENTRY_BYTES_USED <= tag.bytes {
        let entry = tag.address + offset;
        let base = memory.read_u64(entry)?;
        let bytes = memory.read_u64(entry + 8)?;
        info.add_memory(base, bytes, memory.read_u32(entry + 16)?)?;
        offset += stride;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::super::physical::testing::TestMemory;
    use super::*;

    const BASE: u64 = 0x9000;

    fn tag(kind: u32, contents: &[u8]) -> Vec<u8> {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend((8 + contents.len() as u32).to_le_bytes());
        bytes.extend(contents);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn information(tags: &[Vec<u8>]) -> TestMemory {
        let body = tags.concat();
        let mut memory = TestMemory::new(BASE, 8 + body.len());
        memory.put(BASE, &(8 + body.len() as u32).to_le_bytes());
        memory.put(BASE + 8, &body);
        memory
    }

    fn memory_map() -> Vec<u8> {
        let mut contents = [24u32.to_le_bytes(), 0u32.to_le_bytes()].concat();
        for (base, bytes, kind) in [(0u64, 0x9fc00u64, 1u64), (0x10_0000, 0x100_0000, 1)] {
            contents.extend([base, bytes, kind].map(u64::to_le_bytes).concat());
        }
        tag(6, &contents)
    }

    #[test]
    fn tags_are_read_and_unknown_ones_skipped() {
        let module = [0x20_0000u32, 0x20_0400].map(u32::to_le_bytes).concat();
        let memory = information(&[
            tag(1, b"interactive=0\0"),
            tag(77, &[1, 2, 3]),
            tag(3, &module),
            memory_map(),
            tag(14, &[0; 20]),
            tag(0, &[]),
        ]);
        let info = parse(&memory, BASE).expect("a valid list");
        assert_eq!(info.command_line.as_str(), "interactive=0");
        assert_eq!(info.initrd.map(|initrd| initrd.bytes), Some(0x400));
        assert!(info.acpi_root.is_some_and(|root| root > BASE));
        assert_eq!(info.memory.of_kind(MemoryKind::Firmware).count(), 1);
        assert_eq!(info.memory.memory_end().raw(), 0x110_0000);
    }

    #[test]
    fn tags_of_impossible_length_are_refused_and_end_the_walk() {
        for length in [0u32, 7, 0x1000, u32::MAX] {
            let mut memory = information(&[tag(1, b"x\0"), tag(0, &[])]);
            memory.put(BASE + 12, &length.to_le_bytes());
            let error = parse(&memory, BASE).expect_err("a damaged tag");
            assert_eq!(error, BootError::BadTable(NAME));
        }
    }

    #[test]
    fn a_memory_map_with_too_small_entries_is_refused() {
        let mut memory = information(&[memory_map(), tag(0, &[])]);
        memory.put(BASE + 16, &0u32.to_le_bytes());
        assert_eq!(
            parse(&memory, BASE).expect_err("no stride"),
            BootError::BadTable(NAME)
        );
    }
}
