//! Entries of VMSAv8-64 tables with 4 KiB pages (Arm ARM D8.3).
//!
//! ```text
//!   63    55 54  53  52..48 47        12 11 10 9  8 7    6 5 4    2 1    0
//!  [        |UXN|PXN|      | address    |nG|AF| SH |AP2:1|NS|Attr  |kind  ]
//! ```
//!
//! Pages of programs are not global (nG), pages of the kernel are; so bit 11 also tells them apart.

use core::arch::asm;

use boot::translation;
use vm::addr::{PhysAddr, VirtAddr};
use vm::counters::Counters;
use vm::mmu::{Access, Domain, MapFlags, MemoryType, PageSize, Translation};
use vm::paging::{Entry, EntryFormat, Level};

use super::super::cpu;
use super::asid::Asid;
use super::{cache, tlb};

const VALID: u64 = 1 << 0;
/// At the level of base pages a page, above it a table. Without it a block, above base pages.
const TABLE_OR_PAGE: u64 = 1 << 1;
const ATTRIBUTE_SHIFT: u32 = 2;
/// EL0 may use it too (AP\[1\]).
const PROGRAMS: u64 = 1 << 6;
/// Nobody may write (AP\[2\]).
const READ_ONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 0b11 << SHAREABILITY_SHIFT;
/// Not having it would be a fault at the first access.
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
/// EL1 may not execute (PXN).
const KERNEL_EXECUTES_NOT: u64 = 1 << 53;
/// EL0 may not execute (UXN).
const PROGRAMS_EXECUTE_NOT: u64 = 1 << 54;
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

/// What page tables need to know about the address space they belong to.
#[derive(Debug)]
pub enum Format {
    /// The kernel's half: its translations hold in every address space.
    Kernel,
    /// A program's: translations carry an identifier.
    Program(Asid),
}

impl EntryFormat for Format {
    // D8.16.1
    const BREAKS_BEFORE_MAKE: bool = true;

    #[inline]
    fn leaf(address: PhysAddr, size: PageSize, flags: MapFlags) -> u64 {
        if flags.access.contains(Access::EXECUTE) && flags.memory == MemoryType::Cached {
            cache::make_executable(address, size);
        }
        let kind = match size {
            PageSize::Base => TABLE_OR_PAGE,
            PageSize::Large | PageSize::Huge => 0,
        };
        VALID
            | kind
            | ACCESSED
            | address.raw() as u64 & ADDRESS
            | memory(flags.memory)
            | rights(flags)
    }

    #[inline]
    fn table(address: PhysAddr) -> u64 {
        address.raw() as u64 | TABLE_OR_PAGE | VALID
    }

    #[inline]
    fn decode(entry: u64, level: Level) -> Entry {
        if entry & VALID == 0 {
            return Entry::Empty;
        }
        let address = PhysAddr::new((entry & ADDRESS) as usize);
        let is_table = level != Level::LEAF && entry & TABLE_OR_PAGE != 0;
        match level.page_size() {
            Some(size) if !is_table => Entry::Leaf(Translation {
                address,
                flags: flags(entry),
                size,
            }),
            _ => Entry::Table(address),
        }
    }

    #[inline]
    fn table_below(entry: u64, _level: Level) -> Option<PhysAddr> {
        const TABLE: u64 = TABLE_OR_PAGE | VALID;
        (entry & TABLE == TABLE).then_some(PhysAddr::new((entry & ADDRESS) as usize))
    }

    #[inline]
    fn supports(_size: PageSize) -> bool {
        true
    }

    #[inline]
    fn publish() {
        // SAFETY:
        // 1. Barriers touch nothing: stores to tables are seen by table walks that begin after (D8.2.6).
        unsafe { asm!("dsb ishst", "isb", options(nostack, preserves_flags)) };
    }

    fn forget(&self, address: VirtAddr) {
        match self {
            Self::Kernel => tlb::forget_kernel_page(address),
            Self::Program(asid) => tlb::forget_page(asid, address),
        }
    }

