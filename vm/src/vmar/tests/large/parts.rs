//! What is left of a large page when a part of it changes.

use super::*;

#[test]
fn a_whole_large_page_stays_one_when_it_is_protected() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let (base, last) = (page_of(&world.root, L), page_of(&world.root, 2 * L - 1));
    world.root.protect(R, base, L * P, Allowed).expect("memory");
    assert_eq!(size(&world, L), Some(PageSize::Large));
    assert_eq!(world.store(last, 1), Err(Status::ACCESS_DENIED));
    world
        .root
        .protect(RW, base, L * P, Allowed)
        .expect("memory");
    let upgrades = count(Event::Upgrade, || {
        assert_eq!(world.store(last, 5), Ok(()));
        assert_eq!(world.store(base, 6), Ok(()));
    });
    assert_eq!(upgrades, 1);
    assert_eq!(size(&world, L), Some(PageSize::Large));
    drop(vmo);
    finish(world);
}

#[test]
fn a_part_of_a_large_page_may_become_writable() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let base = page_of(&world.root, L);
    world.root.protect(R, base, L * P, Allowed).expect("memory");
    check(&world, L, L, numbered);
    let part = page_of(&world.root, L + 7);
    world.root.protect(RW, part, P, Allowed).expect("memory");
    assert_eq!(world.store_on(2, &world.space, part, 77), Ok(()));
    assert_eq!(world.store(base, 1), Err(Status::ACCESS_DENIED));
    check(&world, L, L, |page| {
        if page == 7 { Ok(77) } else { numbered(page) }
    });
    drop(vmo);
    finish(world);
}

/// Takes something away from pages 3 and 4 of a large page; the others must stay as they are.
fn take_away(take: impl FnOnce(&World, &Memory, VirtAddr), expected: impl Fn(usize) -> Result<u8>) {
    let world = World::new();
    let vmo = committed(&world, L, 2 * L);
    number(&world, L, 2 * L);
    assert_eq!(size(&world, L), Some(PageSize::Large));
    take(&world, &vmo, page_of(&world.root, L + 3));
    world.space.mmu().assert_nothing_is_stale();
    assert_eq!(size(&world, 2 * L), Some(PageSize::Large));
    check(&world, L, 2 * L, |page| match page {
        3 | 4 => expected(page),
        _ => numbered(page),
    });
    drop(vmo);
    finish(world);
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_unmapped() {
    take_away(
        |world, _, part| world.root.unmap(part, 2 * P, Allowed).expect("memory"),
        |_| Err(Status::NOT_FOUND),
    );
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_protected() {
    take_away(
        |world, _, part| {
            let none = VmOptions::empty();
            world
                .root
                .protect(none, part, 2 * P, Allowed)
                .expect("memory");
        },
        |_| Err(Status::ACCESS_DENIED),
    );
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_decommitted() {
    for range_op in [RangeOp::Decommit, RangeOp::Zero] {
        take_away(
            |world, _, _| op(&world.root, range_op, L + 3, 2).expect("mapped"),
            |_| Ok(0),
        );
    }
}

#[test]
fn the_rest_of_a_large_page_outlives_a_part_that_is_overwritten() {
    take_away(
        |world, _, part| {
            let over = MapRequest {
                options: RW | VmOptions::SPECIFIC_OVERWRITE,
                ..request_at(L + 3, &world.vmo(2), 0, 2)
            };
            assert_eq!(world.root.map(over), Ok(part));
        },
        |_| Ok(0),
    );
}

#[test]
fn the_rest_of_a_large_page_outlives_the_end_of_its_vmo() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    vmo.set_size((100 * P) as u64).expect("resizable");
    check(&world, L, L, |page| {
        if page < 100 {
            numbered(page)
        } else {
            Err(Status::OUT_OF_RANGE)
        }
    });
    vmo.set_size((L * P) as u64).expect("resizable");
    check(&world, L, L, |page| {
        if page < 100 { numbered(page) } else { Ok(0) }
    });
    drop(vmo);
    finish(world);
}

#[test]
fn parts_of_one_mapping_join_to_a_large_page_again() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    world
        .root
        .unmap(page_of(&world.root, L + 50), 2 * P, Allowed)
        .expect("memory");
    check(&world, L, 50, numbered);
    world
        .root
        .map(request_at(L + 50, &vmo, 50, 2))
        .expect("it is free");
    assert_eq!(world.load(page_of(&world.root, L + 50)), Ok(50));
    assert_eq!(size(&world, L), Some(PageSize::Large));
    check(&world, L, L, numbered);
    drop(vmo);
    finish(world);
}
