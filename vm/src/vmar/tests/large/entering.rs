//! When large pages are entered.

use super::*;

#[test]
fn a_committed_large_page_needs_no_table_of_its_own() {
    let world = World::new();
    let before = tables(&world);
    let vmo = world.resizable(2 * L);
    world.root.map(request_at(L, &vmo, 0, 2 * L)).expect("room");
    let entered = count(Event::LargePage, || {
        op(&world.root, RangeOp::Commit, L, 2 * L).expect("memory");
    });
    assert_eq!(entered, 2);
    assert_eq!(tables(&world), before + 2);
    for page in [L, 2 * L - 1, 2 * L, 3 * L - 1] {
        assert_eq!(size(&world, page), Some(PageSize::Large));
        assert_eq!(world.load(page_of(&world.root, page)), Ok(0));
    }
    drop(vmo);
    finish(world);
}

#[test]
fn what_is_not_congruent_or_not_whole_is_entered_in_base_pages() {
    let world = World::new();
    let vmo = committed(&world, L + 1, L);
    assert_eq!(size(&world, L + 1), Some(PageSize::Base));
    assert_eq!(size(&world, 2 * L), Some(PageSize::Base));
    // The same pages, all but one of them, at a place where they would fit.
    world
        .root
        .map(request_at(3 * L, &vmo, 0, L - 1))
        .expect("room");
    op(&world.root, RangeOp::MapRange, 3 * L, L - 1).expect("memory");
    assert_eq!(size(&world, 3 * L), Some(PageSize::Base));
    drop(vmo);
    finish(world);
}

#[test]
fn mapping_a_range_of_present_pages_enters_large_pages() {
    let world = World::new();
    let vmo = committed(&world, 0, 2 * L);
    let there = MapRequest {
        options: RW | SPECIFIC | VmOptions::MAP_RANGE,
        ..request_at(4 * L - 7, &vmo, L - 7, L + 7)
    };
    world.root.map(there).expect("room");
    assert_eq!(size(&world, 4 * L - 1), Some(PageSize::Base));
    assert_eq!(size(&world, 4 * L), Some(PageSize::Large));
    drop(vmo);
    finish(world);
}

#[test]
fn a_fault_enters_the_large_page_that_another_space_has_filled() {
    let mut world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let other = world.another_space(Domain::User);
    let root = other.root().expect("alive");
    let mut there = request_at(2 * L, &vmo, 0, L);
    there.options = R | SPECIFIC;
    root.map(there).expect("room");
    let address = page_of(&root, 2 * L + 9);
    assert_eq!(world.load_on(1, &other, address), Ok(9));
    assert_eq!(
        size_at(&other, page_of(&root, 3 * L - 1)),
        Some(PageSize::Large)
    );
    let last = page_of(&root, 3 * L - 1);
    let faults = count(Event::PresentPage, || {
        assert_eq!(world.load_on(1, &other, last), numbered(L - 1));
    });
    assert_eq!(faults, 0);
    assert_eq!(
        world.store_on(1, &other, last, 1),
        Err(Status::ACCESS_DENIED)
    );
    drop((root, other, vmo));
    finish(world);
}

#[test]
fn a_large_page_takes_the_place_of_a_table() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let before = tables(&world);
    // One page allows less: all come back as base pages, on all processors.
    let odd = page_of(&world.root, L + 100);
    world.root.protect(R, odd, P, Allowed).expect("memory");
    check(&world, L, L, numbered);
    assert_eq!(size(&world, L), Some(PageSize::Base));
    assert_eq!(tables(&world), before + 1);
    // It allows the same again. The next fault is a write to it.
    world.root.protect(RW, odd, P, Allowed).expect("memory");
    assert_eq!(world.store(odd, 100), Ok(()));
    assert_eq!(size(&world, L), Some(PageSize::Large));
    assert_eq!(tables(&world), before);
    check(&world, L, L, numbered);
    drop(vmo);
    finish(world);
}

#[test]
fn an_operation_puts_a_large_page_in_the_place_of_a_table() {
    let world = World::new();
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    let odd = page_of(&world.root, L + 100);
    world.root.protect(R, odd, P, Allowed).expect("memory");
    check(&world, L, L, numbered);
    world.root.protect(RW, odd, P, Allowed).expect("memory");
    op(&world.root, RangeOp::MapRange, L, L).expect("memory");
    assert_eq!(size(&world, L), Some(PageSize::Large));
    check(&world, L, L, numbered);
    drop(vmo);
    finish(world);
}

#[test]
fn a_physical_vmo_is_entered_in_huge_and_large_pages() {
    let world = World::new();
    let range =
        PhysRange::new(PhysAddr::new(1 << 33), PageCount::new(L * L + L)).expect("a valid range");
    let vmo = Vmo::physical(world.pages, new_koid(), range, Default::default()).expect("memory");
    // The root begins one large page above a multiple of a huge one.
    let at = L * L - L;
    world
        .root
        .map(request_at(at, &vmo, 0, L * L + L))
        .expect("room");
    assert!(
        world
            .space
            .fault(page_of(&world.root, at + 5), Access::READ)
            .is_ok()
    );
    assert_eq!(size(&world, at), Some(PageSize::Huge));
    assert!(
        world
            .space
            .fault(page_of(&world.root, at + L * L), Access::READ)
            .is_ok()
    );
    assert_eq!(size(&world, at + L * L + L - 1), Some(PageSize::Large));
    world
        .root
        .unmap(page_of(&world.root, at), P, Allowed)
        .expect("memory");
    assert_eq!(size(&world, at + 1), None);
    op(&world.root, RangeOp::MapRange, at + 1, L * L + L - 1).expect("memory");
    assert_eq!(size(&world, at + 1), Some(PageSize::Base));
    assert_eq!(size(&world, at + L), Some(PageSize::Large));
    drop(vmo);
    finish(world);
}

#[test]
fn a_slice_of_a_physical_vmo_gets_the_alignment_of_what_it_shows() {
    let world = World::new();
    let range =
        PhysRange::new(PhysAddr::new((1 << 33) + P), PageCount::new(2 * L)).expect("a valid range");
    let vmo = Vmo::physical(world.pages, new_koid(), range, Default::default()).expect("memory");
    let slice = vmo.create_child(ChildRequest {
        koid: new_koid(),
        options: VmoChildOptions::SLICE,
        offset: ((L - 1) * P) as u64,
        size: (L * P) as u64,
        may_resize: false,
    });
    let slice = slice.expect("memory");
    let page_in_front = world.root.map(request(R, &world.vmo(1), 1)).expect("room");
    let base = world.root.map(request(R, &slice, L)).expect("room");
    assert!(base.is_aligned_to(PageSize::Large.shift()));
    assert_eq!(world.space.fault(base, Access::READ), Ok(()));
    let place = VirtRange::new(base, PageCount::new(1)).expect("a page");
    let entered = world.space.mmu().cursor(place).query();
    assert_eq!(entered.map(|now| now.size), Some(PageSize::Large));
    for (address, pages) in [(page_in_front, 1), (base, L)] {
        world
            .root
            .unmap(address, pages * P, Allowed)
            .expect("memory");
    }
    drop((vmo, slice));
    finish(world);
}
