//! The sizes of block that the heap keeps in stock.

use core::alloc::Layout;

use crate::addr::PAGE_SIZE;

/// Bytes at the beginning of a slab that describe it.
pub(super) const HEADER_BYTES: usize = 64;

/// All sizes, chosen so that little of a page is left over.
const BLOCK_BYTES: [usize; CLASSES] = [
    16, 32, 48, 64, 96, 120, 128, 192, 256, 320, 384, 512, 640, 800, 1008, 1344, 2016,
];

/// How many sizes there are.
pub(super) const CLASSES: usize = 17;

/// The largest block that is kept in stock; larger ones are whole pages.
pub const LARGEST_CACHED_BYTES: usize = BLOCK_BYTES[CLASSES - 1];

/// Sizes are looked up in steps of so many bytes.
const STEP_BYTES: usize = 8;

/// The smallest class for each number of steps.
static CLASS_OF_STEPS: [u8; LARGEST_CACHED_BYTES / STEP_BYTES + 1] = {
    let mut table = [0; LARGEST_CACHED_BYTES / STEP_BYTES + 1];
    let (mut steps, mut class) = (0, 0);
    while steps < table.len() {
        if steps * STEP_BYTES > BLOCK_BYTES[class] {
            class += 1;
        }
        table[steps] = class as u8;
        steps += 1;
    }
    table
};

/// [`SizeClass::chain_blocks`] of each class.
static CHAIN_BLOCKS: [u8; CLASSES] = {
    let mut table = [0; CLASSES];
    let mut class = 0;
    while class < CLASSES {
        table[class] = match SizeClass(class as u8).blocks() {
            0..4 => 4,
            few @ 4..32 => few as u8,
            _ => 32,
        };
        class += 1;
    }
    table
};

/// One of the sizes of block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct SizeClass(u8);

impl SizeClass {
    /// The class whose blocks hold `layout`; `None` if it needs whole pages.
    pub(super) fn of(layout: Layout) -> Option<Self> {
        let class = Self::of_bytes(layout.size())?;
        (class.0..CLASSES as u8)
            .map(Self)
            .find(|class| class.align() >= layout.align())
    }

    /// The same for layouts whose alignment every block has; `None` for all others too.
    #[inline]
    pub(super) fn of_ordinary(layout: Layout) -> Option<Self> {
        if layout.align() <= STEP_BYTES {
            Self::of_bytes(layout.size())
        } else {
            None
        }
    }

    /// The smallest class whose blocks are that large.
    #[inline]
    fn of_bytes(bytes: usize) -> Option<Self> {
        let steps = bytes.div_ceil(STEP_BYTES);
        Some(Self(*CLASS_OF_STEPS.get(steps)?))
    }

    /// All classes.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..CLASSES as u8).map(Self)
    }

    /// The place of the class among all.
    #[inline]
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    /// The size of a block.
    #[inline]
    pub(super) const fn block_bytes(self) -> usize {
        BLOCK_BYTES[self.index()]
    }

    /// What every block's address is a multiple of.
    #[inline]
    pub(super) const fn align(self) -> usize {
        1 << self.block_bytes().trailing_zeros()
    }

    /// Where in a slab the first block begins.
    pub(super) const fn first_block(self) -> usize {
        if self.align() > HEADER_BYTES {
            self.align()
        } else {
            HEADER_BYTES
        }
    }

    /// How many blocks a slab holds.
    pub(super) const fn blocks(self) -> usize {
        (PAGE_SIZE - self.first_block()) / self.block_bytes()
    }

    /// How many free blocks a CPU puts on one chain: a page's worth, but neither one nor too many.
    #[inline]
    pub(super) fn chain_blocks(self) -> usize {
        CHAIN_BLOCKS[self.index()] as usize
    }
}
