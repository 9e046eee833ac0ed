//! VMARs, from the checks of each call to what a machine sees.

mod allocate;
mod destroy;
mod execute_only;
mod flat_map;
mod kernel;
mod large;
mod map;
mod maps;
mod memory;
mod merge;
mod model;
mod op_range;
mod op_range_steps;
mod overwrite;
mod placement;
mod protect;
mod random_calls;
mod spread;
mod stream_size;
mod touch;
mod unmap;

use syscall::Status;

use crate::testing::*;

/// What the pages of a region show: the byte that a load finds in each.
///
/// `None` stands for a hole; tests use VMOs whose page `n` is filled with `n + 1`.
fn shown(world: &World, vmar: &Region) -> Vec<Option<u8>> {
    let pages = vmar.range().pages().get();
    let load = |page| match world.load(page_of(vmar, page)) {
        Ok(byte) => Some(byte),
        Err(status) => {
            assert_eq!(status, Status::NOT_FOUND);
            None
        }
    };
    (0..pages).map(load).collect()
}
