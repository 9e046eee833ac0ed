//! Where mappings go that large pages can show.

use super::*;

/// Where a mapping of `pages` pages of `vmo` is put.
fn put(vmar: &Region, options: VmOptions, vmo: &Memory, pages: usize) -> VirtAddr {
    vmar.map(request(options, vmo, pages)).expect("room")
}

#[test]
fn a_mapping_goes_where_large_pages_can_show_it() {
    let shift = PageSize::Large.shift();
    for aslr in [Aslr::Off, Aslr::On(Entropy::new(random))] {
        let world = World::with_aslr(aslr);
        let vmo = world.vmo(2 * L);
        for _ in 0..4 {
            put(&world.root, R, &vmo, 1);
        }
        for _ in 0..4 {
            assert!(put(&world.root, R, &vmo, L).is_aligned_to(shift));
            assert!(put(&world.root, R, &vmo, 2 * L - 1).is_aligned_to(shift));
        }
        drop(vmo);
        finish(world);
    }
}

#[test]
fn other_wishes_come_before_a_place_for_large_pages() {
    let world = World::with_aslr(Aslr::Off);
    let vmo = world.vmo(2 * L);
    let first = put(&world.root, R, &vmo, 1);
    let wish = VmOptions::from_raw(12 << 24);
    assert_eq!(put(&world.root, R | wish, &vmo, L).raw(), first.raw() + P);
    let compact = world
        .root
        .allocate(CAN_ALL | VmOptions::COMPACT, 0, 2 * L * P);
    let compact = compact.expect("room");
    assert_eq!(put(&compact, R, &vmo, L), compact.range().base());
    // There is only one place, and it is not a good one.
    let tight = world.root.allocate(CAN_ALL, 0, L * P).expect("room");
    assert!(!tight.range().base().is_aligned_to(PageSize::Large.shift()));
    assert_eq!(put(&tight, R, &vmo, L), tight.range().base());
    drop((compact, tight, vmo));
    finish(world);
}
