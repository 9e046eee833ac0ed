//! `spec/vmar.md` §5.3.

use syscall::{Status, VmOptions};

use super::shown;
use crate::addr::PAGE_SIZE;
use crate::testing::*;
use crate::vmar::MapRequest;

const P: usize = PAGE_SIZE;
const OVERWRITE: VmOptions = R.union(VmOptions::SPECIFIC_OVERWRITE);

/// A VMO of which every page is filled with `byte`.
fn filled_vmo(world: &World, pages: usize, byte: u8) -> Memory {
    let vmo = world.vmo(pages);
    for page in 0..pages {
        vmo.write((page * P) as u64, &[byte; P]).expect("memory");
    }
    vmo
}

fn overwrite(vmar: &Region, at: usize, vmo: &Memory, pages: usize) -> syscall::Result<()> {
    let request = MapRequest {
        options: OVERWRITE,
        ..request_at(at, vmo, 0, pages)
    };
    vmar.map(request)
        .map(|base| assert_eq!(base, page_of(vmar, at)))
}

#[test]
fn a_free_place_is_simply_taken() {
    let world = World::new();
    let (vmar, new) = (world.vmar(4), filled_vmo(&world, 2, 0xee));
    assert_eq!(overwrite(&vmar, 1, &new, 2), Ok(()));
    assert_eq!(shown(&world, &vmar), [None, Some(0xee), Some(0xee), None]);
    drop((vmar, new));
    finish(world);
}

#[test]
fn the_middle_of_a_mapping_shows_another_vmo() {
    let world = World::new();
    let (vmar, old, new) = (
        world.vmar(4),
        world.numbered_vmo(4),
        filled_vmo(&world, 2, 0xee),
    );
    vmar.map(request_at(0, &old, 0, 4)).expect("free");
    assert_eq!(shown(&world, &vmar), [Some(1), Some(2), Some(3), Some(4)]);
    overwrite(&vmar, 1, &new, 2).expect("only mappings");
    assert_eq!(
        shown(&world, &vmar),
        [Some(1), Some(0xee), Some(0xee), Some(4)]
    );
    drop((vmar, old, new));
    finish(world);
}

#[test]
fn any_number_of_mappings_is_replaced_in_part_or_whole() {
    let world = World::new();
    let (vmar, old, new) = (
        world.vmar(8),
        world.numbered_vmo(2),
        filled_vmo(&world, 5, 0xee),
    );
    for at in [0, 2, 5] {
        vmar.map(request_at(at, &old, 0, 2)).expect("free");
    }
    shown(&world, &vmar);
    overwrite(&vmar, 1, &new, 5).expect("only mappings");
    let e = Some(0xee);
    assert_eq!(
        shown(&world, &vmar),
        [Some(1), e, e, e, e, e, Some(2), None]
    );
    drop((vmar, old, new));
    finish(world);
}

#[test]
fn a_region_is_never_overwritten() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(8), world.numbered_vmo(8));
    vmar.map(request_at(0, &vmo, 0, 2)).expect("free");
    let child = vmar
        .allocate(CAN_ALL | SPECIFIC, 4 * P, 2 * P)
        .expect("free");
    for (at, pages) in [(4, 2), (3, 2), (5, 1), (0, 8)] {
        world.refuses(Status::INVALID_ARGS, || overwrite(&vmar, at, &vmo, pages));
    }
    drop((vmar, vmo, child));
    finish(world);
}

#[test]
fn the_alignment_is_checked_first() {
    let world = World::new();
    let vmo = world.vmo(1);
    let options = OVERWRITE | VmOptions::from_raw(16 << 24);
    let request = || MapRequest {
        options,
        ..request_at(1, &vmo, 0, 1)
    };
    world.root.map(request_at(1, &vmo, 0, 1)).expect("free");
    world.refuses(Status::INVALID_ARGS, || world.root.map(request()));
    drop(vmo);
    finish(world);
}

#[test]
fn overwriting_with_more_of_the_same_shows_the_right_pages() {
    let world = World::new();
    let (vmar, vmo) = (world.vmar(4), world.numbered_vmo(4));
    vmar.map(request_at(0, &vmo, 0, 4)).expect("free");
    overwrite(&vmar, 2, &vmo, 2).expect("only mappings");
    assert_eq!(shown(&world, &vmar), [Some(1), Some(2), Some(1), Some(2)]);
    drop((vmar, vmo));
    finish(world);
}
