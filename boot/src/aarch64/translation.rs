//! The translation registers that hold from the first enabled MMU to the end.
//!
//! Source: Arm Architecture Reference Manual (DDI 0487), D19.2.110 `MAIR_EL1`, D19.2.154 `TCR_EL1`.

/// `MAIR_EL1`: what the attribute index of an entry means.
pub const MAIR: u64 = attribute(ATTRIBUTE_CACHED, 0xff)
    | attribute(ATTRIBUTE_WRITE_COMBINING, 0x44)
    | attribute(ATTRIBUTE_UNCACHED, 0x00)
    | attribute(ATTRIBUTE_DEVICE, 0x04);

/// Index of normal memory, write back, allocated on reads and writes.
pub const ATTRIBUTE_CACHED: u64 = 0;
/// Index of normal memory that is not cached.
pub const ATTRIBUTE_WRITE_COMBINING: u64 = 1;
/// Index of device memory, not gathered, not reordered, no early acknowledgement.
pub const ATTRIBUTE_UNCACHED: u64 = 2;
/// Index of device memory, not gathered, not reordered, writes acknowledged early.
pub const ATTRIBUTE_DEVICE: u64 = 3;

/// `TCR_EL1` but for what the entry reads from the CPU (`IPS`, `AS`): 48 bits and 4 KiB pages in both
/// halves, table walks through the caches, inner shareable.
pub const TCR: u64 = LOWER_48_BITS | UPPER_48_BITS | WALKS_CACHED | UPPER_4_KIB;

const LOWER_48_BITS: u64 = 64 - 48;
const UPPER_48_BITS: u64 = (64 - 48) << 16;
const WALKS_CACHED: u64 = 0x3500 | 0x3500 << 16;
const UPPER_4_KIB: u64 = 0b10 << 30;

const fn attribute(index: u64, value: u64) -> u64 {
    value << (8 * index)
}
