//! The simulated machine's entries.
//!
//! ```text
//!   63       60    58      57    54    52                  12          1       0
//!   | zeros  | domain | memory |  access | address of a frame | zeros | table | present |
//! ```

use std::boxed::Box;

use crate::addr::{PhysAddr, VirtAddr};
use crate::counters::Counters;
use crate::mmu::{Access, Domain, MapFlags, MemoryType, PageSize, Translation};
use crate::paging::{Entry, EntryFormat, Level};

const PRESENT: u64 = 1 << 0;
const TABLE: u64 = 1 << 1;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
const ACCESS_SHIFT: u32 = 52;
const MEMORY_SHIFT: u32 = 55;
const USER: u64 = 1 << 57;

std::thread_local! {
    /// What was counted on this thread, whichever processor it played.
    static COUNTERS: &'static Counters = Box::leak(Box::new(Counters::new()));
}

const MEMORY_TYPES: [MemoryType; 4] = [
    MemoryType::Cached,
    MemoryType::Uncached,
    MemoryType::UncachedDevice,
    MemoryType::WriteCombining,
];

/// The format of the simulated machine, which lets entries be overwritten, as x86 does.
#[derive(Debug)]
pub struct SimFormat;

impl EntryFormat for SimFormat {
    const BREAKS_BEFORE_MAKE: bool = false;

    fn leaf(address: PhysAddr, _size: PageSize, flags: MapFlags) -> u64 {
        let memory = MEMORY_TYPES
            .iter()
            .position(|memory| *memory == flags.memory);
        let user = match flags.domain {
            Domain::User => USER,
            Domain::Kernel => 0,
        };
        address.raw() as u64
            | user
            | (memory.unwrap_or(0) as u64) << MEMORY_SHIFT
            | u64::from(flags.access.bits()) << ACCESS_SHIFT
            | PRESENT
    }

    fn table(address: PhysAddr) -> u64 {
        address.raw() as u64 | TABLE | PRESENT
    }

    fn decode(entry: u64, level: Level) -> Entry {
        let address = PhysAddr::new((entry & ADDRESS) as usize);
        match level.page_size() {
            _ if entry & PRESENT == 0 => Entry::Empty,
            _ if entry & TABLE != 0 => Entry::Table(address),
            None => Entry::Empty,
            Some(size) => {
                let access = Access::from_bits_truncate((entry >> ACCESS_SHIFT) as u8);
                let memory = MEMORY_TYPES[(entry >> MEMORY_SHIFT) as usize % MEMORY_TYPES.len()];
                let domain = if entry & USER == 0 {
                    Domain::Kernel
                } else {
                    Domain::User
                };
                Entry::Leaf(Translation {
                    address,
                    flags: MapFlags {
                        access,
                        memory,
                        domain,
                    },
                    size,
                })
            }
        }
    }

    fn supports(_size: PageSize) -> bool {
        true
    }

    fn publish() {}

    fn forget(&self, _address: VirtAddr) {}

    fn counters() -> &'static Counters {
        COUNTERS.with(|counters| *counters)
    }

    fn name_bits(entry: u64, _level: Level, name: &mut dyn FnMut(&'static str)) {
        let bits = [(PRESENT, "present"), (TABLE, "table"), (USER, "user")];
        for (_, set) in bits.into_iter().filter(|(bit, _)| entry & bit != 0) {
            name(set);
        }
    }
}
