//! The list of operations.

use zx::Status;

use crate::measure::{Bench, Cost};
use crate::{calls, commit, faults, maps, protect};

/// The numbers of mappings at which something is measured.
pub const STAGES: &[usize] = &[FEW, SOME, MANY, MOST];

const FEW: usize = 10;
const SOME: usize = 1_000;
const MANY: usize = 100_000;
const MOST: usize = 1_000_000;

/// One operation.
pub struct Row {
    /// Its name in `bench/rows.txt`.
    pub name: &'static str,
    /// With how many mappings it is measured.
    pub stages: &'static [usize],
    /// Measures it.
    pub measure: fn(&mut Bench) -> Result<Cost, Status>,
}

macro_rules! rows {
    ($($name:literal $stages:expr => $measure:path;)*) => {
        /// Every operation, in the order in which they are measured.
        pub const ROWS: &[Row] = &[$(Row { name: $name, stages: &$stages, measure: $measure }),*];
    };
}

rows! {
    "memory" [MANY, MOST] => maps::memory_per_mapping;
    "null" [FEW] => calls::null;
    "entry" [FEW] => calls::entry;
    "map_unmap" [FEW, SOME, MANY, MOST] => maps::map_unmap;
    "map_write_unmap" [FEW, MANY] => maps::map_write_unmap;
    "create_map_write_free" [FEW] => maps::create_map_write_free;
    "write_absent" [FEW, MANY, MOST] => faults::write_absent;
    "read_absent" [FEW, MANY, MOST] => faults::read_absent;
    "read_one_of_many" [MANY, MOST] => faults::read_one_of_many;
    "read_neighbours" [FEW] => faults::read_neighbours;
    "protect_middle" [FEW, MANY] => protect::middle;
    "protect_down" [FEW] => protect::down;
    "protect_up" [FEW] => protect::up;
    "protect_up_write" [FEW] => protect::up_write;
    "commit" [FEW] => commit::commit;
    "commit_aligned" [FEW] => commit::commit_aligned;
    "unmap_touched" [FEW] => maps::unmap_touched;
    "vmo_write" [FEW] => calls::vmo_write;
    "vmo_read" [FEW] => calls::vmo_read;
}
