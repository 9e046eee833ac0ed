//! The list of operations.

use zx::Status;

use crate::measure::{Bench, Cost};
use crate::{calls, commit, contents, faults, generations, maps, protect, snapshots};

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
    "vmo_create_close" [FEW] => contents::create_close;
    "vmo_commit" [FEW] => contents::commit;
    "vmo_decommit" [FEW] => contents::decommit;
    "vmo_zero" [FEW] => contents::zero;
    "write_copied" [FEW] => snapshots::write_copied;
    "write_left" [FEW] => snapshots::write_left;
    "vmo_write_copied" [FEW] => snapshots::call_write_copied;
    "snapshot_4k" [FEW] => snapshots::take_small;
    "snapshot_64m" [FEW] => snapshots::take_large;
    "snapshot_64g" [FEW] => snapshots::take_sparse;
    "snapshot_close" [FEW] => snapshots::close_large;
    "read_generation_0" [FEW] => generations::read_through::<0>;
    "read_generation_1" [FEW] => generations::read_through::<1>;
    "read_generation_10" [FEW] => generations::read_through::<10>;
    "read_generation_100" [FEW] => generations::read_through::<100>;
    "read_generation_1000" [FEW] => generations::read_through::<1000>;
    "write_generation_1" [FEW] => generations::write_through::<1>;
    "write_generation_10" [FEW] => generations::write_through::<10>;
    "write_generation_100" [FEW] => generations::write_through::<100>;
    "write_generation_1000" [FEW] => generations::write_through::<1000>;
    "memory_page" [FEW] => contents::memory_per_page;
    "memory_snapshot" [FEW] => snapshots::memory_per_snapshot;
}
