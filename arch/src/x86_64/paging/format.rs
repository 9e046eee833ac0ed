//! Entries of page tables (Intel SDM 3A, 4.5, tables 4-15 to 4-20).

use vm::addr::{PhysAddr, VirtAddr};
use vm::counters::Counters;
use vm::mmu::{Access, Domain, MapFlags, MemoryType, PageSize, Translation};
use vm::paging::{Entry, EntryFormat, Level};

use crate::machine::features::{Features, features};
use crate::machine::record::this_cpu;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const WRITE_THROUGH: u64 = 1 << 3;
const CACHE_DISABLE: u64 = 1 << 4;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
/// In entries that could also point to a table.
const IS_LEAF: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
/// Ours: tells device registers from other memory that is not cached.
const DEVICE: u64 = 1 << 9;
const NO_EXECUTE: u64 = 1 << 63;

/// The third bit of the memory type, where bit 7 is taken by [`IS_LEAF`] and where it is not.
const TYPE_BIT_LARGE: u64 = 1 << 12;
const TYPE_BIT_BASE: u64 = 1 << 7;

/// Bits 12 to 51 of an entry are the address, less those that a large page does not need.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The format of x86_64. No state: nothing tags an address space.
#[derive(Clone, Copy, Debug)]
pub struct Format;

impl EntryFormat for Format {
    /// An entry may change from one frame to another; old translations end with the flush (4.10.4.3).
    const BREAKS_BEFORE_MAKE: bool = false;

    #[inline]
    fn leaf(address: PhysAddr, size: PageSize, flags: MapFlags) -> u64 {
        // Nobody looks at the two marks, so that the CPU need not write them.
        let mut entry = address.raw() as u64 | PRESENT | ACCESSED | DIRTY;
        if size != PageSize::Base {
            entry |= IS_LEAF;
        }
        if flags.access.contains(Access::WRITE) {
            entry |= WRITABLE;
        }
        if !flags.access.contains(Access::EXECUTE) && features().contains(Features::NO_EXECUTE) {
            entry |= NO_EXECUTE;
        }
        match flags.domain {
            Domain::User => entry |= USER,
            Domain::Kernel if features().contains(Features::GLOBAL_PAGES) => entry |= GLOBAL,
            Domain::Kernel => {}
        }
        entry | memory_type(flags.memory, size)
    }

    #[inline]
    fn table(address: PhysAddr) -> u64 {
        address.raw() as u64 | PRESENT | WRITABLE | USER | ACCESSED
    }

    #[inline]
    fn decode(entry: u64, level: Level) -> Entry {
        if entry & PRESENT == 0 {
            return Entry::Empty;
        }
        match level.page_size() {
            Some(size) if level == Level::LEAF || entry & IS_LEAF != 0 => {
                Entry::Leaf(translation(entry, size))
            }
            _ => Entry::Table(PhysAddr::new((entry & ADDRESS) as usize)),
        }
    }

    /// At the root, where nothing is a leaf, the bit that says so must be 0.
    #[inline]
    fn table_below(entry: u64, _level: Level) -> Option<PhysAddr> {
        (entry & (PRESENT | IS_LEAF) == PRESENT)
            .then_some(PhysAddr::new((entry & ADDRESS) as usize))
    }

    #[inline]
    fn with_access(entry: u64, _level: Level, access: Access) -> u64 {
        let mut entry = entry & !(WRITABLE | NO_EXECUTE);
        if access.contains(Access::WRITE) {
            entry |= WRITABLE;
        }
        if !access.contains(Access::EXECUTE) && features().contains(Features::NO_EXECUTE) {
            entry |= NO_EXECUTE;
        }
        entry
    }

    #[inline]
    fn supports(size: PageSize) -> bool {
        match size {
            PageSize::Base | PageSize::Large => true,
            PageSize::Huge => features().contains(Features::HUGE_PAGES),
        }
    }

    /// Stores become visible in order, and an absent entry is never remembered (4.10.2.3).
    #[inline]
    fn publish() {}

    fn forget(&self, _address: VirtAddr) {}

    #[inline(always)]
    fn counters() -> &'static Counters {
        &this_cpu().counters
    }

    fn name_bits(entry: u64, level: Level, name: &mut dyn FnMut(&'static str)) {
        let is_leaf = matches!(Self::decode(entry, level), Entry::Leaf(_));
        for (_, set) in BIT_NAMES.iter().filter(|(bit, _)| entry & bit != 0) {
            name(set);
        }
        if level != Level::LEAF && entry & IS_LEAF != 0 {
            name("PS");
        }
        let type_bit = match level {
            Level::LEAF => TYPE_BIT_BASE,
            _ => TYPE_BIT_LARGE,
        };
        if is_leaf && entry & type_bit != 0 {
            name("PAT");
        }
    }
}

