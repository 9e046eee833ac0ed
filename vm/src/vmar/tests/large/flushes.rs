//! How often processors are told to forget.

use super::*;

#[test]
fn each_call_flushes_once() {
    let world = World::new();
    let vmo = committed(&world, L, 2 * L);
    let region = world
        .root
        .allocate(CAN_ALL | SPECIFIC, 8 * L * P, 64 * P)
        .expect("room");
    for part in 0..8 {
        region
            .map(request_at(8 * part, &vmo, 8 * part, 3))
            .expect("room");
        world.store(page_of(&region, 8 * part), 1).expect("mapped");
    }
    let mapped = |page| page_of(&world.root, page);
    number(&world, L, 2 * L);
    assert_eq!(
        flushes(|| world
            .root
            .protect(R, mapped(L), 2 * L * P, Allowed)
            .expect("memory")),
        1
    );
    assert_eq!(
        flushes(|| world.root.unmap(mapped(L + 5), P, Allowed).expect("memory")),
        1
    );
    assert_eq!(flushes(|| region.destroy().expect("alive")), 1);
    let rest = 2 * L * P;
    assert_eq!(
        flushes(|| world.root.unmap(mapped(L), rest, Allowed).expect("memory")),
        1
    );
    drop((region, vmo));
    finish(world);
}

#[test]
fn a_call_on_a_vmo_flushes_once_for_each_address_space() {
    let mut world = World::new();
    let vmo = committed(&world, L, 8);
    let other = world.another_space(Domain::User);
    let root = other.root().expect("alive");
    // Mappings of the two take turns.
    for part in 1..4 {
        root.map(request_at(16 * part, &vmo, 0, 8)).expect("room");
        world
            .root
            .map(request_at(16 * part, &vmo, 0, 8))
            .expect("room");
        for space in [&other, &world.space] {
            let address = page_of(&space.root().expect("alive"), 16 * part);
            assert_eq!(world.load_on(0, space, address), Ok(0));
        }
    }
    assert_eq!(flushes(|| vmo.set_size(0).expect("resizable")), 2);
    drop((root, other, vmo));
    finish(world);
}

#[test]
fn only_processors_that_ran_the_address_space_are_asked() {
    let mut world = World::new();
    let other = world.another_space(Domain::User);
    let root = other.root().expect("alive");
    let vmo = committed(&world, L, L);
    root.map(request_at(L, &vmo, 0, L)).expect("room");
    // The address space runs on processors 0 and 1, the other one on 2, and nothing on 3.
    for cpu in [0, 1] {
        let address = page_of(&world.root, L + cpu);
        assert_eq!(world.store_on(cpu, &world.space, address, 1), Ok(()));
    }
    assert_eq!(world.load_on(2, &other, page_of(&root, L)), Ok(1));
    let asked = || [0, 1, 2, 3].map(|cpu| world.machine.times_asked_to_forget(cpu));
    let before = asked();
    let base = page_of(&world.root, L);
    world.root.protect(R, base, L * P, Allowed).expect("memory");
    world.root.unmap(base, P, Allowed).expect("memory");
    assert_eq!(
        asked(),
        [before[0] + 2, before[1] + 2, before[2], before[3]]
    );
    // What changes in the VMO concerns both.
    assert_eq!(
        world.load_on(1, &world.space, page_of(&world.root, L + 1)),
        Ok(1)
    );
    let before = asked();
    vmo.set_size(0).expect("resizable");
    assert_eq!(
        asked(),
        [before[0] + 1, before[1] + 1, before[2] + 1, before[3]]
    );
    drop((root, other, vmo));
    finish(world);
}