    #[inline(always)]
    fn counters() -> &'static Counters {
        &cpu::local().counters
    }

    fn name_bits(entry: u64, level: Level, name: &mut dyn FnMut(&'static str)) {
        let named = |bits: &'static [(u64, &'static str)]| {
            bits.iter()
                .filter(move |(bit, _)| entry & bit != 0)
                .map(|(_, set)| *set)
        };
        named(&[(VALID, "valid")]).for_each(&mut *name);
        match Self::decode(entry, level) {
            Entry::Empty => {}
            Entry::Table(_) => name("table"),
            Entry::Leaf(_) => {
                name(match level {
                    Level::LEAF => "page",
                    _ => "block",
                });
                named(LEAF_BITS).for_each(&mut *name);
                name(ATTRIBUTES[(entry >> ATTRIBUTE_SHIFT) as usize % ATTRIBUTES.len()]);
                name(SHAREABILITY[(entry >> SHAREABILITY_SHIFT) as usize % SHAREABILITY.len()]);
            }
        }
    }
}

/// The single bits of a leaf, with the manual's names.
const LEAF_BITS: &[(u64, &str)] = &[
    (PROGRAMS, "AP1"),
    (READ_ONLY, "AP2"),
    (ACCESSED, "AF"),
    (NOT_GLOBAL, "nG"),
    (KERNEL_EXECUTES_NOT, "PXN"),
    (PROGRAMS_EXECUTE_NOT, "UXN"),
];

/// The fields of a leaf with several bits: the index of the memory attributes, and shareability.
const ATTRIBUTES: [&str; 8] = [
    "Attr0", "Attr1", "Attr2", "Attr3", "Attr4", "Attr5", "Attr6", "Attr7",
];
const SHAREABILITY: [&str; 4] = ["SH=none", "SH=reserved", "SH=outer", "SH=inner"];
const SHAREABILITY_SHIFT: u32 = 8;

/// The attribute index, and shareability where it is not fixed.
const fn memory(memory: MemoryType) -> u64 {
    match memory {
        MemoryType::Cached => translation::ATTRIBUTE_CACHED << ATTRIBUTE_SHIFT | INNER_SHAREABLE,
        MemoryType::Uncached => translation::ATTRIBUTE_UNCACHED << ATTRIBUTE_SHIFT,
        MemoryType::UncachedDevice => translation::ATTRIBUTE_DEVICE << ATTRIBUTE_SHIFT,
        MemoryType::WriteCombining => translation::ATTRIBUTE_WRITE_COMBINING << ATTRIBUTE_SHIFT,
    }
}

/// Who may do what. The kernel never executes what it can write, nor what programs can.
const fn rights(flags: MapFlags) -> u64 {
    let access = flags.access;
    let writes = if access.contains(Access::WRITE) {
        0
    } else {
        READ_ONLY
    };
    match flags.domain {
        Domain::Kernel if access.contains(Access::EXECUTE) => READ_ONLY | PROGRAMS_EXECUTE_NOT,
        Domain::Kernel => writes | KERNEL_EXECUTES_NOT | PROGRAMS_EXECUTE_NOT,
        Domain::User => {
            let executes = if access.contains(Access::EXECUTE) {
                0
            } else {
                PROGRAMS_EXECUTE_NOT
            };
            let reads = if access.intersects(Access::READ.union(Access::WRITE)) {
                PROGRAMS
            } else {
                0
            };
            writes | executes | reads | KERNEL_EXECUTES_NOT | NOT_GLOBAL
        }
    }
}

/// What a leaf allows.
fn flags(entry: u64) -> MapFlags {
    let domain = if entry & NOT_GLOBAL != 0 {
        Domain::User
    } else {
        Domain::Kernel
    };
    let execute_not = match domain {
        Domain::User => PROGRAMS_EXECUTE_NOT,
        Domain::Kernel => KERNEL_EXECUTES_NOT,
    };
    let mut access = Access::empty();
    access.set(
        Access::READ,
        domain == Domain::Kernel || entry & PROGRAMS != 0,
    );
    access.set(
        Access::WRITE,
        access.contains(Access::READ) && entry & READ_ONLY == 0,
    );
    access.set(Access::EXECUTE, entry & execute_not == 0);
    let memory = match (entry >> ATTRIBUTE_SHIFT) & 0b111 {
        translation::ATTRIBUTE_WRITE_COMBINING => MemoryType::WriteCombining,
        translation::ATTRIBUTE_UNCACHED => MemoryType::Uncached,
        translation::ATTRIBUTE_DEVICE => MemoryType::UncachedDevice,
        _ => MemoryType::Cached,
    };
    MapFlags {
        access,
        memory,
        domain,
    }
}
