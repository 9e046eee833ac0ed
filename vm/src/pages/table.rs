//! What page tables ask of the database about the frames they are in.

use super::PageDatabase;
use crate::addr::PhysAddr;

impl PageDatabase {
    /// How many entries of the table at `address` are in use, as `set_population` said last.
    #[inline]
    pub(crate) fn population(&self, address: PhysAddr) -> u16 {
        self.table_info(address).population()
    }

    /// Remembers how many entries of the table at `address` are in use. Its page tables are locked.
    #[inline]
    pub(crate) fn set_population(&self, address: PhysAddr, population: u16) {
        self.table_info(address).set_population(population);
    }

    #[inline]
    fn table_info(&self, address: PhysAddr) -> &'static super::info::PageInfo {
        self.infos
            .at(address)
            .expect("tables are in frames of the database")
    }

    /// How often the frame at `address` changed hands; `None` if it is not in the database.
    #[cfg(any(test, feature = "sim"))]
    pub fn generation(&self, address: PhysAddr) -> Option<u32> {
        self.infos
            .at(address)
            .map(super::info::PageInfo::generation)
    }
}
