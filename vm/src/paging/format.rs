//! What an architecture says about its entries.

use crate::addr::{PhysAddr, VirtAddr};
use crate::counters::Counters;
use crate::mmu::{Access, MapFlags, PageSize, Translation};
use crate::paging::Level;

/// What an entry of a table means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// Nothing is mapped.
    Empty,
    /// The table one level down is at this address.
    Table(PhysAddr),
    /// A page is mapped; the address is the page's.
    Leaf(Translation),
}

/// How an architecture writes the entries of tables with four levels of 512 entries of 8 bytes.
///
/// The entry 0 is empty in every format, so a table full of zeros is an empty table.
///
/// The functions without `self` are the same for all address spaces. The value itself is what one address
/// space needs besides its tables, such as a tag.
pub trait EntryFormat: Send + Sync + 'static {
    /// Whether an entry must be cleared, and forgotten by every processor, before it shows another frame.
    const BREAKS_BEFORE_MAKE: bool;

    /// The bits of a leaf that hold the address of the page, in place: adding a page's size to the entry of
    /// one page gives that of the next. `with_access` does not change these bits, and looks at them only if it
    /// makes a page executable.
    const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

    /// The entry that maps a page of `size` at `address`, which is aligned to it.
    fn leaf(address: PhysAddr, size: PageSize, flags: MapFlags) -> u64;

    /// The entry that points to the table at `address`. It forbids nothing.
    fn table(address: PhysAddr) -> u64;

    /// What `entry`, found in a table of `level`, means.
    fn decode(entry: u64, level: Level) -> Entry;

    /// The table that `entry`, found in a table of `level` above the leaf tables, points to.
    #[inline]
    fn table_below(entry: u64, level: Level) -> Option<PhysAddr> {
        match Self::decode(entry, level) {
            Entry::Table(address) => Some(address),
            Entry::Empty | Entry::Leaf(_) => None,
        }
    }

    /// The leaf `entry`, found in a table of `level`, with its access changed.
    #[inline]
    fn with_access(entry: u64, level: Level, access: Access) -> u64 {
        match Self::decode(entry, level) {
            Entry::Leaf(Translation {
                address,
                flags,
                size,
            }) => Self::leaf(address, size, MapFlags { access, ..flags }),
            Entry::Empty | Entry::Table(_) => entry,
        }
    }

    /// Whether entries can map pages of `size`. Base pages can always be mapped.
    fn supports(size: PageSize) -> bool;

    /// Makes sure that table walks that begin after it see the entries that were written before.
    fn publish();

    /// Makes every processor forget the page at `address`, whose entry was just cleared. Called only if
    /// [`BREAKS_BEFORE_MAKE`](Self::BREAKS_BEFORE_MAKE).
    fn forget(&self, address: VirtAddr);

    /// The counters of the current processor.
    fn counters() -> &'static Counters;

    /// Shows `name` the names of the bits that are set in `entry`, found in a table of `level`, as the
    /// architecture's manual spells them; fields of several bits with their value.
    fn name_bits(entry: u64, level: Level, name: &mut dyn FnMut(&'static str));
}