/// The bits that mean the same in every entry, with the manual's names; `DEVICE` is ours.
const BIT_NAMES: &[(u64, &str)] = &[
    (PRESENT, "P"),
    (WRITABLE, "R/W"),
    (USER, "U/S"),
    (WRITE_THROUGH, "PWT"),
    (CACHE_DISABLE, "PCD"),
    (ACCESSED, "A"),
    (DIRTY, "D"),
    (GLOBAL, "G"),
    (DEVICE, "device"),
    (NO_EXECUTE, "XD"),
];

/// The bits that choose one of the types that `features` puts into the page attribute table.
#[inline]
fn memory_type(memory: MemoryType, size: PageSize) -> u64 {
    if memory == MemoryType::Cached {
        // The usual case, without a jump through a table.
        return 0;
    }
    let type_bit = if size == PageSize::Base {
        TYPE_BIT_BASE
    } else {
        TYPE_BIT_LARGE
    };
    match memory {
        MemoryType::Cached => 0,
        MemoryType::Uncached => CACHE_DISABLE | WRITE_THROUGH,
        MemoryType::UncachedDevice => CACHE_DISABLE | WRITE_THROUGH | DEVICE,
        MemoryType::WriteCombining if features().contains(Features::PAGE_ATTRIBUTES) => {
            type_bit | WRITE_THROUGH
        }
        MemoryType::WriteCombining => CACHE_DISABLE | WRITE_THROUGH,
    }
}

/// What a leaf says.
fn translation(entry: u64, size: PageSize) -> Translation {
    let type_bit = if size == PageSize::Base {
        TYPE_BIT_BASE
    } else {
        TYPE_BIT_LARGE
    };
    let memory = if entry & DEVICE != 0 {
        MemoryType::UncachedDevice
    } else if entry & CACHE_DISABLE != 0 {
        MemoryType::Uncached
    } else if entry & type_bit != 0 {
        MemoryType::WriteCombining
    } else {
        MemoryType::Cached
    };
    let mut access = Access::READ;
    access.set(Access::WRITE, entry & WRITABLE != 0);
    access.set(Access::EXECUTE, entry & NO_EXECUTE == 0);
    let domain = if entry & USER != 0 {
        Domain::User
    } else {
        Domain::Kernel
    };
    let within_page = size.bytes() as u64 - 1;
    Translation {
        address: PhysAddr::new((entry & ADDRESS & !within_page) as usize),
        flags: MapFlags {
            access,
            memory,
            domain,
        },
        size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESSES: [Access; 3] = [
        Access::READ,
        Access::READ.union(Access::WRITE),
        Access::READ.union(Access::EXECUTE),
    ];

    fn flags(access: Access, memory: MemoryType, domain: Domain) -> MapFlags {
        MapFlags {
            access,
            memory,
            domain,
        }
    }

    #[test]
    fn a_leaf_says_what_it_was_made_from() {
        Features::all().enable_for_test();
        let memory = [
            MemoryType::Cached,
            MemoryType::Uncached,
            MemoryType::UncachedDevice,
            MemoryType::WriteCombining,
        ];
        for memory in memory {
            for access in ACCESSES {
                for domain in [Domain::User, Domain::Kernel] {
                    let flags = flags(access, memory, domain);
                    let address = PhysAddr::new(0x1234_5000);
                    let entry = Format::leaf(address, PageSize::Base, flags);
                    let expected = Translation {
                        address,
                        flags,
                        size: PageSize::Base,
                    };
                    assert_eq!(Format::decode(entry, Level::LEAF), Entry::Leaf(expected));
                }
            }
        }
    }

    #[test]
    fn changing_access_leaves_the_rest() {
        Features::all().enable_for_test();
        let device = |access| flags(access, MemoryType::UncachedDevice, Domain::Kernel);
        for from in ACCESSES {
            for to in ACCESSES {
                let address = PhysAddr::new(0x7000);
                let entry = Format::leaf(address, PageSize::Base, device(from));
                let expected = Format::leaf(address, PageSize::Base, device(to));
                assert_eq!(Format::with_access(entry, Level::LEAF, to), expected);
            }
        }
    }

    #[test]
    fn tables_and_holes_are_told_from_leaves() {
        let address = PhysAddr::new(0x9000);
        assert_eq!(
            Format::decode(Format::table(address), Level::ROOT),
            Entry::Table(address)
        );
        assert_eq!(Format::decode(0, Level::ROOT), Entry::Empty);
        assert_eq!(Format::decode(0, Level::LEAF), Entry::Empty);
    }
}
