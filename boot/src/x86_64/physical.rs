//! Reading the tables that firmware and loader left in memory.
//!
//! Parsers ask [`PhysicalMemory`] for numbers at addresses and get an error instead of a fault. The
//! kernel's [`DirectMap`] reads real memory; tests read an array.

use vm::addr::PhysAddr;

use crate::info::BootError;

/// Physical memory that can be read; integers are little-endian.
pub(super) trait PhysicalMemory {
    /// Fills `buffer` with the bytes from `address` on.
    ///
    /// # Errors
    /// - [`BootError::OutOfReach`]: not all of them can be read.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), BootError>;

    /// The byte at `address`.
    fn read_u8(&self, address: u64) -> Result<u8, BootError> {
        self.array(address).map(u8::from_le_bytes)
    }

    /// The two bytes at `address`.
    fn read_u16(&self, address: u64) -> Result<u16, BootError> {
        self.array(address).map(u16::from_le_bytes)
    }

    /// The four bytes at `address`.
    fn read_u32(&self, address: u64) -> Result<u32, BootError> {
        self.array(address).map(u32::from_le_bytes)
    }

    /// The eight bytes at `address`.
    fn read_u64(&self, address: u64) -> Result<u64, BootError> {
        self.array(address).map(u64::from_le_bytes)
    }

    /// The `N` bytes at `address`.
    fn array<const N: usize>(&self, address: u64) -> Result<[u8; N], BootError> {
        let mut bytes = [0; N];
        self.read(address, &mut bytes)?;
        Ok(bytes)
    }

    /// Whether the `bytes` bytes at `address` add up to zero, as ACPI wants it.
    fn sums_to_zero(&self, address: u64, bytes: u32) -> Result<bool, BootError> {
        let mut sum = 0u8;
        for offset in 0..u64::from(bytes) {
            sum = sum.wrapping_add(self.read_u8(address.saturating_add(offset))?);
        }
        Ok(sum == 0)
    }
}

/// The error for a table at `address` that cannot be reached.
pub(super) fn out_of_reach(address: u64) -> BootError {
    BootError::OutOfReach(PhysAddr::new(
        usize::try_from(address).unwrap_or(usize::MAX),
    ))
}

/// The direct map as the entry code sets it up: the first 4 GiB.
#[cfg(target_os = "none")]
pub(super) struct DirectMap;

#[cfg(target_os = "none")]
impl PhysicalMemory for DirectMap {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), BootError> {
        let limit = super::DIRECT_MAP_LIMIT.raw() as u64;
        let end = address.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > limit) {
            return Err(out_of_reach(address));
        }
        let source = (super::PHYSMAP_BASE.raw() + address as usize) as *const u8;
        // SAFETY:
        // 1. `entry.s` maps all physical addresses below the limit at `PHYSMAP_BASE`; those without
        //    memory behind them read as ones.
        // 2. `buffer` is exclusively ours and lies in the kernel's own stack or data, which no table
        //    overlaps: the loader keeps them out of the image. Were one to lie, the copy would still be
        //    one of plain bytes, with `copy` allowing overlap.
        unsafe { core::ptr::copy(source, buffer.as_mut_ptr(), buffer.len()) };
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod testing {
    extern crate std;
    use std::vec::Vec;

    use super::{BootError, PhysicalMemory, out_of_reach};

    /// Memory from `base` on, for tests to fill.
    pub(in crate::machine) struct TestMemory {
        pub(in crate::machine) base: u64,
        pub(in crate::machine) bytes: Vec<u8>,
    }

    impl TestMemory {
        pub(in crate::machine) fn new(base: u64, bytes: usize) -> Self {
            Self {
                base,
                bytes: std::vec![0; bytes],
            }
        }

        pub(in crate::machine) fn put(&mut self, address: u64, bytes: &[u8]) {
            let start = (address - self.base) as usize;
            self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        }
    }

    impl PhysicalMemory for TestMemory {
        fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), BootError> {
            let start = address
                .checked_sub(self.base)
                .ok_or(out_of_reach(address))? as usize;
            let end = start
                .checked_add(buffer.len())
                .ok_or(out_of_reach(address))?;
            buffer.copy_from_slice(self.bytes.get(start..end).ok_or(out_of_reach(address))?);
            Ok(())
        }
    }
}
